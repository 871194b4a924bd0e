"""Going on from an earlier step: what the log has from there on becomes a run of its own."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa

from epochord.runlog.arrow import arrow_array, numbers
from epochord.runlog.atomic import sync
from epochord.runlog.digits.tables import LAYER_DIGITS, layer_digits_rows
from epochord.runlog.errors import LogError
from epochord.runlog.parquet import ParquetWriter, is_parquet_log, read_parquet, replace_rows
from epochord.runlog.reading.opening import event_files
from epochord.runlog.reading.sources import SEGMENTS
from epochord.runlog.reading.tables import TABLES
from epochord.runlog.run.metadata import RunMetadata
from epochord.runlog.run.rows import METRICS_TABLE, rows_table
from epochord.runlog.run.run import STEP, Run

__all__ = ["rewind"]


def rewind(directory: Path, run: Run, step: int) -> None:
    """Move what a log holds from a step on into a run of its own in its directory.

    First the new run is there, whole, and then the old one is shortened: a kill between
    the two leaves both.  Event files stay as they are; another one says what no longer counts.

    Parameters
    ----------
    directory : Path
        The run's directory.
    run : Run
        What it holds.
    step : int
        The first step to move.
    """
    later = {METRICS_TABLE: _from(_rows(run), step)}
    later |= {name: _from(run.tables[name], step) for name in run.tables if name in TABLES}
    with suppress(LogError):  # of event files they are tensors, and stay there in any case
        digits = layer_digits_rows(run)
        if digits is not None:
            later[LAYER_DIGITS] = _from(digits, step)
    later = {name: rows for name, rows in later.items() if rows.num_rows}
    if not later:
        return
    number = 1 + max((int(p.name.split("-")[1]) for p in directory.glob(SEGMENTS)), default=0)
    name = f"segment-{number}"
    holes = filter(None, (hole.since(step) for hole in run.metadata.holes))
    about = run.metadata.replace(name=name, format="parquet", holes=tuple(holes))
    _write(directory, name, about, later)
    # What is still to be shortened is longer than it says, and so is gone on with at its end.
    run.metadata.replace(status="running", steps=step).save(directory)
    if is_parquet_log(directory):
        if event_files(directory):  # first: what they lack then, Parquet files still have
            from epochord.runlog.tensorboard import TensorBoardWriter

            TensorBoardWriter(directory, restart_at=step).close()
        for table in (METRICS_TABLE, *TABLES):
            rows, _ = read_parquet(directory, table)
            if rows.num_rows:
                replace_rows(directory, table, _before(rows, step), run.metadata)


def _write(directory: Path, name: str, metadata: RunMetadata, tables: dict[str, pa.Table]) -> None:
    staged = directory / f".{name}.{os.getpid()}.tmp"
    try:
        staged.mkdir()
        writer = ParquetWriter(staged, metadata)
        for table, rows in tables.items():
            writer.write(rows, table)
        writer.complete(metadata)
        metadata.save(staged)
        staged.rename(directory / name)
        sync(directory)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _rows(run: Run) -> pa.Table:
    """Put a run's series side by side; of several values in a step, take the last."""
    steps = run.steps
    times = np.full(len(steps), np.nan)
    columns = {}
    for tag, series in run.series.items():
        places = np.searchsorted(steps, series.steps)
        values, measured = np.zeros(len(steps), np.float32), np.zeros(len(steps), bool)
        values[places], measured[places], times[places] = series.values, True, series.wall_times
        columns[tag] = (values, measured)
    return rows_table(steps, times, columns)


def _from(rows: pa.Table, step: int) -> pa.Table:
    return rows.filter(arrow_array(numbers(rows[STEP]) >= step))


def _before(rows: pa.Table, step: int) -> pa.Table:
    return rows.filter(arrow_array(numbers(rows[STEP]) < step))
