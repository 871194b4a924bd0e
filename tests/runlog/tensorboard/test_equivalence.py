"""One result however a file is read: in windows of any size, event by event or all at once."""

import random
import struct
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.util import tensor_util

from epochord.runlog.tensorboard import candidates, read_event_files, records

MIB = 1 << 20


@pytest.fixture
def plain():
    """Turn contents into what can be compared, bit for bit."""

    def comparable(contents):
        series = {
            tag: (
                each.steps.tolist(),
                each.values.dtype,
                each.values.tobytes(),
                each.wall_times.tobytes(),
                each.segments.tolist(),
            )
            for tag, each in contents.series.items()
        }
        return series, contents.tables, contents.segments, contents.files, list(series)

    return comparable


@pytest.fixture
def assorted(scalar, tensor, record):
    """Return many records: of equal and of different lengths, small and large, some broken."""
    random = np.random.default_rng(3)
    parts = [record(Event(wall_time=1.0, file_version="brain.Event:2"))]
    for step in range(150):
        parts.append(record(scalar(step, step / 3)))
        parts.append(record(scalar(step, step / 3, f"grad_norm/{step % 10}")))
        parts.append(record(tensor(step, np.array(step, "i4"), "count", "scalars")))
        if step % 20 == 7:
            several = scalar(-step, 1.0, "x" * (step % 5))
            several.summary.value.add(tag="b").histo.bucket.extend(
                random.normal(size=step).tolist()
            )
            several.summary.value.add(tag="v").tensor.CopyFrom(
                tensor_util.make_tensor_proto(random.normal(size=step % 7 + 1))
            )
            parts.append(record(several))
        if step % 50 == 30:
            parts.append(record(Event(step=step - 10, session_log=SessionLog(status=1))))
    damage = [(40, 20), (41, 20), (90, 3), (200, 30), (201, 9), (202, 1), (203, 3), (300, -1)]
    for number, place in damage:
        part = bytearray(parts[number])
        part[place] ^= 0x41
        parts[number] = bytes(part)
    parts[400:400] = [parts[400][:17], bytes(300), parts[7][12:]]
    return [*parts, parts[5][:-3]]


@pytest.mark.parametrize("size", [*range(40, 80), 100, 128, 257, 1000, 4096, 10_000])
def test_windows_of_any_size_give_one_result(assorted, write, check, plain, monkeypatch, size):
    """Their ends fall anywhere into headers, messages, gaps and damage."""
    folder = write(*assorted)
    whole = read_event_files(candidates(folder))
    check(whole, folder)
    monkeypatch.setattr(records, "WINDOW_BYTES", size)
    assert plain(read_event_files(candidates(folder))) == plain(whole)


@pytest.mark.parametrize("size", [16, 20, 43, 45, 50, 86, 90, 100])
def test_a_last_record_that_cannot_be_believed_ends_in_windows_of_any_size(
    scalar, record, write, check, monkeypatch, size
):
    """Also where the windows end with it."""
    for length in (1, 50, 100, 139, 200):
        damaged = bytearray(record(scalar(1, 1.0, "x" * length)))
        damaged[-1] ^= 1
        following = record(scalar(2, 1.0))
        for end in (b"", b"lost", bytes(100), following, bytes(5) + following):
            folder = write(bytes(damaged), end)
            monkeypatch.setattr(records, "WINDOW_BYTES", size)
            check(read_event_files(candidates(folder)), folder)


def test_one_by_one_and_all_at_once_give_one_result(assorted, write, check, plain, monkeypatch):
    """With damage, negative steps and tags of all lengths."""
    folder = write(*assorted)
    whole = read_event_files(candidates(folder))
    check(whole, folder)
    for rows in (10**9, 2, 5):
        monkeypatch.setattr("epochord.runlog.tensorboard.reader.MIN_ROWS", rows)
        assert plain(read_event_files(candidates(folder))) == plain(whole)


def tags_of_one_length(scalar):
    return [scalar(step, step, f"tag{tag:03}") for step in range(5) for tag in range(200)]


def negative_steps(scalar):
    return [scalar(-step, step) for step in range(200)]


def step_zero_and_no_wall_time(scalar):
    return [scalar(0, value, wall_time=0.0) for value in range(200)]


def several_values(scalar):
    events = [scalar(step, step, "a") for step in range(200)]
    for step, event in enumerate(events):
        event.summary.value.add(tag="b", simple_value=step / 3)
        event.summary.value.add(tag="ab"[step % 2], simple_value=step / 5)
    return events


def swapped_tags(scalar):
    """Make combinations of tags that have the same letters in other places."""
    events = []
    for step in range(200):
        first, second = random.Random(step).sample(["ab", "ba", "aa", "bb"], 2)
        events.append(scalar(step, step, first))
        events[-1].summary.value.add(tag=second, simple_value=-step)
    return events


def two_kinds_of_one_length(scalar):
    """Make long steps with a short tag as long as the reverse."""
    return [scalar(*((300 + n, n, "a") if n % 3 else (n % 128, n, "bb"))) for n in range(1, 300)]


def many_kinds_of_one_length(scalar):
    """Make more kinds than are worth remembering."""
    events = []
    for n in range(800):
        split = n % 16
        event = scalar(n % 100 + 1, n, "a" * split)
        event.summary.value.add(tag="b" * (15 - split), simple_value=n)
        events.append(event)
    return events


