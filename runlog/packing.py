"""Rows of very many tags as one column of lists: what is written and read often must be cheap.

A column of a Parquet file costs about 20 µs to write and as much to read, however few rows it has.
So the parts of a log that grows hold many tags packed; the log that is complete has a column each.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from epochord.runlog.arrow import arrow_array, flags, numbers
from epochord.runlog.run.run import STEP, WALL_TIME

__all__ = ["MANY", "PACKED", "pack", "packed_rows", "same_tags", "unpack", "unpacked_schema"]

PACKED = "packed"
TAGS = b"epochord.packed"  # the tags in the order of a list's elements, as JSON in the schema
MANY = 256

_AXIS = (STEP, WALL_TIME)


def packed_rows(
    axis: Mapping[str, pa.Array],
    tags: Sequence[str],
    values: npt.NDArray[np.float32],
    measured: npt.NDArray[np.bool_],
) -> pa.Table:
    """Build a packed table.

    Parameters
    ----------
    axis : mapping of str to pyarrow.Array
        The columns `step` and `wall_time`.
    tags : sequence of str
        What the columns of `values` are.
    values : np.ndarray [shape=(rows, tags), float32]
        The measurements.
    measured : np.ndarray [shape=(rows, tags), bool]
        False where a value is null.
    """
    missing = None if measured.all() else np.logical_not(measured.ravel())
    lists = pa.FixedSizeListArray.from_arrays(arrow_array(values.ravel(), missing), len(tags))
    return pa.table({**axis, PACKED: lists}).replace_schema_metadata({TAGS: json.dumps(tags)})


def pack(rows: pa.Table) -> pa.Table:
    """Pack the tags of a table of measurements, if there are many.

    Parameters
    ----------
    rows : pyarrow.Table
        `step`, `wall_time`, and float32 columns.

    Returns
    -------
    pyarrow.Table
        `step`, `wall_time`, and a column of lists, with the tags in the schema's metadata; or the
        table as it was.
    """
    tags = [name for name in rows.column_names if name not in _AXIS]
    if len(tags) <= MANY or not all(rows.schema.field(tag).type == pa.float32() for tag in tags):
        return rows
    values = np.empty((len(tags), len(rows)), np.float32)
    measured = np.ones(values.shape, bool)
    for place, tag in enumerate(tags):
        column = rows[tag]
        if column.null_count:
            measured[place] = flags(column.is_valid())
        values[place] = numbers(column)  # where null, whatever
    axis = {name: rows[name] for name in _AXIS if name in rows.column_names}
    return packed_rows(axis, tags, values.T, measured.T)


def unpack(rows: pa.Table) -> pa.Table:
    """Give each tag of a packed table a column again; others come back as they are."""
    tags = _tags(rows.schema)
    if tags is None or PACKED not in rows.column_names:
        return rows.replace_schema_metadata(None)
    flat = rows[PACKED].combine_chunks().flatten()
    measured = flags(flat.is_valid()).reshape(len(rows), len(tags))
    values = np.ascontiguousarray(numbers(flat).reshape(measured.shape).T)
    some: npt.NDArray[np.bool_] = np.logical_not(measured.all(axis=0))
    columns = {
        tag: arrow_array(values[place], ~measured[:, place] if some[place] else None)
        for place, tag in enumerate(tags)
    }
    axis = {name: rows[name] for name in _AXIS if name in rows.column_names}
    return pa.table(axis | columns)


def same_tags(one: pa.Schema, other: pa.Schema) -> bool:
    """Tell whether two tables have the same columns and tags, packed alike."""
    return one.names == other.names and _packed(one) == _packed(other)


def unpacked_schema(schema: pa.Schema) -> pa.Schema:
    """Return the schema that a table has when it is unpacked."""
    tags = _tags(schema)
    if tags is None:
        return schema.remove_metadata()
    axis = [field for field in schema if field.name in _AXIS]
    return pa.schema([*axis, *(pa.field(tag, pa.float32()) for tag in tags)])


def _packed(schema: pa.Schema) -> bytes | None:
    return (schema.metadata or {}).get(TAGS)


def _tags(schema: pa.Schema) -> tuple[str, ...] | None:
    packed = _packed(schema)
    return None if packed is None else _parsed(packed)


@lru_cache(maxsize=4)
def _parsed(packed: bytes) -> tuple[str, ...]:
    return tuple(json.loads(packed))
