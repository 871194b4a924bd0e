"""Ways to log a training's gradient norms and loss: not at all, with Epochord, naively.

All have one shape: an optimizer of their own, `after` each step, `flush`, `close`.
"""

from pathlib import Path
from typing import Protocol

import torch
from torch.optim import Optimizer
from torch.utils.tensorboard import SummaryWriter

from benchmarks.trainings import Training
from epochord.recorders import GradientRecorder

__all__ = ["Bare", "Epochord", "Logger", "Naive"]


class Logger(Protocol):
    """What is added to a training loop."""

    optimizer: Optimizer

    def after(self, loss: torch.Tensor) -> None:
        """Log the step just done."""

    def flush(self) -> None:
        """Wait until everything so far is on disk."""

    def close(self) -> None:
        """Complete the log."""


class Bare:
    """Logs nothing."""

    def __init__(self, training: Training) -> None:
        self.optimizer = training.make_optimizer()

    def after(self, loss: torch.Tensor) -> None:
        pass

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


class Epochord:
    """Logs with `GradientRecorder`.

    It never hands rows over by itself here: the benchmark calls `flush`, so that
    the writer's work neither is missed nor falls into another logger's time.
    """

    def __init__(self, training: Training, directory: Path) -> None:
        self.optimizer = training.make_optimizer()
        self._recorder = GradientRecorder(
            training.model, self.optimizer, directory, flush_seconds=float("inf")
        )

    def after(self, loss: torch.Tensor) -> None:
        self._recorder.log("loss", loss)

    def flush(self) -> None:
        self._recorder.flush()

    def close(self) -> None:
        self._recorder.close()


class Naive:
    """Logs as many loops do: a norm, an `item` and an `add_scalar` for every parameter."""

    def __init__(self, training: Training, directory: Path) -> None:
        self.optimizer = training.make_optimizer()
        self._parameters = list(training.model.named_parameters())
        self._writer = SummaryWriter(str(directory))
        self._step = 0

    def after(self, loss: torch.Tensor) -> None:
        for name, parameter in self._parameters:
            self._writer.add_scalar(f"grad_norm/{name}", parameter.grad.norm().item(), self._step)
        self._writer.add_scalar("loss", loss.item(), self._step)
        self._step += 1

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
