"""Arrow arrays from NumPy's and back, without pandas.

pyarrow's own conversions, of a single number too, import pandas where it is installed, which
takes longer than all else that inspecting a log does (apache/arrow#34994).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["arrow_array", "flags", "numbers", "parts", "texts"]


def arrow_array(values: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Return numbers or flags as an Arrow array.

    Parameters
    ----------
    values : np.ndarray [shape=(n,)]
        Of any type of numbers, or bool; not copied where it is contiguous.
    missing : np.ndarray [shape=(n,), bool], optional
        What is null.
    """
    bits = values.dtype == np.bool_
    data = np.packbits(values, bitorder="little") if bits else np.ascontiguousarray(values)
    buffers = [_validity(missing), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), buffers)


def texts(values: Sequence[str | None]) -> pa.Array:
    """Return texts as an Arrow array; None is null."""
    encoded = [b"" if each is None else each.encode() for each in values]
    offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int32)
    missing = np.array([each is None for each in values], bool)
    data = pa.py_buffer(b"".join(encoded))
    validity = _validity(missing if missing.any() else None)
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(offsets), data, validity)


def numbers(array: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """Return an Arrow array of numbers as NumPy's; where it is of floats, null becomes NaN.

    Returns
    -------
    np.ndarray [shape=(n,)]
        Of the same type, read-only and not copied where nothing forces it.

    Raises
    ------
    TypeError
        If something is null, and the numbers are no floats.
    """
    whole = _whole(array)
    if whole.null_count and pa.types.is_floating(whole.type):
        nothing = np.full(1, np.nan, np.from_dlpack(whole.slice(0, 0)).dtype)
        whole = whole.fill_null(arrow_array(nothing)[0])
    if whole.null_count:
        raise TypeError(f"{whole.null_count} of {len(whole)} values of {whole.type} are null")
    return np.from_dlpack(whole)


def flags(array: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Return an Arrow array of booleans, none null, as NumPy's [shape=(n,)]."""
    whole = _whole(array)
    buffer = whole.buffers()[1]
    if not len(whole):
        return np.empty(0, bool)
    bits = np.unpackbits(np.frombuffer(buffer, np.uint8), bitorder="little")
    return bits[whole.offset : whole.offset + len(whole)].astype(bool)


def parts(table: pa.Table, column: str) -> Iterator[tuple[Any, pa.Table]]:
    """Yield each value of a column, in the order of their first appearance, with its rows."""
    import pyarrow.compute as pc  # takes as long as a tenth of what a command imports

    for value in table[column].unique():
        yield value.as_py(), table.filter(pc.equal(table[column], value))


def _whole(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(array, pa.Array):
        return array
    if array.num_chunks == 0:
        return pa.nulls(0, array.type)
    return array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()


def _validity(missing: npt.NDArray[np.bool_] | None) -> pa.Buffer | None:
    return None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
