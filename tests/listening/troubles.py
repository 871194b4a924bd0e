"""Trainings that are well or have one trouble, as gradient norms: nothing but numbers and a seed.

Norms walk about a level of their own (first-order autoregression), partly together and
partly each for itself, and fall or rise a little over the run.  A trouble changes level or
jitter, in natural logarithms, of all layers or of one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from epochord.runlog import Run, RunMetadata, Series
from epochord.runlog.run.run import GRAD_NORM

__all__ = ["HEALTHY", "LAYER", "STEPS", "TROUBLES", "Norms", "Trouble", "norms"]

Floats = npt.NDArray[np.float64]

HEALTHY = "healthy"
LAYER = "layer"  # how their names begin
STEPS = 300
PERIOD = 8  # steps, of oscillations
CALM = 0.02  # log-sd where nothing moves any more


@dataclass
class Course:
    """What a trouble changes: level and jitter [shape=(layers, steps)], of which layers, when."""

    level: Floats
    jitter: Floats
    who: npt.NDArray[np.int64]
    at: int
    rng: np.random.Generator

    @property
    def time(self) -> Floats:
        """From 0 to 1."""
        return np.linspace(0, 1, self.level.shape[1])

    def ramp(self, begin: float, end: float = 1.0) -> Floats:
        """Rise from 0 at one time to 1 at another."""
        return np.clip((self.time - begin) / (end - begin), 0, 1)


@dataclass(frozen=True)
class Trouble:
    """A trouble.

    Parameters
    ----------
    change : callable
        Changes a `Course`, given the logarithm of the strength.
    strength : float
        A factor.
    layers : int
        How many layers are concerned; 0 for all.
    """

    change: Callable[[Course, float], None]
    strength: float
    layers: int = 0


@dataclass(frozen=True, eq=False)
class Norms:
    """A training.

    Parameters
    ----------
    values : np.ndarray [shape=(layers, steps)]
        Gradient norms.
    concerned : tuple of int
        Which layers have the trouble; empty if all or none.
    """

    values: Floats
    concerned: tuple[int, ...]

    def run(self) -> Run:
        """Return it as a run in memory."""
        tags = [f"{GRAD_NORM}{LAYER}{layer:02d}.weight" for layer in range(len(self.values))]
        steps = np.arange(self.values.shape[1])
        rows = zip(tags, self.values.astype(np.float32), strict=True)
        return Run("any", RunMetadata("any"), {tag: Series(tag, steps, row) for tag, row in rows})


def norms(
    kind: str, seed: int, layers: int, *, strength: float | None = None, steps: int = STEPS
) -> Norms:
    """Make up a training.

    Parameters
    ----------
    kind : str
        `HEALTHY` or a key of `TROUBLES`.
    seed : int
        The same course for all kinds, but for the trouble.
    layers : int
        How many.
    strength : float, optional
        A factor; by default the trouble's own.
    steps : int
        How many.
    """
    rng = np.random.default_rng([seed, layers])
    own_level = rng.normal(-1, 0.7, layers)
    spread, memory = rng.uniform(0.15, 0.35), rng.uniform(0.5, 0.95)
    trend = rng.normal(-0.3, 0.5) * np.linspace(0, 1, steps)
    walks = _walks(rng, layers + 1, steps, memory) * spread * 0.7
    who, at = rng.permutation(layers), int(steps * rng.uniform(0.45, 0.65))
    course = Course(own_level[:, None] + trend, walks[:1] + walks[1:], who, at, rng)
    if kind == HEALTHY:
        return Norms(np.exp(course.level + course.jitter), ())
    trouble = TROUBLES[kind]
    trouble.change(course, float(np.log(strength or trouble.strength)))
    values = np.exp(course.level + course.jitter)
    return Norms(values, tuple(int(layer) for layer in who[: trouble.layers]))


def _walks(rng: np.random.Generator, rows: int, steps: int, memory: float) -> Floats:
    """Return first-order autoregressions of unit variance, each from zero."""
    noise = rng.standard_normal((rows, steps)) * np.sqrt(1 - memory**2)
    noise[:, 0] = 0
    return np.asarray(lfilter([1], [1, -memory], noise, axis=1))


def _vanish(run: Course, log: float) -> None:
    """Sink, the first layer most, the last by a factor of 3."""
    run.level -= np.linspace(log, np.log(3), len(run.level))[:, None] * run.time


def _fall(run: Course, log: float) -> None:
    run.level -= log * run.time


def _explode(run: Course, log: float) -> None:
    run.level += log * run.ramp(0.9)


def _die(run: Course, _: float) -> None:
    run.level[run.who[0], run.at :] = -np.inf


def _fade(run: Course, log: float) -> None:
    run.level[run.who[0], run.at :] = -log
    run.jitter[run.who[0], run.at :] = 0


def _spike_all(run: Course, log: float) -> None:
    run.level[:, run.at] += log


def _spike_one(run: Course, log: float) -> None:
    run.level[run.who[0], run.at] += log


def _plateau(run: Course, _: float) -> None:
    begin = int(0.4 * run.level.shape[1])
    shape = run.level[:, begin:].shape
    run.level[:, begin:] = (run.level + run.jitter)[:, begin : begin + 1]
    run.jitter[:, begin:] = CALM * run.rng.standard_normal(shape)


def _oscillate(run: Course, log: float) -> None:
    """Swing, from peak to peak by the factor."""
    run.level[:, run.at :] += log / 2 * _wave(run)


def _oscillation_grows(run: Course, log: float) -> None:
    """Swing ever farther, at last by the factor from peak to peak."""
    run.level[:, run.at :] += log / 2 * _wave(run) * np.linspace(0, 1, len(_wave(run)))


def _wave(run: Course) -> Floats:
    return np.sin(2 * np.pi / PERIOD * np.arange(run.level.shape[1] - run.at))


def _drift(run: Course, log: float) -> None:
    run.level[run.who[0]] += log * run.ramp(0.3)


def _late_drift(run: Course, log: float) -> None:
    run.level[run.who[0]] += log * run.ramp(0.6)


def _two_at_once(run: Course, log: float) -> None:
    """Let one layer rise as another falls."""
    run.level[run.who[0]] += log * run.ramp(0.3)
    run.level[run.who[1]] -= log * run.ramp(0.3)


def _rate_drop(run: Course, log: float) -> None:
    """Fall within five steps, and move a third as much from then on."""
    begin = run.at / run.level.shape[1]
    low = run.ramp(begin, begin + 5 / run.level.shape[1])
    run.level -= log * low
    run.jitter *= 1 - 2 / 3 * low


def _stuck(run: Course, _: float) -> None:
    layer = run.who[0]
    run.level[layer, run.at :] = run.level[layer, run.at] + run.jitter[layer, run.at]
    run.jitter[layer, run.at :] = 0


TROUBLES = {
    "vanish100": Trouble(_vanish, 100),
    "explode1000": Trouble(_explode, 1000),
    "die": Trouble(_die, 1, layers=1),
    "near_dead": Trouble(_fade, 1e9, layers=1),
    "spike_all": Trouble(_spike_all, 30),
    "spike_one": Trouble(_spike_one, 30, layers=1),
    "plateau": Trouble(_plateau, 1),
    "oscillate": Trouble(_oscillate, 9),
    "drift10_one": Trouble(_drift, 10, layers=1),
    "fall3": Trouble(_fall, 3),
    "two_at_once": Trouble(_two_at_once, 10, layers=2),
    "oscillation_grows": Trouble(_oscillation_grows, 30),
    "rate_drop": Trouble(_rate_drop, 3),
    "late_drift": Trouble(_late_drift, 6, layers=1),
    "stuck": Trouble(_stuck, 1, layers=1),
}
"""By name; the last five are our own, the others those that the voicings were first tried on."""
