"""Event files to series: scalars by tag, checked record by record.

What is broken is passed over and reported; what is whole is kept.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.util import tensor_util

from runlog.series import Series
from runlog.tensorboard.records import FOOTER_BYTES, HEADER_BYTES, masked_crc, order

__all__ = ["event_files", "last_step", "read_event_files"]

Point = tuple[int, float, float]  # step, value, wall time
Points = dict[str, list[Point]]

_NUMBERS = "fiu"  # NumPy kinds: floats and integers


def event_files(directory: Path) -> list[Path]:
    """Return a directory's event files, in the order of their time stamps.

    A file counts if its first record has a valid header; text files whose name
    merely looks alike do not.
    """
    candidates = sorted(directory.glob("*tfevents*"), key=lambda path: (order(path), path.name))
    return [path for path in candidates if path.is_file() and _starts_like_events(path)]


def read_event_files(files: list[Path]) -> tuple[dict[str, Series], list[str]]:
    """Read the scalars of event files into series.

    Parameters
    ----------
    files : list of Path
        The files of one run, in order.

    Returns
    -------
    series : dict of str to Series
        By tag, float32, in write order.
    damage : list of str
        One line for each file of which something could not be used.
    """
    points: Points = {}
    damage: list[str] = []
    for path in files:
        try:
            for found in _messages(path, damage):
                for tag, point in found:
                    points.setdefault(tag, []).append(point)
        except OSError as error:
            damage.append(f"{path}: cannot be read ({error.strerror or error})")
    return {tag: _series(tag, found) for tag, found in points.items()}, damage


def last_step(directory: Path) -> int:
    """Return the last step with a scalar in a directory's event files; -1 if there is none."""
    series, _ = read_event_files(event_files(directory))
    return max((int(each.steps.max()) for each in series.values()), default=-1)


def _starts_like_events(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError:
        return True  # reading it will say why it cannot be read
    return len(header) == HEADER_BYTES and _length(header) is not None


def _length(header: bytes) -> int | None:
    """Return the length that a record's header gives, or None if its CRC is wrong."""
    length, crc = struct.unpack("<QI", header)
    return int(length) if crc == masked_crc(header[:8]) else None


def _messages(path: Path, damage: list[str]) -> Iterator[list[tuple[str, Point]]]:
    """Yield the points of each whole record; note in `damage` what else there is."""
    data = path.read_bytes()
    offset, broken = 0, 0
    while offset + HEADER_BYTES <= len(data):
        length = _length(data[offset : offset + HEADER_BYTES])
        end = offset + HEADER_BYTES + (length or 0) + FOOTER_BYTES
        if length is None or end > len(data):
            break
        message = data[offset + HEADER_BYTES : end - FOOTER_BYTES]
        try:
            if struct.unpack("<I", data[end - FOOTER_BYTES : end])[0] != masked_crc(message):
                raise DecodeError("wrong CRC")
            yield _points(Event.FromString(message))
        except (DecodeError, ValueError, TypeError, KeyError):
            broken += 1
        offset = end
    if broken:
        damage.append(f"{path}: damaged records are left out ({broken})")
    if offset < len(data):
        damage.append(
            f"{path}: no whole record at byte {offset}; the {len(data) - offset} bytes from there "
            "on are not read"
        )


def _points(event: Any) -> list[tuple[str, Point]]:
    numbers = [(value.tag, _scalar(value)) for value in event.summary.value]
    return [
        (tag, (event.step, number, event.wall_time))
        for tag, number in numbers
        if number is not None
    ]


def _scalar(value: Any) -> float | None:
    """Return a summary's number, from TF1's `simple_value` or TF2's tensor of one element."""
    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return float(value.simple_value)
    if kind != "tensor":
        return None
    tensor = tensor_util.make_ndarray(value.tensor)
    return float(tensor.item()) if tensor.size == 1 and tensor.dtype.kind in _NUMBERS else None


def _series(tag: str, points: list[Point]) -> Series:
    steps, values, times = zip(*points, strict=True)
    with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite
        return Series(tag, steps, np.array(values, np.float32), times)
