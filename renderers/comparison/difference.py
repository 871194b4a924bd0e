"""Two spectrograms to where they part, by how much, and for how long.

The difference of a frame is the root mean square, over its mel bands, of the
difference of their levels in dB.  A band counts as far as either sound can be
heard in it: not at all below `HEARD_DB`, which is 99 dB below a full-scale sine,
fully from `FULL_DB` on.  So it is 0 for what is equal, 20 for a copy that is 20 dB
quieter, and a tone that only one of them has shows as what it rises out of
silence.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.comparison.listening import HEARD_DB, Framing, Heard
from epochord.renderers.pictures.spectrogram import FLOOR_DB

__all__ = ["Moment", "SoundDifference", "compare_sounds", "decibel_difference"]

FULL_DB = -20.0
CHUNK = 4096  # frames at once: 2 MB an array
SPANS = 50  # that are described
# Two sounds are alike but for their levels if what is clearly above the rounding of
# 16 bit differs by no more than this from the difference of the levels.
CLEAR_DB = -40.0
ALIKE_DB = 0.3

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Moment:
    """A frame in which two sounds differ.

    Parameters
    ----------
    time : float
        Centre of the frame in seconds.
    step : int, optional
        Step that sounds there; absent for audio files.
    decibels : float
        Difference.
    """

    time: float
    step: int | None
    decibels: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"time": self.time, "step": self.step, "db": self.decibels}


@dataclass(frozen=True)
class SoundDifference:
    """How two sounds differ.

    Parameters
    ----------
    curve : np.ndarray [shape=(frames,), float32]
        Difference of each frame in dB, at least 0; NaN where only one of them is there,
        and where a frame hears beyond the end of either: what it hears of a tone that
        is cut off depends on where in its swing that is.
    first : Moment, optional
        First frame beyond the threshold, and when what differs in it begins: a frame
        hears half a window ahead, and the one before it has not heard that.
    largest : Moment
        Frame with the largest difference.
    seconds : float
        Time beyond the threshold in all.
    spans : tuple of (float, float)
        Its parts: centres of first and last frame, in seconds.
    rms : float
        Root mean square over everything that can be heard in either, in dB.
    level : float, optional
        By how many dB the second is louder; absent if either is silent.
    between : (float, float), optional
        The seconds in which both are there, if that is not everywhere; what is said
        of them is said of these.  Absent too if they do not overlap at all: then
        each is compared with silence.
    identical : bool
        Whether all samples are equal.
    copy : bool
        Whether they are alike but for their levels.
    """

    curve: Floats
    first: Moment | None
    largest: Moment
    seconds: float
    spans: tuple[tuple[float, float], ...]
    rms: float
    level: float | None
    between: tuple[float, float] | None
    identical: bool
    copy: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, without the curve."""
        return {
            "first": self.first and self.first.to_dict(),
            "largest": self.largest.to_dict(),
            "seconds_above": self.seconds,
            "spans": [list(span) for span in self.spans[:SPANS]],
            "span_count": len(self.spans),
            "rms_db": self.rms,
            "level_db": self.level,
            "between": self.between and list(self.between),
            "identical": self.identical,
            "alike_but_for_level": self.copy,
        }


def decibel_difference(one: Floats, other: Floats) -> Floats:
    """Subtract a spectrogram from another one.

    Parameters
    ----------
    one, other : np.ndarray [shape=(mels, frames), float32]
        In dB; a shorter one is followed by silence.

    Returns
    -------
    np.ndarray [shape=(mels, frames), float32]
        ``other - one``, in dB; silence is `HEARD_DB`.
    """
    one, other = _as_long_as_each_other(one, other)
    floor = np.float32(HEARD_DB)
    return np.maximum(other, floor) - np.maximum(one, floor)


