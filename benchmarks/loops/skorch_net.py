"""A skorch classifier with callbacks that clip, watch and log; skorch steps with a closure."""

from collections.abc import Callable
from typing import Any

import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, GradientNormClipping, LRScheduler
from torch import nn

from tests.recorders.loops.images import images
from tests.recorders.loops.witness import Witness


class Recording(Callback):
    """Watches what the net has made of its module and optimizer."""

    def __init__(self, watch: Callable[..., Any], witness: Witness) -> None:
        self.watch, self.witness, self.row = watch, witness, 0

    def on_train_begin(self, net, **_) -> None:
        self.recorder = self.watch(net.module_, net.optimizer_, "run")

    def on_grad_computed(self, net, **_) -> None:
        self.witness.before_step(net.module_.named_parameters(), self.row)
        self.row += 1

    def on_batch_end(self, net, training=False, **_) -> None:
        if training:
            loss = net.history[-1, "batches", -1, "train_loss"]
            self.witness.loss(loss)
            self.recorder.log("loss", loss)

    def on_epoch_end(self, net, **_) -> None:
        self.recorder.log("valid/loss", net.history[-1, "valid_loss"])
        self.recorder.log("valid/accuracy", net.history[-1, "valid_acc"])


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Fit a small network."""
    torch.manual_seed(1)
    data, classes = images(200, 8).tensors
    net = NeuralNetClassifier(
        nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10)),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        optimizer__momentum=0.9,
        lr=0.05,
        max_epochs=3,
        batch_size=32,
        iterator_train__shuffle=True,
        verbose=0,
        callbacks=[
            GradientNormClipping(0.5),
            LRScheduler(policy=torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5),
            Recording(watch, witness),
        ],
    )
    net.fit(data, classes)
