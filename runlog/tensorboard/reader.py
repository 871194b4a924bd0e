"""One event file to points: every record checked, many of them at once.

Windows of records go through two readers.  Where many records have one length,
a `Layout` takes those that differ in their numbers only, all together; every
other record is parsed on its own.  Both check the CRC.  What is broken is
passed over and counted; what is whole is kept.
"""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError

from epochord.runlog.errors import one_line
from epochord.runlog.run.contents import FileReport
from epochord.runlog.tensorboard.files import problem
from epochord.runlog.tensorboard.headers import FRAME_BYTES, HEADER_BYTES, is_intact
from epochord.runlog.tensorboard.layout import Columns, Layout, row_bytes
from epochord.runlog.tensorboard.points import Chunk, Points
from epochord.runlog.tensorboard.records import Scan, Window
from epochord.runlog.tensorboard.wire import IrregularError

__all__ = ["EventFile"]

# Below this, parsing one by one is faster.
MIN_ROWS = 48
# Larger messages hold pictures or hundreds of tags: too few in a window to be worth it.
MAX_ROW_BYTES = 1 << 14
# After so many examples that nothing else is like, records of this length are irregular.
MAX_MISFITS = 3
HEAD_BYTES = 64

Rows = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]


class _Layouts:
    """The layouts found so far, by the size of their messages.

    Files of one training look alike, and those of a sweep do, so what fitted
    one is tried first on the next.
    """

    MAX_SIZES = 256
    MAX_OF_ONE_SIZE = 8

    def __init__(self) -> None:
        self._by_size: dict[int, tuple[Layout, ...]] = {}

    def of_size(self, size: int) -> tuple[Layout, ...]:
        """Return the layouts of messages of one size."""
        return self._by_size.get(size, ())

    def add(self, layout: Layout) -> None:
        """Remember a layout, and forget old ones where there are too many."""
        size = len(layout.message)
        if len(self._by_size) >= self.MAX_SIZES and size not in self._by_size:
            self._by_size.clear()
        self._by_size[size] = (*self.of_size(size)[1 - self.MAX_OF_ONE_SIZE :], layout)


_LAYOUTS = _Layouts()


class EventFile:
    """Reads one event file.

    Parameters
    ----------
    path : Path
        The file.

    Attributes
    ----------
    points : Points
        What it says; after `read`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.points = Points()
        self._records = 0
        self._skipped: Counter[str] = Counter()

    def read(self) -> FileReport:
        """Read all that is whole; never raises for what a file can hold.

        Returns
        -------
        FileReport
            Without the number of points, which depends on the run's other files.
        """
        try:
            if self.path.exists() and not self.path.is_file():
                return FileReport(str(self.path), problem="is a folder, or no regular file")
            with self.path.open("rb") as file:
                scan = Scan(file)
                for window in scan.windows():
                    self._read_window(window)
                file.seek(0)
                head = file.read(HEAD_BYTES)
        except OSError as error:
            return FileReport(str(self.path), problem=f"cannot be read ({_reason(error)})")
        if not head:
            return FileReport(str(self.path), others={"empty file": 1})
        if not self._records and not self._skipped and not scan.oversized:
            return FileReport(str(self.path), problem=problem(head), tail_bytes=scan.tail_bytes)
        self._skipped["damaged length"] = scan.gaps
        self.points.others["record over 32 MiB"] += scan.oversized
        return FileReport(
            file=str(self.path),
            records=self._records,
            skipped=dict(+self._skipped),
            skipped_bytes=scan.gap_bytes,
            tail_bytes=scan.tail_bytes,
        )

    def _read_window(self, window: Window) -> None:
        sizes = window.ends - window.starts - FRAME_BYTES
        irregular = []
        for places in _groups(np.minimum(sizes, MAX_ROW_BYTES)):
            size = int(sizes[places[0]])
            if len(places) >= MIN_ROWS and size < MAX_ROW_BYTES:
                places = self._read_alike(window, places, size)
            irregular.append(places)
        for place in np.sort(np.concatenate(irregular)).tolist():
            self._read_one(window, int(window.starts[place]), int(window.ends[place]))

    def _read_one(self, window: Window, start: int, end: int) -> None:
        if not is_intact(window.data, start, end):
            self._skipped["wrong CRC"] += 1
            return
        message = window.data[start + HEADER_BYTES : end - FRAME_BYTES + HEADER_BYTES]
        try:
            self.points.add_event(message, window.offset + start)
        except DecodeError:
            self._skipped["broken message"] += 1
        else:
            self._records += 1

    def _read_alike(self, window: Window, places: Places, size: int) -> Places:
        """Read records of one size with layouts; return which of them fit none."""
        width = row_bytes(size)
        # A row begins at every byte; taking some of them copies these only.
        shape = (len(window.data) - width + 1, width)
        everywhere: Rows = np.ndarray(shape, np.uint8, window.data, strides=(1, 1))
        rows = everywhere[window.starts[places] + HEADER_BYTES]
        for layout in _LAYOUTS.of_size(size):
            if len(places) >= MIN_ROWS:
                places, rows = self._take(layout, window, places, rows)
        misfits: list[Places] = []
        while len(places) >= MIN_ROWS and len(misfits) < MAX_MISFITS:
            before = len(places)
            try:
                layout = Layout.of(rows[0, :size].tobytes())
                places, rows = self._take(layout, window, places, rows)
            except (IrregularError, DecodeError):
                pass
            if before - len(places) >= MIN_ROWS:
                _LAYOUTS.add(layout)
            else:
                misfits.append(places[:1])
                places, rows = places[1:], rows[1:]
        return np.concatenate([places, *misfits])

    def _take(
        self, layout: Layout, window: Window, places: Places, rows: Rows
    ) -> tuple[Places, Rows]:
        """Read the rows that fit a layout; return the others."""
        columns = layout.read(rows)
        taken = columns.taken
        self._records += len(columns.steps)
        if taken.all():
            self._add(layout, columns, window.offset + window.starts[places])
            return places[:0], rows[:0]
        self._add(layout, columns, window.offset + window.starts[places[taken]])
        return places[~taken], rows[~taken]

    def _add(self, layout: Layout, columns: Columns, order: npt.NDArray[np.int64]) -> None:
        if not len(columns.label):
            return
        by_label = _groups(columns.label) if len(columns.tags) > 1 else [slice(None)]
        for events in by_label:
            tags = columns.tags[columns.label[events][0]]
            steps, wall_times = columns.steps[events], columns.wall_times[events]
            for number, (slot, tag) in enumerate(zip(layout.slots, tags, strict=True)):
                values = _exact(columns.values[number][events])
                chunk = Chunk(order[events] + number, steps, wall_times, values)
                self.points.add_chunk(tag, chunk, is_tensor=slot.is_tensor)
                if slot.plugin is not None:
                    self.points.add_plugin(tag, slot.plugin)


def _groups(keys: npt.NDArray[Any]) -> list[Places]:
    """Return the places of each different key (not negative), in ascending order."""
    # NumPy sorts 16-bit integers by radix, several times faster than wider ones.
    order = np.argsort(keys.astype(np.min_scalar_type(keys.max())), kind="stable")
    edges = [0, *(np.flatnonzero(np.diff(keys[order])) + 1).tolist(), len(keys)]
    return [order[begin:end] for begin, end in pairwise(edges)]


def _exact(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return numbers as float32 where that is exact for their type, else as float64."""
    dtype = np.float32 if np.can_cast(values.dtype, np.float32) else np.float64
    return values.astype(dtype, copy=False)


def _reason(error: OSError) -> str:
    return one_line(error.strerror or error)
