"""The first look at a file: what cannot be a log is refused in words that help."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from epochord.runlog.errors import LogError, described

__all__ = [
    "GLANCE",
    "LFS_POINTER",
    "glance",
    "is_file",
    "is_folder",
    "opened",
    "refuse_binary",
    "require_text",
]

GLANCE = 1 << 16  # bytes looked at
LFS_POINTER = b"version https://git-lfs"


def is_file(path: Path) -> bool:
    """Tell whether there is a file; what cannot be looked at is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Tell whether there is a folder; what cannot be looked at is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def glance(path: Path) -> bytes:
    """Return a file's first bytes; none if it is no file or cannot be read."""
    if not is_file(path):  # opening a pipe would wait for its writer
        return b""
    try:
        with path.open("rb") as stream:
            return stream.read(GLANCE)
    except (OSError, ValueError):
        return b""


@contextmanager
def opened(path: Path, expected: str) -> Iterator[BinaryIO]:
    """Open a file for reading, if it can hold anything.

    Parameters
    ----------
    path : Path
        The file.
    expected : str
        What should be there, for error messages.

    Yields
    ------
    BinaryIO
        At its beginning.

    Raises
    ------
    LogError
        If it is a folder, empty, a Git-LFS pointer, or cannot be read, be it
        within the block.
    """
    try:
        if path.is_dir():
            raise LogError(f"{path}: is a folder; expected a file ({expected})")
        with path.open("rb") as stream:
            head = stream.read(GLANCE)
            if not head.strip():
                raise LogError(f"{path}: is empty; expected {expected}")
            if head.startswith(LFS_POINTER):
                raise LogError(
                    f"{path}: a Git-LFS pointer, not the file itself; run `git lfs pull`"
                )
            stream.seek(0)
            yield cast(BinaryIO, stream)
    except OSError as error:
        raise LogError(f"{path}: cannot be read ({error.strerror or described(error)})") from error


def refuse_binary(head: bytes, path: Path, expected: str) -> None:
    """Raise LogError if a file's first bytes are no text in any encoding that is read here."""
    if b"\0" in head:
        raise LogError(f"{path}: is binary (or UTF-16); expected {expected} as UTF-8 text")


def require_text(head: bytes, path: Path, expected: str) -> str:
    """Return a file's first bytes as text.

    Parameters
    ----------
    head : bytes
        They may end within a character.
    path, expected
        For error messages.

    Raises
    ------
    LogError
        If they are not UTF-8.
    """
    refuse_binary(head, path, expected)
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError as error:
        raise LogError(
            f"{path}: is not UTF-8 text (byte {error.object[error.start]:#04x}); convert it, "
            "for instance with `iconv -f latin1 -t utf-8`"
        ) from error
