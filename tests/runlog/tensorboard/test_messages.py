"""Our own messages are TensorBoard's, field by field, and stand beside them in one process."""

import subprocess
import sys

import numpy as np
import pytest
from tensorboard.compat.proto import types_pb2
from tensorboard.compat.proto.event_pb2 import Event as TheirEvent
from tensorboard.compat.proto.event_pb2 import SessionLog
from tensorboard.compat.proto.tensor_pb2 import TensorProto as TheirTensor
from tensorboard.util import tensor_util

from epochord.runlog.tensorboard.messages import NUMPY_TYPES, START, Event, TensorProto
from epochord.runlog.tensorboard.tensor_values import array_of, fill


def differences(ours, theirs) -> list[str]:
    """Name the fields of a message, and of those in it, that TensorBoard has otherwise."""
    found = []
    for field in ours.fields:
        other = theirs.fields_by_number[field.number]
        enumeration = {other.TYPE_ENUM: other.TYPE_INT32}
        unions = [each.containing_oneof and each.containing_oneof.name for each in (field, other)]
        if (
            field.name != other.name
            or field.type != enumeration.get(other.type, other.type)
            or field.is_repeated != other.is_repeated
            or field.is_packed != other.is_packed
            or unions[0] != unions[1]
        ):
            found.append(f"{ours.name}.{field.name}")
        if field.message_type and field.message_type is not ours:
            found += differences(field.message_type, other.message_type)
    return found


def test_every_field_is_tensorboards() -> None:
    """Number, name, type, packing and union, in every message that an event can hold."""
    assert differences(Event.DESCRIPTOR, TheirEvent.DESCRIPTOR) == []
    ours, theirs = Event.DESCRIPTOR.oneofs[0], TheirEvent.DESCRIPTOR.oneofs[0]
    assert [f.name for f in ours.fields] == [f.name for f in theirs.fields]
    assert SessionLog.START == START
    named = {number: types_pb2.DataType.Name(number) for number in NUMPY_TYPES}
    for number, name in named.items():
        spelled = name.removeprefix("DT_").lower()
        meant = {"half": "float16", "float": "float32", "double": "float64"}.get(spelled, spelled)
        assert np.dtype(NUMPY_TYPES[number]) == np.dtype(meant)


@pytest.mark.parametrize("dtype", NUMPY_TYPES.values())
@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 1), (2, 3), (0, 4)])
def test_arrays_pass_through_tensorboard_and_back(dtype, shape) -> None:
    """What we fill TensorBoard takes apart, and what it makes we do."""
    array = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    ours = TensorProto()
    fill(ours, array)
    if array.size or array.dtype.name not in ("uint32", "uint64"):
        there = tensor_util.make_ndarray(TheirTensor.FromString(ours.SerializeToString()))
        assert there.dtype == array.dtype
        np.testing.assert_array_equal(there, array)
        np.testing.assert_array_equal(array_of(ours), array)
    if array.dtype.name not in ("uint32", "uint64"):
        theirs = tensor_util.make_tensor_proto(array)
        back = array_of(TensorProto.FromString(theirs.SerializeToString()))
        assert back.dtype == array.dtype
        np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("first", ["epochord", "tensorboard"])
def test_both_can_be_imported_in_either_order(first) -> None:
    """The names of one are not taken by the other."""
    names = {
        "epochord": "import epochord.runlog.tensorboard.messages as ours",
        "tensorboard": "import tensorboard.compat.proto.event_pb2 as theirs, "
        "tensorboard.compat.proto.summary_pb2",
    }
    second = ({*names} - {first}).pop()
    program = (
        f"{names[first]}\n{names[second]}\n"
        "event = ours.Event(step=7); event.summary.value.add(tag='a', simple_value=2)\n"
        "print(theirs.Event.FromString(event.SerializeToString()).summary.value[0].tag)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("a", "")
