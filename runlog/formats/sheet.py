"""A table as a file holds it, before anyone knows which column means what."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from epochord.runlog.arrow import flags, numbers

__all__ = ["LABELS", "Column", "Sheet", "column_of", "is_long", "joined", "measured", "nonzero"]

# Columns of text in a table that holds one measurement a row, as `epochord export` writes it.
LABELS = ("run", "tag", "segment")
_LONG = {"tag", "step", "value"}


@dataclass(frozen=True)
class Column:
    """The numbers of one column; cells without one are left out.

    Parameters
    ----------
    rows : np.ndarray [shape=(n,), int64]
        Row of each number, ascending.
    values : np.ndarray [shape=(n,)]
        The numbers, in the type in which the file has them.
    """

    rows: npt.NDArray[np.int64]
    values: npt.NDArray[Any]


@dataclass(frozen=True)
class Sheet:
    """The columns of one file.

    Parameters
    ----------
    file : str
        Path or URL.
    count : int
        Number of whole rows.
    columns : mapping of str to Column
        Those that hold numbers.
    labels : mapping of str to pyarrow.Array
        Only for a table with one measurement a row: its `LABELS` as text.
    skipped : mapping of str to int
        Rows that could not be used, by reason.
    others : mapping of str to int
        Columns left out, by reason.
    notes : sequence of str
        What was ambiguous, and how it was understood.
    """

    file: str
    count: int
    columns: Mapping[str, Column]
    labels: Mapping[str, pa.Array] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def is_long(names: Iterable[str]) -> bool:
    """Tell by its columns whether a table holds one measurement a row."""
    return set(names) >= _LONG


def column_of(array: pa.Array, first_row: int = 0) -> Column:
    """Return the numbers of an Arrow array; nulls are left out, NaN is a number.

    Parameters
    ----------
    array : pyarrow.Array
        Integers or floats.
    first_row : int
        Row in the file of its first element.
    """
    rows = np.arange(first_row, first_row + len(array))
    if array.null_count:
        rows = rows[flags(array.is_valid())]
    return Column(rows, numbers(array.drop_null()))


def joined(parts: Sequence[Column]) -> Column:
    """Join the pieces of one column."""
    if len(parts) == 1:
        return parts[0]
    rows = np.concatenate([part.rows for part in parts])
    return Column(rows, np.concatenate([part.values for part in parts]))


def measured(values: npt.NDArray[Any]) -> npt.NDArray[np.floating]:
    """Return values as measurements: float32 as it is, everything else as float64."""
    return values.astype(np.float32 if values.dtype == np.float32 else np.float64, copy=False)


def nonzero(counts: Mapping[str, int]) -> dict[str, int]:
    """Leave out the reasons that never occurred."""
    return {reason: count for reason, count in counts.items() if count}
