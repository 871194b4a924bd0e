"""Tables with one measurement a row: its tag, and perhaps its run and its segment."""

from collections import Counter

import numpy as np
import numpy.typing as npt

from epochord.runlog.arrow import numbers, texts
from epochord.runlog.formats.axis import Axis
from epochord.runlog.formats.sheet import Column, Sheet, measured
from epochord.runlog.run.series import Series

__all__ = ["long_series"]

Sorted = tuple[dict[str, Series], tuple[str, ...], dict[str, int]]

_NOTHING = Column(np.empty(0, np.int64), np.empty(0))


def long_series(sheet: Sheet, axis: Axis) -> Sorted:
    """Sort the rows of a long table into series.

    Parameters
    ----------
    sheet : Sheet
        With the column `value` and the labels `tag` and, as it may be, `run`
        and `segment`.
    axis : Axis
        Its steps and wall times.

    Returns
    -------
    series : dict of str to Series
        By tag, in the order of first appearance; where there are several runs
        one after another, with tags ``<run>/<tag>``.
    segments : tuple of str
        Names of the segments.
    skipped : dict of str to int
        Rows that cannot be used, by reason.
    """
    tags, tag_names = _codes(sheet, "tag")
    runs, run_names = _codes(sheet, "run")
    segments, segment_names = _codes(sheet, "segment")
    value = sheet.columns.get("value", _NOTHING)
    tagged = np.array([name != "" for name in tag_names], np.bool_)[tags]
    usable = (axis.known & tagged)[value.rows]
    rows, values = value.rows[usable], measured(value.values[usable])
    series: dict[str, Series] = {}
    skipped: Counter[str] = Counter({"row without a tag": int((~tagged).sum())})
    for group, members in _grouped(runs[rows] * len(tag_names) + tags[rows]):
        run, tag = divmod(group, len(tag_names))
        name = _name(run_names, run, tag_names[tag])
        if name in series:
            skipped[f"row of a second series called {name}"] += len(members)
            continue
        at = rows[members]
        times = None if axis.times is None else axis.times[at]
        series[name] = Series(name, axis.steps[at], values[members], times, segments[at])
    names = () if segment_names == [""] else tuple(segment_names)
    return series, names, skipped


def _codes(sheet: Sheet, label: str) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Give each row the number of its text, in the order of their first appearance."""
    if label not in sheet.labels:
        return np.zeros(sheet.count, np.int64), [""]
    found = sheet.labels[label]
    named = found.fill_null(texts([""]).cast(found.type)[0]).dictionary_encode()
    return numbers(named.indices).astype(np.int64), named.dictionary.to_pylist()


def _grouped(groups: npt.NDArray[np.int64]) -> list[tuple[int, npt.NDArray[np.int64]]]:
    """List each group with the places of its members, which stay in order."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order])) + 1
    return [(int(groups[part[0]]), part) for part in np.split(order, starts) if part.size]


def _name(runs: list[str], run: int, tag: str) -> str:
    return f"{runs[run]}/{tag}" if len(runs) > 1 and runs[run] else tag
