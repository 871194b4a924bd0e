"""A long timeline as few frames, each of which keeps the extremes of its steps."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.timeline.timeline import Timeline

__all__ = ["Frames", "reduce"]

Floats = npt.NDArray[np.floating[Any]]
Counts = npt.NDArray[np.int32]

# A frame is heard at its extreme instead of at its mean where they differ by more
# than this factor: 10 × 1 in a thousand leaves the mean where it was.
TELLING = 2.0


@dataclass(frozen=True)
class Frames:
    """Voices × frames, each frame the summary of one or more steps.

    Parameters
    ----------
    names : tuple of str
        One a voice.
    steps : np.ndarray [shape=(frames,), int64]
        First step of each frame.
    first, last, low, high, mean : np.ndarray [shape=(voices, frames)]
        Of the finite values in it; NaN where there is none.
    measured, nan, positive_infinity, negative_infinity : np.ndarray [shape=(voices, frames), int64]
        How many of its steps have a value, and how many of these are not finite.
    unit : str
        What the values are.
    notes : tuple of str
        What was chosen or moved, in a line each.
    axis : np.ndarray [shape=(steps,), int64]
        All the steps that the frames summarise.
    """

    names: tuple[str, ...]
    steps: npt.NDArray[np.int64]
    first: Floats
    last: Floats
    low: Floats
    high: Floats
    mean: Floats
    measured: Counts
    nan: Counts
    positive_infinity: Counts
    negative_infinity: Counts
    unit: str = ""
    notes: tuple[str, ...] = ()
    axis: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def total(self) -> int:
        """How many steps the frames summarise."""
        return len(self.axis)

    @property
    def count(self) -> int:
        """Number of frames."""
        return len(self.steps)

    @property
    def values(self) -> Floats:
        """What each frame is heard at [shape=(voices, frames)]; NaN where nothing is finite.

        The mean of its steps, or their highest or lowest value where that lies
        further from the mean than a factor of two: a single spike among many
        steps is heard.  Where zero or less is among them, ratios mean nothing:
        there the extreme lies further from the mean than zero does, and than
        twice the other extreme.
        """
        positive = self.low > 0
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            above = np.where(positive, self.high / self.mean, self.high - self.mean)
            below = np.where(positive, self.mean / self.low, self.mean - self.low)
            usual = np.maximum(TELLING * np.minimum(above, below), np.abs(self.mean))
        telling = np.maximum(above, below) > np.where(positive, TELLING, usual)
        extreme = np.where(above >= below, self.high, self.low)
        return np.where(telling, extreme, self.mean)


def reduce(timeline: Timeline, frames: int | None = None) -> Frames:
    """Summarise a timeline in at most so many frames.

    Parameters
    ----------
    timeline : Timeline
        Voices × steps.
    frames : int, optional
        How many frames at most; by default one a step.

    Returns
    -------
    Frames
        Each of as many steps as the others, or of one more.
    """
    steps = timeline.frames
    count = min(steps, frames or steps)
    starts = np.arange(count) * steps // count
    known = timeline.measured
    finite = known & np.isfinite(timeline.values)
    values = timeline.values

    def counted(which: npt.NDArray[np.bool_]) -> Counts:
        return np.add.reduceat(which, starts, axis=1, dtype=np.int32)

    some = counted(finite)
    mean = _means(np.where(finite, values, 0), starts, np.maximum(some, 1))
    lowest = np.minimum.reduceat(np.where(finite, values, np.inf), starts, axis=1)
    highest = np.maximum.reduceat(np.where(finite, values, -np.inf), starts, axis=1)
    first, last = _ends(timeline.values, finite, starts)

    def blank(each: Floats) -> Floats:
        return np.where(some > 0, each, np.nan)

    return Frames(
        names=timeline.names,
        steps=timeline.steps[starts],
        first=blank(first),
        last=blank(last),
        low=blank(lowest),
        high=blank(highest),
        mean=blank(np.clip(mean, lowest, highest)),  # rounding can take it beyond them
        measured=counted(known),
        nan=counted(known & np.isnan(timeline.values)),
        positive_infinity=counted(known & np.isposinf(timeline.values)),
        negative_infinity=counted(known & np.isneginf(timeline.values)),
        unit=timeline.unit,
        notes=timeline.notes,
        axis=timeline.steps,
    )


def _means(total: Floats, starts: npt.NDArray[np.int64], counts: Counts) -> Floats:
    """Return each frame's sum divided by its count, also where the sum passes float64."""
    with np.errstate(invalid="ignore", over="ignore"):
        mean = np.add.reduceat(total, starts, axis=1, dtype=np.float64) / counts
    if np.isfinite(mean).all():
        return np.asarray(mean)
    small = np.add.reduceat(total * 2.0**-64, starts, axis=1) / counts * 2.0**64
    return np.where(np.isfinite(mean), mean, small)


def _ends(
    values: Floats, finite: npt.NDArray[np.bool_], starts: npt.NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Return the first and the last finite value of each frame (anything where there is none)."""
    place = np.arange(values.shape[1])
    first = np.minimum.reduceat(np.where(finite, place, values.shape[1] - 1), starts, axis=1)
    last = np.maximum.reduceat(np.where(finite, place, 0), starts, axis=1)
    return np.take_along_axis(values, first, 1), np.take_along_axis(values, last, 1)
