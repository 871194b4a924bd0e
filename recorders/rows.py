"""Rows that are being measured: norms and logged values, kept where they are until taken.

A row is opened when its step has been done, and stays open until the next one
opens; so one row survives when the buffer starts anew.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from epochord.recorders.norms import Columns, NormColumns, to_host
from epochord.runlog.run.rows import rows_table
from epochord.runlog.run.run import GRAD_NORM

__all__ = ["RowBuffer"]


class RowBuffer:
    """Rows of one log on their way to the writer.

    Parameters
    ----------
    capacity : int
        How many rows can be open or done before they have to be taken.

    Attributes
    ----------
    opened : int
        How many rows there are, the open one included.
    norms : list of NormColumns
        Where norms are captured to; new ones may be added at any time.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.opened = 0
        self.norms: list[NormColumns] = []
        self._sent = 0  # 1 when row 0 is an open row that `take_all` has given out already
        self._given_out = False  # whether the open row has been, in whatever state
        self._steps = np.zeros(capacity, dtype=np.int64)
        self._wall_times = np.zeros(capacity, dtype=np.float64)
        self._logged: list[tuple[int, str, float | torch.Tensor]] = []

    @property
    def rows_allocated(self) -> int:
        """Rows that the norm columns have to provide: the next one to open, too."""
        return self.capacity + 1

    @property
    def full(self) -> bool:
        """Whether no further row can be opened."""
        return self.opened == self.capacity

    def open(self, step: int, wall_time: float) -> None:
        """Begin the row of a step that has just been done."""
        self._steps[self.opened] = step
        self._wall_times[self.opened] = wall_time
        self._given_out = False
        self.opened += 1

    def capture(self, norms: list[NormColumns], divisor: torch.Tensor | None = None) -> None:
        """Measure gradients into the open row, but where it has been given out with them."""
        for columns in self._open_for(norms):
            columns.capture(self._row, divisor)

    def adopt(self, norms: list[NormColumns]) -> None:
        """Put what was captured ahead into the open row, as `capture` does."""
        for columns in self._open_for(norms):
            columns.adopt(self._row)

    @property
    def _row(self) -> int:
        # Before the first row is opened, a further optimizer may have stepped.
        return max(self.opened - 1, 0)

    def _open_for(self, norms: list[NormColumns]) -> list[NormColumns]:
        self._changed()
        return [c for c in norms if not (self._given_out and c.measured(self._row))]

    def log(self, tag: str, value: float | torch.Tensor) -> None:
        """Note a value in the open row; a tensor stays on its device."""
        self._changed()
        self._logged.append((self.opened - 1, tag, value))

    def take_done(self) -> list[Callable[[], pa.Table]]:
        """Take all rows; none of them will change any more."""
        batches = self._take([(self._sent, self.opened)])
        self._restart(keep=self.opened)
        return batches

    def take_all(self) -> list[Callable[[], pa.Table]]:
        """Take all rows, the open one in a batch of its own.

        Should it change later, it is taken again as a whole, as the first row
        of its batch, and replaces this one.
        """
        last = max(self.opened - 1, 0)
        batches = self._take([(self._sent, last), (max(self._sent, last), self.opened)])
        self._restart(keep=last)
        self._sent = self.opened
        self._given_out = self.opened > 0
        return batches

    def _changed(self) -> None:
        if self._sent == self.opened:
            self._sent = 0

    def _take(self, spans: list[tuple[int, int]]) -> list[Callable[[], pa.Table]]:
        return [self._batch(start, stop) for start, stop in spans if start < stop]

    def _batch(self, start: int, stop: int) -> Callable[[], pa.Table]:
        steps = self._steps[start:stop].copy()
        wall_times = self._wall_times[start:stop].copy()
        norms = [columns.take(start, stop) for columns in self.norms]
        logged = _LoggedValues([entry for entry in self._logged if start <= entry[0] < stop], start)

        def rows() -> pa.Table:
            columns: Columns = {}
            for taken in norms:
                columns |= {GRAD_NORM + name: column for name, column in taken().items()}
            return rows_table(steps, wall_times, columns | logged.columns(stop - start))

        return rows

    def _restart(self, keep: int) -> None:
        for columns in self.norms:
            columns.restart(keep)
        kept = self.opened - keep
        self._steps[:kept] = self._steps[keep : self.opened].copy()
        self._wall_times[:kept] = self._wall_times[keep : self.opened].copy()
        self._logged = [(row - keep, tag, value) for row, tag, value in self._logged if row >= keep]
        self.opened, self._sent = kept, 0


class _LoggedValues:
    """Logged values of some rows: one transfer a device, not one a value."""

    def __init__(self, logged: list[tuple[int, str, Any]], start: int) -> None:
        self._places = [(row - start, tag) for row, tag, _ in logged]
        self._values = np.array(
            [np.nan if isinstance(value, torch.Tensor) else value for *_, value in logged],
            dtype=np.float64,
        )
        on_device: dict[torch.device, tuple[list[int], list[torch.Tensor]]] = {}
        for index, (*_, value) in enumerate(logged):
            if isinstance(value, torch.Tensor):
                indices, tensors = on_device.setdefault(value.device, ([], []))
                indices.append(index)
                tensors.append(value)
        self._arriving = [
            (indices, to_host(torch.stack(tensors))) for indices, tensors in on_device.values()
        ]

    def columns(self, rows: int) -> Columns:
        for indices, values in self._arriving:
            self._values[indices] = values()
        columns: Columns = {}
        with np.errstate(over="ignore"):  # beyond float32 is infinite in the log
            values32 = self._values.astype(np.float32)
        for (row, tag), value in zip(self._places, values32, strict=True):
            if tag not in columns:
                columns[tag] = (np.zeros(rows, np.float32), np.zeros(rows, bool))
            column, measured = columns[tag]
            column[row], measured[row] = value, True
        return columns
