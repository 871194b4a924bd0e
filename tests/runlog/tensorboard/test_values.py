"""What one event can hold: numbers of every type and encoding, tensors, plugins."""

import struct

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.util import tensor_util

from epochord.runlog import open_run

# enum in tensorboard/compat/proto/types.proto, NumPy type, field of typed values, what holds it
DTYPES = [
    (19, "f2", "half_val", "f4"),
    (1, "f4", "float_val", "f4"),
    (2, "f8", "double_val", "f8"),
    (3, "i4", "int_val", "f8"),
    (9, "i8", "int64_val", "f8"),
]
FEW, MANY = 7, 150  # events that are read one by one, and all at once


def encoded(number, enum: int, field: str, shape: tuple[int, ...]) -> TensorProto:
    """Put a NumPy number into a tensor."""
    proto = TensorProto(dtype=enum)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    if field == "tensor_content":
        proto.tensor_content = number.tobytes()
    elif field == "half_val":
        proto.half_val.append(int(number.view("u2")))  # halves are kept as their bits
    else:
        getattr(proto, field).append(number.item())
    return proto


def numbers(dtype: str, count: int):
    """Return numbers over the type's whole range, with the exceptions that it has."""
    random = np.random.default_rng(5)
    if dtype.startswith("i"):
        limits = np.iinfo(dtype)
        found = random.integers(limits.min, limits.max, count, dtype=dtype, endpoint=True)
        found[:3] = limits.min, limits.max, 0
        return found
    limits = np.finfo(dtype)
    found = random.normal(size=count).astype(dtype)
    found[:6] = np.nan, np.inf, -np.inf, -0.0, limits.max, limits.smallest_subnormal
    return found


@pytest.mark.parametrize("count", [FEW, MANY])
@pytest.mark.parametrize("shape", [(), (1,)])
@pytest.mark.parametrize("is_content", [False, True])
@pytest.mark.parametrize(("enum", "dtype", "field", "held"), DTYPES)
def test_a_tensor_of_one_element_is_a_number(
    tensor, write, check, enum, dtype, field, held, is_content, shape, count
):
    """Halves, floats and integers, as bytes or as typed values, rank 0 or shape [1]."""
    values = numbers(dtype, count)
    field = "tensor_content" if is_content else field
    folder = write(*(tensor(n, encoded(x, enum, field, shape)) for n, x in enumerate(values)))
    run = open_run(folder)
    assert run["loss"].steps.tolist() == list(range(count))
    assert run["loss"].dtype == held
    np.testing.assert_array_equal(run["loss"].values, values.astype(held))
    np.testing.assert_array_equal(np.signbit(run["loss"].values), np.signbit(values))
    check(run, folder)


@pytest.mark.parametrize(
    ("enum", "dtype"), [(4, "u1"), (17, "u2"), (22, "u4"), (23, "u8"), (6, "i1"), (5, "i2")]
)
def test_other_integers_are_numbers_too(tensor, write, check, enum, dtype):
    """Rare, but as good as the others."""
    values = np.arange(100).astype(dtype)
    protos = [TensorProto(dtype=enum, tensor_content=value.tobytes()) for value in values]
    folder = write(*(tensor(step, proto) for step, proto in enumerate(protos)))
    run = open_run(folder)
    assert run["loss"].values.tolist() == values.tolist()
    check(run, folder)


def test_a_type_that_tensorboard_cannot_unpack_costs_nothing_else(tensor, write, check):
    """TensorBoard knows no typed values of uint64; the event's other values are read."""
    event = tensor(3, TensorProto(dtype=23, uint64_val=[1]), "x")
    event.summary.value.add(tag="loss", simple_value=0.5)
    folder = write(event)
    run = open_run(folder)
    assert (list(run.series), run.damage) == (["loss"], ())
    assert run.files[0].others == {"tensor": 1}
    check(run, folder)


@pytest.mark.parametrize(
    "broken",
    [
        TensorProto(dtype=1),
        TensorProto(dtype=1, float_val=[1.0, 2.0]),
        TensorProto(dtype=1, tensor_content=b"123"),
        TensorProto(dtype=4, int_val=[300]),
        TensorProto(dtype=6, int_val=[1, 300]),
        TensorProto(dtype=19, half_val=[-1]),
    ],
    ids=["nothing", "too much", "cut off", "no uint8", "no int8", "no half"],
)
@pytest.mark.parametrize("count", [1, 100])
def test_a_tensor_that_contradicts_itself_costs_its_event(
    scalar, tensor, write, check, broken, count
):
    """The CRC is right, so the writer was wrong; all other events are read."""
    folder = write(scalar(0, 1.0), *(tensor(1, broken) for _ in range(count)), scalar(2, 1.0))
    run = open_run(folder)
    assert run["loss"].steps.tolist() == [0, 2]
    assert run.files[0].skipped == {"broken message": count}
    check(run, folder)


