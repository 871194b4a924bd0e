"""An oracle for event files, and records that tests write themselves.

The oracle shares no code with `runlog`: it looks at one byte after the other,
checks every CRC with google_crc32c and parses with TensorBoard's own classes.
"""

import re
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.util import tensor_util

# Types of numbers as types.proto counts them, and NumPy's letters for them.
NUMBERS = dict(zip((1, 2, 3, 4, 5, 6, 9, 17, 19, 22, 23), "fdiBhbqHeIQ", strict=True))
AS_FLOAT32 = "fBhbHe"  # those that float32 holds exactly


@dataclass
class FileTruth:
    """What one file holds, record by record."""

    name: str
    size: int
    messages: list[tuple[int, bytes]] = field(default_factory=list)  # offset, message
    events: int = 0
    wrong_crc: int = 0
    broken: int = 0
    gap_bytes: int = 0
    tail_bytes: int = 0
    points: int = 0
    others: Counter[str] = field(default_factory=Counter)
    purged: set[int] = field(default_factory=set)

    @property
    def is_used(self) -> bool:
        return bool(self.messages or self.wrong_crc) or self.size == 0


@dataclass
class Entry:
    """One number or tensor of one event; `value` is None for whatever else it is."""

    tag: str
    file: FileTruth
    place: tuple[int, int]  # file, offset
    step: int
    wall_time: float
    kind: str
    value: Any


@dataclass
class Truth:
    """What a directory's event files hold."""

    files: list[FileTruth] = field(default_factory=list)
    points: dict[str, list[Entry]] = field(default_factory=dict)
    tables: dict[str, list[Entry]] = field(default_factory=dict)


