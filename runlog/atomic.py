"""Files that appear whole or not at all."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Some file systems do not sync folders, and some folders may be written but not read.
_UNSYNCED = {errno.EINVAL, errno.EOPNOTSUPP, errno.EACCES}

__all__ = ["leftovers", "make_folder", "remove_folder", "replacing", "sync", "write_text"]


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
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> bool:
    """Make a folder, with those above it, so that a power cut does not take them away again.

    Returns
    -------
    bool
        Whether it was not there yet.
    """
    if folder.is_dir():
        return False
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)
    return True


def remove_folder(folder: Path) -> None:
    """Remove a folder, whole at once: what a kill leaves of it is a leftover."""
    aside = folder.with_name(f".{folder.name.lstrip('.')}.{os.getpid()}.tmp")
    folder.rename(aside)
    shutil.rmtree(aside)


def leftovers(directory: Path) -> list[Path]:
    """List the temporary files and folders that a process left when it was killed."""
    return sorted(directory.glob(".*.[0-9]*.tmp"))


def write_text(path: Path, text: str) -> None:
    """Replace the file at `path` by `text` (UTF-8), whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sync(path: Path) -> None:
    """Bring a file or a folder's entries to the disk."""
    # Else a power cut could leave an empty file, since the renaming can reach the
    # disk before the bytes do, or the old one, since it may not have reached it.
    if path.is_dir():
        if os.name == "posix":  # elsewhere folders cannot be opened
            try:
                _sync_descriptor(os.open(path, os.O_RDONLY))
            except OSError as error:
                if error.errno not in _UNSYNCED:
                    raise
    else:
        _sync_descriptor(os.open(path, os.O_RDWR))


def _sync_descriptor(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
