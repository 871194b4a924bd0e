"""From a path to runs: what lies there, under which names, and how to open it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from runlog.atomic import leftovers
from runlog.errors import LogError, described
from runlog.metadata import RUN_JSON, RunMetadata
from runlog.parquet import METRICS, PARTS, embedded_metadata, is_parquet_log, read_parquet
from runlog.run import Run, series_from_rows
from runlog.series import Series

__all__ = ["RunSource", "find_runs", "holds_run", "log_files", "open_run"]

EXPECTED = f"a run ({RUN_JSON}, {METRICS}), a TensorBoard logdir, or a folder of those"
REMEDY = "'earshot record sgd' makes one"


@dataclass(frozen=True)
class RunSource:
    """Where a run lies, and what it is called among the others."""

    name: str
    path: Path

    def open(self) -> Run:
        """Read the run (see `open_run`)."""
        return open_run(self.path, name=self.name)


def find_runs(path: str | os.PathLike[str]) -> list[RunSource]:
    """Find every run at or below a path.

    Parameters
    ----------
    path : path-like
        A run, or a folder with runs at any depth.

    Returns
    -------
    list of RunSource
        In the order of their names: a folder that is itself a run goes by its
        own name, and the runs below it by that name and their path; the runs
        of a mere folder go by their path in it.

    Raises
    ------
    LogError
        If there is no such path, or nothing that can be read as a run.
    """
    root = Path(path)
    if not root.exists():
        raise LogError(f"{root}: no such file or folder; expected {EXPECTED} ({REMEDY})")
    if root.is_file() and root in log_files(root.parent):
        root = root.parent  # someone named the log's file
    if not root.is_dir():
        raise LogError(f"{root}: is a file; expected {EXPECTED}")
    name = root.resolve().name
    own = [RunSource(name, root)] if _may_hold_run(root) else []
    prefix = f"{name}/" if own else ""
    below = [
        RunSource(prefix + folder.relative_to(root).as_posix(), folder)
        for folder in _folders(root)
        if _may_hold_run(folder)
    ]
    found = own + below
    if not found:
        raise LogError(f"{root}: no run here or below; expected {EXPECTED} ({REMEDY})")
    return sorted(found, key=lambda source: source.name)


def open_run(path: str | os.PathLike[str], *, name: str | None = None) -> Run:
    """Read one run.

    Parameters
    ----------
    path : path-like
        The run's directory.
    name : str, optional
        What to call it; by default as its folder.

    Returns
    -------
    Run
        With all that is whole; what is not is named in its `damage`.

    Raises
    ------
    LogError
        If there is no run, nothing of it can be read, or a newer version of
        Earshot wrote it.
    """
    directory = Path(path)
    if not (directory.is_dir() and holds_run(directory)):
        raise LogError(f"{directory}: not a run; expected {RUN_JSON}, {METRICS} or event files")
    damage: list[str] = []
    metadata = _metadata(directory, damage)
    series = _series(directory, damage)
    if damage and not series:
        raise LogError(f"{directory}: nothing of this log can be read; {damage[0]}")
    return Run(name or directory.resolve().name, metadata, series, {}, tuple(damage))


def holds_run(directory: Path) -> bool:
    """Tell whether a directory is itself a run, in any format."""
    return (
        (directory / RUN_JSON).is_file()
        or is_parquet_log(directory)
        or bool(_event_files(directory))
    )


def _may_hold_run(directory: Path) -> bool:
    try:
        return holds_run(directory)
    except OSError:
        return True  # opening it will say why it cannot be read


def log_files(directory: Path) -> list[Path]:
    """List what makes up a run's log, in any format, with what a kill left half-written."""
    # run.json last: what is removed in this order keeps its name to the end.
    own = [directory / name for name in (METRICS, PARTS, RUN_JSON)]
    whole = [path for path in own if path.exists()]
    return leftovers(directory) + _event_files(directory) + whole


def _series(directory: Path, damage: list[str]) -> dict[str, Series]:
    series: dict[str, Series] = {}
    if is_parquet_log(directory):
        rows, found = read_parquet(directory)
        damage += found
        series = series_from_rows(rows)
        if not found:
            return series
    files = _event_files(directory)
    if files:
        from runlog.tensorboard import read_event_files

        # Where a run was written in both formats, one makes up for the other.
        events, found = read_event_files(files)
        damage += found
        series |= {tag: _filled(series.get(tag), other) for tag, other in events.items()}
    return series


def _filled(series: Series | None, other: Series) -> Series:
    """Add the steps that only the other series has."""
    if series is None:
        return other
    missing = other[~np.isin(other.steps, series.steps)]
    both = cast(Series, np.concatenate([series, missing]))
    return cast(Series, both[np.argsort(both.steps, kind="stable")])


def _metadata(directory: Path, damage: list[str]) -> RunMetadata:
    """Read `run.json`, else its copy in the Parquet files, else know only the name."""
    file = directory / RUN_JSON
    if file.is_file():
        try:
            return RunMetadata.from_json(file.read_text(encoding="utf-8"), where=str(file))
        except (ValueError, TypeError, KeyError, OSError) as error:
            damage.append(
                f"{file}: damaged ({described(error)}); used instead: what the log itself says"
            )
    if embedded := embedded_metadata(directory):
        return RunMetadata.from_json(embedded, where=str(directory / METRICS))
    return RunMetadata(directory.resolve().name)


def _event_files(directory: Path) -> list[Path]:
    # Importing TensorBoard takes longer than looking; so look first.
    if not any(directory.glob("*tfevents*")):
        return []
    from runlog.tensorboard import event_files

    return event_files(directory)


def _folders(root: Path) -> Iterator[Path]:
    """Walk the folders below `root`; links are followed, but no folder is met twice."""
    seen = {root.resolve()}
    for parent, names, _ in os.walk(root, followlinks=True):
        fresh = []
        # Real folders before links, so that a link `latest` does not take a run's name.
        for name in sorted(names, key=lambda each: (Path(parent, each).is_symlink(), each)):
            real = Path(parent, name).resolve()
            if not name.startswith(".") and real not in seen:
                seen.add(real)
                fresh.append(name)
        names[:] = fresh  # os.walk goes down into what is left here
        yield from (Path(parent, name) for name in fresh)
