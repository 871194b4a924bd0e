"""Results on disk: whole or not at all, described, and not made twice.

Beside each result lies a small JSON file with the settings and the log's hash
that it was made from.  When both are still equal, the result is up to date.
"""

import errno
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from epochord.runlog import OutputError
from epochord.runlog.atomic import replacing

__all__ = ["describe", "is_up_to_date", "output_error", "writing"]

_REMEDIES = {
    errno.ENOSPC: "free some space or choose another folder with --out",
    errno.EDQUOT: "free some space or choose another folder with --out",
    errno.EFBIG: "the file would exceed what is allowed here",
}


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yield a temporary path for a result that appears when the block succeeds.

    Parameters
    ----------
    path : Path
        The result; its folder is made.

    Raises
    ------
    OutputError
        If it cannot be written; then whatever was there still is.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path.absolute()) as temporary:  # Arrow takes a ~ for the home folder
            yield temporary
    except OSError as error:
        raise output_error(path, error) from error


def output_error(path: Path, error: OSError) -> OutputError:
    """Return what is to be said if a result cannot be written."""
    remedy = _REMEDIES.get(error.errno or 0, "choose another folder with --out")
    return OutputError(f"{path}: cannot write ({error.strerror or error}); {remedy}")


def describe(path: Path, description: Mapping[str, Any]) -> None:
    """Write the JSON file that says what a result was made from.

    Parameters
    ----------
    path : Path
        The JSON file.
    description : mapping
        Plain JSON values.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with writing(path) as temporary:
        text = json.dumps(description, indent=2) + "\n"
        temporary.write_text(text, encoding="utf-8")


def is_up_to_date(description: Path, expected: Mapping[str, Any]) -> bool:
    """Tell whether a result was made from the same log with the same settings.

    Parameters
    ----------
    description : Path
        The JSON file beside it.
    expected : mapping
        What would be made now: each of these entries has to be equal.

    Returns
    -------
    bool
        False also if one of the files named under ``files`` is gone or has
        another size than was written.
    """
    try:
        made = json.loads(description.read_text(encoding="utf-8"))
        sizes = {name: (description.parent / name).stat().st_size for name in made["files"]}
        return sizes == made["files"] and all(made[key] == expected[key] for key in expected)
    except (OSError, ValueError, KeyError, TypeError):
        return False
