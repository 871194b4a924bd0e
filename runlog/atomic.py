"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["leftovers", "replacing", "write_text"]


@contextmanager
def replacing(path: Path, *, scratch: Path | None = None) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` when the block succeeds.

    Parameters
    ----------
    path : Path
        The file to create or to replace.
    scratch : Path, optional
        Folder for the temporary file, on the same file system; by default the
        folder of `path`.  The parts of a log use it: readers that take a whole
        folder must never meet a file that is half written.

    Yields
    ------
    Path
        Where the block writes.  If the block raises, for whatever reason, that
        file is removed and `path` is as it was.
    """
    temporary = (scratch or path.parent) / f".{path.name}.{os.getpid()}.tmp"
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def leftovers(directory: Path) -> list[Path]:
    """List the temporary files that a process left in a directory when it was killed."""
    return sorted(directory.glob(".*.[0-9]*.tmp"))


def write_text(path: Path, text: str) -> None:
    """Replace the file at `path` by `text` (UTF-8), whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _sync(path: Path) -> None:
    # Else a power cut could leave an empty file, since the renaming can reach the
    # disk before the bytes do, or the old one, since it may not have reached it.
    if path.is_dir():
        if os.name == "posix":  # elsewhere folders cannot be opened
            _sync_descriptor(os.open(path, os.O_RDONLY))
    else:
        _sync_descriptor(os.open(path, os.O_RDWR))


def _sync_descriptor(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
