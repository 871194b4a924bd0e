"""Rows to a standard TensorBoard event file: one Event a step, holding all its tags.

Tables whose rows hold lists become tensors of rank 2: the lists of a step, below
each other, are one tensor under ``<table>/<column>``, or of digits ``<table>/<kind>``.
"""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from epochord.runlog.atomic import sync
from epochord.runlog.digits.tables import LAYER_DIGITS, digit_tensors
from epochord.runlog.ensemble.tables import tensors
from epochord.runlog.packing import unpack
from epochord.runlog.run.metadata import RunMetadata
from epochord.runlog.run.rows import METRICS_TABLE
from epochord.runlog.run.run import STEP, WALL_TIME, series_from_rows
from epochord.runlog.tensorboard.files import order
from epochord.runlog.tensorboard.headers import frame
from epochord.runlog.tensorboard.messages import START, Event
from epochord.runlog.tensorboard.tensor_values import fill

__all__ = ["TensorBoardWriter"]


class TensorBoardWriter:
    """Appends rows to an event file of its own in the run's directory.

    Parameters
    ----------
    directory : Path
        The run's directory; it must exist.
    restart_at : int, optional
        What earlier files hold from this step on no longer counts: the training goes
        on from an earlier state.
    """

    def __init__(self, directory: Path, *, restart_at: int | None = None) -> None:
        self._last: tuple[int, dict[str, float]] = (-1, {})  # the last row's step and values
        now = time.time()
        # Readers take a run's files in the order of their names.
        earlier = [order(path)[0] for path in directory.glob("events.out.tfevents.*")]
        second = max([int(now), *(before + 1 for before in earlier)])
        name = f"events.out.tfevents.{second:010d}.{socket.gethostname()}.{os.getpid()}.0"
        # Without a buffer of Python's, so that what could not be written is not written later.
        self._file = (directory / name).open("xb", buffering=0)
        self._whole = 0  # bytes of whole records
        sync(directory)
        events = [Event(wall_time=now, file_version="brain.Event:2")]
        if restart_at is not None:
            restart = Event(wall_time=now, step=restart_at)
            restart.session_log.status = START
            events.append(restart)
        self._append(b"".join(frame(event.SerializeToString()) for event in events))

    def write(self, rows: pa.Table, table: str = METRICS_TABLE) -> None:
        """Append rows; they are safe on disk when this returns.

        A first row of the step written last is that row completed: of it, only
        what is new is appended; of several values of a tag in a step, the last one counts.
        """
        if rows.num_rows == 0:
            return
        if table != METRICS_TABLE:
            self._append(
                b"".join(frame(e.SerializeToString()) for e in _tensor_events(rows, table))
            )
            return
        by_step = _events(unpack(rows))
        step, values = self._last
        fresh = {value.tag: value.simple_value for value in by_step[-1].summary.value}
        if by_step[0].step == step:
            _drop_known(by_step[0], values)
        self._append(b"".join(frame(e.SerializeToString()) for e in by_step if e.summary.value))
        self._last = (by_step[-1].step, values | fresh if by_step[-1].step == step else fresh)

    def complete(self, metadata: RunMetadata) -> None:
        """Do nothing: the file is final as it grows, and run.json holds the metadata."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, records: bytes) -> None:
        # An attempt that failed may have left a piece of a record behind.
        self._file.seek(self._whole)
        self._file.truncate()
        left = memoryview(records)
        while left:
            left = left[self._file.write(left) :]
        os.fsync(self._file.fileno())
        self._whole += len(records)


def _events(rows: pa.Table) -> list[Any]:
    """Turn each row into an Event; nulls are not written."""
    steps = rows[STEP].to_pylist()
    times = rows[WALL_TIME].to_pylist()
    events = [Event(step=step, wall_time=when) for step, when in zip(steps, times, strict=True)]
    row_of = {step: row for row, step in enumerate(steps)}
    for tag, series in series_from_rows(rows).items():
        for step, value in zip(series.steps.tolist(), series.values.tolist(), strict=True):
            events[row_of[step]].summary.value.add(tag=tag, simple_value=value)
    return events


def _tensor_events(rows: pa.Table, table: str) -> Iterator[Any]:
    found = digit_tensors(rows) if table == LAYER_DIGITS else tensors(rows, table)
    for step, wall_time, tag, array in found:
        event = Event(step=step, wall_time=wall_time)
        fill(event.summary.value.add(tag=tag).tensor, array)
        yield event


def _drop_known(event: Any, values: dict[str, float]) -> None:
    kept = [
        value
        for value in event.summary.value
        if value.tag not in values or not _same(value.simple_value, values[value.tag])
    ]
    del event.summary.value[:]
    event.summary.value.extend(kept)


def _same(one: float, other: float) -> bool:
    return one == other or (one != one and other != other)
