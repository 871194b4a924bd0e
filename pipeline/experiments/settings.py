"""The five trainings of the original post, as data; importing this needs no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from epochord.runlog.run.metadata import Format, RunMetadata

__all__ = ["BATCHES", "EXPERIMENTS", "DataName", "Experiment", "Recording", "differing"]

DataName = Literal["digits", "mnist"]

# The original stops after batch 200 of its first epoch, counted from 0.
BATCHES = 201


@dataclass(frozen=True)
class Experiment:
    """One training of the convolutional network on handwritten digits.

    Parameters
    ----------
    name : str
        What the run is called.
    optimizer : {"SGD", "Adam"}
        Class in `torch.optim`.
    lr : float
        Learning rate.
    batch_size : int
        Images a step.
    momentum : float, optional
        Of SGD.
    """

    name: str
    optimizer: Literal["SGD", "Adam"]
    lr: float
    batch_size: int = 10
    momentum: float | None = None

    @property
    def optimizer_settings(self) -> dict[str, float]:
        """Arguments of the optimizer's class."""
        momentum = {} if self.momentum is None else {"momentum": self.momentum}
        return {"lr": self.lr, **momentum}

    def __str__(self) -> str:
        return f"{self.optimizer}, learning rate {self.lr:g}, batch size {self.batch_size}"


EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment("sgd", "SGD", lr=0.01, momentum=0.5),
        Experiment("sgd-lr0.1", "SGD", lr=0.1, momentum=0.5),
        Experiment("sgd-lr1", "SGD", lr=1.0, momentum=0.5),
        Experiment("sgd-lr1-bs256", "SGD", lr=1.0, momentum=0.5, batch_size=256),
        Experiment("adam", "Adam", lr=0.01),
    )
}


@dataclass(frozen=True)
class Recording:
    """An experiment to be recorded, and where and how.

    Parameters
    ----------
    experiment : Experiment
        What to train.
    directory : Path
        The run's directory.
    data : {"digits", "mnist"}
        The data set.
    data_dir : Path
        Where MNIST lies, or is put.
    steps : int
        Number of batches.
    seed : int
        For the initial weights and the order of the images.
    format : {"parquet", "tensorboard", "both"}
        How the log is written.
    """

    experiment: Experiment
    directory: Path
    data: DataName = "digits"
    data_dir: Path = Path("data")
    steps: int = BATCHES
    seed: int = 0
    format: Format = "parquet"

    @property
    def name(self) -> str:
        """What the run is called by default."""
        return self.experiment.name

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What `run.json` is to say of this training."""
        return {
            "experiment": self.experiment.name,
            "optimizer": self.experiment.optimizer,
            **self.experiment.optimizer_settings,
            "batch_size": self.experiment.batch_size,
            "steps": self.steps,
        }

    def differences(self, run: RunMetadata) -> list[str]:
        """Say in what a run is not this recording; nothing if it is, and complete.

        Parameters
        ----------
        run : RunMetadata
            The run's metadata.
        """
        wanted = {
            **self.hyperparameters, "data": self.data, "seed": self.seed, "format": self.format,
            "status": "finished",
        }  # fmt: skip
        return differing(wanted, run)


def differing(wanted: Mapping[str, Any], run: RunMetadata) -> list[str]:
    """Say in what a run is not what is wanted.

    Parameters
    ----------
    wanted : mapping
        Hyperparameters, and what else `run.json` says of how a run was made.
    run : RunMetadata
        The run's metadata.
    """
    there = {
        **run.hyperparameters, "data": run.dataset.get("name"), "every": run.every,
        "seed": run.seed, "format": run.format, "status": run.status,
    }  # fmt: skip
    return [
        f"{name} {there.get(name)}, not {value}"
        for name, value in wanted.items()
        if there.get(name) != value
    ]
