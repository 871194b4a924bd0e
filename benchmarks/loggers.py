"""Ways to log a training's gradient norms and loss: not at all, with Epochord, naively, with wandb.

All have one shape: an optimizer of a training that is nobody else's, `after` each step,
`flush`, `close`.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import torch
from torch.optim import Optimizer
from torch.utils.tensorboard import SummaryWriter

from benchmarks.trainings import Training
from epochord.recorders import GradientRecorder

__all__ = ["Bare", "Epochord", "Logger", "Naive", "NormsAlone", "Wandb", "has_wandb"]


def has_wandb() -> bool:
    """Return whether wandb is installed, which nothing else here needs: ``pip install wandb``."""
    return find_spec("wandb") is not None


class Logger(Protocol):
    """What is added to a training loop."""

    training: Training
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
        self.training, self.optimizer = training, training.make_optimizer()

    def after(self, loss: torch.Tensor) -> None:
        pass

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


class NormsAlone(Bare):
    """Measures all norms in one call and forgets them: what a log costs at least."""

    def __init__(self, training: Training) -> None:
        super().__init__(training)
        self._parameters = list(training.model.parameters())

    @torch.no_grad()
    def after(self, loss: torch.Tensor) -> None:  # noqa: ARG002 - it logs no loss
        torch._foreach_norm([parameter.grad for parameter in self._parameters], 2)


class Epochord:
    """Logs with `GradientRecorder`.

    It never hands rows over by itself here: the benchmark calls `flush`, so that
    the writer's work neither is missed nor falls into another logger's time.
    """

    def __init__(self, training: Training, directory: Path) -> None:
        self.training, self.optimizer = training, training.make_optimizer()
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
        self.training, self.optimizer = training, training.make_optimizer()
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


class Wandb:
    """Logs with `wandb.watch`, offline, at every step: a histogram of each gradient, and the loss.

    What its service, a process of its own, does in the meantime is not seen in the CPU
    time of steps, but in that of `close`, which waits for its end.
    """

    def __init__(self, training: Training, directory: Path) -> None:
        import wandb

        self.training, self.optimizer = training, training.make_optimizer()
        directory.mkdir(parents=True)
        settings = wandb.Settings(silent=True, console="off")
        self._run = wandb.init(
            project="benchmark", mode="offline", dir=str(directory), settings=settings
        )
        self._run.watch(training.model, log="gradients", log_freq=1)
        self._teardown = wandb.teardown

    def after(self, loss: torch.Tensor) -> None:
        self._run.log({"loss": loss.item()})

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self._run.finish()
        self._teardown()
