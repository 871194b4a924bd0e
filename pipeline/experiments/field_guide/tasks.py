"""What there is to learn: the embedded digits, or the text that Python carries with it."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from epochord.pipeline.experiments.datasets import MNIST_MEAN, MNIST_STD, load_digits_as_mnist
from epochord.pipeline.experiments.field_guide.networks import CLASSES, CONTEXT
from epochord.pipeline.experiments.field_guide.trainings import Training

__all__ = ["Batch", "Task", "task"]

Batch = tuple[torch.Tensor, torch.Tensor]

VALIDATION = 397  # digits, or windows of text, that nobody learns from
CHARACTERS = 100_000  # of the text
SPLIT_SEED = 0  # the same in all trainings
GREY_LEVELS = 16  # of the scans
MIDDLE = (0.4, 0.8)  # of the run, where a batch breaks


@dataclass(frozen=True)
class Task:
    """Inputs and targets.

    Parameters
    ----------
    training, validation : (torch.Tensor, torch.Tensor)
        Images and digits, or windows of text and what follows each character.
    characters : int
        Different ones in a text; 0 of digits.
    dataset : dict
        What `run.json` is to say of it.
    """

    training: Batch
    validation: Batch
    characters: int
    dataset: dict[str, str]

    def batches(self, training: Training, seed: int) -> Iterator[Batch]:
        """Yield the training's batches, drawn without replacement, epoch by epoch."""
        draw = torch.Generator().manual_seed(seed)
        inputs, targets = self.training
        order = torch.empty(0, dtype=torch.int64)
        broken = _broken_step(training, draw) if training.broken_batch else -1
        for step in range(training.steps):
            while len(order) < training.batch_size:
                order = torch.cat([order, torch.randperm(len(inputs), generator=draw)])
            now, order = order[: training.batch_size], order[training.batch_size :]
            images = inputs[now]
            yield (_unscaled(images) if step == broken else images), targets[now]


def task(training: Training, seed: int) -> Task:
    """Load what a training learns.

    Parameters
    ----------
    training : Training
        Which.
    seed : int
        Of the labels that are wrong.
    """
    return _text() if training.network == "transformer" else _digits(training, seed)


def _digits(training: Training, seed: int) -> Task:
    images, digits = load_digits_as_mnist().tensors
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SPLIT_SEED))
    held, learnt = order[:VALIDATION], order[VALIDATION:][: training.examples]
    draw = torch.Generator().manual_seed(seed)
    wrong = torch.rand(len(learnt), generator=draw) < training.wrong_labels
    lots = torch.randint(CLASSES, (len(learnt),), generator=draw)
    labels = torch.where(wrong, lots, digits[learnt])
    about = {"name": "digits", "source": "scikit-learn's bundled digits, in MNIST's shape"}
    return Task((images[learnt], labels), (images[held], digits[held]), 0, about)


def _text() -> Task:
    from pydoc_data.topics import topics

    text = "".join(topics[name] for name in sorted(topics))[:CHARACTERS]
    known = sorted(set(text))
    codes = torch.tensor([known.index(character) for character in text])
    windows = codes.unfold(0, CONTEXT + 1, CONTEXT)
    order = torch.randperm(len(windows), generator=torch.Generator().manual_seed(SPLIT_SEED))
    about = {"name": "topics", "source": "Python's own manual: pydoc_data.topics"}
    held, learnt = (windows[part] for part in (order[:VALIDATION], order[VALIDATION:]))
    pairs = [(part[:, :-1], part[:, 1:]) for part in (learnt, held)]
    return Task(pairs[0], pairs[1], len(known), about)


def _broken_step(training: Training, draw: torch.Generator) -> int:
    first, last = (int(share * training.steps) for share in MIDDLE)
    return int(torch.randint(first, last, (), generator=draw))


def _unscaled(images: torch.Tensor) -> torch.Tensor:
    """Return normalised images as they are where nobody divides by 16."""
    grey = images * MNIST_STD + MNIST_MEAN
    return (grey * GREY_LEVELS - MNIST_MEAN) / MNIST_STD