def unpacked(step: int) -> bytes:
    """Encode an event whose number has a key of its own, as proto2's writers do."""
    tensor = b"\x08\x01\x12\x00\x2d" + struct.pack("<f", step / 4)  # float, no shape, field 5
    value = b"\x0a\x01a\x42" + bytes([len(tensor)]) + tensor
    summary = b"\x0a" + bytes([len(value)]) + value
    return b"\x10" + bytes([step]) + b"\x2a" + bytes([len(summary)]) + summary


@pytest.mark.parametrize("count", [FEW, 100])
def test_typed_values_may_be_unpacked(write, record, check, count):
    """A repeated field can hold one number a key, or all of them behind one."""
    assert Event.FromString(unpacked(3)).summary.value[0].tensor.float_val == [0.75]
    folder = write(*(record(unpacked(step)) for step in range(count)))
    run = open_run(folder)
    assert run["a"].values.tolist() == [step / 4 for step in range(count)]
    check(run, folder)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_simple_values_and_tensors_of_one_tag_are_one_series(scalar, tensor, write, check, count):
    """A training that went over from TF1 to TF2; the wider type holds them all."""
    events = []
    for step in range(0, 3 * count, 3):
        events += [
            scalar(step, 0.1),
            tensor(step + 1, np.array(0.1, "f4")),
            tensor(step + 2, np.array(0.1, "f8")),
        ]
    folder = write(*events)
    run = open_run(folder)
    assert run["loss"].steps.tolist() == list(range(3 * count))
    truth = np.tile(np.array([np.float32(0.1), np.float32(0.1), 0.1], "f8"), count)
    np.testing.assert_array_equal(run["loss"].values, truth)
    check(run, folder)


@pytest.mark.parametrize("count", [FEW, MANY])
@pytest.mark.parametrize("plugin", ["scalars", None, ""])
def test_a_tensor_is_a_scalar_if_no_event_says_otherwise(tensor, write, check, plugin, count):
    """TensorFlow writes the metadata once a tag; other writers never, or with each value."""
    first = [tensor(0, np.array(1.0, "f4"), plugin=plugin)]
    folder = write(*first, *(tensor(n, np.array(1.0, "f4")) for n in range(1, count)))
    assert len(open_run(folder)["loss"]) == count
    check(open_run(folder), folder)
    folder = write(*(tensor(n, np.array(1.0, "f4"), plugin=plugin) for n in range(count)))
    assert len(open_run(folder)["loss"]) == count
    check(open_run(folder), folder)


@pytest.mark.parametrize("count", [FEW, MANY])
@pytest.mark.parametrize("plugin", ["hparams", "custom"])
@pytest.mark.parametrize("shape", [(), (1,), (3,)])
def test_tensors_of_other_plugins_are_counted_not_read(
    scalar, tensor, write, check, plugin, shape, count
):
    """Also where only the first event says so."""
    values = np.ones(shape, "f4")
    events = [tensor(0, values, "x", plugin)]
    events += [tensor(n, values, "x") for n in range(1, count)]
    folder = write(*events, scalar(3, 1.0))
    run = open_run(folder)
    assert (list(run.series), list(run.tables)) == (["loss"], [])
    assert run.files[0].others == {plugin: count}
    check(run, folder)


def test_a_simple_value_is_a_measurement_whatever_its_tags_tensors_are(scalar, tensor, write):
    """`add_hparams` gives its metrics as simple values."""
    folder = write(tensor(0, np.array(1.0, "f4"), "x", "hparams"), scalar(1, 2.0, "x"))
    run = open_run(folder)
    assert (run["x"].steps.tolist(), run["x"].values.tolist()) == ([1], [2.0])
    assert run.files[0].others == {"hparams": 1}


@pytest.mark.parametrize("count", [FEW, MANY])
def test_texts_pictures_and_histograms_are_counted_by_kind(scalar, tensor, write, check, count):
    """They are intact, so they are no damage."""
    events = []
    for step in range(count):
        events.append(tensor(step, tensor_util.make_tensor_proto(b"words"), "t", "text"))
        events.append(tensor(step, tensor_util.make_tensor_proto(b"words"), "untold"))
        event = scalar(step, 0.5)
        event.summary.value.add(tag="h").histo.num = 3
        event.summary.value.add(tag="i").image.height = 3
        event.summary.value.add(tag="nothing")
        events.append(event)
    folder = write(*events, Event(graph_def=b"graph"))
    run = open_run(folder)
    assert (list(run.series), run.damage) == (["loss"], ())
    kinds = ["text", "tensor", "histo", "image", "empty value"]
    assert run.files[0].others == {**dict.fromkeys(kinds, count), "graph_def": 1}
    check(run, folder)


