"""A long timeline as few frames, each of which keeps the extremes of its steps."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from renderers.timeline import Timeline

__all__ = ["Frames", "reduce"]

Floats = npt.NDArray[np.floating[Any]]
Counts = npt.NDArray[np.int64]

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
    total : int
        How many steps the frames summarise.
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
    total: int = 0

    @property
    def count(self) -> int:
        """Number of frames."""
        return len(self.steps)

    @property
    def values(self) -> Floats:
        """What each frame is heard at [shape=(voices, frames)]; NaN where nothing is finite.

        The mean of its steps, or their highest or lowest value where that lies
        further from the mean than a factor of two: a single spike among many
        steps is heard.
        """
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            above = np.abs(self.high / self.mean)
            below = np.abs(self.mean / self.low)
        rises, falls = above > TELLING, below > TELLING
        extreme = np.where(above >= below, self.high, self.low)
        return np.where(rises | falls, extreme, self.mean)


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
    low = np.where(finite, timeline.values, np.inf)
    high = np.where(finite, timeline.values, -np.inf)
    total = np.where(finite, timeline.values, 0)

    def counted(which: npt.NDArray[np.bool_]) -> Counts:
        return np.add.reduceat(which.astype(np.int64), starts, axis=1)

    some = counted(finite)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = np.add.reduceat(total, starts, axis=1, dtype=np.float64) / np.maximum(some, 1)
    first, last = _ends(timeline.values, finite, starts)

    def blank(values: Floats) -> Floats:
        return np.where(some > 0, values, np.nan)

    return Frames(
        names=timeline.names,
        steps=timeline.steps[starts],
        first=blank(first),
        last=blank(last),
        low=blank(np.minimum.reduceat(low, starts, axis=1)),
        high=blank(np.maximum.reduceat(high, starts, axis=1)),
        mean=blank(mean),
        measured=counted(known),
        nan=counted(known & np.isnan(timeline.values)),
        positive_infinity=counted(known & np.isposinf(timeline.values)),
        negative_infinity=counted(known & np.isneginf(timeline.values)),
        unit=timeline.unit,
        notes=timeline.notes,
        total=steps,
    )


def _ends(
    values: Floats, finite: npt.NDArray[np.bool_], starts: npt.NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Return the first and the last finite value of each frame (anything where there is none)."""
    place = np.arange(values.shape[1])
    first = np.minimum.reduceat(np.where(finite, place, values.shape[1] - 1), starts, axis=1)
    last = np.maximum.reduceat(np.where(finite, place, 0), starts, axis=1)
    return np.take_along_axis(values, first, 1), np.take_along_axis(values, last, 1)