def masked(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


def framed(message: bytes) -> bytes:
    length = struct.pack("<Q", len(message))
    return b"".join(
        (length, struct.pack("<I", masked(length)), message, struct.pack("<I", masked(message)))
    )


def end_of_record(data: bytes, place: int) -> int | None:
    """Return where the record ends whose header lies here, if there is one that fits."""
    header = data[place : place + 12]
    if len(header) < 12 or masked(header[:8]) != int.from_bytes(header[8:], "little"):
        return None
    end = place + 16 + int.from_bytes(header[:8], "little")
    return end if end <= len(data) else None


def scanned(name: str, data: bytes) -> FileTruth:
    """Take a file apart."""
    found = FileTruth(name, len(data))
    place = 0
    while place < len(data):
        end = end_of_record(data, place)
        if end is not None:
            message = data[place + 12 : end - 4]
            if masked(message) == int.from_bytes(data[end - 4 : end], "little"):
                found.messages.append((place, message))
                place = end
                continue
            # Its length is worth something only if it leads somewhere.
            if end == len(data) or end_of_record(data, end) is not None:
                found.wrong_crc += 1
                place = end
                continue
        later = range(place + 1, len(data) - 16)
        following = next((p for p in later if (end_of_record(data, p) or 0) > p + 16), None)
        if following is None:
            found.tail_bytes = len(data) - place
            break
        found.gap_bytes += following - place
        place = following
    return found


def in_order(path: Path) -> tuple[Any, ...]:
    pattern = r".*tfevents(?:\.(\d+))?(?:\..*?)??(?:\.(\d+))?(?:\.(\d+))?(?:\.v2)?"
    match = re.fullmatch(pattern, path.name)
    return (*(int(number or -1) for number in match.groups()), path.name)


def parsed(message: bytes) -> tuple[Any, list[Any]]:
    """Parse an event and its values' numbers; raises if anything of it is broken."""
    event = Event.FromString(message)
    return event, [as_number(value) for value in event.summary.value]


def as_number(value: Any) -> Any:
    if value.HasField("simple_value"):
        return np.float32(value.simple_value)
    letter = NUMBERS.get(value.tensor.dtype) if value.HasField("tensor") else None
    sizes = [dim.size for dim in value.tensor.tensor_shape.dim]
    if letter is None or len(sizes) > 2 or not 0 < np.prod([1, *sizes]) <= 4_000_000:
        return None
    try:
        array = tensor_util.make_ndarray(value.tensor)
    except TypeError:  # a type that TensorBoard does not unpack
        return None
    array = array.astype("f4" if letter in AS_FLOAT32 else "f8")
    return array.ravel()[0] if sizes in ([], [1]) else array


def true_contents(paths: list[Path]) -> Truth:
    """Read event files that continue each other."""
    truth = Truth([scanned(path.name, path.read_bytes()) for path in paths])
    entries: list[Entry] = []
    restarts: list[tuple[tuple[int, int], int]] = []
    plugins: dict[str, str] = {}
    for number, file in enumerate(truth.files):
        for offset, message in file.messages:
            try:
                event, numbers = parsed(message)
            except (DecodeError, ValueError, OverflowError):
                file.broken += 1
                continue
            file.events += 1
            place = (number, offset)
            kind = event.WhichOneof("what")
            if kind == "session_log" and event.session_log.status == 1:  # START
                restarts.append((place, event.step))
            elif kind not in ("summary", "session_log", "file_version", None):
                file.others[kind] += 1
            for value, one in zip(event.summary.value, numbers, strict=True):
                plugin = value.metadata.plugin_data.plugin_name
                if plugin:
                    plugins.setdefault(value.tag, plugin)
                sort = value.WhichOneof("value") or "empty value"
                entries.append(
                    Entry(value.tag, file, place, event.step, event.wall_time, sort, one)
                )
    for entry in entries:
        plugin = plugins.get(entry.tag, "")
        foreign = entry.kind == "tensor" and plugin not in ("", "scalars")
        if entry.value is None or foreign:
            entry.file.others[plugin or entry.kind] += 1
        elif any(entry.place < place and entry.step >= step for place, step in restarts):
            entry.file.purged.add(entry.step)
        else:
            entry.file.points += entry.value.ndim == 0
            into = truth.tables if entry.value.ndim else truth.points
            into.setdefault(entry.tag, []).append(entry)
    return truth


def equal(found: Any, truth: Truth) -> None:
    """Check a Run's or Contents' series, tables and reports, bit for bit."""
    assert set(found.series) == set(truth.points)
    for tag, entries in truth.points.items():
        series = found.series[tag]
        values = np.array([entry.value for entry in entries])
        assert series.steps.tolist() == [entry.step for entry in entries]
        assert series.values.dtype == values.dtype
        assert series.values.tobytes() == values.tobytes()
        assert series.wall_times.tobytes() == np.array([e.wall_time for e in entries]).tobytes()
        names = [found.segments[segment] for segment in series.segments]
        assert names == [entry.file.name for entry in entries]
    assert set(found.tables) == set(truth.tables)
    for tag, entries in truth.tables.items():
        rows = found.tables[tag].to_pylist()
        assert [row["step"] for row in rows] == [entry.step for entry in entries]
        assert [found.segments[row["segment"]] for row in rows] == [e.file.name for e in entries]
        for row, entry in zip(rows, entries, strict=True):
            assert tuple(row["shape"]) == entry.value.shape
            np.testing.assert_array_equal(row["value"], entry.value.ravel())
            np.testing.assert_equal(row["wall_time"], entry.wall_time)
    assert found.segments == tuple(file.name for file in truth.files if file.is_used)
    for report, file in zip(found.files, truth.files, strict=True):
        assert Path(report.file).name == file.name
        assert bool(report.problem) == (not file.is_used)
        assert report.tail_bytes == file.tail_bytes
        if file.size and file.is_used:
            assert report.records == file.events
            assert report.skipped.get("wrong CRC", 0) == file.wrong_crc
            assert report.skipped.get("broken message", 0) == file.broken
            assert bool(report.skipped.get("damaged length", 0)) == bool(file.gap_bytes)
            assert report.skipped_bytes == file.gap_bytes
            assert report.points == file.points
            assert report.purged_steps == len(file.purged)
            # By which name they are counted depends on what was known when they were met.
            assert sum(report.others.values()) == file.others.total()


def named_event_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*tfevents*"), key=in_order)


@pytest.fixture(scope="session")
def record() -> Callable[[Any], bytes]:
    """Wrap an event, or bytes, into a record."""

    def wrap(event: Any) -> bytes:
        return framed(event if isinstance(event, bytes) else event.SerializeToString())

    return wrap


@pytest.fixture(scope="session")
def scalar() -> Callable[..., Any]:
    """Make an event with one TF1 value."""

    def make(step: int, value: float, tag: str = "loss", wall_time: float | None = None) -> Any:
        event = Event(step=step, wall_time=1.7e9 + step if wall_time is None else wall_time)
        event.summary.value.add(tag=tag, simple_value=value)
        return event

    return make


@pytest.fixture(scope="session")
def tensor() -> Callable[..., Any]:
    """Make an event with one TF2 tensor: a NumPy array as bytes, or any TensorProto."""

    def make(step: int, value: Any, tag: str = "loss", plugin: str | None = None) -> Any:
        event = Event(step=step, wall_time=1.7e9 + step)
        entry = event.summary.value.add(tag=tag)
        proto = tensor_util.make_tensor_proto(value) if isinstance(value, np.ndarray) else value
        entry.tensor.CopyFrom(proto)
        if plugin is not None:
            entry.metadata.plugin_data.plugin_name = plugin
        return event

    return make


@pytest.fixture
def write(tmp_path: Path, record: Callable[[Any], bytes]) -> Callable[..., Path]:
    """Write events (or records as bytes, as they are) as an event file; return its directory."""

    def put(*events: Any, name: str = "events.out.tfevents.100.host.1.0") -> Path:
        parts = [event if isinstance(event, bytes) else record(event) for event in events]
        (tmp_path / name).write_bytes(b"".join(parts))
        return tmp_path

    return put


@pytest.fixture(scope="session")
def check() -> Callable[[Any, Path], None]:
    """Check what was read of a directory against the oracle."""
    return lambda found, directory: equal(found, true_contents(named_event_files(directory)))


@pytest.fixture(scope="session")
def small_bytes() -> bytes:
    """Return a small file with a version, both kinds of values, a histogram and a restart."""
    events = [Event(wall_time=1.0, file_version="brain.Event:2")]
    for step in range(12):
        events.append(Event(step=step, wall_time=10.0 + step))
        events[-1].summary.value.add(tag="loss", simple_value=step / 7)
        events.append(Event(step=step, wall_time=10.5 + step))
        value = events[-1].summary.value.add(tag="accuracy")
        value.tensor.CopyFrom(tensor_util.make_tensor_proto(np.float32(step)))
    events.append(Event(step=3))
    events[-1].summary.value.add(tag="weights").histo.num = 3
    events.append(Event(step=9))
    events[-1].session_log.status = 1
    events.append(Event(step=9))
    events[-1].summary.value.add(tag="loss", simple_value=0.25)
    return b"".join(framed(event.SerializeToString()) for event in events)
