"""Laws over any events and any damage: what was written is read, what is whole is kept."""

import io
import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util import tensor_util

from epochord.runlog import LogError, open_run
from epochord.runlog.tensorboard import candidates, read_event_files

MUTATIONS = 1500

tags = st.sampled_from(["loss", "a", "b", "grad_norm/conv1.weight", "", "ü/x y"]) | st.text(
    st.characters(codec="utf-8"), max_size=4
)
steps = st.integers(0, 300) | st.integers(-(2**63), 2**63 - 1)
float32s = st.floats(width=32)


@st.composite
def arrays(draw):
    """Draw a tensor of rank 0 to 3."""
    dtype = draw(st.sampled_from(["f2", "f4", "f8", "i4", "i8", "u1", "?"]))
    shape = draw(st.sampled_from([(), (), (), (1,), (2,), (1, 1), (2, 3), (1, 1, 1), (0,)]))
    numbers = st.integers(0, 1) if dtype in ("?", "u1") else st.integers(-1000, 1000)
    return np.array(draw(numbers)).astype(dtype) * np.ones(shape, dtype)


@st.composite
def values(draw):
    """Draw one tag and its value, as the arguments of `Summary.Value`."""
    kind = draw(st.sampled_from(["simple", "simple", "tensor", "tensor", "histogram", "text"]))
    return draw(tags), kind, draw(arrays()) if kind == "tensor" else draw(float32s)


@st.composite
def logs(draw):
    """Draw events; some are repeated, so that there are many of one kind."""
    events = []
    for _ in range(draw(st.integers(1, 8))):
        event = Event(step=draw(steps), wall_time=draw(st.floats()))
        kind = draw(st.sampled_from(["summary"] * 8 + ["session", "version", "graph"]))
        if kind == "summary":
            for value in draw(st.lists(values(), max_size=3)):
                add(event, *value)
        elif kind == "session":
            event.session_log.status = draw(st.sampled_from([SessionLog.START, SessionLog.STOP]))
        elif kind == "version":
            event.file_version = "brain.Event:2"
        else:
            event.graph_def = draw(st.binary(max_size=20))
        events += [event] * draw(st.sampled_from([1, 1, 1, 5, 60]))
    return events


def add(event, tag: str, kind: str, number) -> None:
    value = event.summary.value.add(tag=tag)
    if kind == "simple":
        value.simple_value = number
    elif kind == "tensor":
        value.tensor.CopyFrom(tensor_util.make_tensor_proto(number))
    elif kind == "histogram":
        value.histo.num = number
    else:
        value.tensor.CopyFrom(tensor_util.make_tensor_proto(b"words"))
        value.metadata.plugin_data.plugin_name = "text"


def recorded(events) -> bytes:
    """Write events with TensorBoard's own writer."""
    file = io.BytesIO()
    writer = RecordWriter(file)
    for event in events:
        writer.write(event.SerializeToString())
    return file.getvalue()


@given(logs())
def test_what_tensorboard_writes_is_read(write, check, events):
    """Any events, with any steps, times, tags and values: nothing is missing or damaged."""
    folder = write(recorded(events))
    found = read_event_files(candidates(folder))
    assert found.files[0].damage == ""
    check(found, folder)


@given(st.lists(st.tuples(st.sampled_from("ab"), steps, float32s), max_size=150))
@settings(max_examples=15)
def test_simple_values_read_back_as_they_were_given_to_the_writer(tmp_path_factory, points):
    """Also through the writer's thread, its file's name and its version record."""
    folder = tmp_path_factory.mktemp("run")
    writer = EventFileWriter(str(folder))
    for tag, step, value in points:
        event = Event(step=step, wall_time=step / 3)
        event.summary.value.add(tag=tag, simple_value=value)
        writer.add_event(event)
    writer.close()
    run = open_run(folder)
    assert sorted(run.series) == sorted({tag for tag, _, _ in points})
    for tag, series in run.series.items():
        mine = [(step, value) for each, step, value in points if each == tag]
        assert series.steps.tolist() == [step for step, _ in mine]
        assert series.wall_times.tolist() == [step / 3 for step, _ in mine]
        np.testing.assert_array_equal(series.values, np.float32([value for _, value in mine]))


@given(logs(), st.data())
def test_any_flipped_byte_leaves_all_that_is_whole(write, check, events, data):
    """What the oracle still finds behind valid lengths is there, in order."""
    content = bytearray(recorded(events))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    folder = write(bytes(content))
    found = read_event_files(candidates(folder))
    assert found.files[0].damage
    check(found, folder)


