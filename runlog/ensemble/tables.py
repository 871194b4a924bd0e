"""An ensemble's predictions and setup to rows of the log's tables, and back.

``ensemble.parquet`` has one row an epoch and member: step, wall_time, member (its identity, by
which it is known in all epochs), and a list a place (`PLACES`), of several outputs point by point;
the members' own variances in lists ``variance/<place>``.  ``ensemble_setup.parquet`` holds arrays
of rank 2 by name, one row a row of theirs.  In event files all of them are tensors of rank 2.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from epochord.runlog.arrow import arrow_array, numbers, parts, texts
from epochord.runlog.ensemble.setup import EnsembleSetup, Floats, Predictions
from epochord.runlog.run.run import STEP, WALL_TIME

__all__ = [
    "ENSEMBLE",
    "ENSEMBLE_SETUP",
    "MEMBER",
    "VARIANCE",
    "Epoch",
    "epoch_of",
    "prediction_rows",
    "setup_arrays",
    "setup_rows",
    "tensors",
]

ENSEMBLE = "ensemble"
ENSEMBLE_SETUP = "ensemble_setup"
MEMBER = "member"
VARIANCE = "variance/"  # of a member's own predictive distribution, before a place's name

Identities = npt.NDArray[np.int64]
Tensor = tuple[int, float, str, npt.NDArray[Any]]  # step, wall time, tag, array


class Epoch(NamedTuple):
    """What the log holds of one epoch.

    Parameters
    ----------
    members : np.ndarray [shape=(rows,), int64]
        Whose rows these are, by identity.
    columns : dict of str to np.ndarray [shape=(rows, points * outputs)]
        By place; a place that is lost is not there.
    """

    members: Identities
    columns: dict[str, Floats]


def prediction_rows(
    step: int,
    wall_time: float,
    predictions: Predictions,
    *,
    variances: Predictions | None = None,
    members: Identities | None = None,
) -> pa.Table:
    """Return the rows of one epoch, a member each.

    Parameters
    ----------
    step : int
        The epoch.
    wall_time : float
        Seconds since the epoch of 1970.
    predictions : Predictions
        In float32 or float16, as they are to be stored.
    variances : Predictions, optional
        Each member's own, likewise.
    members : np.ndarray [shape=(rows,), int], optional
        Who they are; by default numbers from 0.
    """
    rows = max(map(len, predictions))
    identities = np.arange(rows) if members is None else members
    columns = {
        STEP: arrow_array(np.full(rows, step, np.int64)),
        WALL_TIME: arrow_array(np.full(rows, wall_time)),
        MEMBER: arrow_array(identities.astype(np.int32)),
    }
    for prefix, each in (("", predictions), (VARIANCE, variances)):
        for name, values in each._asdict().items() if each is not None else ():
            if values.size:
                flat = arrow_array(np.ascontiguousarray(values).ravel())
                columns[prefix + name] = pa.FixedSizeListArray.from_arrays(flat, len(flat) // rows)
    return pa.table(columns)


def epoch_of(rows: pa.Table, setup: EnsembleSetup, members: Identities) -> Epoch:
    """Return what `prediction_rows` was given, in float32; nothing of a place without a column.

    Raises
    ------
    ValueError, KeyError
        If the rows do not fit the setup.
    """
    columns = {}
    for name, points in setup.places.items():
        for column in {name, VARIANCE + name} & set(rows.column_names):
            values = numbers(rows[column].combine_chunks().flatten())
            shape = rows.num_rows, points * setup.outputs
            columns[column] = values.astype(np.float32).reshape(shape)
    return Epoch(members, columns)


def setup_rows(setup: EnsembleSetup, wall_time: float) -> pa.Table:
    """Return the rows of what stays fixed; they belong to step 0."""
    arrays = setup.arrays()
    names = [name for name, array in arrays.items() for _ in array]
    places = [np.arange(len(array), dtype=np.int32) for array in arrays.values()]
    sizes = [np.full(len(array), array.shape[1], np.int32) for array in arrays.values()]
    offsets = np.cumsum(np.concatenate([[0], *sizes])).astype(np.int32)
    values = np.concatenate([array.ravel() for array in arrays.values()]).astype(np.float64)
    return pa.table(
        {
            STEP: arrow_array(np.zeros(len(names), np.int64)),
            WALL_TIME: arrow_array(np.full(len(names), wall_time)),
            "name": texts(names),
            "row": arrow_array(np.concatenate(places)),
            "values": pa.ListArray.from_arrays(arrow_array(offsets), arrow_array(values)),
        }
    )


def setup_arrays(rows: pa.Table) -> dict[str, Floats]:
    """Return the arrays that `setup_rows` was given, by name.

    Raises
    ------
    ValueError
        If the rows of an array differ in length.
    """
    arrays = {}
    for name, found in parts(rows, "name"):
        own = found.sort_by("row")
        values = own["values"].combine_chunks()
        arrays[name] = numbers(values.flatten()).reshape(len(own), -1)
    return arrays


def tensors(rows: pa.Table, table: str) -> Iterator[Tensor]:
    """Yield the rows of one of these tables as tensors of rank 2, for an event file.

    Parameters
    ----------
    rows : pyarrow.Table
        Of any number of epochs.
    table : str
        `ENSEMBLE` or `ENSEMBLE_SETUP`.
    """
    for step, own in parts(rows, STEP):
        wall_time = own[WALL_TIME][0].as_py()
        for name, array in _arrays(own, table).items():
            yield step, wall_time, f"{table}/{name}", array


def _arrays(rows: pa.Table, table: str) -> Mapping[str, npt.NDArray[Any]]:
    if table == ENSEMBLE_SETUP:
        return setup_arrays(rows)
    lists = [field for field in rows.schema if pa.types.is_fixed_size_list(field.type)]
    found = {
        field.name: numbers(rows[field.name].combine_chunks().flatten()).reshape(
            rows.num_rows, field.type.list_size
        )
        for field in lists
    }
    return found | {MEMBER: numbers(rows[MEMBER]).astype(np.float32)[None]}
