"""The networks of the field guide: small, and each of few layers that one can tell apart."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from epochord.pipeline.experiments.field_guide.trainings import Network

__all__ = ["CLASSES", "make"]

PIXELS, SIDE, CLASSES = 784, 28, 10
WIDTH = 64
DEPTH = 10  # hidden layers of the deep networks
CONTEXT = 32  # characters that the transformer sees


def make(network: Network, characters: int = 0) -> nn.Module:
    """Make an untrained network, PyTorch's initial weights in it.

    Parameters
    ----------
    network : str
        ``perceptron`` (three hidden layers, ReLU), ``shallow`` (one, tanh), ``deep`` (ten),
        ``deep-normalised`` (the same with layer normalisation), ``recurrent`` (reads
        an image row by row), ``transformer`` (predicts each next character).
    characters : int
        How many different ones there are in a text.
    """
    if network == "transformer":
        return Transformer(characters)
    return MAKERS[network]()


class Perceptron(nn.Module):
    """Three hidden layers with ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(PIXELS, WIDTH)
        self.fc2 = nn.Linear(WIDTH, WIDTH)
        self.fc3 = nn.Linear(WIDTH, WIDTH)
        self.out = nn.Linear(WIDTH, CLASSES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return scores [shape=(batch, 10)] of images [shape=(batch, 1, 28, 28)]."""
        x = images.flatten(1)
        for layer in (self.fc1, self.fc2, self.fc3):
            x = F.relu(layer(x))
        scores: torch.Tensor = self.out(x)
        return scores


class Shallow(nn.Module):
    """One hidden layer with tanh."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(PIXELS, WIDTH)
        self.out = nn.Linear(WIDTH, CLASSES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return scores [shape=(batch, 10)] of images [shape=(batch, 1, 28, 28)]."""
        scores: torch.Tensor = self.out(torch.tanh(self.fc1(images.flatten(1))))
        return scores


class Deep(nn.Module):
    """Ten hidden layers with tanh; normalisation, where there is any, has no parameters."""

    def __init__(self, normalised: bool) -> None:
        super().__init__()
        widths = [PIXELS] + [WIDTH] * DEPTH
        self.hidden = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        self.out = nn.Linear(WIDTH, CLASSES)
        self.normalised = normalised

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return scores [shape=(batch, 10)] of images [shape=(batch, 1, 28, 28)]."""
        x = images.flatten(1)
        for layer in self.hidden:
            x = layer(x)
            x = torch.tanh(F.layer_norm(x, x.shape[1:]) if self.normalised else x)
        scores: torch.Tensor = self.out(x)
        return scores


class Recurrent(nn.Module):
    """Reads an image row by row and says at the end which digit it was."""

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.Linear(SIDE, WIDTH)
        self.recur = nn.RNN(WIDTH, WIDTH, nonlinearity="relu", batch_first=True)
        self.out = nn.Linear(WIDTH, CLASSES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return scores [shape=(batch, 10)] of images [shape=(batch, 1, 28, 28)]."""
        _, last = self.recur(self.read(images.squeeze(1)))
        scores: torch.Tensor = self.out(last[0])
        return scores


class Transformer(nn.Module):
    """Two blocks, normalised after each part, as in "Attention is all you need" (2017)."""

    def __init__(self, characters: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(characters, WIDTH)
        self.place = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.out = nn.Linear(WIDTH, characters)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        """Return scores [shape=(batch, n, characters)] of what follows [shape=(batch, n)]."""
        x = self.embed(text) + self.place(torch.arange(text.shape[1]))
        for block in self.blocks:
            x = block(x)
        scores: torch.Tensor = self.out(x)
        return scores


class Block(nn.Module):
    """Attention to what came before, then two linear layers."""

    HEADS = 4

    def __init__(self) -> None:
        super().__init__()
        self.ask = nn.Linear(WIDTH, 3 * WIDTH)
        self.join = nn.Linear(WIDTH, WIDTH)
        self.up = nn.Linear(WIDTH, 2 * WIDTH)
        self.down = nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what a block makes of [shape=(batch, n, width)], of the same shape."""
        x = F.layer_norm(x + self.join(self._attention(x)), (WIDTH,))
        return F.layer_norm(x + self.down(F.relu(self.up(x))), (WIDTH,))

    def _attention(self, x: torch.Tensor) -> torch.Tensor:
        heads = self.ask(x).unflatten(-1, (3, self.HEADS, -1)).permute(2, 0, 3, 1, 4)
        ask, offer, tell = heads
        found = F.scaled_dot_product_attention(ask, offer, tell, is_causal=True)
        return found.transpose(1, 2).flatten(2)


MAKERS: dict[Network, Callable[[], nn.Module]] = {
    "perceptron": Perceptron,
    "shallow": Shallow,
    "deep": partial(Deep, False),
    "deep-normalised": partial(Deep, True),
    "recurrent": Recurrent,
}
