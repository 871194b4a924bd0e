"""Event files among other files: by their names, and by what they begin with."""

import re
from pathlib import Path

from epochord.runlog.locations import EVENT_FILE
from epochord.runlog.tensorboard.headers import HEADER_BYTES, next_header

__all__ = ["candidates", "event_files", "order", "problem"]

# What commonly lies where an event file was expected, by its first bytes.
LOOKALIKES = {
    b"version https://git-lfs": "is a Git LFS pointer (fetch the file with 'git lfs pull')",
    b"\x1f\x8b": "is compressed with gzip (unpack it with gunzip)",
    b"PK\x03\x04": "is a zip archive (unpack it)",
    b"fileFormatVersion": "is a Unity .meta file",
}


def candidates(directory: Path) -> list[Path]:
    """List what is named like an event file, in the order in which runs are continued."""
    found = [path for path in directory.iterdir() if EVENT_FILE in path.name]
    return sorted(found, key=lambda path: (order(path), path.name))


def event_files(directory: Path) -> list[Path]:
    """List the files that begin as event files do; text that is only named so does not."""
    return [path for path in candidates(directory) if path.is_file() and _begins_well(path)]


def order(path: Path) -> tuple[int, ...]:
    """Return what event files of one run are sorted by: time stamp, then pid and counter.

    Parameters
    ----------
    path : Path
        Named ``events.out.tfevents.<time stamp>.<host>.<pid>.<counter>``, or
        in part so.

    Returns
    -------
    tuple of int
        The time stamp first, 0 if the name has none.
    """
    behind = path.name.partition(EVENT_FILE)[2]
    stamp = re.match(r"\.(\d+)", behind)
    numbers = re.findall(r"\.(\d+)(?=\.|$)", behind)
    return (int(stamp[1]) if stamp else 0, *map(int, numbers[1:]))


def problem(head: bytes) -> str:
    """Say what a file without any record is.

    Parameters
    ----------
    head : bytes
        What it begins with; at least a byte.
    """
    for beginning, what in LOOKALIKES.items():
        if head.startswith(beginning):
            return what
    if len(head) < HEADER_BYTES:
        return f"is no event file ({len(head)} bytes, less than one record)"
    return "is no event file (no record with a valid length and CRC)"


def _begins_well(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return next_header(file.read(HEADER_BYTES)) == 0
    except OSError:
        return True  # reading it will say why it cannot be read
