"""Record headers: a length and its CRC, checked one by one or found all at once."""

import struct
from functools import cache

import google_crc32c
import numpy as np
import numpy.typing as npt

from epochord.runlog.tensorboard.crc import crc_changes, masked_crc, masked_crcs

__all__ = [
    "FOOTER_BYTES",
    "FRAME_BYTES",
    "HEADER_BYTES",
    "frame",
    "is_intact",
    "next_header",
    "record_size",
    "small_records",
]

HEADER_BYTES = 12  # uint64 length, uint32 CRC of the length
FOOTER_BYTES = 4  # uint32 CRC of the message
FRAME_BYTES = HEADER_BYTES + FOOTER_BYTES
LENGTH_BYTES = 8
MAX_LENGTH = 1 << 60  # bytes; no file holds more, and places in it are to fit into 64 bits

SMALL = 1 << 16


def frame(message: bytes) -> bytes:
    """Wrap a message into one record."""
    length = struct.pack("<Q", len(message))
    header = length + struct.pack("<I", masked_crc(length))
    return header + message + struct.pack("<I", masked_crc(message))


def record_size(header: bytes) -> int | None:
    """Return how long the record with this header is, or None if the header is none."""
    length, crc = struct.unpack("<QI", header)
    if length > MAX_LENGTH or crc != masked_crc(header[:LENGTH_BYTES]):
        return None
    return int(length) + FRAME_BYTES


def is_intact(data: bytes, start: int, end: int) -> bool:
    """Tell whether the message of the record at ``data[start:end]`` has the right CRC."""
    stored = int.from_bytes(data[end - FOOTER_BYTES : end], "little")
    return stored == masked_crc(data[start + HEADER_BYTES : end - FOOTER_BYTES])


def next_header(data: bytes, start: int = 0) -> int | None:
    """Find the first record header from `start` on: a length from 1 to 2³² - 1 with its CRC."""
    view = np.frombuffer(data, np.uint8)[start:]
    places = len(view) - HEADER_BYTES + 1
    if places <= 0:
        return None
    column = [view[byte : byte + places] for byte in range(LENGTH_BYTES)]
    # The upper half of a plausible length is zero, its lower half is not.
    high = column[4] | column[5] | column[6] | column[7]
    low = column[0] | column[1] | column[2] | column[3]
    for place in np.flatnonzero((high == 0) & (low != 0)).tolist():
        if record_size(data[start + place : start + place + HEADER_BYTES]) is not None:
            return start + place
    return None


def small_records(data: bytes) -> npt.NDArray[np.int64]:
    """Find records shorter than 64 KiB, as far as one follows the other.

    Parameters
    ----------
    data : bytes
        Where a record begins.

    Returns
    -------
    np.ndarray [shape=(n + 1,), int64]
        Where each of n records begins, and where the last one ends, which may
        be outside of `data`; n is 0 if something else lies at the beginning.
    """
    view = np.frombuffer(data, np.uint8)
    places = max(0, len(view) - HEADER_BYTES + 1)
    # A short length leaves six of its eight bytes zero, which little else does.
    used = view[2 : 2 + places] | view[3 : 3 + places]
    for byte in range(4, LENGTH_BYTES):
        used |= view[byte : byte + places]
    possible = used == 0
    if np.count_nonzero(possible) > len(view) // LENGTH_BYTES:
        return np.zeros(1, np.int64)  # these are zeros, not records, and too many to try
    starts = np.flatnonzero(possible)
    lengths = view[starts] + (view[starts + 1].astype(np.uint16) << np.uint16(8))
    stored = np.stack([view[starts + byte] for byte in range(8, 12)], axis=1).view("<u4")[:, 0]
    right = stored == _crcs_of_lengths()[lengths]
    starts = starts[right]
    ends = starts + lengths[right] + FRAME_BYTES
    follows = np.equal(starts, np.concatenate([[0], ends[:-1]]))
    count = len(starts) if follows.all() else int(np.argmin(follows))
    return np.concatenate([[0], ends[:count]])


@cache
def _crcs_of_lengths() -> npt.NDArray[np.uint32]:
    """Return the masked CRC of each length below 64 KiB, as it stands in a header."""
    low_bytes = np.arange(SMALL, dtype="<u2").view(np.uint8).reshape(SMALL, 2)
    zeroed = np.full(SMALL, google_crc32c.value(bytes(LENGTH_BYTES)), np.uint32)
    return masked_crcs(zeroed, low_bytes.T, crc_changes((0, 1), LENGTH_BYTES))
