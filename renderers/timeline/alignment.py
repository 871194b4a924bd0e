"""Series that count different things, on one axis of steps.

A loss that is logged once an epoch under the epoch's number lies on another x
than one that is logged under the optimizer's steps.  What both share is time.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from epochord.runlog import Series

__all__ = ["AlignmentError", "on_steps_of", "reference"]

# A series counts something else if its steps are off by more than this share of
# the reference's range, where its wall times would put them.
TOLERANCE = 0.05
# Where wall times cannot say it: as long in time, but so much shorter in steps.
MUCH_SHORTER = 0.1


class AlignmentError(ValueError):
    """A series lies on another x, and there is no way to place it."""


def reference(series: Sequence[Series]) -> Series:
    """Return the series whose steps the axis has: the one with the most points."""
    return max(series, key=len)


def on_steps_of(reference: Series, series: Series) -> Series:
    """Return a series on the steps of another one.

    Parameters
    ----------
    reference : Series
        Its steps are the axis.
    series : Series
        Any other one of the same run.

    Returns
    -------
    Series
        As it was, if it counts the same thing.  Otherwise with each value at
        the reference's first step that is not earlier in time.

    Raises
    ------
    AlignmentError
        If it counts something else, and the wall times of either run backwards.
    """
    if series.steps is reference.steps or not _tell_time(reference, series):
        return series
    monotone = _is_monotone(reference.wall_times) and _is_monotone(series.wall_times)
    if not _counts_something_else(reference, series, monotone):
        return series
    if not monotone:
        raise AlignmentError(
            f"{series.tag!r} counts something else than {reference.tag!r} (its steps are "
            f"{_span(series)}, not {_span(reference)}), and wall times that run backwards cannot "
            "align them"
        )
    place = np.searchsorted(reference.wall_times, series.wall_times)
    place = np.minimum(place, len(reference) - 1)
    return Series(
        series.tag, reference.steps[place], series.values, series.wall_times, series.segments
    )


def _tell_time(*several: Series) -> bool:
    return all(len(each) > 1 and bool(np.isfinite(each.wall_times).all()) for each in several)


def _is_monotone(times: npt.NDArray[np.float64]) -> bool:
    return bool((np.diff(times) >= 0).all())


def _counts_something_else(reference: Series, series: Series, monotone: bool) -> bool:
    if np.isin(series.steps, reference.steps).all() and _range(series) == _range(reference):
        return False
    if not monotone:
        lasting = np.ptp(series.wall_times) > 0.5 * np.ptp(reference.wall_times)
        return bool(lasting and _range(series) < MUCH_SHORTER * _range(reference))
    inside = series.wall_times <= reference.wall_times[-1]
    inside &= series.wall_times >= reference.wall_times[0]
    if np.count_nonzero(inside) < 2:
        return False
    expected = np.interp(series.wall_times[inside], reference.wall_times, reference.steps)
    off = np.median(np.abs(expected - series.steps[inside]))
    gaps = [np.median(np.abs(np.diff(each.steps))) for each in (reference, series)]
    return bool(off > max(TOLERANCE * _range(reference), 2 * max(gaps)))


def _range(series: Series) -> int:
    return int(np.ptp(series.steps))


def _span(series: Series) -> str:
    return f"{series.steps.min()}…{series.steps.max()}"
