"""Rows on their way from a recorder to a log file: one Arrow table a batch.

A table has the columns `step` (int64), `wall_time` (float64, s since the epoch)
and one float32 column a tag.  Null means not measured; NaN was measured.  Other
tables than the measurements have columns of their own behind `step`.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from epochord.runlog.arrow import arrow_array
from epochord.runlog.run.metadata import RunMetadata
from epochord.runlog.run.run import STEP, WALL_TIME

__all__ = ["METRICS_TABLE", "RESERVED", "Columns", "LogWriter", "rows_table"]

Columns = dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]]
"""By tag: values and whether they were measured."""

METRICS_TABLE = "metrics"
RESERVED = frozenset({STEP, WALL_TIME})


class LogWriter(Protocol):
    """What every format's writer does.

    `write` returns when the rows are safe: a process that is killed afterwards
    does not lose them.
    """

    def write(self, rows: pa.Table, table: str = METRICS_TABLE) -> None:
        """Append rows whose steps come after all steps written to this table before."""

    def complete(self, metadata: RunMetadata) -> None:
        """Bring the log into its final form; call once, after all rows."""

    def close(self) -> None:
        """Let go of open files; call once, whatever happened before."""


def rows_table(
    steps: npt.NDArray[np.int64],
    wall_times: npt.NDArray[np.float64],
    columns: Columns,
) -> pa.Table:
    """Build a batch of rows.

    Parameters
    ----------
    steps : np.ndarray [shape=(n,), int64]
        Ascending.
    wall_times : np.ndarray [shape=(n,), float64]
        Seconds since the epoch.
    columns : mapping of str to (values [shape=(n,)], measured [shape=(n,)])
        By tag; `measured` is False where a value is null.  A tag without a
        measurement in this batch is left out of it, and so is a row without one.
    """
    table = {STEP: arrow_array(steps), WALL_TIME: arrow_array(wall_times)}
    some = np.zeros(len(steps), dtype=bool)
    for tag, (values, measured) in columns.items():
        if measured.any():
            some |= measured
            missing = None if measured.all() else ~measured
            table[tag] = arrow_array(values, missing)
    rows = pa.table(table)
    return rows if some.all() else rows.filter(arrow_array(some))
