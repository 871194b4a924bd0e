"""The CRC of records: of one message, and of many at once where they differ in few bytes.

It is CRC-32C, rotated and offset ("masked") so that a CRC over data that holds
CRCs stays meaningful (tensorflow/core/lib/hash/crc32c.h).  A CRC is affine over
GF(2): another byte changes it by an amount that depends on both bytes and on
their distance from the end, and on nothing else.  So the CRC of a message is
that of the same message with some bytes zeroed, XOR a table's entry for each of
these bytes.
"""

from collections.abc import Sequence
from functools import lru_cache

import google_crc32c
import numpy as np
import numpy.typing as npt

__all__ = ["masked_crc", "masked_crcs"]

MASK_DELTA = 0xA282EAD8
TABLES = 4096  # a table is 1 KiB


def masked_crc(data: bytes) -> int:
    """Return the masked CRC-32C of some bytes."""
    crc = int(google_crc32c.value(data))
    return (((crc >> 15) | (crc << 17)) + MASK_DELTA) & 0xFFFFFFFF


def masked_crcs(
    zeroed: npt.NDArray[np.uint32],
    rows: npt.NDArray[np.uint8],
    places: Sequence[int],
    size: int,
) -> npt.NDArray[np.uint32]:
    """Return the masked CRC-32C of each message.

    Parameters
    ----------
    zeroed : np.ndarray [shape=(n,), uint32]
        CRC-32C (not masked) of each message with the bytes at `places` zeroed.
    rows : np.ndarray [shape=(n, at least size), uint8]
        The messages, each from the row's beginning on.
    places : sequence of int
        Columns in which the messages are not zero.
    size : int
        Length of every message.
    """
    crc = zeroed.copy()
    for place in places:
        crc ^= _change(size - 1 - place)[rows[:, place]]
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(MASK_DELTA)


@lru_cache(maxsize=TABLES)
def _change(distance: int) -> npt.NDArray[np.uint32]:
    """Return by how much each byte, so far from the end, changes the CRC if it replaces zero."""
    behind = bytes(distance)
    zero = google_crc32c.value(b"\0" + behind)
    crcs = [google_crc32c.value(bytes([byte]) + behind) ^ zero for byte in range(256)]
    return np.array(crcs, dtype=np.uint32)
