"""The original experiment: train a small network on digits, record its gradient norms.

After Christian Perone, "Listening to the neural network gradient norms during
training" (2019): the same network, settings and number of batches.
"""

import itertools
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from epochord.pipeline.experiments.datasets import describe, load_digits_as_mnist, load_mnist
from epochord.pipeline.experiments.settings import Recording
from epochord.recorders import GradientRecorder

__all__ = ["Net", "load", "train"]

Batch = tuple[torch.Tensor, torch.Tensor]
Progress = Callable[[int, float], None]


class Net(nn.Module):
    """Two convolutions and two linear layers, for 28 × 28 images."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, kernel_size=5)
        self.conv2 = nn.Conv2d(20, 50, kernel_size=5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return log-probabilities [shape=(batch, 10)] of images [shape=(batch, 1, 28, 28)]."""
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return F.log_softmax(self.fc2(x), dim=1)


def load(recording: Recording) -> TensorDataset:
    """Load the data set that a recording is to be made with."""
    return load_mnist(recording.data_dir) if recording.data == "mnist" else load_digits_as_mnist()


def train(recording: Recording, dataset: TensorDataset, progress: Progress) -> None:
    """Train the network and record every step.

    Parameters
    ----------
    recording : Recording
        The experiment, and where and how to record it.
    dataset : TensorDataset
        Images and digits (see `load`).
    progress : callable
        Called after each step with the number of steps done and the loss.
    """
    experiment = recording.experiment
    torch.manual_seed(recording.seed)
    model = Net()
    optimizer = getattr(torch.optim, experiment.optimizer)(
        model.parameters(), **experiment.optimizer_settings
    )
    recorder = GradientRecorder(
        model,
        optimizer,
        recording.directory,
        format=recording.format,
        overwrite=True,  # of this experiment (`pipeline.recording` has looked)
        on_error="raise",
        seed=recording.seed,
        hyperparameters=recording.hyperparameters,
        dataset=describe(recording.data),
    )
    with recorder:
        batches = _batches(dataset, experiment.batch_size, recording.seed)
        for done, (epoch, (images, digits)) in enumerate(batches, start=1):
            optimizer.zero_grad()
            loss = F.nll_loss(model(images), digits)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            recorder.log("loss", loss)
            recorder.log("epoch", epoch)
            progress(done, loss.item())
            if done == recording.steps:
                break


def _batches(dataset: TensorDataset, size: int, seed: int) -> Iterator[tuple[int, Batch]]:
    """Yield (epoch, batch) for ever, reshuffled each epoch; a short last batch is left out."""
    order = torch.Generator().manual_seed(seed)
    loader = DataLoader(dataset, batch_size=size, shuffle=True, drop_last=True, generator=order)
    for epoch in itertools.count():
        for batch in loader:
            yield epoch, batch
