"""Event files as records, window by window.

A record is its length (uint64), the length's CRC, the message, the message's
CRC.  Format: tensorflow/core/lib/io/record_writer.h.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from epochord.runlog.tensorboard.headers import (
    HEADER_BYTES,
    is_intact,
    next_header,
    record_size,
    small_records,
)

__all__ = ["PADDING", "Scan", "Window"]

# NumPy's overhead is spread over a window; a few of them fit into the cache.
WINDOW_BYTES = 1 << 23
# Where something is damaged more may be, so what is read behind it is little at first.
CAUTIOUS_BYTES = 1 << 13
# What is larger is a graph or a picture: it is passed over, so that memory stays bounded.
MAX_RECORD_BYTES = 1 << 25
# Zero bytes behind a window, so that reading whole words never ends outside of it.
PADDING = 16
KNOWN_HEADERS = 1 << 16  # a bound for files of which every record has another length
# Where records are longer on average, looking at each byte takes longer than walking.
DENSE_BYTES = 400

Bounds = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """Records that lie one behind the other in memory, whole.

    Parameters
    ----------
    data : bytes
        Part of a file, with `PADDING` zero bytes behind it.
    offset : int
        Where ``data[0]`` lies in the file.
    starts, ends : np.ndarray [shape=(n,), int64]
        Of the records, in `data`.
    """

    data: bytes
    offset: int
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


@dataclass
class Scan:
    """The walk over one file's records, and what it passed over.

    A record's header has to be valid.  Its message is looked at only where
    something invalid follows: then the record may have been cut off by a kill
    and others appended to it, which are found inside of it.

    Parameters
    ----------
    file : binary file
        Open and seekable.

    Attributes
    ----------
    gaps : int
        How often there was no header where one had to be, and one later on.
    gap_bytes : int
        Length of these gaps.
    tail_bytes : int
        Bytes behind the last whole record.
    oversized : int
        Records beyond `MAX_RECORD_BYTES`, passed over unread.
    """

    file: BinaryIO
    gaps: int = 0
    gap_bytes: int = 0
    tail_bytes: int = 0
    oversized: int = 0

    def __post_init__(self) -> None:
        self._size = self.file.seek(0, 2)
        self._sizes: dict[bytes, int] = {}  # of records, by header
        self._dense = True
        self._reach = WINDOW_BYTES  # of the next window

    def windows(self) -> Iterator[Window]:
        """Yield the file's whole records in order, each once."""
        carried, offset, wanted = b"", 0, WINDOW_BYTES
        while offset < self._size:
            gaps = self.gaps
            fresh = self._read(offset + len(carried), wanted)
            data = b"".join((carried, fresh, bytes(PADDING)))
            end = len(carried) + len(fresh)
            bounds = self._walk(data, end)
            bounds, following, wanted = self._judge(data, end, offset, bounds)
            if len(bounds) > 1:
                self._dense = bounds[-1] < DENSE_BYTES * len(bounds)
                yield Window(data, offset, bounds[:-1], bounds[1:])
            # Behind a gap it is read again, so that many gaps do not pile up what lies behind them.
            carried = data[max(0, following - offset) : end] if self.gaps == gaps else b""
            offset = following

    def _read(self, offset: int, count: int) -> bytes:
        self.file.seek(offset)
        data = self.file.read(max(0, min(count, self._size - offset)))
        if not data:  # the end, or someone has made the file shorter
            self._size = min(self._size, offset)
        return data

    def _walk(self, data: bytes, end: int) -> Bounds:
        """Follow the lengths; return where whole records begin, and where the last one ends."""
        found = small_records(data) if self._dense else np.zeros(1, np.int64)
        place, last = int(found[-1]), end - HEADER_BYTES
        others: list[int] = []
        sizes, append = self._sizes, others.append
        while place <= last:
            try:
                while place <= last:
                    # Few lengths differ, so looking up a header parses and checks it at once.
                    place += sizes[data[place : place + HEADER_BYTES]]
                    append(place)
            except KeyError:
                if not self._learn(data[place : place + HEADER_BYTES]):
                    break
        bounds = np.concatenate([found, np.array(others, np.int64)])
        return bounds[:-1] if bounds[-1] > end else bounds

    def _learn(self, header: bytes) -> bool:
        size = record_size(header)
        if size is None:
            return False
        if len(self._sizes) >= KNOWN_HEADERS:
            self._sizes.clear()
        self._sizes[header] = size
        return True

    def _judge(self, data: bytes, end: int, offset: int, bounds: Bounds) -> tuple[Bounds, int, int]:
        """Decide how to go on where the walk has ended.

        Returns
        -------
        bounds : np.ndarray
            As given, or without a last record that turns out to be cut off.
        offset, count : int
            Where in the file to go on, and how much to read.
        """
        self._reach = min(2 * self._reach, WINDOW_BYTES)
        stop = int(bounds[-1])
        header = data[stop : min(stop + HEADER_BYTES, end)]
        size = record_size(header) if len(header) == HEADER_BYTES else None
        if size is not None and offset + stop + size <= self._size:
            if size > MAX_RECORD_BYTES:
                self.oversized += 1
                return bounds, offset + stop + size, self._reach
            return bounds, offset + stop, max(self._reach, size)
        final = offset + end >= self._size
        if final and not header:
            return bounds, self._size, 0
        if len(bounds) > 1 and not is_intact(data, int(bounds[-2]), stop):
            bounds = bounds[:-1]
        stop = int(bounds[-1])
        if final or len(header) == HEADER_BYTES:
            following = self._resynchronise(offset + stop)
            return bounds, following, self._reach
        return bounds, offset + stop, self._reach  # what follows is still to be seen

    def _resynchronise(self, lost_from: int) -> int:
        """Return the offset of the next header whose record fits into the file."""
        self._reach = count = min(CAUTIOUS_BYTES, WINDOW_BYTES)
        place = lost_from + 1
        while data := self._read(place, count):
            found = next_header(data)
            while found is not None:
                size = record_size(data[found : found + HEADER_BYTES]) or 0
                if place + found + size <= self._size:
                    self.gaps += 1
                    self.gap_bytes += place + found - lost_from
                    return place + found
                found = next_header(data, found + 1)
            place += max(1, len(data) - HEADER_BYTES + 1)
            count = min(2 * count, WINDOW_BYTES)
        self.tail_bytes = self._size - lost_from
        return self._size
