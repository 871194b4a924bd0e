"""Where a log lies: on this machine, or in any store that fsspec knows."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from epochord.runlog.errors import LogError, one_line
from epochord.runlog.extras import install_command

__all__ = [
    "EVENT_FILE",
    "Location",
    "expanded",
    "folders_below",
    "location",
    "name_of",
    "printable",
    "relative_name",
]

EVENT_FILE = "tfevents"  # what a file's name has to hold for TensorBoard to read it

Location = str | os.PathLike[str]


def expanded(path: Location) -> Path:
    """Return a local path that a user gave; a ``~`` at its beginning is the home folder."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  # Path's raises if there is no such user


def location(where: Location) -> Path:
    """Return a path for a name, a path or a URL.

    Parameters
    ----------
    where : str or path-like
        A local path, also with ``~``, ``file://…``, or another URL that fsspec understands.

    Returns
    -------
    Path
        For a URL a `upath.UPath`, which reads like a `pathlib.Path`.

    Raises
    ------
    LogError
        If the URL's kind is not known, or needs a package that is not there.
    """
    text = str(where)
    if "://" not in text:
        return expanded(where)
    from upath import UPath

    try:
        path = UPath(where)
        if path.protocol == "file":
            return Path(path.path)
        _ = path.fs
    except ValueError as error:
        raise LogError(f"{text}: no such kind of URL ({one_line(error)})") from error
    except ImportError as error:
        raise LogError(
            f"{text}: a package is missing ({one_line(error)}); the common ones: "
            f"{install_command('remote')}"
        ) from error
    return cast(Path, path)


def printable(name: str) -> str:
    """Return a file's name as text that can be written anywhere; its bytes may not be UTF-8."""
    return name.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace")


def name_of(folder: Path) -> str:
    """Return what a folder is called, also where the path is `.` or ends in `..`."""
    return printable(folder.resolve().name)


def relative_name(path: Path, root: Path) -> str:
    """Return a path below another one, with ``/`` between its parts."""
    return printable("/".join(path.parts[len(root.parts) :]))


def folders_below(root: Path) -> Iterator[Path]:
    """Walk the folders below one; links are followed, but no folder is met twice."""
    return _local_folders(root) if isinstance(root, Path) else _remote_folders(root)


def _local_folders(root: Path) -> Iterator[Path]:
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


def _remote_folders(root: Path) -> Iterator[Path]:
    for child in sorted(root.iterdir(), key=lambda each: each.name):
        if child.is_dir() and not child.name.startswith("."):
            yield child
            yield from _remote_folders(child)
