"""Which column of a table holds the steps, and which the clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.runlog.errors import LogError
from epochord.runlog.formats.sheet import Column, Sheet
from epochord.runlog.words import did_you_mean

__all__ = ["CLOCKS", "STEPS", "Axis", "find_axis", "seconds"]

# Names of a step column, most telling first.
STEPS = (
    "step",
    "Step",
    "_step",
    "iteration",
    "global_step",
    "trainer/global_step",
    "epoch",
)
# Names of a column of seconds or milliseconds since the epoch.
CLOCKS = ("wall_time", "Wall time", "_timestamp", "timestamp")
MILLISECONDS_FROM = 1e11  # as seconds: the year 5138
LISTED = 20  # columns named in an error message


@dataclass(frozen=True)
class Axis:
    """Step and wall time of each row of a table.

    Parameters
    ----------
    steps : np.ndarray [shape=(rows,), int64]
        Read-only, so that series can share it.
    known : np.ndarray [shape=(rows,), bool]
        Whether a row has a step.
    times : np.ndarray [shape=(rows,), float64] or None
        Seconds since the epoch, NaN where it is not known; None without a clock.
    columns : frozenset of str
        What is taken by the two, and so is no measurement.
    notes : sequence of str
        How the steps were found, where that was a guess.
    """

    steps: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]
    times: npt.NDArray[np.float64] | None
    columns: frozenset[str]
    notes: tuple[str, ...] = ()


def find_axis(sheet: Sheet, x: str | None = None, step: str | None = None) -> Axis:
    """Find steps and wall times.

    Parameters
    ----------
    sheet : Sheet
        The table.
    x : str, optional
        The column that the user chose for the steps.
    step : str, optional
        The column that the format defines for them; by default it is guessed.

    Raises
    ------
    LogError
        If that column is absent or does not hold whole numbers.
    """
    notes: tuple[str, ...] = ()
    name = x or step
    if name:
        column = _required(sheet, name)
    else:
        name, column = _guess(sheet)
        notes = (_said(name),)
    clock = _clock(sheet)
    taken = frozenset(each for each in (name, clock) if each)
    steps = np.zeros(sheet.count, np.int64)
    known = np.zeros(sheet.count, np.bool_)
    steps[column.rows], known[column.rows] = column.values, True
    steps.flags.writeable = False
    times = _wall_times(sheet.columns[clock], sheet.count) if clock else None
    return Axis(steps, known, times, taken, notes)


def _clock(sheet: Sheet) -> str | None:
    filled = (each for each in CLOCKS if each in sheet.columns and sheet.columns[each].rows.size)
    return next(filled, None)


def _required(sheet: Sheet, name: str) -> Column:
    if name not in sheet.columns:
        raise LogError(
            f"{sheet.file}: has no column of numbers {name!r} to take steps from"
            f"{did_you_mean(name, sheet.columns) or ';'} choose one with --x: "
            f"{_listed(sheet.columns)}"
        )
    column = _whole(sheet.columns[name])
    if column is None:
        raise LogError(
            f"{sheet.file}: its column {name!r} holds {_example(sheet.columns[name])}, but steps "
            f"are whole numbers; choose another with --x: {_listed(sheet.columns)}"
        )
    return column


def _guess(sheet: Sheet) -> tuple[str | None, Column]:
    for name in STEPS:
        column = _whole(sheet.columns[name]) if name in sheet.columns else None
        if column is not None:
            return name, column
    return None, Column(np.arange(sheet.count), np.arange(sheet.count))


def _said(name: str | None) -> str:
    if name:
        return f"steps are the column {name!r}"
    return "no step column: rows are counted from 0; choose one with --x NAME"


def _whole(column: Column) -> Column | None:
    """Return a column as int64, or None if any of its numbers has no place there."""
    # A NaN among steps is how some writers say that there is none.
    present = ~np.isnan(column.values)
    values = column.values[present]
    if not values.size or not _fits(values).all():
        return None
    return Column(column.rows[present], values.astype(np.int64))


def _fits(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    fits: npt.NDArray[np.bool_] = (values >= -(2**63)) & (values < 2**63)
    fits &= np.trunc(values) == values
    return fits


def _example(column: Column) -> str:
    odd = column.values[~_fits(column.values) & ~np.isnan(column.values)]
    return str(odd[0]) if odd.size else "no number"


def seconds(clock: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return times in seconds, whether they are in seconds or in milliseconds."""
    times = np.asarray(clock, np.float64)
    return np.where(times > MILLISECONDS_FROM, times / 1000, times)


def _wall_times(clock: Column, count: int) -> npt.NDArray[np.float64]:
    times = np.full(count, np.nan)
    times[clock.rows] = seconds(clock.values)
    return times


def _listed(names: Iterable[str]) -> str:
    all_names = list(names)
    more = f" and {len(all_names) - LISTED} more" if len(all_names) > LISTED else ""
    return (", ".join(all_names[:LISTED]) + more) or "it has none"