def compare_sounds(
    one: Heard, other: Heard, framing: Framing, axis: Axis, threshold: float
) -> SoundDifference:
    """Compare two sounds frame by frame.

    Parameters
    ----------
    one, other : Heard
        Of the same framing.
    framing : Framing
        That of both.
    axis : Axis
        Their steps, if they have any.
    threshold : float
        In dB.
    """
    squares, weights = _by_frame(one.decibels, other.decibels)
    there = _both_there(one, other, framing, len(squares))
    counted = _counted(one, other, framing, there)
    squares, weights = (np.where(counted, each, 0) for each in (squares, weights))
    curve = np.sqrt(squares / np.maximum(weights, 1)).astype(np.float32)
    curve[~counted] = np.nan
    above = curve > threshold
    spans = _spans(above)
    hop = framing.hop_seconds

    def moment(frame: int, ahead: float = 0.0) -> Moment:
        time = max(0.0, frame * hop + ahead)
        return Moment(time, int(axis.at(time)) if axis else None, float(curve[frame]))

    # What differs in the very first frame differs from the beginning on.
    begins = bool(spans) and spans[0][0] == counted.argmax()
    hops = np.flatnonzero(there)
    level = _level(one, other, int(hops[0]), int(hops[-1]) + 1, framing.hop)
    whole = bool(there.all())
    return SoundDifference(
        curve,
        moment(spans[0][0], -framing.reach if begins else framing.reach) if spans else None,
        moment(int(np.nanargmax(curve))),
        int(above.sum()) * hop,
        tuple((first * hop, last * hop) for first, last in spans),
        math.sqrt(float(squares.sum()) / max(1.0, float(weights.sum()))),
        level,
        None if whole else (float(hops[0]) * hop, float(hops[-1]) * hop),
        one.digest == other.digest,
        level is not None and whole and _is_copy(one, other, level),
    )


def _both_there(one: Heard, other: Heard, framing: Framing, frames: int) -> npt.NDArray[np.bool_]:
    """Tell in which frames both are there, and neither's beginning or end can be heard."""
    centres = np.arange(frames) * framing.hop_seconds
    reach = framing.reach
    both = np.ones(frames, bool)
    if one.begin != other.begin:
        both &= centres - reach >= max(one.begin, other.begin)
    ends = _ends(one, other)
    if abs(ends[0] - ends[1]) > framing.hop_seconds:
        both &= centres + reach <= min(ends)
    return both if both.any() else np.ones(frames, bool)


def _counted(
    one: Heard, other: Heard, framing: Framing, there: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Tell which of these frames do not hear the end, though both end together; all if none."""
    if one.digest == other.digest:
        return there
    centres = np.arange(len(there)) * framing.hop_seconds
    counted = there & (centres + framing.reach <= min(_ends(one, other)))
    return counted if counted.any() else there


def _ends(one: Heard, other: Heard) -> list[float]:
    return [min(each.end, each.duration) for each in (one, other)]


def _level(one: Heard, other: Heard, first: int, stop: int, hop: int) -> float | None:
    levels = [each.level_between(first, stop, hop) for each in (one, other)]
    return levels[1] - levels[0] if all(map(math.isfinite, levels)) else None


def _by_frame(
    one: Floats, other: Floats
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the weighted sum of squares of each frame, and the sum of the weights."""
    one, other = _as_long_as_each_other(one, other)
    parts = []
    for start in range(0, one.shape[1], CHUNK):
        a, b = one[:, start : start + CHUNK], other[:, start : start + CHUNK]
        weight = _audibility(np.maximum(a, b))
        squares = np.square(b - a)
        squares *= weight
        parts.append((squares.sum(axis=0), weight.sum(axis=0)))
    squares, weights = (
        np.concatenate(each).astype(np.float64) for each in zip(*parts, strict=True)
    )
    return squares, weights


def _audibility(decibels: Floats) -> Floats:
    """Return the weight of levels: none of what cannot be heard, full a little above."""
    above = (decibels - np.float32(HEARD_DB)) / np.float32(FULL_DB - HEARD_DB)
    return np.clip(above, 0, 1, out=above)


def _spans(above: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last of each run of true values."""
    edges = np.flatnonzero(np.diff(above.astype(np.int8), prepend=0, append=0))
    return [(int(first), int(stop) - 1) for first, stop in edges.reshape(-1, 2)]


def _is_copy(one: Heard, other: Heard, level: float) -> bool:
    """Tell whether the level is all that differs, where both can be heard."""
    if one.decibels.shape != other.decibels.shape:
        return False
    both = np.minimum(one.decibels, other.decibels) > CLEAR_DB
    rest = (other.decibels - one.decibels - np.float32(level))[both]
    return bool(rest.size) and float(np.square(rest).mean(dtype=np.float64)) < ALIKE_DB**2


def _as_long_as_each_other(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    frames = max(one.shape[1], other.shape[1])
    return _padded(one, frames), _padded(other, frames)


def _padded(decibels: Floats, frames: int) -> Floats:
    more = frames - decibels.shape[1]
    if not more:
        return decibels
    return np.pad(decibels, ((0, 0), (0, more)), constant_values=np.float32(FLOOR_DB))
