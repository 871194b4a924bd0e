"""Trainings to record: a network, its batches and its optimizer, ready to step.

Batches are made before anything is timed, so that a step is the training alone:
what a recorder adds weighs the more.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import Optimizer

from epochord.pipeline.experiments.datasets import load_digits_as_mnist
from epochord.pipeline.experiments.gradient_norms import Net

__all__ = ["TRAININGS", "Training", "digits", "tiny", "transformer"]

Batch = tuple[torch.Tensor, torch.Tensor]

BATCHES = 32
TOKENS = 256
WIDTH = 256
ELEMENTS = 4  # of a tiny tensor
LAYERS = 8  # of 12 parameter tensors each; with embedding and output 99 in all


@dataclass(frozen=True)
class Training:
    """A network in training.

    Parameters
    ----------
    model : torch.nn.Module
        The network.
    make_optimizer : callable
        Gives a new optimizer of the model's parameters.
    criterion : callable
        Loss of what the model says of a batch, given its targets.
    batches : list of (inputs, targets)
        Used again and again.
    """

    model: nn.Module
    make_optimizer: Callable[[], Optimizer]
    criterion: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    batches: list[Batch]

    def step(self, number: int, optimizer: Optimizer) -> torch.Tensor:
        """Do one step of training and return its loss."""
        inputs, targets = self.batches[number % len(self.batches)]
        optimizer.zero_grad()
        loss = self.criterion(self.model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss


def digits(batch_size: int) -> Training:
    """Return the original experiment: its network on real digits, SGD with momentum."""
    torch.manual_seed(0)
    images, labels = load_digits_as_mnist().tensors
    model = Net()
    chosen = [torch.randint(len(images), (batch_size,)) for _ in range(BATCHES)]
    return Training(
        model,
        lambda: torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.5),
        F.nll_loss,
        [(images[rows], labels[rows]) for rows in chosen],
    )


def transformer() -> Training:
    """Return an encoder of 8 layers (width 256, 4.3 M parameters) on 2 × 64 tokens, AdamW."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(WIDTH, 4, dim_feedforward=2 * WIDTH, batch_first=True)
    model = nn.Sequential(
        nn.Embedding(TOKENS, WIDTH),
        nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False),
        nn.Linear(WIDTH, TOKENS),
    )
    text = torch.randint(TOKENS, (BATCHES, 2, 65))
    return Training(
        model,
        lambda: torch.optim.AdamW(model.parameters(), lr=1e-4),
        lambda said, targets: F.cross_entropy(said.flatten(0, 1), targets.flatten()),
        [(sample[:, :-1], sample[:, 1:]) for sample in text],
    )


class Tiny(nn.Module):
    """So many parameters of four elements; says the sum of their squares, whatever it hears."""

    def __init__(self, tensors: int) -> None:
        super().__init__()
        self.tensors = nn.ParameterList(torch.randn(ELEMENTS) for _ in range(tensors))

    def forward(self, _: torch.Tensor) -> torch.Tensor:
        return torch.cat(list(self.tensors)).square().sum()


def tiny(tensors: int) -> Training:
    """Return a training of tiny tensors, SGD with momentum: a recorder's worst case."""
    torch.manual_seed(0)
    model = Tiny(tensors)
    nothing = torch.zeros(())
    return Training(
        model,
        lambda: torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.5),
        lambda said, _: said,
        [(nothing, nothing)],
    )


TRAININGS: dict[str, Callable[[], Training]] = {
    "original net, batch 10": lambda: digits(10),
    "original net, batch 256": lambda: digits(256),
    "transformer, 99 tensors": transformer,
    "400 tiny tensors": lambda: tiny(400),
    "2,000 tiny tensors": lambda: tiny(2_000),
    "10,000 tiny tensors": lambda: tiny(10_000),
}
