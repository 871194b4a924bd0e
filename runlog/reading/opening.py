"""Opening one run, whatever its format."""

from pathlib import Path
from typing import cast

import numpy as np

from epochord.runlog.errors import LogError, described
from epochord.runlog.formats import recognise
from epochord.runlog.locations import EVENT_FILE, Location, name_of
from epochord.runlog.parquet import METRICS, embedded_metadata, is_parquet_log, read_parquet
from epochord.runlog.reading.source import RunSource, place_and_name
from epochord.runlog.reading.tables import StoredTables
from epochord.runlog.run.contents import Contents, damage_lines
from epochord.runlog.run.metadata import RUN_JSON, RunMetadata
from epochord.runlog.run.run import Run, series_from_rows
from epochord.runlog.run.series import Series

__all__ = ["event_files", "open_run"]


def open_run(path: Location | RunSource, *, name: str | None = None, x: str | None = None) -> Run:
    """Read one run.

    Parameters
    ----------
    path : str, path-like or RunSource
        A run's directory in any format, a single event file or table, the URL of
        one of these, or one of what `find_runs` returns.
    name : str, optional
        What to call it; by default as its source, folder, or file.
    x : str, optional
        For tables: the column to take the steps from.

    Returns
    -------
    Run
        With all that is whole; what is not is named in its `damage`.

    Raises
    ------
    LogError
        If there is no run, nothing of it can be read, or a newer version of
        Epochord wrote it.
    """
    place, name = place_and_name(path, name)
    called = name or name_of(place)
    if (place / RUN_JSON).is_file() or is_parquet_log(place):
        run = _open_own(place, called)
    else:
        run = _as_run(called, _contents(place, x))
    if len(run.damage) > len(run.metadata.holes) and not (run.series or run.tables):
        raise LogError(f"{place}: nothing of this log can be read; {run.damage[0]}")
    return run


def _contents(place: Path, x: str | None) -> Contents:
    """Read a log that another tool wrote."""
    files = event_files(place)
    if files:
        from epochord.runlog.tensorboard import read_event_files

        return read_event_files(files)
    kind = recognise(place)
    if kind is None:
        what = "no such file or folder" if not place.exists() else "not a run"
        raise LogError(f"{place}: {what}; expected {RUN_JSON}, {METRICS} or event files")
    return kind.read(place, x=x)


def event_files(place: Path) -> list[Path]:
    """List the event files that make up a run: those of its folder, or the one given."""
    if not place.is_dir():
        return [place] if EVENT_FILE in place.name and place.exists() else []
    # Importing TensorBoard takes longer than looking; so look first.
    if not any(EVENT_FILE in path.name for path in place.iterdir()):
        return []
    from epochord.runlog.tensorboard import candidates

    return candidates(place)


def _as_run(name: str, contents: Contents) -> Run:
    return Run(
        name,
        RunMetadata(name),
        contents.series,
        contents.tables,
        damage=tuple(damage_lines(contents.files)),
        notes=contents.notes,
        segments=contents.segments,
        files=contents.files,
    )


def _open_own(directory: Path, name: str) -> Run:
    """Read a run of ours; where it was written in both formats, one makes up for the other."""
    damage: list[str] = []
    metadata = _metadata(directory, damage)
    damage += [f"{directory}: {hole}" for hole in metadata.holes]
    series: dict[str, Series] = {}
    whole = False
    if is_parquet_log(directory):
        rows, found = read_parquet(directory)
        damage += found
        series = series_from_rows(rows)
        whole = not found
    files = [] if whole else event_files(directory)
    if not files:
        tables = StoredTables(directory)
        return Run(name, metadata, series, tables, damage=tuple(damage))
    from epochord.runlog.tensorboard import read_event_files

    events = _as_run(name, read_event_files(files))
    filled = {
        tag: _filled(series.get(tag), _last_values(other)) for tag, other in events.series.items()
    }
    return Run(
        name,
        metadata,
        series | filled,
        events.tables,
        damage=(*damage, *events.damage),
        segments=events.segments,
        files=events.files,
    )


def _last_values(series: Series) -> Series:
    """Of several values in a step, take the last: a row that was flushed may have grown since."""
    steps = series.steps
    if len(steps) < 2 or (np.diff(steps) > 0).all():
        return series
    _, places = np.unique(steps[::-1], return_index=True)
    return cast(Series, series[len(steps) - 1 - places])


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
    return RunMetadata(name_of(directory))
