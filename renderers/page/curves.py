"""A timeline as curves that a browser can draw: few points, which keep every extreme."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.score import State, states
from epochord.renderers.timeline.reduction import reduce
from epochord.renderers.timeline.timeline import Timeline

__all__ = ["Curves", "Summary", "curves", "points_a_voice"]

NUMBERS = 1 << 17  # of all voices of a run: half a megabyte
MOST_POINTS = 1 << 14  # of a voice; a screen has fewer columns
FLOAT32 = np.finfo(np.float32)

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Summary:
    """What a whole voice is, for a table.

    Parameters
    ----------
    lowest, highest : float or None
        Of its finite values.
    counts : dict of str to int
        Values that are not finite or zero, as they were logged, and steps at
        which there is none, by kind.
    """

    lowest: float | None
    highest: float | None
    counts: dict[str, int]


@dataclass(frozen=True)
class Curves:
    """Voices × points.

    Parameters
    ----------
    steps : np.ndarray [shape=(points,), int64]
        First step of each point.
    low, high : np.ndarray [shape=(voices, points), float32 or float64]
        Least and greatest finite value; equal where a point is one step.
    state : np.ndarray [shape=(voices, points), uint8]
        `State`: what of it is not simply a number.
    summaries : tuple of Summary
        One a voice.
    """

    steps: npt.NDArray[np.int64]
    low: Floats
    high: Floats
    state: npt.NDArray[np.uint8]
    summaries: tuple[Summary, ...]


def points_a_voice(steps: int, voices: int) -> int:
    """Return how many points each curve gets: all steps, or as many as a page bears."""
    return min(steps, MOST_POINTS, max(1, NUMBERS // (2 * voices)))


def curves(line: Timeline) -> Curves:
    """Reduce a timeline to curves.

    Parameters
    ----------
    line : Timeline
        Voices × steps.

    Returns
    -------
    Curves
        Every maximum and minimum of the line is one of the curves.
    """
    frames = reduce(line, points_a_voice(line.frames, len(line.names)))
    state = states(frames)
    state[(state == State.SOUNDING) & (frames.low == 0) & (frames.high == 0)] = State.ZERO
    low, high = _small(frames.low), _small(frames.high)
    logged = line.measured if line.logged is None else line.logged
    summaries = tuple(map(_summary, line.values, line.measured, logged))
    return Curves(frames.steps, low, high, state.astype(np.uint8), summaries)


def _small(values: Floats) -> Floats:
    """Return float32 where that holds the numbers."""
    size = np.abs(values[np.isfinite(values) & (values != 0)])
    fits = not size.size or (size.max() <= FLOAT32.max and size.min() >= FLOAT32.tiny)
    return values.astype(np.float32 if fits else np.float64)


def _summary(
    values: Floats, measured: npt.NDArray[np.bool_], logged: npt.NDArray[np.bool_]
) -> Summary:
    known = values[measured & logged]
    finite = known[np.isfinite(known)]
    counts = {
        "nan": np.isnan(known).sum(),
        "+inf": np.isposinf(known).sum(),
        "-inf": np.isneginf(known).sum(),
        "zero": (known == 0).sum(),
        "missing": (~measured).sum(),
    }
    counted = {kind: int(count) for kind, count in counts.items()}
    if not len(finite):
        return Summary(None, None, counted)
    return Summary(float(finite.min()), float(finite.max()), counted)
