"""Protobuf's wire format: where the fields of a message lie.

Source: developers.google.com/protocol-buffers, "Encoding".  The messages have been
parsed by protobuf before, so that their lengths are known to be right.
"""

from collections.abc import Sequence
from typing import NamedTuple

__all__ = [
    "BYTES",
    "FIXED32",
    "FIXED64",
    "NOWHERE",
    "VARINT",
    "Field",
    "IrregularError",
    "fields",
    "payload",
]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
NOWHERE = slice(0, 0)


class IrregularError(Exception):
    """A message holds other fields than expected, or one of them twice."""


class Field(NamedTuple):
    """One field of a protobuf message."""

    number: int
    wire: int
    payload: slice


def fields(
    message: bytes, span: slice, expected: set[int], *, repeated: bool = False
) -> list[Field]:
    """List a message's fields, which have to be among the expected ones, each at most once."""
    found: list[Field] = []
    place = span.start
    while place < span.stop:
        key, place = _varint(message, place)
        start, end = _extent(message, key & 7, place)
        found.append(Field(key >> 3, key & 7, slice(start, end)))
        place = end
    numbers = [field.number for field in found]
    if set(numbers) - expected or (not repeated and len(set(numbers)) < len(numbers)):
        raise IrregularError
    return found


def _extent(message: bytes, wire: int, place: int) -> tuple[int, int]:
    if wire == VARINT:
        return place, _varint(message, place)[1]
    if wire == BYTES:
        length, place = _varint(message, place)
        return place, place + length
    if wire in (FIXED32, FIXED64):
        return place, place + (4 if wire == FIXED32 else 8)
    raise IrregularError


def _varint(message: bytes, place: int) -> tuple[int, int]:
    number, shift = 0, 0
    while message[place] & 0x80:
        number |= (message[place] & 0x7F) << shift
        place, shift = place + 1, shift + 7
    return number | message[place] << shift, place + 1


def payload(among: Sequence[Field], number: int, wire: int) -> slice:
    """Return where a field's payload lies; `NOWHERE` if there is no such field."""
    for field in among:
        if field.number == number:
            if field.wire != wire:
                raise IrregularError
            return field.payload
    return NOWHERE