def test_tensors_that_are_no_numbers_are_counted(tensor, write, check):
    """Truth values, complex numbers, rank 3, none at all, more than a memory holds."""
    huge = TensorProto(dtype=1, float_val=[1.0])
    for _ in range(2):
        huge.tensor_shape.dim.add(size=1 << 20)
    folder = write(
        tensor(0, np.array(True), "a"),
        tensor(0, np.array(1j), "b"),
        tensor(0, np.zeros((2, 2, 2), "f4"), "c"),
        tensor(0, np.zeros((0, 2), "f4"), "d"),
        tensor(0, huge, "e"),
        tensor(0, np.array(1.0, "f4"), "f"),
    )
    run = open_run(folder)
    assert (list(run.series), list(run.tables)) == (["f"], [])
    assert run.files[0].others == {"tensor": 5}
    check(run, folder)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4", "i8"])
def test_tensors_of_rank_1_and_2_are_tables(tensor, write, check, dtype):
    """One row a tensor, with its shape and its elements in row-major order."""
    vectors = [np.arange(n + 2).astype(dtype) for n in range(3)]
    matrix = np.arange(6).reshape(2, 3).astype(dtype)
    folder = write(
        *(tensor(10 + n, vector, "v") for n, vector in enumerate(vectors)),
        tensor(7, matrix, "m", "scalars"),
        tensor(8, np.ones((1, 1), dtype), "m"),
    )
    run = open_run(folder)
    assert run.series == {}
    rows = run.tables["v"].to_pylist()
    assert [row["step"] for row in rows] == [10, 11, 12]
    assert [row["wall_time"] for row in rows] == [1.7e9 + 10, 1.7e9 + 11, 1.7e9 + 12]
    assert [row["shape"] for row in rows] == [[2], [3], [4]]
    assert [row["value"] for row in rows] == [[0, 1], [0, 1, 2], [0, 1, 2, 3]]
    assert run.tables["m"]["shape"].to_pylist() == [[2, 3], [1, 1]]
    assert run.tables["m"]["value"].to_pylist() == [[0, 1, 2, 3, 4, 5], [1]]
    check(run, folder)


def test_a_tag_can_be_a_number_and_a_vector(tensor, write, check):
    """Each goes where it belongs."""
    folder = write(tensor(0, np.array(1.0, "f4")), tensor(1, np.ones(2, "f4")))
    run = open_run(folder)
    assert run["loss"].steps.tolist() == [0]
    assert run.tables["loss"]["step"].to_pylist() == [1]
    check(run, folder)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_nan_and_infinite_values_and_wall_times_are_kept(scalar, write, check, count):
    """Neither is damage."""
    odd = [np.nan, np.inf, -np.inf, 1.0]
    events = [scalar(n, odd[n % 4], wall_time=odd[n // 4 % 4]) for n in range(count)]
    folder = write(*events)
    run = open_run(folder)
    np.testing.assert_array_equal(run["loss"].values, [odd[n % 4] for n in range(count)])
    np.testing.assert_array_equal(run["loss"].wall_times, [odd[n // 4 % 4] for n in range(count)])
    assert run.damage == ()
    check(run, folder)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_any_steps_stay_in_write_order(scalar, write, check, count):
    """Twice, backwards, negative, and as large as they get."""
    odd = [0, 1, 1, 300, 2, -1, -(2**63), 2**63 - 1, 0, 127, 128]
    steps = [odd[n % len(odd)] for n in range(count)]
    folder = write(*(scalar(step, n) for n, step in enumerate(steps)))
    run = open_run(folder)
    assert run["loss"].steps.tolist() == steps
    assert run["loss"].values.tolist() == list(range(count))
    check(run, folder)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_an_event_may_hold_many_values(scalar, write, check, count):
    """Also twice for one tag."""
    events = [scalar(step, step, "a") for step in range(count)]
    for step, event in enumerate(events):
        for tag, value in (("b", 2), ("a", 3), ("ü", 4)):
            event.summary.value.add(tag=tag, simple_value=value * step)
    folder = write(*events)
    run = open_run(folder)
    assert list(run.series) == ["a", "b", "ü"]
    assert run["a"].steps.tolist() == np.repeat(np.arange(count), 2).tolist()
    assert run["a"].values[1::2].tolist() == [3 * step for step in range(count)]
    check(run, folder)


def test_tags_come_in_the_order_of_their_first_appearance(scalar, write):
    """However they are spelt, and however many of a length there are."""
    tags = ["z", "a", "", "µ", "b/c", "x" * 300, "y" * 300, "\x00"]
    folder = write(*(scalar(step, 1.0, tag) for step in range(60) for tag in tags))
    run = open_run(folder)
    assert list(run.series) == tags
    assert all(run[tag].steps.tolist() == list(range(60)) for tag in tags)
