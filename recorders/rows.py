"""Rows that are being measured: norms and logged values, kept where they are until taken.

A row is opened by its step and stays open until the next one opens; so one row survives
when the buffer starts anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from epochord.recorders.columns import Block, NormColumns
from epochord.recorders.devices import Stream, current_stream, to_host
from epochord.runlog.arrow import arrow_array
from epochord.runlog.packing import MANY, pack, packed_rows
from epochord.runlog.run.rows import Columns, rows_table
from epochord.runlog.run.run import GRAD_NORM, STEP, WALL_TIME

__all__ = ["RowBuffer", "Taken", "Value"]

Value = float | torch.Tensor
# Bytes while they wait, about: of a norm and whether it was measured, of what was logged, of a row,
# and of a batch.
CELL, ENTRY, ROW, BATCH = 5, 40, 16, 2048


@dataclass(frozen=True)
class Taken:
    """Rows on their way to the writer.

    Attributes
    ----------
    rows : callable
        Waits for the devices and gives the rows.
    steps : tuple of int
        The first and the last one.
    size : int
        Bytes that they take.
    open : bool
        Whether the row may come again, completed.
    """

    rows: Callable[[], pa.Table]
    steps: tuple[int, int]
    size: int
    open: bool = False


class _Mean:
    """The mean of what was logged several times."""

    def __init__(self, value: Value) -> None:
        self._sum, self._count = value, 1

    def add(self, other: "_Mean") -> None:
        self._sum = self._sum + other._sum
        self._count += other._count

    @property
    def value(self) -> Value:
        return self._sum / self._count


@dataclass(slots=True)
class _OnDevice:
    value: torch.Tensor
    stream: Stream


Logged = dict[str, Any]
"""Of a row: by tag a number, a `_Mean`, or an `_OnDevice`."""


def _join(logged: Logged, later: Logged) -> None:
    """Add what was logged later: the last value counts, or the mean of those to be averaged."""
    for tag, entry in later.items():
        before = logged.get(tag)
        if isinstance(entry, _Mean) and isinstance(before, _Mean):
            before.add(entry)
        else:
            logged[tag] = entry


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
    columns : list of NormColumns
        Where norms are captured to; new ones may be added at any time.
    on_host : bool
        Whether all that was ever measured lay in host memory.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.opened = 0
        self.columns: list[NormColumns] = []
        self._sent = 0  # 1 when row 0 is an open row that `take_all` has given out already
        self._steps = np.zeros(capacity, dtype=np.int64)
        self._wall_times = np.zeros(capacity, dtype=np.float64)
        self._logged: list[Logged] = []
        self.on_host = True
        self._coming: Logged = {}  # for the row that opens next
        self._touched = False  # whether the open row has changed since `take_settled`

    @property
    def full(self) -> bool:
        """Whether no further row can be opened."""
        return self.opened == self.capacity

    @property
    def row(self) -> int:
        """The open row."""
        return self.opened - 1

    @property
    def expected(self) -> bool:
        """Whether something was logged for the row that opens next."""
        return bool(self._coming)

    def open(self, step: int, wall_time: float) -> None:
        """Begin the row of a step."""
        self._steps[self.opened] = step
        self._wall_times[self.opened] = wall_time
        self._logged.append(self._coming)
        self._coming = {}
        self.opened += 1
        self._touched = True

    def log(self, tag: str, value: Value, *, mean: bool = False, coming: bool = False) -> None:
        """Note a value in the open row, or in the one that opens next; a tensor stays where it is.

        Of several in a row the last one counts, or the mean of those that are to be averaged.
        """
        if not coming:
            self.changed()
        entry: Any = value
        self.on_host &= not isinstance(value, torch.Tensor)
        if mean:
            entry = _Mean(value)
        elif isinstance(value, torch.Tensor):
            entry = _OnDevice(value, current_stream(value.device))
        _join(self._coming if coming else self._logged[-1], {tag: entry})

    def join_coming(self) -> None:
        """Put what was logged for the row that opens next into the open one."""
        if self._coming:
            self.changed()
            _join(self._logged[-1], self._coming)
            self._coming = {}

    def take_done(self) -> list[Taken]:
        """Take all rows; none of them will change any more."""
        taken = self._take([(self._sent, self.opened)])
        self._restart(keep=self.opened)
        return taken

    def take_all(self) -> list[Taken]:
        """Take all rows, the open one in a batch of its own.

        Should it change later, it is taken again as a whole, as the first row
        of its batch, and replaces this one.
        """
        last = max(self.opened - 1, 0)
        taken = self._take([(self._sent, last)])
        taken += self._take([(max(self._sent, last), self.opened)], open=True)
        self._restart(keep=last)
        self._sent = self.opened
        return taken

    def take_settled(self) -> list[Taken]:
        """Take all rows, the open one only if it is as it was when this was called last."""
        if not self._touched:
            return self.take_all()
        self._touched = False
        last = max(self.opened - 1, 0)
        sent = self._sent > last
        taken = self._take([(self._sent, last)])
        self._restart(keep=last)
        self._sent = int(sent)
        return taken

    def changed(self) -> None:
        """Note that the open row is another one than it was; it is taken once more."""
        self._touched = True
        if self._sent == self.opened:
            self._sent = 0

    def _take(self, spans: list[tuple[int, int]], *, open: bool = False) -> list[Taken]:
        return [self._batch(start, stop, open) for start, stop in spans if start < stop]

    def _batch(self, start: int, stop: int, open: bool) -> Taken:
        steps = self._steps[start:stop].copy()
        wall_times = self._wall_times[start:stop].copy()
        blocks = [columns.take(start, stop) for columns in self.columns]
        width = sum(len(columns.names) for columns in self.columns)
        logged = _LoggedValues(self._logged[start:stop])

        def rows() -> pa.Table:
            found = [block() for block in blocks]
            if width > MANY:
                return _packed(steps, wall_times, found, logged.columns())
            return rows_table(steps, wall_times, _by_tag(found) | logged.columns())

        size = BATCH + len(steps) * (ROW + CELL * width) + ENTRY * logged.count
        return Taken(rows, (int(steps[0]), int(steps[-1])), size, open)

    def _restart(self, keep: int) -> None:
        for columns in self.columns:
            columns.restart(keep)
        kept = self.opened - keep
        self._steps[:kept] = self._steps[keep : self.opened].copy()
        self._wall_times[:kept] = self._wall_times[keep : self.opened].copy()
        self._logged = self._logged[keep:]
        self.opened, self._sent = kept, 0


def _by_tag(blocks: Sequence[Block]) -> Columns:
    columns: Columns = {}
    for names, values, measured in blocks:
        for place, name in enumerate(names):
            tag = GRAD_NORM + name
            column = values[:, place], measured[:, place]
            if tag in columns:  # the parameter has been replaced by one of another precision
                before, there = columns[tag]
                column = np.where(column[1], column[0], before), there | column[1]
            columns[tag] = column
    return columns


def _packed(
    steps: npt.NDArray[np.int64],
    wall_times: npt.NDArray[np.float64],
    blocks: Sequence[Block],
    logged: Columns,
) -> pa.Table:
    """Build rows of very many tags, which would take long one by one."""
    tags = [GRAD_NORM + name for names, *_ in blocks for name in names]
    if len(set(tags)) < len(tags):  # a parameter has been replaced by one of another precision
        return pack(rows_table(steps, wall_times, _by_tag(blocks) | logged))
    values = np.column_stack([*(block[1] for block in blocks), *(v for v, _ in logged.values())])
    measured = np.column_stack([*(block[2] for block in blocks), *(m for _, m in logged.values())])
    rows, columns = measured.any(axis=1), measured.any(axis=0)
    there = [[*tags, *logged][place] for place in np.flatnonzero(columns).tolist()]
    axis = {STEP: arrow_array(steps[rows]), WALL_TIME: arrow_array(wall_times[rows])}
    chosen = np.ix_(rows, columns)
    return packed_rows(axis, there, values[chosen], measured[chosen])


class _LoggedValues:
    """Logged values of some rows: one transfer a device and stream, not one a value."""

    def __init__(self, logged: Sequence[Logged]) -> None:
        self._rows = len(logged)
        self.count = sum(map(len, logged))
        self._columns: dict[str, tuple[list[int], list[float]]] = {}
        waiting: dict[Stream, tuple[list[tuple[str, int]], list[torch.Tensor]]] = {}
        for row, values in enumerate(logged):
            for tag, value in values.items():
                rows, numbers = self._columns.setdefault(tag, ([], []))
                rows.append(row)
                plain = value.value if isinstance(value, _Mean) else value
                if isinstance(plain, torch.Tensor):
                    plain = _OnDevice(plain, current_stream(plain.device))
                if isinstance(plain, _OnDevice):
                    places, tensors = waiting.setdefault(
                        (plain.value.device, plain.stream), ([], [])
                    )
                    places.append((tag, len(numbers)))
                    tensors.append(plain.value)
                    plain = np.nan
                numbers.append(plain)
        self._arriving = [
            (places, _gathered(tensors, stream))
            for (_, stream), (places, tensors) in waiting.items()
        ]

    def columns(self) -> Columns:
        for places, arrived in self._arriving:
            for (tag, place), value in zip(places, arrived().tolist(), strict=True):
                self._columns[tag][1][place] = value
        columns: Columns = {}
        for tag, (rows, numbers) in self._columns.items():
            values, measured = np.zeros(self._rows, np.float32), np.zeros(self._rows, bool)
            with np.errstate(over="ignore"):  # beyond float32 is infinite in the log
                values[rows] = np.array(numbers, np.float64)
            measured[rows] = True
            columns[tag] = (values, measured)
        return columns


def _gathered(tensors: list[torch.Tensor], stream: Stream) -> Callable[[], Any]:
    if stream is None:
        return to_host(torch.stack(tensors))
    with torch.cuda.stream(stream):
        return to_host(torch.stack(tensors), stream)
