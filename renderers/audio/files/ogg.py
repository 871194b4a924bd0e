"""Ogg files with equal bytes for equal sounds: libogg draws a stream's number at random."""

import struct
import zlib
from pathlib import Path

__all__ = ["fix_serial"]

OGG_SERIAL = b"Ears"  # any number will do where a file holds one stream


def fix_serial(path: Path) -> None:
    """Give the stream in an Ogg file the number `OGG_SERIAL`; libogg's is random.

    Source: RFC 3533, section 6.  A page is 27 bytes (14–17 serial number, 22–25
    checksum, 26 number of segments), the segments' lengths, and the segments.
    """
    with path.open("r+b") as file:
        place = 0
        while header := file.read(27):
            lengths = file.read(header[26])
            page = bytearray(header + lengths + file.read(sum(lengths)))
            page[14:18] = OGG_SERIAL
            page[22:26] = bytes(4)
            page[22:26] = struct.pack("<I", _ogg_crc(page))
            file.seek(place)
            file.write(page)
            place += len(page)


def _ogg_crc(page: bytes | bytearray) -> int:
    """Compute an Ogg page's checksum: zlib's polynomial, the bits the other way round.

    zlib begins with ones and inverts the result; Ogg does neither.
    """
    mirrored = zlib.crc32(page.translate(_MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
