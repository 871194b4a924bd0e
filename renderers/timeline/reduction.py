"""A long timeline as few frames, each of which keeps the extremes of its steps."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.timeline.choice import Quantity
from epochord.renderers.timeline.ordinary import heard
from epochord.renderers.timeline.timeline import Timeline

__all__ = ["Frames", "reduce", "summarised"]

Floats = npt.NDArray[np.floating[Any]]
Counts = npt.NDArray[np.int32]
Steps = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Frames:
    """Voices × frames, each frame the summary of one or more steps.

    A frame may be there several times in a row, so that its time is longer.

    Parameters
    ----------
    names : tuple of str
        One a voice.
    steps : np.ndarray [shape=(frames,), int64]
        First step of each frame, ascending.
    low, high : np.ndarray [shape=(voices, frames)]
        The least and the greatest finite value in it; NaN where there is none.
    values : np.ndarray [shape=(voices, frames)]
        What each frame is heard at: its ordinary value, or an extreme that leaves
        the local spread (see `ordinary.heard`); NaN where nothing is finite.
    low_step, high_step : np.ndarray [shape=(voices, frames), int64]
        Where in it these lie, at first.
    measured, nan, positive_infinity, negative_infinity : np.ndarray [shape=(voices, frames), int64]
        How many of its steps have a value, and how many of these are not finite.
    unit : str
        What the values are.
    notes : tuple of str
        What was chosen or moved, in a line each.
    axis : np.ndarray [shape=(steps,), int64]
        All the steps that the frames summarise.
    quantities : tuple of str
        What each voice measures (see `choice.Quantity`).
    """

    names: tuple[str, ...]
    steps: npt.NDArray[np.int64]
    low: Floats
    high: Floats
    values: Floats
    low_step: Steps
    high_step: Steps
    measured: Counts
    nan: Counts
    positive_infinity: Counts
    negative_infinity: Counts
    unit: str = ""
    notes: tuple[str, ...] = ()
    axis: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    quantities: tuple[Quantity, ...] = ()

    @property
    def total(self) -> int:
        """How many steps the frames summarise."""
        return len(self.axis)

    @property
    def count(self) -> int:
        """Number of frames."""
        return len(self.steps)

    def at(self, step: int) -> int:
        """Return the first frame in which a step lies; of one before the first, that."""
        place = max(0, int(np.searchsorted(self.steps, step, side="right")) - 1)
        return int(np.searchsorted(self.steps, self.steps[place]))

    def once(self) -> "Frames":
        """Return each frame once, however often it is there."""
        return self.taken(np.unique(self.steps, return_index=True)[1])

    def taken(self, index: npt.NDArray[np.intp]) -> "Frames":
        """Return some of the frames, or some several times [shape of `index`: (frames,)]."""
        changed: dict[str, Any] = {name: getattr(self, name)[:, index] for name in OF_VOICES}
        return replace(self, steps=self.steps[index], **changed)

    def emptied(self, where: npt.NDArray[np.bool_]) -> "Frames":
        """Return the same with nothing measured in some frames [shape of `where`: (frames,)]."""
        numbers: dict[str, Any] = {
            name: np.where(where, np.nan, getattr(self, name)) for name in NUMBERS
        }
        counts: dict[str, Any] = {name: np.where(where, 0, getattr(self, name)) for name in COUNTS}
        return replace(self, **numbers, **counts)


NOTHING_KNOWN: tuple[Quantity, ...] = ("",)
NUMBERS = ("low", "high", "values")
COUNTS = ("measured", "nan", "positive_infinity", "negative_infinity")
OF_VOICES = (*NUMBERS, "low_step", "high_step", *COUNTS)


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
    count = min(timeline.frames, frames or timeline.frames)
    return summarised(timeline, np.arange(count) * timeline.frames // count)


def summarised(timeline: Timeline, starts: npt.NDArray[np.intp]) -> Frames:
    """Summarise a timeline in frames that begin at given places.

    Parameters
    ----------
    timeline : Timeline
        Voices × steps.
    starts : np.ndarray [shape=(frames,)]
        Where each begins among the steps: ascending, the first one 0.
    """
    steps = timeline.frames
    known = timeline.measured
    finite = known & np.isfinite(timeline.values)
    values = timeline.values

    def counted(which: npt.NDArray[np.bool_]) -> Counts:
        return np.add.reduceat(which, starts, axis=1, dtype=np.int32)

    some = counted(finite)
    lowest = np.minimum.reduceat(np.where(finite, values, np.inf), starts, axis=1)
    highest = np.maximum.reduceat(np.where(finite, values, -np.inf), starts, axis=1)

    def blank(each: Floats) -> Floats:
        return np.where(some > 0, each, np.nan)

    def place(extreme: Floats) -> Steps:
        lengths = np.diff(starts, append=steps)
        there = finite & (values == np.repeat(extreme, lengths, axis=1))
        last = np.int64(steps - 1)
        at = np.minimum.reduceat(np.where(there, np.arange(steps), last), starts, axis=1)
        return np.asarray(timeline.steps[at])

    low, high = blank(lowest), blank(highest)
    return Frames(
        names=timeline.names,
        steps=timeline.steps[starts],
        low=low,
        high=high,
        values=heard(values, finite, starts, low, high),
        low_step=place(lowest),
        high_step=place(highest),
        measured=counted(known),
        nan=counted(known & np.isnan(timeline.values)),
        positive_infinity=counted(known & np.isposinf(timeline.values)),
        negative_infinity=counted(known & np.isneginf(timeline.values)),
        unit=timeline.unit,
        notes=timeline.notes,
        axis=timeline.steps,
        quantities=timeline.quantities or NOTHING_KNOWN * len(timeline.names),
    )
