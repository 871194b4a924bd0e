"""CRCs of many messages at once, and numbers read from many events at once."""

import google_crc32c
import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.util import tensor_util

from epochord.runlog.tensorboard.crc import crc_changes, masked_crc, masked_crcs
from epochord.runlog.tensorboard.layout import Layout, row_bytes
from epochord.runlog.tensorboard.wire import IrregularError

ROWS = 50


def truly_masked(message: bytes) -> int:
    """Mask as tensorflow/core/lib/hash/crc32c.h does."""
    crc = google_crc32c.value(message)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


@pytest.mark.parametrize("size", [1, 2, 7, 8, 31, 100, 5000])
@pytest.mark.parametrize("seed", range(3))
def test_crcs_of_many_messages_are_those_of_each(size, seed):
    """Messages that differ in some bytes, of any length, with these bytes anywhere."""
    random = np.random.default_rng(seed)
    rows = np.tile(random.integers(0, 256, size, np.uint8), (ROWS, 1))
    places = random.permutation(size)[: random.integers(1, size + 1)][:40]
    rows[:, places] = random.integers(0, 256, (ROWS, len(places)))
    zeroed = rows.copy()
    zeroed[:, places] = 0
    crcs = np.array([google_crc32c.value(row.tobytes()) for row in zeroed], np.uint32)
    found = masked_crcs(crcs, rows.T[places], crc_changes(places.tolist(), size))
    assert found.tolist() == [truly_masked(row.tobytes()) for row in rows]
    assert found.tolist() == [masked_crc(row.tobytes()) for row in rows]


def rows_of(messages: list[bytes]):
    """Stack messages of one size, with the CRC and anything behind each."""
    size = len(messages[0])
    rows = np.full((len(messages), row_bytes(size)), 0x5A, np.uint8)
    for row, message in zip(rows, messages, strict=True):
        whole = message + truly_masked(message).to_bytes(4, "little")
        row[: size + 4] = np.frombuffer(whole, np.uint8)
    return rows


def event(step: int, wall_time: float, *values) -> bytes:
    made = Event(step=step, wall_time=wall_time)
    for tag, value in values:
        entry = made.summary.value.add(tag=tag)
        if isinstance(value, float):
            entry.simple_value = value
        else:
            entry.tensor.CopyFrom(tensor_util.make_tensor_proto(value))
            entry.metadata.plugin_data.plugin_name = "scalars"
    return made.SerializeToString()


@pytest.mark.parametrize("first", [1, 130, 20_000, 2**62, -(2**63), -100])
def test_a_layout_reads_back_what_was_written(first):
    """Steps of any size, wall times, and the values of each tag."""
    random = np.random.default_rng(2)
    steps = first + np.arange(ROWS)
    times = random.normal(size=ROWS) * 1e9
    simple = random.normal(size=ROWS).astype(np.float32)
    double = random.normal(size=ROWS)
    tags = [("ab", "cd"), ("cd", "ab"), ("ü", "zz")]
    messages = [
        event(int(step), when, (a, float(one)), (b, np.array(two)))
        for step, when, one, two, (a, b) in zip(
            steps, times, simple, double, [tags[n % 3] for n in range(ROWS)], strict=True
        )
    ]
    columns = Layout.of(messages[7]).read(rows_of(messages))
    assert columns.taken.all()
    assert columns.steps.tolist() == steps.tolist()
    assert columns.wall_times.tolist() == times.tolist()
    assert [column.tolist() for column in columns.values] == [simple.tolist(), double.tolist()]
    assert [columns.tags[label] for label in columns.label] == [tags[n % 3] for n in range(ROWS)]


def test_a_layout_takes_no_message_in_which_one_byte_is_wrong():
    """Wherever it is: in what all share, in a number, in a tag, or in the CRC."""
    message = event(300, 1.7e9, ("loss", 0.1), ("rate", np.array(0.2)))
    rows = rows_of([message] * (len(message) + 4))
    for place in range(len(rows)):
        rows[place, place] ^= 0x04
    layout = Layout.of(message)
    assert not layout.read(rows).taken.any()
    some = rows_of([message] * ROWS)
    some[3, 20] ^= 0x80
    some[11, 0] ^= 0x80
    taken = layout.read(some).taken
    assert np.flatnonzero(~taken).tolist() == [3, 11]


def test_a_step_of_another_length_is_another_layout():
    """The bits that say how long a number is belong to what all share."""
    short, long = event(100, 1.0, ("ab", 1.0)), event(300, 1.0, ("a", 1.0))
    assert len(short) == len(long)
    assert Layout.of(short).read(rows_of([short, long])).taken.tolist() == [True, False]
    assert Layout.of(long).read(rows_of([short, long])).taken.tolist() == [False, True]


@pytest.mark.parametrize(
    "made",
    [
        Event(),
        Event(step=1, file_version="brain.Event:2"),
        Event(step=1, summary={}),
        Event(summary={"value": [{"tag": "a"}]}),
        Event(summary={"value": [{"tag": "a", "histo": {"num": 1}}]}),
        Event(summary={"value": [{"tag": "a", "tensor": {"dtype": 7, "string_val": [b"x"]}}]}),
        Event(summary={"value": [{"tag": "a", "tensor": {"dtype": 1, "float_val": [1, 2]}}]}),
    ],
    ids=["nothing", "version", "no value", "empty", "histogram", "text", "vector"],
)
def test_what_is_no_scalar_has_no_layout(made):
    """Such events are read one by one."""
    with pytest.raises(IrregularError):
        Layout.of(made.SerializeToString())
