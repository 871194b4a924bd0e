"""Tensors as protobuf messages: from arrays and to arrays.

A tensor holds its elements as bytes, or in a list for its type; a single element in that list
stands for as many as the shape says (tensorboard/compat/proto/tensor.proto).
"""

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.runlog.tensorboard.messages import DT_DOUBLE, DT_FLOAT, DT_HALF, NUMPY_TYPES

__all__ = ["array_of", "fill"]

# The lists that hold elements, by type; what is not here is an integer of at most 32 bits.
LISTS = {DT_FLOAT: "float_val", DT_DOUBLE: "double_val", 9: "int64_val"}
UNREAD = (22, 23)  # uint32 and uint64 in lists: TensorBoard does not read them either
DTYPES = {np.dtype(name): number for number, name in NUMPY_TYPES.items()}


def fill(tensor: Any, array: npt.NDArray[Any]) -> None:
    """Put an array of numbers into an empty tensor.

    Parameters
    ----------
    tensor : TensorProto
        It is changed.
    array : np.ndarray [any shape]
        Of one of `NUMPY_TYPES`.
    """
    tensor.dtype = DTYPES[array.dtype.newbyteorder("=")]
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = array.astype(NUMPY_TYPES[tensor.dtype], copy=False).tobytes()


def array_of(tensor: Any) -> npt.NDArray[Any]:
    """Return the numbers of a tensor.

    Parameters
    ----------
    tensor : TensorProto
        Of one of `NUMPY_TYPES`.

    Returns
    -------
    np.ndarray
        Of the tensor's shape and type.

    Raises
    ------
    TypeError
        If its elements stand in a list that is not read.
    ValueError, OverflowError
        If it is broken: the elements do not fill the shape, or do not fit the type.
    """
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    dtype = NUMPY_TYPES[tensor.dtype]
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, dtype).reshape(shape)
    if tensor.dtype in UNREAD:
        raise TypeError(f"a list of {dtype}")
    if tensor.dtype == DT_HALF:  # their bits
        elements = np.fromiter(tensor.half_val, np.uint16).view(dtype)
    else:
        elements = np.fromiter(getattr(tensor, LISTS.get(tensor.dtype, "int_val")), dtype)
    return (np.repeat(elements, prod(shape)) if len(elements) == 1 else elements).reshape(shape)
