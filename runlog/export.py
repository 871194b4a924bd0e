"""Runs to one long table: a row a measurement, exact, in the order of the log."""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from epochord.runlog.arrow import arrow_array, texts
from epochord.runlog.run.run import STEP, WALL_TIME, Run
from epochord.runlog.run.series import Series

__all__ = ["SCHEMA", "TableFormat", "export", "long_table"]

TableFormat = Literal["parquet", "csv", "tsv", "jsonl"]

SCHEMA = pa.schema(
    {
        "run": pa.string(),
        "tag": pa.string(),
        "segment": pa.string(),
        STEP: pa.int64(),
        WALL_TIME: pa.float64(),
        "value": pa.float64(),
    }
)

ROWS_A_BATCH = 1 << 16

Write = Callable[[pa.Table], Any]


def export(runs: Iterable[Run], path: Path, format: TableFormat) -> int:
    """Write runs as one long table.

    Parameters
    ----------
    runs : iterable of Run
        They are taken one at a time.
    path : Path
        The file to write.
    format : {"parquet", "csv", "tsv", "jsonl"}
        Of the file.  In CSV and TSV, what is not finite is ``nan``, ``inf``, ``-inf``;
        JSON has no numbers for it, so there it is the text ``"NaN"``,
        ``"Infinity"``, ``"-Infinity"``.

    Returns
    -------
    int
        Number of rows: run, tag, segment (the log's file, empty where there is
        only one), step, wall time (s; null where it is not known), value.
    """
    rows = 0
    tables = (long_table(run, series) for run in runs for series in run.series.values())
    with path.open("wb") as file, WRITERS[format](file) as write:
        for table in _batches(tables):
            write(table)
            rows += table.num_rows
    return rows


def long_table(run: Run, series: Series) -> pa.Table:
    """Return the rows of one series, in the order in which they were written."""
    names = run.segments if len(run.segments) > 1 else ("",) * max(1, len(run.segments))
    times = series.wall_times
    columns = [
        pa.repeat(texts([run.name])[0], len(series)),
        pa.repeat(texts([series.tag])[0], len(series)),
        texts(names).take(arrow_array(series.segments)),
        arrow_array(series.steps),
        arrow_array(times, np.isnan(times)),
        arrow_array(np.asarray(series.values, np.float64)),
    ]
    return pa.table(columns, schema=SCHEMA)


def _batches(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    pending: list[pa.Table] = []
    for table in tables:
        pending.append(table)
        if sum(each.num_rows for each in pending) >= ROWS_A_BATCH:
            yield pa.concat_tables(pending)
            pending = []
    yield pa.concat_tables([*pending, pa.Table.from_batches([], SCHEMA)])


@contextmanager
def _parquet(file: BinaryIO) -> Iterator[Write]:
    with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        yield writer.write_table


@contextmanager
def _csv(file: BinaryIO, delimiter: str = ",") -> Iterator[Write]:
    options = pyarrow.csv.WriteOptions(delimiter=delimiter)
    with pyarrow.csv.CSVWriter(file, SCHEMA, write_options=options) as writer:
        yield writer.write_table


@contextmanager
def _jsonl(file: BinaryIO) -> Iterator[Write]:
    def write(table: pa.Table) -> None:
        for row in table.to_pylist():
            line = {key: _json_number(value) for key, value in row.items()}
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False).encode() + b"\n")

    yield write


def _json_number(value: Any) -> Any:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


WRITERS: dict[TableFormat, Callable[[BinaryIO], AbstractContextManager[Write]]] = {
    "parquet": _parquet,
    "csv": _csv,
    "tsv": partial(_csv, delimiter="\t"),
    "jsonl": _jsonl,
}
