"""From the paths on a command line to runs, each with a place for its results."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from epochord.pipeline.console import note
from epochord.pipeline.folders import RENDERS, RUNS
from epochord.runlog import EpochordError, LogError, Run, RunSource, find_runs
from epochord.runlog.locations import EVENT_FILE, location, name_of, printable
from epochord.runlog.reading.sources import holds_run
from epochord.runlog.words import did_you_mean

__all__ = ["Found", "find", "none_called", "open_aloud", "results_folders"]

MOST_NAMED = 8


@dataclass(frozen=True)
class Found:
    """A run that a command is to work on.

    Parameters
    ----------
    source : RunSource
        Where it lies.
    named : bool
        Whether the user named this very run, and not a folder that holds it; a
        folder that is a run and holds others stands for all of them.
    given : Path
        What the user named.
    """

    source: RunSource
    named: bool
    given: Path

    @property
    def is_table(self) -> bool:
        """Whether its steps are a column that can be chosen."""
        path = self.source.path
        return not (holds_run(path) if path.is_dir() else EVENT_FILE in path.name)

    def open(self, *, x: str | None = None) -> Run:
        """Read the run; raises LogError if that fails."""
        try:
            return self.source.open(x=x)
        except OSError as error:
            where = error.filename or self.source.path
            raise LogError(f"{where}: cannot be read ({error.strerror or error})") from error
        except UnicodeError as error:  # pyarrow takes no other names of files
            raise LogError(f"{self.source.path}: the name is not UTF-8; rename it") from error


def find(
    paths: Iterable[str], names: Sequence[str] | None = None
) -> tuple[list[Found], list[EpochordError]]:
    """Find the runs that paths stand for.

    Parameters
    ----------
    paths : iterable of str
        Each a run, a folder of runs, a table, a URL, or a name under ``runs/``.
    names : sequence of str, optional
        Globs; only runs whose name matches one of them.

    Returns
    -------
    found : list of Found
        Every run once, in order.
    errors : list of EpochordError
        One for each path that stands for nothing.
    """
    found: dict[Path, Found] = {}
    errors: list[EpochordError] = []
    for path in paths:
        place = Path(path)
        try:
            place = _place(path)
            sources = find_runs(place)
            for source in sources:
                named = source.path == place and len(sources) == 1
                one = Found(_named(source), named, place)
                found.setdefault(source.path.resolve(), one)
        except LogError as error:
            errors.append(_missing(path, error))
        except OSError as error:
            errors.append(LogError(f"{error.filename or place}: {error.strerror or error}"))
    apart = _told_apart(list(found.values()))
    chosen = [one for one in apart if _is_wanted(one.source.name, names)]
    if apart and not chosen:
        errors.append(none_called(names or (), [one.source.name for one in apart]))
    return chosen, errors


def none_called(globs: Sequence[str], names: Sequence[str]) -> LogError:
    """Return what is to be said if no run has such a name."""
    near = next(filter(None, (did_you_mean(glob, names) for glob in globs)), ";")
    return LogError(f"no run is called {' or '.join(globs)}{near} there are {_some(names)}")


def open_aloud(found: Found, *, x: str | None = None) -> Run:
    """Read a run, and say on stderr what is damaged in it and how it was understood.

    Parameters
    ----------
    found : Found
        The run.
    x : str, optional
        Of tables: the column that holds the step.

    Raises
    ------
    LogError
        If it cannot be read.
    """
    run = found.open(x=x)
    for line in run.damage:
        note(f"warning: {line}")
    for line in run.notes:
        note(f"{run.name}: {line}")
    return run


def results_folders(found: Sequence[Found], out: Path = RENDERS) -> dict[Path, Found]:
    """Give each run a folder for its results.

    Parameters
    ----------
    found : sequence of Found
        The runs.
    out : Path
        The folder that is to hold them all.

    Returns
    -------
    dict of Path to Found
        ``out/<name>``, where a nested run's name holds its path.

    Raises
    ------
    LogError
        If two runs have the same name.
    """
    folders: dict[Path, Found] = {}
    for one in found:
        folder = out / one.source.name
        other = folders.setdefault(folder, one)
        if other is not one:
            raise LogError(
                f"{other.source.path} and {one.source.path} would both be written to {folder}; "
                "render one of them alone with another --out"
            )
    return folders


def _missing(path: str, error: LogError) -> LogError:
    """Say which names there are under ``runs/``, if a name was given that is none of them."""
    if "/" in path or os.sep in path or Path(path) == RUNS or Path(path).exists():
        return error
    if not RUNS.is_dir():
        return LogError(f"{error}; there is no {RUNS}/ here")
    names = sorted(each.name for each in RUNS.iterdir() if each.is_dir())
    if near := did_you_mean(path, names):
        return LogError(f"{path}: no such file or folder, and no such run in {RUNS}/{near}")
    return LogError(f"{error}; {RUNS}/ has {_some(names)}") if names else error


def _some(names: Sequence[str]) -> str:
    return f"{', '.join(names[:MOST_NAMED])}{' …' if len(names) > MOST_NAMED else ''}"


def _is_wanted(name: str, globs: Sequence[str] | None) -> bool:
    return not globs or any(fnmatchcase(name, glob) for glob in globs)


def _told_apart(found: Sequence[Found]) -> list[Found]:
    """Put the given folder's name in front of names that runs of several folders share."""
    counts = Counter(one.source.name for one in found)
    return [
        replace(one, source=replace(one.source, name=f"{name_of(one.given)}/{one.source.name}"))
        if counts[one.source.name] > 1 and not one.named
        else one
        for one in found
    ]


def _named(source: RunSource) -> RunSource:
    """Call a run below ``runs/`` by its path there, however it was reached."""
    if not isinstance(source.path, Path):
        return source
    # Not resolved: a link keeps the name under which it was reached.
    absolute, runs = (Path(os.path.abspath(path)) for path in (source.path, RUNS))  # noqa: PTH100
    if runs in absolute.parents:
        return RunSource(printable(absolute.relative_to(runs).as_posix()), source.path)
    return source


def _place(path: str) -> Path:
    below = RUNS / path
    given = location(path)
    return below if isinstance(given, Path) and below.exists() and not given.exists() else given
