"""What one event can hold: numbers of every type and encoding, tensors, plugins."""

import struct

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from runlog import open_run
from runlog.tensorboard import event_files, read_event_files

# enum in tensorboard/compat/proto/types.proto, NumPy type, field of typed values, what holds it
DTYPES = [
    (19, "f2", "half_val", "f4"),
    (1, "f4", "float_val", "f4"),
    (2, "f8", "double_val", "f8"),
    (3, "i4", "int_val", "f8"),
    (9, "i8", "int64_val", "f8"),
]
FEW, MANY = 7, 150  # events that are read one by one, and all at once


def encoded(number, dtype: int, field: str, shape: tuple[int, ...] = ()) -> TensorProto:
    """Put a NumPy number into a tensor."""
    proto = TensorProto(dtype=dtype)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    if field == "tensor_content":
        proto.tensor_content = number.tobytes()
    elif field == "half_val":
        proto.half_val.append(int(number.view("u2")))
    else:
        getattr(proto, field).append(number.item())
    return proto


def numbers(dtype: str, count: int) -> np.ndarray:
    """Return numbers over the type's whole range, with the exceptions that it has."""
    random = np.random.default_rng(5)
    if dtype.startswith("i"):
        limits = np.iinfo(dtype)
        found = random.integers(limits.min, limits.max, count, dtype=dtype, endpoint=True)
        found[:3] = limits.min, limits.max, 0
        return found
    found = random.normal(size=count).astype(dtype)
    found[:6] = np.nan, np.inf, -np.inf, -0.0, np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal
    return found


@pytest.mark.parametrize("count", [FEW, MANY])
@pytest.mark.parametrize("shape", [(), (1,)])
@pytest.mark.parametrize("content", [False, True])
@pytest.mark.parametrize(("enum", "dtype", "field", "held"), DTYPES)
def test_a_tensor_of_one_element_is_a_number(
    tensor, write, check, enum, dtype, field, held, content, shape, count
):
    """Halves, floats and integers, as bytes or as typed values, rank 0 or shape [1]."""
    values = numbers(dtype, count)
    field = "tensor_content" if content else field
    run = open_run(
        write(*(tensor(n, encoded(x, enum, field, shape)) for n, x in enumerate(values)))
    )
    assert run["loss"].steps.tolist() == list(range(count))
    assert run["loss"].dtype == held
    np.testing.assert_array_equal(run["loss"].values, values.astype(held))
    np.testing.assert_array_equal(np.signbit(run["loss"].values), np.signbit(values.astype(held)))
    check(run, event_files_folder(run))


def event_files_folder(run):
    from pathlib import Path

    return Path(run.files[0].file).parent