@given(logs(), st.data())
def test_any_truncation_leaves_all_that_is_whole(write, check, events, data):
    """Nothing behind the cut, everything in front of it."""
    content = recorded(events)
    folder = write(content[: data.draw(st.integers(0, len(content) - 1))])
    check(read_event_files(candidates(folder)), folder)


def flip(data: bytearray, choose: random.Random) -> None:
    for _ in range(choose.choice((1, 1, 3, 20))):
        data[choose.randrange(len(data))] ^= choose.randrange(1, 256)


def delete(data: bytearray, choose: random.Random) -> None:
    place = choose.randrange(len(data))
    del data[place : place + choose.choice((1, 2, 8, 50))]


def insert(data: bytearray, choose: random.Random) -> None:
    place = choose.randrange(len(data))
    data[place:place] = choose.randbytes(choose.choice((1, 2, 8, 50)))


def zero(data: bytearray, choose: random.Random) -> None:
    place = choose.randrange(len(data))
    block = data[place : place + choose.choice((1, 8, 12, 100, 600))]
    data[place : place + len(block)] = bytes(len(block))


def duplicate(data: bytearray, choose: random.Random) -> None:
    place = choose.randrange(len(data))
    data[place:place] = data[place : place + choose.choice((5, 12, 60, 500))]


def splice(data: bytearray, choose: random.Random) -> None:
    first, second = sorted(choose.randrange(len(data)) for _ in range(2))
    front, back = data[:first], data[second:]
    data[:] = choose.choice((front + back, front + back, back + front))


def swap(data: bytearray, choose: random.Random) -> None:
    first, second = sorted(choose.randrange(len(data)) for _ in range(2))
    data[first:] = data[second:] + data[first:second]


def truncate(data: bytearray, choose: random.Random) -> None:
    del data[choose.randrange(len(data)) :]


KINDS = [flip, flip, delete, insert, zero, duplicate, splice, swap, truncate]


@pytest.mark.parametrize("share", range(4))
def test_however_a_file_is_broken_there_is_a_run_or_an_error_that_says_why(
    small_bytes, many_bytes, write, check, monkeypatch, share
):
    """Nothing else is raised, and what is read is what the oracle finds."""
    monkeypatch.setattr("epochord.runlog.tensorboard.reader.MIN_ROWS", 4)
    for seed in range(share * MUTATIONS // 4, (share + 1) * MUTATIONS // 4):
        choose = random.Random(seed)
        data = bytearray(choose.choice((small_bytes, many_bytes)))
        for kind in choose.choices(KINDS, k=choose.choice((1, 1, 2, 4))):
            if data:
                kind(data, choose)
        folder = write(bytes(data))
        monkeypatch.setattr(
            "epochord.runlog.tensorboard.records.WINDOW_BYTES", choose.choice((64, 300, 1 << 20))
        )
        check(opened(folder), folder)


def opened(folder):
    """Open a run; where that is refused, return what was found nevertheless."""
    found = read_event_files(candidates(folder))
    if found.series or found.tables or not found.files[0].damage:
        return open_run(folder)
    with pytest.raises(LogError, match=re.escape(found.files[0].damage) + "$"):
        open_run(folder)
    return found


@pytest.fixture(scope="session")
def many_bytes() -> bytes:
    """Return a small file with events of few kinds, as a training writes them."""
    events = [Event(wall_time=1.0, file_version="brain.Event:2")]
    for step in range(120, 140):
        for tag in ("loss", "rate"):
            events.append(Event(step=step, wall_time=step / 3))
            add(events[-1], tag, "simple", step / 7)
        events.append(Event(step=step, wall_time=step / 3))
        for tag in ("grad_norm/0", "grad_norm/1"):
            add(events[-1], tag, "tensor", np.float64(step))
    return recorded(events)


@pytest.mark.parametrize("share", range(2))
def test_any_message_with_a_right_crc_is_read_as_protobuf_reads_it(
    many_bytes, record, write, check, monkeypatch, share
):
    """A faulty writer's messages, each many times: known fields in odd places and types."""
    monkeypatch.setattr("epochord.runlog.tensorboard.reader.MIN_ROWS", 4)
    length = int.from_bytes(many_bytes[:8], "little") + 16
    messages = []
    while length <= len(many_bytes):
        size = int.from_bytes(many_bytes[length : length + 8], "little")
        messages.append(many_bytes[length + 12 : length + 12 + size])
        length += size + 16
    for seed in range(share * 20, share * 20 + 20):
        choose = random.Random(seed)
        parts = []
        for message in choose.choices(messages, k=25):
            data = bytearray(message)
            for kind in choose.choices((flip, delete, insert, duplicate, zero), k=2):
                kind(data, choose) if data else None
            parts += [record(bytes(data)), record(message)] * 6
        folder = write(*parts)
        check(read_event_files(candidates(folder)), folder)
