"""From the paths on a command line to runs, each with a place for its results."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runlog import EarshotError, LogError, Run, RunSource, find_runs

__all__ = ["RUNS", "Found", "find", "results_folders"]

RUNS = Path("runs")


@dataclass(frozen=True)
class Found:
    """A run that a command is to work on.

    Parameters
    ----------
    source : RunSource
        Where it lies.
    named : bool
        Whether the user named this very run, and not a folder that holds it.
    """

    source: RunSource
    named: bool

    def open(self) -> Run:
        """Read the run; raises LogError if that fails."""
        try:
            return self.source.open()
        except OSError as error:
            where = error.filename or self.source.path
            raise LogError(f"{where}: cannot be read ({error.strerror or error})") from error
        except UnicodeError as error:  # pyarrow takes no other names of files
            raise LogError(f"{self.source.path}: the name is not UTF-8; rename it") from error


def find(paths: Iterable[str]) -> tuple[list[Found], list[EarshotError]]:
    """Find the runs that paths stand for.

    Parameters
    ----------
    paths : iterable of str
        Each a run, a folder of runs, or a name under ``runs/``.

    Returns
    -------
    found : list of Found
        Every run once, in order.
    errors : list of EarshotError
        One for each path that stands for nothing.
    """
    found: dict[Path, Found] = {}
    errors: list[EarshotError] = []
    for path in paths:
        place = _place(path)
        try:
            sources = find_runs(place)
        except LogError as error:
            errors.append(error)
            continue
        except OSError as error:
            errors.append(LogError(f"{error.filename or place}: {error.strerror or error}"))
            continue
        for source in sources:
            found.setdefault(source.path.resolve(), Found(_named(source), source.path == place))
    return list(found.values()), errors


def results_folders(found: Sequence[Found], out: Path) -> dict[Path, Found]:
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


def _named(source: RunSource) -> RunSource:
    """Call a run below ``runs/`` by its path there, however it was reached."""
    # Not resolved: a link keeps the name under which it was reached.
    absolute, runs = (Path(os.path.abspath(path)) for path in (source.path, RUNS))  # noqa: PTH100
    if runs in absolute.parents:
        return RunSource(absolute.relative_to(runs).as_posix(), source.path)
    return source


def _place(path: str) -> Path:
    below = RUNS / path
    return below if below.exists() and not Path(path).exists() else Path(path)
