"""From a table to a log: steps, wall times, and one series a tag.

A table is wide (one column a tag, as most loggers write it) or long (one
measurement a row, with its tag beside it, as `epochord export` writes it).
"""

from collections.abc import Mapping

from epochord.runlog.errors import LogError
from epochord.runlog.formats.axis import Axis, find_axis
from epochord.runlog.formats.long import long_series
from epochord.runlog.formats.sheet import Column, Sheet, measured, nonzero
from epochord.runlog.run.contents import Contents, FileReport
from epochord.runlog.run.series import Series

__all__ = ["RUN_TIME", "contents"]

# W&B's seconds since the start: a clock too, but none that tells the time.
RUN_TIME = "_runtime"


def contents(sheet: Sheet, *, x: str | None = None, step: str | None = None) -> Contents:
    """Turn a table into a log.

    Parameters
    ----------
    sheet : Sheet
        The table.
    x : str, optional
        The column that the user chose for the steps.
    step : str, optional
        The column that the format defines for them; by default it is guessed
        and `Contents.notes` says how.

    Raises
    ------
    LogError
        If there is no such column, or nothing was measured.
    """
    if not sheet.count:
        raise LogError(f"{sheet.file}: holds no rows{_counted(sheet.skipped)}")
    axis = find_axis(sheet, x, "step" if sheet.labels else step)
    if sheet.labels:
        series, segments, unusable = long_series(sheet, axis)
    else:
        series, segments, unusable = _wide_series(sheet.columns, axis), (), {}
    report = _report(sheet, axis, series, unusable)
    if not series:
        raise LogError(
            f"{sheet.file}: holds no measurements{_counted({**report.others, **report.skipped})}; "
            "expected at least one column of numbers beside the steps"
        )
    return Contents(series, segments=segments, files=(report,), notes=sheet.notes + axis.notes)


def _report(
    sheet: Sheet, axis: Axis, series: Mapping[str, Series], unusable: Mapping[str, int]
) -> FileReport:
    run_times = RUN_TIME in sheet.columns.keys() - axis.columns and not sheet.labels
    stepless = int((~axis.known).sum())
    skipped = {**sheet.skipped, "row without a step": stepless, **unusable}
    others = {**sheet.others, "run time column": int(run_times)}
    points = sum(len(each) for each in series.values())
    return FileReport(sheet.file, sheet.count, points, nonzero(skipped), others=nonzero(others))


def _wide_series(columns: Mapping[str, Column], axis: Axis) -> dict[str, Series]:
    tags = [tag for tag in columns if tag not in axis.columns and tag != RUN_TIME]
    found = {tag: _series(tag, columns[tag], axis) for tag in tags}
    return {tag: series for tag, series in found.items() if len(series)}


def _series(tag: str, column: Column, axis: Axis) -> Series:
    rows, values = column.rows, measured(column.values)
    if len(rows) == len(axis.steps) and axis.known.all():
        return Series(tag, axis.steps, values, axis.times)
    known = axis.known[rows]
    rows = rows[known]
    times = None if axis.times is None else axis.times[rows]
    return Series(tag, axis.steps[rows], values[known], times)


def _counted(counts: Mapping[str, int]) -> str:
    found = ", ".join(f"{count} × {reason}" for reason, count in counts.items())
    return f" ({found})" if found else ""
