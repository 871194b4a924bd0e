"""Layers that train one after the other, after PyTorch's example `mnist_forward_forward`."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from tests.recorders.loops.images import images
from tests.recorders.loops.witness import Witness

EPOCHS, CLASSES, THRESHOLD = 6, 10, 2.0


class Net(nn.Module):
    """Its layers are in a plain list, and `train` is not what a module's usually is."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.layers = [Layer(*ends) for ends in pairwise(widths)]

    def train(self, positive, negative, note) -> None:
        for place, layer in enumerate(self.layers):
            positive, negative = layer.train(positive, negative, lambda *n, p=place: note(p, *n))


class Layer(nn.Linear):
    """A linear layer with an optimizer of its own."""

    def __init__(self, *ends: int) -> None:
        super().__init__(*ends)
        self.relu = nn.ReLU()
        self.optimizer = torch.optim.Adam(self.parameters(), lr=0.03)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        direction = x / (x.norm(2, 1, keepdim=True) + 1e-4)
        return self.relu(direction @ self.weight.T + self.bias)

    def train(self, positive, negative, note) -> tuple[torch.Tensor, torch.Tensor]:
        for epoch in range(EPOCHS):
            good = self.forward(positive).pow(2).mean(1)
            bad = self.forward(negative).pow(2).mean(1)
            margins = torch.cat([THRESHOLD - good, bad - THRESHOLD])
            loss = torch.log1p(torch.exp(margins)).mean()
            self.optimizer.zero_grad()
            loss.backward()
            note(epoch)
            self.optimizer.step()
            note(epoch, loss)
        return self.forward(positive).detach(), self.forward(negative).detach()


def labelled(data: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Write classes into the first pixels."""
    marked = data.clone()
    marked[:, :CLASSES] = 0.0
    marked[range(len(data)), classes] = data.max()
    return marked


def main(watch: Callable[..., Any], witness: Witness) -> None:
    """Train each layer to the end before the next one begins."""
    torch.manual_seed(1)
    data, classes = images(60, 8).tensors
    data = data.flatten(1)
    wrong = (classes + torch.randint(1, CLASSES, classes.shape)) % CLASSES
    net = Net([64, 24, 16, 12])
    layers = nn.ModuleList(net.layers)  # net itself has no parameters
    recorder = watch(layers, [layer.optimizer for layer in net.layers], "run")

    def note(place: int, epoch: int, loss: torch.Tensor | None = None) -> None:
        # A layer's first step finds its columns free in the row of the last one's last step.
        row = place * (EPOCHS - 1) + epoch
        if loss is None:
            witness.before_step(net.layers[place].named_parameters(prefix=str(place)), row)
        else:
            witness.loss(loss)
            recorder.log("loss", loss.item())

    net.train(labelled(data, classes), labelled(data, wrong), note)
