"""The least that reading event files with their CRCs can cost, in two ways.

`scan` finds all points in machine code (numba) in bytes that are mapped, not
copied, and takes the CRC-32C by tables, eight bytes at a time.  `read` finds
nothing: it reads the files and lets google-crc32c, which uses the processor's
own instruction, run over them once.
"""

import mmap
from pathlib import Path

import google_crc32c
import numpy as np
from numba import njit

from benchmarks.framing import FOOTER_BYTES, HEADER_BYTES, MASK_DELTA

__all__ = ["read", "scan"]

POLYNOMIAL = 0x82F63B78  # CRC-32C, reflected
POINT_BYTES = 7  # at least, key and length of the value included
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types

# A field's key is its number and wire type; tensorboard/compat/proto/{event,summary}.proto
WALL_TIME, STEP, SUMMARY = 1 << 3 | FIXED64, 2 << 3 | VARINT, 5 << 3 | BYTES
VALUE = 1 << 3 | BYTES
SIMPLE_VALUE = 2 << 3 | FIXED32


def scan(files: list[Path]) -> int:
    """Read step, wall time and value of every simple value and return how many there are."""
    points = 0
    for path in files:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        data = np.frombuffer(mapped, np.uint8)
        most = len(data) // POINT_BYTES
        steps, times = np.empty(most, np.int64), np.empty(most, np.uint64)
        values = np.empty(most, np.uint32)
        found = _scan(data, TABLES, steps, times, values)
        if found < 0:
            raise ValueError(f"{path}: a CRC is wrong, so it is no file to measure with")
        points += found
    return points


def read(files: list[Path]) -> int:
    """Read all bytes and return their CRC-32C, file by file XORed."""
    crc = 0
    for path in files:
        crc ^= google_crc32c.value(path.read_bytes())
    return crc


def _tables() -> np.ndarray:
    """Return what each byte, followed by 0…7 zeros, is as a CRC: shape (8, 256)."""
    tables = np.zeros((8, 256), np.uint32)
    tables[0] = np.arange(256)
    for _ in range(8):
        tables[0] = (tables[0] >> 1) ^ np.where(tables[0] & 1, np.uint32(POLYNOMIAL), 0)
    for zeros in range(1, 8):
        tables[zeros] = (tables[zeros - 1] >> 8) ^ tables[0][tables[zeros - 1] & 255]
    return tables


TABLES = _tables()


@njit(cache=True)
def _masked_crc(data, start, end, tables):
    crc = np.uint32(0xFFFFFFFF)
    place = start
    while place + 8 <= end:
        low = crc ^ _uint32(data, place)
        high = _uint32(data, place + 4)
        crc = (
            tables[7, low & 255]
            ^ tables[6, (low >> 8) & 255]
            ^ tables[5, (low >> 16) & 255]
            ^ tables[4, low >> 24]
            ^ tables[3, high & 255]
            ^ tables[2, (high >> 8) & 255]
            ^ tables[1, (high >> 16) & 255]
            ^ tables[0, high >> 24]
        )
        place += 8
    for rest in range(place, end):
        crc = tables[0, (crc ^ data[rest]) & 255] ^ (crc >> np.uint32(8))
    crc = np.uint32(~crc)  # numba computes in 64 bits
    return np.uint32((crc >> 15 | crc << 17) + MASK_DELTA)


@njit(cache=True)
def _uint32(data, place):
    return (
        np.uint32(data[place])
        | np.uint32(data[place + 1]) << np.uint32(8)
        | np.uint32(data[place + 2]) << np.uint32(16)
        | np.uint32(data[place + 3]) << np.uint32(24)
    )


@njit(cache=True)
def _uint64(data, place):
    return np.uint64(_uint32(data, place)) | np.uint64(_uint32(data, place + 4)) << np.uint64(32)


@njit(cache=True)
def _varint(data, place):
    value, shift = np.int64(0), 0
    while data[place] > 127:
        value |= np.int64(data[place] & 127) << shift
        place, shift = place + 1, shift + 7
    return value | np.int64(data[place]) << shift, place + 1


@njit(cache=True)
def _behind(data, place, key):
    """Return where the field ends of which the content begins at `place`."""
    if key & 7 == BYTES:
        length, place = _varint(data, place)
        return place + length
    if key & 7 == VARINT:
        return _varint(data, place)[1]
    return place + (8 if key & 7 == FIXED64 else 4)


@njit(cache=True)
def _scan(data, tables, steps, times, values):
    """Fill the columns and return their length; -1 if a CRC is wrong."""
    start, found = 0, 0
    while start < len(data):
        begin = start + HEADER_BYTES
        end = begin + np.int64(_uint64(data, start))
        if _uint32(data, start + 8) != _masked_crc(data, start, start + 8, tables):
            return -1
        if _uint32(data, end) != _masked_crc(data, begin, end, tables):
            return -1
        found = _event(data, begin, end, steps, times, values, found)
        start = end + FOOTER_BYTES
    return found


@njit(cache=True)
def _event(data, place, end, steps, times, values, found):
    step, time, first = np.int64(0), np.uint64(0), found
    while place < end:
        key, place = data[place], place + 1
        if key == SUMMARY:
            length, place = _varint(data, place)
            found = _summary(data, place, place + length, values, found)
            place += length
            continue
        if key == WALL_TIME:
            time = _uint64(data, place)
        elif key == STEP:
            step = _varint(data, place)[0]
        place = _behind(data, place, key)
    for point in range(first, found):
        steps[point], times[point] = step, time
    return found


@njit(cache=True)
def _summary(data, place, end, values, found):
    while place < end:
        key, place = data[place], place + 1
        stop = _behind(data, place, key)
        if key == VALUE:
            place = _varint(data, place)[1]
            while place < stop:
                key, place = data[place], place + 1
                if key == SIMPLE_VALUE:
                    values[found] = _uint32(data, place)
                    found += 1
                place = _behind(data, place, key)
        place = stop
    return found
