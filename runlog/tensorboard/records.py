"""Event files: their names, and their TFRecord framing (length, CRC, message, CRC).

Format: tensorflow/core/lib/io/record_writer.h; both CRCs are CRC-32C, rotated
and offset ("masked") so that a CRC over data that holds CRCs stays meaningful.
"""

import re
import struct
from pathlib import Path

import google_crc32c

__all__ = ["FOOTER_BYTES", "HEADER_BYTES", "frame", "masked_crc", "order"]

HEADER_BYTES = 12  # uint64 length, uint32 CRC of the length
FOOTER_BYTES = 4  # uint32 CRC of the message

_MASK_DELTA = 0xA282EAD8


def masked_crc(data: bytes) -> int:
    """Return the masked CRC-32C of some bytes."""
    crc = int(google_crc32c.value(data))
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def frame(message: bytes) -> bytes:
    """Wrap a message into one record."""
    length = struct.pack("<Q", len(message))
    header = length + struct.pack("<I", masked_crc(length))
    return header + message + struct.pack("<I", masked_crc(message))


def order(path: Path) -> tuple[int, ...]:
    """Return what event files of one run are sorted by: time stamp, then pid and counter.

    Parameters
    ----------
    path : Path
        Named ``events.out.tfevents.<time stamp>.<host>.<pid>.<counter>``, or
        in part so.

    Returns
    -------
    tuple of int
        The time stamp first, 0 if the name has none.
    """
    behind = path.name.partition("tfevents")[2]
    stamp = re.match(r"\.(\d+)", behind)
    numbers = re.findall(r"\.(\d+)(?=\.|$)", behind)
    return (int(stamp[1]) if stamp else 0, *map(int, numbers[1:]))
