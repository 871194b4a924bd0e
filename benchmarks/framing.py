"""Messages to records of an event file: TFRecord framing, written apart from Epochord's own.

Format: tensorflow/core/lib/io/record_writer.h; the CRCs are CRC-32C, "masked".
"""

import struct

import google_crc32c

__all__ = ["FOOTER_BYTES", "HEADER_BYTES", "MASK_DELTA", "framed", "header"]

HEADER_BYTES = 12  # uint64 length, uint32 CRC of the length
FOOTER_BYTES = 4  # uint32 CRC of the message
MASK_DELTA = 0xA282EAD8  # tensorflow/core/lib/hash/crc32c.h


def framed(message: bytes) -> bytes:
    """Return a message as one record."""
    return b"".join((header(len(message)), message, _crc(message)))


def header(length: int) -> bytes:
    """Return what a record of that length begins with."""
    packed = struct.pack("<Q", length)
    return packed + _crc(packed)


def _crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    masked = ((crc >> 15) | (crc << 17)) + MASK_DELTA
    return struct.pack("<I", masked & 0xFFFFFFFF)
