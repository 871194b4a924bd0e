"""MLflow's file store: a run's folder, with one file a metric.

A line is ``timestamp value step``, the timestamp in milliseconds; in files of
MLflow's first versions it is ``timestamp value``.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from epochord.runlog.errors import LogError, described
from epochord.runlog.formats.axis import seconds
from epochord.runlog.formats.first_look import is_file, is_folder
from epochord.runlog.run.contents import Contents, FileReport
from epochord.runlog.run.series import Series

__all__ = ["IN_FOLDERS", "NAME", "matches", "read"]

NAME = "MLflow run"
IN_FOLDERS = True
METRICS = "metrics"
META = "meta.yaml"
# With five fields the last two name a data set.
FIELDS = (2, 3, 5)

Point = tuple[float, float, int | None]  # time, value, step


def matches(path: Path) -> bool:
    """Tell whether a path is a run's folder or the `meta.yaml` in it."""
    folder = _folder(path)
    return is_folder(folder / METRICS) and is_file(folder / META)


def read(path: Path, *, x: str | None = None) -> Contents:
    """Read a run's metrics.

    Parameters
    ----------
    path : Path
        The run's folder.
    x : str, optional
        Nothing but ``step``: there is no other column.

    Returns
    -------
    Contents
        One series a metric, ``outer/inner`` where folders are nested.

    Raises
    ------
    LogError
        If nothing of it can be used.
    """
    folder = _folder(path)
    if x not in (None, "step"):
        raise LogError(f"{folder}: an {NAME} has no column {x!r} to take steps from; it has: step")
    series: dict[str, Series] = {}
    reports: list[FileReport] = []
    notes: dict[str, None] = {}
    for tag, file in _files(folder):
        points, report = _read_file(file)
        reports.append(report)
        if points:
            series[tag] = _series(tag, points)
        if any(step is None for _, _, step in points):
            notes["lines without a step are counted from 0"] = None
    if not series:
        reasons = [report.damage for report in reports if report.problem]
        raise LogError(f"{folder}: holds no metrics{f'; {reasons[0]}' if reasons else ''}")
    return Contents(series, files=tuple(reports), notes=tuple(notes))


def _folder(path: Path) -> Path:
    return path.parent if path.name == META else path


def _files(folder: Path) -> list[tuple[str, Path]]:
    if not is_folder(folder / METRICS):
        raise LogError(f"{folder}: has no folder {METRICS!r}; expected an {NAME}")
    try:
        return list(_walk(folder / METRICS, ""))
    except OSError as error:
        raise LogError(
            f"{folder}: cannot be read ({error.strerror or described(error)})"
        ) from error


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for child in sorted(folder.iterdir(), key=lambda each: each.name):
        if child.name.startswith("."):
            continue
        if not child.is_dir():
            yield prefix + child.name, child
        elif not child.is_symlink():  # it could lead back here
            yield from _walk(child, f"{prefix}{child.name}/")


def _read_file(file: Path) -> tuple[list[Point], FileReport]:
    skipped: Counter[str] = Counter()
    try:
        with file.open("rb") as lines:
            points = list(_points(lines, skipped))
    except OSError as error:
        return [], FileReport(str(file), problem=_unreadable(error))
    problem = "" if points else "no line of it is `timestamp value step`"
    return points, FileReport(str(file), len(points), len(points), skipped, problem=problem)


def _unreadable(error: OSError) -> str:
    return f"cannot be read ({error.strerror or described(error)})"


def _points(lines: Iterable[bytes], skipped: Counter[str]) -> Iterator[Point]:
    for line in lines:
        point = _point(line.split())
        if point:
            yield point
        elif line.strip():
            skipped["line that is no measurement"] += 1


def _point(fields: list[bytes]) -> Point | None:
    if len(fields) not in FIELDS:
        return None
    try:
        time, value = float(fields[0]), float(fields[1])
        step = int(fields[2]) if len(fields) > 2 else None
    except ValueError:
        return None
    return None if step is not None and abs(step) >= 2**63 else (time, value, step)


def _series(tag: str, points: list[Point]) -> Series:
    steps = [row if step is None else step for row, (_, _, step) in enumerate(points)]
    times = seconds([time for time, _, _ in points])
    return Series(tag, steps, np.array([value for _, value, _ in points]), times)
