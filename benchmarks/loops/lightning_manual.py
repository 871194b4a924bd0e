"""A LightningModule that steps two optimizers itself, in Lightning's wrappers."""

from collections.abc import Callable
from typing import Any

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader

from tests.recorders.loops.images import images
from tests.recorders.loops.witness import Witness


class Module(lightning.LightningModule):
    """An encoder and a head, each with an optimizer; the head steps every second batch."""

    def __init__(self, watch: Callable[..., Any], witness: Witness) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Tanh())
        self.head = nn.Linear(16, 10)
        self.watch, self.witness, self.row = watch, witness, 0

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        return [
            torch.optim.Adam(self.encoder.parameters(), lr=1e-2),
            torch.optim.SGD(self.head.parameters(), lr=0.1),
        ]

    def on_train_start(self) -> None:
        self.recorder = self.watch(self, self.optimizers(), "run")

    def training_step(self, batch: list[torch.Tensor], number: int) -> None:
        encoder, head = self.optimizers()
        data, target = batch
        loss = nn.functional.cross_entropy(self.head(self.encoder(data)), target)
        encoder.zero_grad()
        self.manual_backward(loss)
        self.witness.before_step(self.encoder.named_parameters(prefix="encoder"), self.row)
        encoder.step()
        if number % 2:
            self.witness.before_step(self.head.named_parameters(prefix="head"), self.row)
            head.step()
            head.zero_grad()
        self.row += 1
        self.witness.loss(loss.detach())
        self.recorder.log("loss", loss.detach())


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Train for two epochs."""
    lightning.seed_everything(1, verbose=False)
    loader = DataLoader(images(96, 8), batch_size=16, shuffle=True)
    trainer = lightning.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Module(watch, witness), loader)
