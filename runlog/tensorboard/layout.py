"""Where the numbers lie in an event's bytes, and reading them from many events at once.

Most records of a log are scalars, and events with equally long tags and steps
differ in nothing but a few bytes at the same places: wall time, step, tag and
value.  A `Layout` knows these places from one event.  It then reads any number
of events of the same length together, provided that all their other bytes are
those of the first, and that their CRC is right.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import google_crc32c
import numpy as np
import numpy.typing as npt

from epochord.runlog.tensorboard.crc import crc_changes, masked_crcs
from epochord.runlog.tensorboard.headers import FOOTER_BYTES
from epochord.runlog.tensorboard.messages import Event
from epochord.runlog.tensorboard.wire import (
    BYTES,
    FIXED32,
    FIXED64,
    NOWHERE,
    VARINT,
    IrregularError,
    fields,
    payload,
)

__all__ = ["Columns", "Layout", "Slot", "row_bytes"]

WORD = 8  # bytes are compared eight at a time

# Field numbers: tensorboard/compat/proto/{event,summary,tensor}.proto
WALL_TIME, STEP, SUMMARY = 1, 2, 5
VALUE = 1
TAG, SIMPLE_VALUE, NODE_NAME, TENSOR, METADATA = 1, 2, 7, 8, 9
DTYPE, SHAPE, VERSION, CONTENT, FLOATS, DOUBLES = 1, 2, 3, 4, 5, 6

# tensorboard/compat/proto/types.proto
DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}
# What the fields that are read here can hold; other types are rare.
NUMBERS = {CONTENT: tuple(DTYPES.values()), FLOATS: ("<f4",), DOUBLES: ("<f8",)}
WIRES = {CONTENT: (BYTES,), FLOATS: (BYTES, FIXED32), DOUBLES: (BYTES, FIXED64)}


# 2⁶⁴ over the golden ratio: its multiples spread over all bits (Knuth, TAOCP 3, section 6.4).
GOLDEN_RATIO = np.uint64(0x9E3779B97F4A7C15)

Rows = npt.NDArray[np.uint8]


class Slot(NamedTuple):
    """One value of an event: where its tag and its number lie, and what it is.

    `plugin` is None where the event does not say; `dtype` is that of the number.
    """

    tag: slice
    number: slice
    dtype: str
    is_tensor: bool
    plugin: str | None


class Columns(NamedTuple):
    """What a layout has read, an entry an event, except for `taken` and `tags`.

    Parameters
    ----------
    taken : np.ndarray [shape=(rows,), bool]
        Which of the rows that it was given are events of this layout.
    tags : list of tuple of str
        Tags of an event, one a slot; `label` counts this list.
    label : np.ndarray [shape=(n,), int]
        Which of `tags` each event has.
    steps, wall_times : np.ndarray [shape=(n,)]
        int64; float64, in seconds.
    values : list of np.ndarray [shape=(n,)]
        One a slot.
    """

    taken: npt.NDArray[np.bool_]
    tags: list[tuple[str, ...]]
    label: npt.NDArray[np.intp]
    steps: npt.NDArray[np.int64]
    wall_times: npt.NDArray[np.float64]
    values: list[npt.NDArray[Any]]


def row_bytes(size: int) -> int:
    """Return how wide a row has to be for a message of this size: with its CRC, whole words."""
    return -(-(size + FOOTER_BYTES) // WORD) * WORD


@dataclass(frozen=True)
class Layout:
    """The places of the numbers in events that look like one example.

    Parameters
    ----------
    message : bytes
        The example.
    wall_time, step : slice
        Empty where the event has none, which means 0.
    slots : tuple of Slot
        Its values.
    """

    message: bytes
    wall_time: slice
    step: slice
    slots: tuple[Slot, ...]

    @classmethod
    def of(cls, message: bytes) -> "Layout":
        """Find the places in an event.

        Raises
        ------
        IrregularError
            If it holds anything but scalars, or says something twice.
        google.protobuf.message.DecodeError
            If it is no event.
        """
        event = Event.FromString(message)
        outer = fields(message, slice(0, len(message)), {WALL_TIME, STEP, SUMMARY})
        summary = payload(outer, SUMMARY, BYTES)
        values = fields(message, summary, {VALUE}, repeated=True)
        if not values or any(field.wire != BYTES for field in values):
            raise IrregularError
        slots = tuple(
            _slot(message, field.payload, value)
            for field, value in zip(values, event.summary.value, strict=True)
        )
        wall_time = payload(outer, WALL_TIME, FIXED64)
        return cls(message, wall_time, payload(outer, STEP, VARINT), slots)

    def read(self, rows: Rows) -> Columns:
        """Read the events that have this layout.

        Parameters
        ----------
        rows : np.ndarray [shape=(rows, row_bytes(size)), uint8]
            Messages of this layout's size with the CRC behind each.
        """
        if self._all_have_the_tags_of_the_example(rows):
            taken, candidates = np.ones(len(rows), bool), rows
            named, label = [self._own_tags], np.zeros(len(rows), np.intp)
            sound = self._has_right_crc(rows, self._own_crc)
        else:
            taken = self._matches(rows)
            candidates = rows if taken.all() else rows[taken]
            examples, label = self._labels(candidates)
            named = [self._tags(row) for row in candidates[examples]]
            known = np.array([tags is not None for tags in named], dtype=bool)
            crcs = self._zeroed_crcs(candidates[examples])
            sound = self._has_right_crc(candidates, crcs[label]) & known[label]
        chosen = candidates
        if not sound.all():
            chosen, label = candidates[sound], label[sound]
            taken[taken] = sound
        return Columns(
            taken,
            [tags or () for tags in named],
            label,
            _varints(chosen[:, self.step]),
            _numbers(chosen, self.wall_time, "<f8"),
            [_numbers(chosen, slot.number, slot.dtype) for slot in self.slots],
        )

    @cached_property
    def _fixed(self) -> npt.NDArray[np.uint64]:
        """Mask of the bits in which all events of this layout agree."""
        mask = np.zeros(row_bytes(len(self.message)), np.uint8)
        mask[: len(self.message)] = 0xFF
        for place in self._varying:
            mask[place] = 0
        mask[self.step] = 0x80  # whether a byte is the last one of its number
        return mask.view(np.uint64)

    @cached_property
    def _of_tags(self) -> npt.NDArray[np.uint64]:
        """Mask of the tags."""
        mask = np.zeros(row_bytes(len(self.message)), np.uint8)
        for slot in self.slots:
            mask[slot.tag] = 0xFF
        return mask.view(np.uint64)

    @property
    def _varying(self) -> list[slice]:
        numbers = [self.wall_time, self.step, *(slot.number for slot in self.slots)]
        return numbers + [slot.tag for slot in self.slots]

    @cached_property
    def _number_places(self) -> list[int]:
        numbers = [self.wall_time, self.step, *(slot.number for slot in self.slots)]
        return [place for number in numbers for place in range(number.start, number.stop)]

    @cached_property
    def _crc_changes(self) -> npt.NDArray[np.uint32]:
        return crc_changes(self._number_places, len(self.message))

    @cached_property
    def _example(self) -> npt.NDArray[np.uint64]:
        """The example as words, without what varies."""
        example: npt.NDArray[np.uint64] = self._as_row.view(np.uint64)[0] & self._fixed
        return example

    def _matches(self, rows: Rows) -> npt.NDArray[np.bool_]:
        alike = np.equal(rows.view(np.uint64) & self._fixed, self._example)
        every: npt.NDArray[np.bool_] = np.all(alike, axis=1)
        return every

    def _labels(self, rows: Rows) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return a row for each combination of tags, and which of these each row has."""
        # Two combinations with one hash would show: the CRC is that of the first one's tags.
        hashes = (rows.view(np.uint64) & self._of_tags) @ self._multipliers
        if (hashes == hashes[:1]).all():
            return np.zeros(min(1, len(rows)), np.intp), np.zeros(len(rows), np.intp)
        _, examples, label = np.unique(hashes, return_index=True, return_inverse=True)
        return examples, label

    @cached_property
    def _multipliers(self) -> npt.NDArray[np.uint64]:
        """Odd numbers, one a word: equal tags in other places give other hashes."""
        odd = np.arange(1, 2 * len(self._fixed), 2).astype(np.uint64)
        return odd * GOLDEN_RATIO

    def _tags(self, row: Rows) -> tuple[str, ...] | None:
        try:
            return tuple(row[slot.tag].tobytes().decode() for slot in self.slots)
        except UnicodeDecodeError:
            return None

    def _zeroed_crcs(self, rows: Rows) -> npt.NDArray[np.uint32]:
        """Return the CRC of each message with its numbers zeroed, so with its tags only."""
        zeroed = rows[:, : len(self.message)].copy()
        zeroed[:, self._number_places] = 0
        return np.array([google_crc32c.value(row.tobytes()) for row in zeroed], np.uint32)

    def _has_right_crc(self, rows: Rows, zeroed: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
        size = len(self.message)
        stored = _numbers(rows, slice(size, size + FOOTER_BYTES), "<u4")
        computed = masked_crcs(zeroed, rows.T[self._number_places], self._crc_changes)
        right: npt.NDArray[np.bool_] = stored == computed
        return right

    # Where each tag has a length of its own, all rows have the example's tags.

    def _all_have_the_tags_of_the_example(self, rows: Rows) -> bool:
        words, (mask, expected) = rows.view(np.uint64), self._with_tags
        # The first row alone tells most of the others.
        if self._own_tags is None or ((words[0] & mask) != expected).any():
            return False
        return bool(np.equal(words & mask, expected).all())

    @cached_property
    def _with_tags(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        mask = self._fixed | self._of_tags
        return mask, self._as_row.view(np.uint64)[0] & mask

    @cached_property
    def _own_tags(self) -> tuple[str, ...] | None:
        return self._tags(self._as_row[0])

    @cached_property
    def _own_crc(self) -> npt.NDArray[np.uint32]:
        return self._zeroed_crcs(self._as_row)

    @cached_property
    def _as_row(self) -> Rows:
        row = np.zeros((1, row_bytes(len(self.message))), np.uint8)
        row[0, : len(self.message)] = np.frombuffer(self.message, np.uint8)
        return row


def _numbers(rows: Rows, place: slice, dtype: str) -> npt.NDArray[Any]:
    if place.start == place.stop:
        return np.zeros(len(rows), dtype)
    return np.ascontiguousarray(rows[:, place]).view(dtype)[:, 0]


def _varints(columns: Rows) -> npt.NDArray[np.int64]:
    """Decode one varint a row; all have as many bytes as there are columns."""
    number = np.zeros(len(columns), np.uint64)
    for place in range(columns.shape[1]):
        number |= (columns[:, place] & np.uint8(0x7F)).astype(np.uint64) << np.uint64(7 * place)
    return number.view(np.int64)


def _slot(message: bytes, span: slice, value: Any) -> Slot:
    parts = fields(message, span, {TAG, SIMPLE_VALUE, NODE_NAME, TENSOR, METADATA})
    tag = payload(parts, TAG, BYTES)
    simple = payload(parts, SIMPLE_VALUE, FIXED32)
    tensor = payload(parts, TENSOR, BYTES)
    if (simple == NOWHERE) == (tensor == NOWHERE):
        raise IrregularError
    plugin = value.metadata.plugin_data.plugin_name if value.HasField("metadata") else None
    if tensor == NOWHERE:
        return Slot(tag, simple, "<f4", False, plugin)
    number, dtype = _only_number(message, tensor, value.tensor)
    return Slot(tag, number, dtype, True, plugin)


def _only_number(message: bytes, span: slice, tensor: Any) -> tuple[slice, str]:
    """Return where a tensor's only number lies, and its type."""
    parts = fields(message, span, {DTYPE, SHAPE, VERSION, *NUMBERS})
    dtype = DTYPES.get(tensor.dtype, "")
    numbers = [part for part in parts if part.number in NUMBERS]
    if len(numbers) != 1 or [dim.size for dim in tensor.tensor_shape.dim] not in ([], [1]):
        raise IrregularError
    kind, wire, place = numbers[0]
    if wire not in WIRES[kind]:
        raise IrregularError
    if dtype not in NUMBERS[kind] or np.dtype(dtype).itemsize != _length(place):
        raise IrregularError
    return place, dtype


def _length(place: slice) -> int:
    return int(place.stop - place.start)
