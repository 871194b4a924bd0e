"""How steps are spread over the frames of a sound: evenly, or as far apart as they were."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from epochord.renderers.timeline.reduction import Frames, reduce, summarised
from epochord.renderers.timeline.timeline import Timeline
from epochord.runlog import LogError

__all__ = ["Spacing", "extent", "positions", "spaced"]

Spacing = Literal["logged", "steps", "wall"]
"""What takes equal time: each logged step, each step of the training, or each second of it."""

Floats = npt.NDArray[np.floating[Any]]

# What lies further apart than this many usual distances is a gap: nothing was measured there.
GAP = 5.0
AROUND = 5  # distances on each side
# Distances that differ by less are equal: seconds since the epoch are rounded.
ALIKE = 1e-3


def positions(line: Timeline, spacing: Spacing) -> Floats:
    """Return where each step of a timeline lies.

    Parameters
    ----------
    line : Timeline
        Voices × steps.
    spacing : {"logged", "steps", "wall"}
        What takes equal time.

    Returns
    -------
    np.ndarray [shape=(steps,), float64]
        Ascending: a count, a step, or seconds.

    Raises
    ------
    LogError
        If the log has no wall times, or none is later than another before it.
    """
    if spacing == "logged":
        return np.arange(line.frames, dtype=np.float64)
    if spacing == "steps":
        return line.steps.astype(np.float64)
    known = np.isfinite(line.wall) if line.wall is not None else np.zeros(line.frames, bool)
    if line.wall is None or not known.any() or not (np.diff(line.wall[known]) > 0).any():
        raise LogError(
            "the log does not say when its steps were written, so that no time can be "
            "proportional to it; choose --time steps or logged"
        )
    seconds = _everywhere(line.wall, known)
    # A clock may have been put back: it goes on from there.
    back = np.cumsum(np.minimum(np.diff(seconds, prepend=seconds[0]), 0))
    return np.asarray(np.maximum.accumulate(seconds - back))  # to the last digit


def _everywhere(wall: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """Fill in times that are not known: between others evenly, beyond them as far as usual."""
    there = np.flatnonzero(known)
    at = np.arange(len(wall))
    seconds = np.interp(at, there, wall[known])
    each = _apart(wall[known])
    seconds -= each * np.maximum(there[0] - at, 0)
    return np.asarray(seconds + each * np.maximum(at - there[-1], 0))


def extent(place: Floats) -> float:
    """Return how much lies between the first step's beginning and the last one's end.

    A step lasts as long as steps usually lie apart.
    """
    return float(place[-1] - place[0]) + _apart(place)


def spaced(line: Timeline, frames: int, place: Floats) -> Frames:
    """Summarise a timeline in frames of equal time.

    Parameters
    ----------
    line : Timeline
        Voices × steps.
    frames : int
        How many frames.
    place : np.ndarray [shape=(steps,), float64]
        Where each step lies (see `positions`).

    Returns
    -------
    Frames
        One in which no step lies is that before it, once more; in a gap, which is
        five times as long as the steps usually lie apart, only for as long as they
        usually do, and then nothing is measured.
    """
    distances, apart = np.diff(place), _apart(place)
    if frames <= line.frames and np.allclose(distances, apart, rtol=ALIKE, atol=0):
        return reduce(line, frames)
    each = extent(place) / frames
    frame = np.minimum((place - place[0]) / each, frames - 1).astype(np.intp)
    used, starts = np.unique(frame, return_index=True)
    every = np.arange(frames)
    source = np.searchsorted(used, every, side="right") - 1
    last = np.append(starts[1:], line.frames) - 1
    usual = _usual(distances, apart)
    lonely = np.append(distances > GAP * usual, False)[last]
    until = np.where(lonely, place[last] + np.append(usual, apart)[last], np.inf)[source]
    empty = (place[0] + every * each >= until) & (every > used[source])
    return summarised(line, starts).taken(source).emptied(empty)


def _usual(distances: Floats, apart: float) -> Floats:
    """Return how far steps lie apart around each distance, by whichever side has wider ones.

    Where logging becomes sparser, that is no gap.
    """
    padded = np.pad(distances, AROUND, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, AROUND)
    with np.errstate(invalid="ignore"):
        before, after = windows[: len(distances)], windows[-len(distances) :]
    sides = np.stack([_medians(side) for side in (before, after)])
    return np.asarray(np.maximum(np.fmax(*sides), apart))


def _medians(windows: Floats) -> Floats:
    known = np.isfinite(windows).any(axis=1)
    found = np.full(len(windows), np.nan)
    found[known] = np.nanmedian(windows[known], axis=1)
    return found


def _apart(place: Floats) -> float:
    """Return how far steps usually lie apart."""
    distances = np.diff(place)
    return float(np.median(distances[distances > 0])) if (distances > 0).any() else 1.0
