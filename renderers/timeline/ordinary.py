"""What a frame of many steps is heard at: its ordinary value, or an extreme that tells.

The ordinary value is the median of its steps.  An extreme tells where it leaves
the local spread, which neither it nor a trend can move: medians over the frames
around it.  Distances are ratios, or differences in a voice with negative values.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["heard"]

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]

# An extreme nearer than this to the ordinary value never tells: a factor of two,
# or on a linear axis the distance of the ordinary value from zero.
TELLING = np.log(2.0)
# By how many standard deviations an extreme tells, beyond the sqrt(2 ln n) that the
# greatest of n normal numbers reaches by itself (Cramér, Mathematical Methods of
# Statistics, 1946, 28.6).
BEYOND = 3.0
USUAL = 2.0  # times the distance of the frames' extremes around
DEVIATIONS = 1.4826  # of a normal distribution, in one median absolute deviation
AROUND = 9  # frames around each whose medians say what is ordinary there
ENOUGH = 64  # steps from which a spread is estimated, at least


def heard(
    values: Floats, finite: Bools, starts: npt.NDArray[np.int64], low: Floats, high: Floats
) -> Floats:
    """Return what each frame is heard at.

    Parameters
    ----------
    values : np.ndarray [shape=(voices, steps)]
        What was measured.
    finite : np.ndarray [shape=(voices, steps), bool]
        Which of them are numbers.
    starts : np.ndarray [shape=(frames,), int64]
        First step of each frame, counted from 0.
    low, high : np.ndarray [shape=(voices, frames)]
        Least and greatest number of each frame; NaN where there is none.

    Returns
    -------
    np.ndarray [shape=(voices, frames)]
        The median of its finite steps (of an even number the geometric mean of
        the middle two, where all are positive), or, where one leaves the local
        spread, its least or greatest value: the farther one, and where both do in
        frames on end, both in turn.  An exact zero among positive values neither
        counts nor tells; a frame is zero if all of it is.  NaN where nothing is
        finite.
    """
    lengths = np.diff(starts, append=values.shape[1])
    rows = zip(values, finite, low, high, strict=True)
    return np.stack([_row(*row, starts, lengths) for row in rows])


def _row(
    values: Floats,
    finite: Bools,
    low: Floats,
    high: Floats,
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
) -> Floats:
    if lengths.max() == 1:
        return low
    signed = bool((values[finite] < 0).any())
    counted = finite if signed else finite & (values != 0)
    table = np.sort(_table(np.where(counted, values, np.nan), starts, lengths), axis=1)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        usual = _middle(table, signed)
        smallest = least = table[:, 0]
        greatest = high
        if signed:
            nearest = np.abs(usual)
        else:
            table, least, greatest = np.log(table), np.log(least), np.log(greatest)
            nearest = np.full(len(usual), TELLING)
        centre, under, over = _local(table)
        chance = np.sqrt(2 * np.log(np.maximum(lengths, 2))) + BEYOND
        below = _relative(centre - least, np.maximum(nearest, chance * under), lengths)
        above = _relative(greatest - centre, np.maximum(nearest, chance * over), lengths)
    up, down = _telling(above, below)
    told = np.where(up, high, np.where(down, smallest, usual))
    return np.where(np.isnan(usual), low, told)  # zero throughout, or nothing


def _relative(distance: Floats, limit: Floats, lengths: npt.NDArray[np.int64]) -> Floats:
    """Divide extremes' distances by the least that tells: no less than twice those around it.

    Where noise has heavy tails, or a dip comes back in every frame, that is texture.
    """
    others = _smooth(distance, int(lengths.max()), itself=False)
    return np.asarray(distance / np.fmax(limit, USUAL * others))


def _telling(above: Floats, below: Floats) -> tuple[Bools, Bools]:
    """Tell in which frames the greatest value is heard, and in which the least.

    Both are distances relative to the least one that tells.
    """
    up, down = above > 1, below > 1
    both = up & down
    frame = np.arange(len(both))
    first = np.maximum.accumulate(np.where(both, 0, frame + 1))  # of frames on end that have both
    turned = (frame - first) % 2 == 1
    upward = (above >= below)[np.minimum(first, len(both) - 1)] ^ turned
    return up & (~both | upward), down & (~both | ~upward)


def _table(
    numbers: Floats, starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Put each frame's steps into a row, filled up with NaN."""
    place = np.arange(lengths.max())
    at = np.minimum(starts[:, None] + place, len(numbers) - 1)
    return np.where(place < lengths[:, None], numbers[at], np.nan).astype(np.float64)


def _local(table: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the ordinary value around each frame, and its spread below and above.

    The spreads are quartiles on the scale of a standard deviation: apart, since a
    loss near zero falls much further, on a logarithmic axis, than it rises.
    """
    steps = table.shape[1]
    rows = table if steps >= AROUND else _pooled(_windows(table, AROUND))
    first, centre, third = (_quantile(rows, share) for share in (0.25, 0.5, 0.75))
    under, over = (_smooth(each, steps) for each in (centre - first, third - centre))
    return centre, DEVIATIONS * under, DEVIATIONS * over


def _smooth(numbers: Floats, steps: int, *, itself: bool = True) -> Floats:
    """Return the median of the frames around each, given the steps in a frame."""
    frames = max(AROUND, -(-ENOUGH // steps) | 1)
    windows = _windows(numbers[:, None], frames)
    if not itself:
        windows = np.delete(windows, frames // 2, axis=2)
    return _quantile(_pooled(windows), 0.5)


def _windows(table: Floats, frames: int) -> Floats:
    """Return so many rows around each, the last axis, with NaN beyond the ends."""
    padded = np.pad(table, ((frames // 2, frames // 2), (0, 0)), constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, frames, axis=0)


def _pooled(windows: Floats) -> Floats:
    """Return all numbers of each window, ascending."""
    return np.sort(windows.reshape(len(windows), -1), axis=1)


def _quantile(ascending: Floats, share: float) -> Floats:
    """Return a quantile of each row's numbers, NaN where there is none (NumPy's `linear`)."""
    place = share * np.maximum(_counts(ascending) - 1, 0)
    lower, upper = _at(ascending, np.floor(place)), _at(ascending, np.ceil(place))
    return lower + (place % 1) * (upper - lower)


def _middle(ascending: Floats, signed: bool) -> Floats:
    """Return each row's median, to the bit where it is one of its numbers."""
    last = np.maximum(_counts(ascending) - 1, 0)
    lower, upper = _at(ascending, last // 2), _at(ascending, (last + 1) // 2)
    between = lower / 2 + upper / 2 if signed else np.sqrt(lower) * np.sqrt(upper)
    return np.where(lower == upper, lower, between)


def _counts(ascending: Floats) -> npt.NDArray[np.intp]:
    return np.asarray((~np.isnan(ascending)).sum(axis=1))


def _at(rows: Floats, place: npt.NDArray[Any]) -> Floats:
    return np.take_along_axis(rows, place.astype(np.intp)[:, None], axis=1)[:, 0]
