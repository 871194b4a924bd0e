"""The four ensembles of the original posts, as data; importing this needs no torch.

After Christian Perone, "Randomized prior functions in PyTorch" (2019): forty small
networks learn ten points of a noisy line, and what they disagree on is the uncertainty.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from epochord.pipeline.experiments.settings import differing
from epochord.runlog.run.metadata import Format, RunMetadata

__all__ = [
    "DATASET",
    "EPOCHS",
    "LEARNING_RATE",
    "MEMBERS",
    "SETTINGS",
    "EnsembleRecording",
    "Points",
    "Setting",
    "SettingName",
    "bootstrap",
    "grid",
    "held_out_data",
    "training_data",
]

SettingName = Literal["naive", "prior", "prior-bootstrap", "sine-bootstrap"]

MEMBERS = 40
EPOCHS = 100
LEARNING_RATE = 0.05  # of Adam

NOISE_SD = 2.0
TRAINING_POINTS, TRAINING_REACH = 10, 2.0  # on [-2, 2]
HELD_OUT_POINTS, GRID_POINTS, REACH = 100, 300, 3.0  # on [-3, 3]
TRAINING_SEED = 10  # the original's
HELD_OUT_SEED = 11  # ours: the original holds nothing out

DATASET = {
    "name": "noisy-line",
    "source": "y = x + 2 ε, ε standard normal: the original's 10 points on [-2, 2] "
    "(np.random.seed(10)), and 100 held-out points on [-3, 3] (seed 11)",
    "noise_sd": NOISE_SD,
}


class Points(NamedTuple):
    """Inputs and targets [shape=(n,) each]."""

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """What makes the members of an ensemble differ, beside their initial weights.

    Parameters
    ----------
    name : str
        What the setting is called; its run is called ``ensemble-<name>``.
    prior : {"MLP", "sin(3x)"}, optional
        The fixed function that each member adds: a random network of its own, or
        the same sine for all.
    bootstrap : bool
        Whether each member has a bootstrap sample of its own.
    """

    name: SettingName
    prior: Literal["MLP", "sin(3x)"] | None = None
    bootstrap: bool = False


SETTINGS: dict[SettingName, Setting] = {
    setting.name: setting
    for setting in (
        Setting("naive"),
        Setting("prior", prior="MLP"),
        Setting("prior-bootstrap", prior="MLP", bootstrap=True),
        Setting("sine-bootstrap", prior="sin(3x)", bootstrap=True),
    )
}


@dataclass(frozen=True)
class EnsembleRecording:
    """An ensemble to be trained and recorded, and where and how.

    Parameters
    ----------
    setting : Setting
        What makes the members differ.
    directory : Path
        The run's directory.
    members : int
        How many.
    epochs : int
        Full-batch steps.
    prior_scale : float
        β: a member predicts f + β·p.
    seed : int
        For initial weights, priors and bootstrap indices.
    every : int
        Predictions are kept of every so many epochs, and of the last.
    format : {"parquet", "tensorboard", "both"}
        How the log is written.
    half : bool
        Keep predictions in float16.
    """

    setting: Setting
    directory: Path
    members: int = MEMBERS
    epochs: int = EPOCHS
    prior_scale: float = 1.0
    seed: int = 0
    every: int = 1
    format: Format = "parquet"
    half: bool = False

    @property
    def name(self) -> str:
        """What the run is called by default."""
        return f"ensemble-{self.setting.name}"

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What `run.json` is to say of this training."""
        prior = {"prior": self.setting.prior, "prior_scale": self.prior_scale}
        return {
            "experiment": self.name,
            "setting": self.setting.name,
            "members": self.members,
            "epochs": self.epochs,
            "optimizer": "Adam",
            "lr": LEARNING_RATE,
            "bootstrap": self.setting.bootstrap,
            "half": self.half,
            **(prior if self.setting.prior else {}),
        }

    def differences(self, run: RunMetadata) -> list[str]:
        """Say in what a run is not this recording; nothing if it is, and complete."""
        wanted = {
            **self.hyperparameters, "data": DATASET["name"], "every": self.every,
            "seed": self.seed, "format": self.format, "status": "finished",
        }  # fmt: skip
        return differing(wanted, run)


def training_data() -> Points:
    """Return the original's ten points."""
    return _noisy_line(TRAINING_POINTS, TRAINING_REACH, TRAINING_SEED)


def held_out_data() -> Points:
    """Return a hundred points of the same process, that nobody is trained on."""
    return _noisy_line(HELD_OUT_POINTS, REACH, HELD_OUT_SEED)


def grid() -> npt.NDArray[np.float64]:
    """Return where the members are asked and drawn [shape=(300,)]."""
    return np.linspace(-REACH, REACH, GRID_POINTS)


def bootstrap(members: int, seed: int) -> npt.NDArray[np.int64]:
    """Draw once, for each member, which training points it sees.

    Returns
    -------
    np.ndarray [shape=(members, 10), int64]
        With replacement.  More members draw the same first ones.
    """
    draw = np.random.default_rng(seed)
    return draw.integers(0, TRAINING_POINTS, (members, TRAINING_POINTS))


def _noisy_line(points: int, reach: float, seed: int) -> Points:
    # The original seeds NumPy's legacy generator: only that one gives its numbers.
    random = np.random.RandomState(seed)
    x = np.linspace(-reach, reach, points)
    return Points(x, x + NOISE_SD * random.randn(points))