def wrong_and_right_metadata(scalar):
    """Make events that differ in their plugin's name, but not in its length."""
    events = [scalar(step % 100 + 1, step, "abc"[step % 3]) for step in range(300)]
    for step, event in enumerate(events):
        value = event.summary.value[0]
        value.tensor.CopyFrom(tensor_util.make_tensor_proto(np.float32(step)))
        value.metadata.plugin_data.plugin_name = ("scalars", "hparams", "pr_curv")[step % 3]
    return events


def pictures_and_graphs(scalar):
    events = []
    for step in range(100):
        events.append(scalar(step, step))
        events.append(Event(step=step, graph_def=b"graph"))
        events.append(Event(step=step))
        events[-1].summary.value.add(tag="picture").image.width = step
        events.append(Event(step=step, summary={}))
        events.append(Event())
    return events


LOGS = [
    tags_of_one_length,
    negative_steps,
    step_zero_and_no_wall_time,
    several_values,
    swapped_tags,
    two_kinds_of_one_length,
    many_kinds_of_one_length,
    wrong_and_right_metadata,
    pictures_and_graphs,
]


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("is_damaged", [False, True])
def test_logs_of_any_shape_are_read_alike(
    scalar, record, write, check, plain, monkeypatch, log, is_damaged
):
    """Many events of a kind are read together; nobody can tell from the result."""
    parts = [bytearray(record(event)) for event in log(scalar)]
    random = np.random.default_rng(1)
    for number in range(0, len(parts), 7) if is_damaged else ():
        size = len(parts[number])
        parts[number][random.integers(12, size)] ^= random.integers(1, 256)
    folder = write(*map(bytes, parts))
    together = read_event_files(candidates(folder))
    check(together, folder)
    monkeypatch.setattr("epochord.runlog.tensorboard.reader.MIN_ROWS", 10**9)
    assert plain(read_event_files(candidates(folder))) == plain(together)


@pytest.mark.parametrize("bad", [b"\xff\xfe\xfd", b"\xed\xa0\x80", b"\xc0\x80a", b"ab\x80"])
def test_tags_that_are_no_text_cost_their_events(scalar, record, write, check, bad):
    """Invalid UTF-8 has a right CRC; protobuf refuses it, however many there are."""
    good = [scalar(step, step, "abc") for step in range(100)]
    broken = [event.SerializeToString().replace(b"abc", bad) for event in good]
    pairs = zip(map(record, broken), map(record, good), strict=True)
    folder = write(*(part for pair in pairs for part in pair))
    found = read_event_files(candidates(folder))
    assert list(found.series) == ["abc"]
    assert found.files[0].skipped == {"broken message": 100}
    check(found, folder)


def test_nan_keeps_its_bits(scalar, record, write, check):
    """Sign and payload of each NaN are as they were written, one by one and all at once."""
    bits = np.array([0x7FC00000, 0xFFC00000, 0x7FC12345, 0xFFFFFFFF], np.uint32)
    values = bits.view(np.float32)
    for count in (4, 200):
        messages = [scalar(step, 1.0).SerializeToString() for step in range(count)]
        number = struct.pack("<f", 1.0)
        folder = write(
            *(
                record(message.replace(number, values[step % 4].tobytes()))
                for step, message in enumerate(messages)
            )
        )
        found = read_event_files(candidates(folder))
        read = found.series["loss"].values.view(np.uint32)
        np.testing.assert_array_equal(read, np.resize(bits, count))
        check(found, folder)


def test_a_record_beyond_the_limit_is_passed_over(scalar, write, monkeypatch):
    """It is named among what is no measurement; what follows is read."""
    picture = scalar(1, 2.0, "beside a picture")
    picture.summary.value.add(tag="p").image.encoded_image_string = bytes(5000)
    folder = write(scalar(0, 1.0), picture, scalar(2, 1.0), picture, picture, scalar(3, 1.0))
    monkeypatch.setattr(records, "WINDOW_BYTES", 100)
    found = read_event_files(candidates(folder))
    assert found.series["beside a picture"].steps.tolist() == [1, 1, 1]
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 4000)
    found = read_event_files(candidates(folder))
    assert list(found.series) == ["loss"]
    assert found.series["loss"].steps.tolist() == [0, 2, 3]
    assert sum(found.files[0].others.values()) == 3
    assert (found.files[0].records, found.files[0].damage) == (3, "")


def test_memory_stays_bounded(scalar, record, write):
    """Of 200 MiB, some windows are in memory; of 40 MiB in one record, none."""
    picture = Event(step=1)
    picture.summary.value.add(tag="p").image.encoded_image_string = bytes(1 << 20)
    huge = Event(step=1)
    huge.summary.value.add(tag="p").image.encoded_image_string = bytes(40 << 20)
    block = record(picture) + b"".join(record(scalar(step, 1.0)) for step in range(100))
    folder = write(block * 160, record(huge), block, record(huge))
    tracemalloc.start()
    found = read_event_files(candidates(folder))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * MIB
    assert len(found.series["loss"]) == 16_100
    assert found.files[0].others == {"image": 161, "record over 32 MiB": 2}


def test_a_file_read_after_others_gives_the_same_result(assorted, scalar, write, check, plain):
    """What is remembered from one file to the next changes nothing."""
    folder = write(*assorted)
    before = read_event_files(candidates(folder))
    for log in LOGS:
        check(read_event_files(candidates(write(*log(scalar)))), folder)
    write(*assorted)
    again = read_event_files(candidates(folder))
    assert plain(again) == plain(before)
    assert again.files == tuple(replace(report) for report in before.files)
