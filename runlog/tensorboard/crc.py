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

__all__ = ["crc_changes", "masked_crc", "masked_crcs"]

MASK_DELTA = 0xA282EAD8
TABLES = 4096  # a table is 1 KiB


def masked_crc(data: bytes) -> int:
    """Return the masked CRC-32C of some bytes."""
    crc = int(google_crc32c.value(data))
    return (((crc >> 15) | (crc << 17)) + MASK_DELTA) & 0xFFFFFFFF


def masked_crcs(
    zeroed: npt.NDArray[np.uint32], columns: npt.NDArray[np.uint8], changes: npt.NDArray[np.uint32]
) -> npt.NDArray[np.uint32]:
    """Return the masked CRC-32C of each message.

    Parameters
    ----------
    zeroed : np.ndarray [shape=(n,), uint32]
        CRC-32C (not masked) of each message with some bytes zeroed.
    columns : np.ndarray [shape=(bytes, n), uint8]
        What these bytes are in each message.
    changes : np.ndarray [shape=(bytes, 256), uint32]
        See `crc_changes`.
    """
    entries = columns.astype(np.intp)
    entries += np.arange(0, changes.size, 256)[:, None]
    change: npt.NDArray[np.uint32] = np.bitwise_xor.reduce(changes.ravel().take(entries), axis=0)
    crc = zeroed ^ change
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(MASK_DELTA)


def crc_changes(places: Sequence[int], size: int) -> npt.NDArray[np.uint32]:
    """Return by how much each byte at some places changes the CRC if it replaces zero.

    Parameters
    ----------
    places : sequence of int
        In messages of `size` bytes.

    Returns
    -------
    np.ndarray [shape=(places, 256), uint32]
    """
    changes = np.zeros((len(places), 256), np.uint32)
    for row, place in zip(changes, places, strict=True):
        row[:] = _change(size - 1 - place)
    return changes


@lru_cache(maxsize=TABLES)
def _change(distance: int) -> npt.NDArray[np.uint32]:
    """Return by how much each byte, so far from the end, changes the CRC if it replaces zero."""
    behind = bytes(distance)
    zero = google_crc32c.value(b"\0" + behind)
    crcs = [google_crc32c.value(bytes([byte]) + behind) ^ zero for byte in range(256)]
    return np.array(crcs, dtype=np.uint32)
