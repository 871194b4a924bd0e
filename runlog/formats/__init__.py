"""Logs that other tools write: one module a format, all of one shape.

A module says whether a path is of its format (`matches`) and turns it into
`Contents` (`read`).  Paths are `pathlib.Path` or `upath.UPath`, so a log may lie
in any store that fsspec knows.
"""

from functools import cache
from pathlib import Path
from typing import Protocol

from epochord.runlog.run.contents import Contents

__all__ = ["Format", "formats", "recognise"]


class Format(Protocol):
    """What each module of this package has.

    Attributes
    ----------
    NAME : str
        What a person calls the format.
    IN_FOLDERS : bool
        Whether such a log is found when a folder is walked; otherwise it has to
        be named, since a folder holds many tables that are no logs.
    """

    NAME: str
    IN_FOLDERS: bool

    def matches(self, path: Path) -> bool:
        """Tell by name and first bytes whether a path is of this format; never raises."""

    def read(self, path: Path, *, x: str | None = None) -> Contents:
        """Read a log; `x` is the column to take steps from.

        Raises
        ------
        LogError
            If nothing of it can be used.
        """


@cache
def formats() -> tuple[Format, ...]:
    """Return all formats; they are imported when a log is none of ours.

    Those that a tool's own file names give away come first.
    """
    from epochord.runlog.formats import delimited, huggingface, jsonl, lightning, mlflow, parquet

    return (lightning, huggingface, mlflow, parquet, jsonl, delimited)


def recognise(path: Path) -> Format | None:
    """Return the first format that a path matches, if any.

    Parameters
    ----------
    path : Path
        A file, or a folder that holds one run.
    """
    return next((each for each in formats() if each.matches(path)), None)
