"""Made-up trainings that are healthy or have one trouble, as gradient norms of a few layers.

Norms fall with the logarithm of time from levels of their own; around that they move by a
common and an own part, each half smooth and half from step to step.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from epochord.runlog import Run, RunMetadata, Series
from epochord.runlog.run.run import GRAD_NORM

__all__ = ["ANSWERS", "HEALTHY", "LAYER", "STEPS", "TROUBLES", "Training", "Trouble", "training"]

Floats = npt.NDArray[np.float64]

HEALTHY = "healthy"
LAYER = "layer"  # how their names begin; a number from 1 follows
STEPS = 200  # 12 s of sound with most voicings
SMOOTH = 15  # steps in which the smooth part of the noise changes
BEGIN = (0.4, 0.65)  # of the run: between these a trouble begins
PERIOD = 10.0  # steps of an oscillation
CALM = 0.1  # how much is left of the movement on a plateau

ANSWERS: Mapping[str, str] = MappingProxyType(
    {
        "spike": "a spike: one layer jumps for a moment",
        "drift": "a drift: one layer slowly rises away from the others",
        "death": "a death: one layer falls to nothing, or next to nothing, and stays there",
        "vanishing": "vanishing: all fall and fall, some layers more than others",
        "explosion": "an explosion: all rise steeply at the end",
        "plateau": "a plateau: all that moved stands still",
        "oscillation": "an oscillation: all swing up and down, regularly",
        "nan": "not a number: the training goes on with nothing to measure",
    }
)
"""What a listener can say of a training that is not healthy, and how it is put to them."""


@dataclass(frozen=True)
class Trouble:
    """A trouble.

    Parameters
    ----------
    change : callable
        Takes natural logarithms of norms [shape=(layers, steps)], the layer or layers
        concerned, the step at which it begins and the factor; changes the first.
    factor : float
        How strong it is.
    answer : str
        The key of `ANSWERS` that is right.
    one : bool
        Whether a single layer is concerned, or all.
    """

    change: Callable[[Floats, slice, int, float], None]
    factor: float
    answer: str
    one: bool = False


@dataclass(frozen=True, eq=False)
class Training:
    """A training.

    Parameters
    ----------
    run : Run
        As if read from a log.
    layer : int or None
        Which layer is concerned, counted from 1; None if all are, or none.
    """

    run: Run
    layer: int | None


def training(kind: str, layers: int, rng: np.random.Generator) -> Training:
    """Make up a training.

    Parameters
    ----------
    kind : str
        `HEALTHY` or a key of `TROUBLES`.
    layers : int
        How many.
    rng : np.random.Generator
        What it is drawn from.
    """
    time = np.arange(STEPS)
    levels = rng.uniform(-3, 0, (layers, 1))
    logs = levels - rng.uniform(0.1, 0.4) * np.log1p(time / 20)
    logs += rng.uniform(0.1, 0.2) * (_noise(rng, 1) + _noise(rng, layers))
    begin, place = round(STEPS * rng.uniform(*BEGIN)), int(rng.integers(layers))
    if kind == HEALTHY:
        return Training(_run(logs), None)
    trouble = TROUBLES[kind]
    who = slice(place, place + 1) if trouble.one else slice(None)
    trouble.change(logs, who, begin, float(np.log(trouble.factor)))
    return Training(_run(logs), place + 1 if trouble.one else None)


def _noise(rng: np.random.Generator, rows: int) -> Floats:
    """Return noise of unit variance, half of it smooth [shape=(rows, STEPS)]."""
    window = np.hanning(SMOOTH + 2)
    window /= np.sqrt(np.square(window).sum())
    white = rng.standard_normal((rows, STEPS + len(window) - 1))
    smooth = np.stack([np.convolve(row, window, "valid") for row in white])
    return np.asarray((smooth + rng.standard_normal(smooth.shape)) / np.sqrt(2))


def _run(logs: Floats) -> Run:
    norms = np.exp(logs).astype(np.float32)
    tags = [f"{GRAD_NORM}{LAYER}{number}.weight" for number in range(1, len(norms) + 1)]
    rows = zip(tags, norms, strict=True)
    steps = np.arange(STEPS)
    return Run("clip", RunMetadata("clip"), {tag: Series(tag, steps, row) for tag, row in rows})


def _spike(logs: Floats, who: slice, begin: int, log: float) -> None:
    logs[who, begin] += log


def _drift(logs: Floats, who: slice, begin: int, log: float) -> None:
    logs[who, begin:] += np.linspace(0, log, STEPS - begin)


def _fall(logs: Floats, who: slice, begin: int, log: float) -> None:
    logs[who, begin:] -= log


def _vanish(logs: Floats, who: slice, _: int, log: float) -> None:
    """Fall from the first step on: the first layer by the factor, the last by its fourth root."""
    shares = np.linspace(1, 0.25, len(logs))[:, None]
    logs[who] -= log * shares * np.linspace(0, 1, STEPS)


def _explode(logs: Floats, who: slice, begin: int, log: float) -> None:
    rest = STEPS - begin
    logs[who, begin:] += log * np.linspace(0, 1, rest) ** 3


def _stand(logs: Floats, who: slice, begin: int, _: float) -> None:
    logs[who, begin:] = logs[who, begin, None] + CALM * (logs - logs[:, begin, None])[who, begin:]


def _swing(logs: Floats, who: slice, begin: int, log: float) -> None:
    """Swing by the factor from the lowest to the highest."""
    logs[who, begin:] += log / 2 * np.sin(2 * np.pi / PERIOD * np.arange(STEPS - begin))


def _break(logs: Floats, who: slice, begin: int, _: float) -> None:
    logs[who, begin:] = np.nan


TROUBLES: Mapping[str, Trouble] = MappingProxyType(
    {
        "spike": Trouble(_spike, 30, "spike", one=True),
        "drift": Trouble(_drift, 10, "drift", one=True),
        "death": Trouble(_fall, np.inf, "death", one=True),
        "near_death": Trouble(_fall, 1e6, "death", one=True),
        "vanishing": Trouble(_vanish, 1e3, "vanishing"),
        "explosion": Trouble(_explode, 1e3, "explosion"),
        "plateau": Trouble(_stand, 1, "plateau"),
        "oscillation": Trouble(_swing, 9, "oscillation"),
        "nan": Trouble(_break, 1, "nan"),
    }
)
"""By name."""
