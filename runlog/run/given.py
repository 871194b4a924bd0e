"""Runs as arguments: a path in the place of a run, or the like, is refused in one line."""

from collections.abc import Iterable
from typing import cast

from epochord.runlog.given import require
from epochord.runlog.run.run import Run

__all__ = ["require_run", "require_runs"]


def require_run(run: object, name: str = "run") -> None:
    """Refuse what is no run.

    Parameters
    ----------
    run : object
        What was given.
    name : str
        Of the argument.

    Raises
    ------
    TypeError
        If it is no `Run`.
    """
    require(name, run, Run, "a Run, as epochord.open_run returns it")


def require_runs(runs: object) -> list[Run]:
    """Return runs as a list.

    Parameters
    ----------
    runs : object
        What was given.

    Raises
    ------
    TypeError
        If it is a single run, which is a mapping of its tags, or anything in it is none.
    """
    several = Iterable if not isinstance(runs, Run | str) else ()
    require("runs", runs, several, "a list of Run, as epochord.open_run returns each")
    listed = list(cast("Iterable[Run]", runs))
    for number, run in enumerate(listed):
        require_run(run, f"runs[{number}]")
    return listed
