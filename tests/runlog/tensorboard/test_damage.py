"""Files that were cut off, overwritten or zeroed: what is whole is read, what is not is counted."""

import struct
import time
import tracemalloc

import google_crc32c
import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event

from epochord.runlog import LogError, open_run
from epochord.runlog.tensorboard import candidates, read_event_files

FEW, MANY = 9, 400  # events that are read one by one, and all at once


@pytest.fixture
def lines(scalar, record):
    """Return so many records, with the version in front."""

    def make(count: int) -> list[bytes]:
        version = Event(wall_time=1.0, file_version="brain.Event:2")
        return [record(version)] + [record(scalar(step, step / 8)) for step in range(count)]

    return make


@pytest.fixture
def read(write, check):
    """Write bytes as an event file, read it, and check it against the oracle."""

    def contents(*parts: bytes):
        folder = write(*parts)
        found = read_event_files(candidates(folder))
        check(found, folder)
        return found

    return contents


def length_header(length: int) -> bytes:
    """Return a header as TensorFlow writes it."""
    size = struct.pack("<Q", length)
    crc = google_crc32c.value(size)
    return size + struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32)


def without(count: int, *missing: int) -> list[int]:
    return [step for step in range(count) if step not in missing]


@pytest.mark.parametrize("count", [FEW, MANY])
@pytest.mark.parametrize("place", [12, 20, 30, -5, -1])
def test_a_wrong_byte_in_a_message_or_its_crc_costs_its_record(lines, read, place, count):
    """In the first record, in one in the middle and in the last: three are counted."""
    parts = lines(count)
    for number in (1, 5, count):
        damaged = bytearray(parts[number])
        damaged[place] ^= 0x10
        parts[number] = bytes(damaged)
    found = read(*parts)
    assert found.series["loss"].steps.tolist() == without(count, 0, 4, count - 1)
    (report,) = found.files
    assert report.skipped == {"wrong CRC": 3}
    assert report.damage.endswith("host.1.0: not read: 3 × wrong CRC")


@pytest.mark.parametrize("count", [FEW, MANY])
@pytest.mark.parametrize("place", [0, 3, 7, 8, 11])
def test_behind_a_wrong_length_the_next_valid_one_is_found(lines, read, place, count):
    """Neither a length nor its CRC is believed alone; the gap is counted in bytes."""
    parts = lines(count)
    damaged = bytearray(parts[5])
    damaged[place] ^= 0x10
    found = read(*parts[:5], bytes(damaged), *parts[6:])
    assert found.series["loss"].steps.tolist() == without(count, 4)
    (report,) = found.files
    assert report.skipped == {"damaged length": 1}
    assert report.skipped_bytes == len(parts[5])
    assert report.damage.endswith(
        f"not read: 1 × damaged length, {len(parts[5])} bytes between records"
    )


@pytest.mark.parametrize("size", [1, 11, 12, 16, 4096, 300_000])
def test_a_hole_of_zeros_is_passed_over(lines, read, size):
    """A disk that lost a block."""
    parts = lines(FEW)
    found = read(*parts[:5], bytes(size), *parts[5:])
    assert found.series["loss"].steps.tolist() == list(range(FEW))
    assert found.files[0].skipped_bytes == size


def test_a_block_of_zeros_costs_the_records_that_it_covers(lines, read):
    """It begins and ends within a record."""
    parts = lines(MANY)
    begins = np.cumsum([0, *(len(part) for part in parts)])[1:-1]  # of each step's record
    data = bytearray(b"".join(parts))
    zeros = slice(int(begins[100]) + 20, int(begins[112]) + 20)
    data[zeros] = bytes(zeros.stop - zeros.start)
    found = read(bytes(data))
    assert found.series["loss"].steps.tolist() == without(MANY, *range(100, 113))
    assert found.files[0].skipped_bytes == begins[113] - begins[100]


@pytest.mark.parametrize("size", [1, 5, 11, 12, 16, 4096])
@pytest.mark.parametrize("fill", [0x00, 0xFF, 0x20])
def test_a_tail_of_anything_is_counted(lines, read, size, fill):
    """Preallocated blocks, mostly of zeros."""
    found = read(*lines(FEW), bytes([fill]) * size)
    assert found.series["loss"].steps.tolist() == list(range(FEW))
    assert found.files[0].tail_bytes == size
    assert found.files[0].damage.endswith(f"not read: {size} bytes behind the last whole record")


def test_a_file_cut_anywhere_keeps_its_whole_records(small_bytes, read):
    """Every length that a killed process can leave."""
    for length in range(len(small_bytes)):
        found = read(small_bytes[:length])
        (report,) = found.files
        assert bool(report.problem) == (report.records == 0 and length > 0)


def test_a_file_cut_in_its_first_record_is_no_run(small_bytes, write):
    """The message says how little there is."""
    with pytest.raises(LogError, match=r"is no event file \(7 bytes, less than one record\)"):
        open_run(write(small_bytes[:7]))
    with pytest.raises(LogError, match=r"is no event file \(no record with a valid length"):
        open_run(write(small_bytes[:30]))


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_broken_message_with_a_right_crc_costs_its_record(lines, record, read, count):
    """A faulty writer: what it wrote is as it was, but no event."""
    parts = lines(count)
    broken = record(b"\x2a\xff\xff\xff")  # a summary that is longer than the message
    found = read(*parts[:5], broken, *parts[5:], broken)
    assert found.series["loss"].steps.tolist() == list(range(count))
    assert found.files[0].skipped == {"broken message": 2}
    assert found.files[0].damage.endswith("not read: 2 × broken message")


def test_many_equally_broken_messages_are_many(lines, record, read):
    """However many there are, none is an event, and they hide no event of their length."""
    parts = lines(200)[1:]
    size = len(parts[-1]) - 16
    broken = [b"\x0a" * size, b"\x2a\x02\x08\x01".ljust(size, b"\x13"), b"\xff" * size]
    found = read(*(record(message) for message in broken for _ in range(100)), *parts)
    assert found.series["loss"].steps.tolist() == list(range(200))
    assert found.files[0].skipped == {"broken message": 300}


def test_odd_fields_are_read_as_protobuf_reads_them(record, scalar, read):
    """Unknown ones, of a newer TensorBoard; known numbers with another wire type are unknown."""
    event = scalar(1, 2.0).SerializeToString()
    odd = [
        event + b"\xd8\x3e\x07",  # field 1003, a varint
        b"\x28\x05" + event,  # field 5 is the summary; here it is a varint
        in_summary(b"\x08\x15" + b"\x0a\x02\x0a\x00"),  # field 1 as a varint, and as it should be
        in_summary(b"\x08\x15"),
        in_summary(b"\x09" + b"\x15" * 8),
        in_summary(b"\x0a\x07" + b"\x0a\x01x\x10\x05\x12\x00"),  # simple value as varint, bytes
        in_summary(in_value(b"\x08\x01" + b"\x25abcd")),  # a tensor's bytes as four bytes
        in_summary(in_value(b"\x0d\x01abc" + b"\x2dabcd")),  # a tensor's type as four bytes
    ]
    found = read(*(record(message) for message in odd for _ in range(100)))
    assert len(found.series["loss"]) == 200


def in_value(tensor: bytes) -> bytes:
    return b"\x0a" + bytes([5 + len(tensor)]) + b"\x0a\x01x\x42" + bytes([len(tensor)]) + tensor


def in_summary(values: bytes) -> bytes:
    return b"\x10\x01\x2a" + bytes([len(values)]) + values  # at step 1


def test_a_record_cut_off_in_front_of_others_costs_only_itself(lines, read):
    """A killed writer's file is appended to: its last length reaches into what follows."""
    parts = lines(MANY)
    for cut in range(1, len(parts[5])):
        found = read(*parts[:5], parts[5][:cut], *parts[6:])
        assert found.series["loss"].steps.tolist() == without(MANY, 4)
        assert found.files[0].skipped_bytes == cut


def test_a_large_record_cut_off_hides_nothing_of_what_was_appended(lines, record, read):
    """A picture of 100 kB of which 50 bytes were written, and 5,000 bytes behind it."""
    picture = Event(step=3)
    picture.summary.value.add(tag="p").image.encoded_image_string = bytes(100_000)
    parts = lines(FEW)
    fragment = record(picture)[:50]
    found = read(*parts, fragment, *lines(100))
    assert found.series["loss"].steps.tolist() == [*range(FEW), *range(100)]
    assert found.files[0].skipped_bytes == 50


@pytest.mark.parametrize("length", [1 << 60, 2**64 - 1, 2**64 - 16, 1 << 33, 1 << 20])
def test_a_length_that_no_file_has_costs_its_header_and_no_memory(lines, write, check, length):
    """Its CRC is right; what follows is read."""
    parts = lines(MANY)
    folder = write(*parts[:5], length_header(length), *parts[5:])
    tracemalloc.start()
    found = read_event_files(candidates(folder))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 << 20
    assert found.series["loss"].steps.tolist() == list(range(MANY))
    assert found.files[0].skipped_bytes == 12
    check(found, folder)


@pytest.mark.parametrize("place", range(41, 400, 7))
def test_bytes_are_conserved(small_bytes, read, place):
    """Records, gaps and tail add up to the file."""
    spoilt = small_bytes[:place] + b"\x55" * 5 + small_bytes[place + 5 :]
    (whole,) = read(small_bytes).files
    (report,) = read(spoilt).files
    lost = whole.records - report.records
    sizes = report.skipped_bytes + report.tail_bytes
    if set(report.skipped) == {"wrong CRC"}:
        assert (sizes, lost) == (0, report.skipped["wrong CRC"])
    else:
        assert sizes > 0
        assert lost > 0


def test_a_file_full_of_damage_takes_little_longer_than_a_whole_one(scalar, record, write):
    """Work grows with the file, not with the number of its gaps times its size."""
    parts = [bytearray(record(scalar(step, 1.0))) for step in range(40_000)]
    for part in parts[::10]:
        part[9] ^= 0xFF
    folder = write(b"".join(parts))
    start = time.process_time()
    found = read_event_files(candidates(folder))
    assert time.process_time() - start < 15  # s; it is about one, and would be minutes
    assert found.series["loss"].steps.tolist() == [n for n in range(40_000) if n % 10]
    assert found.files[0].skipped == {"damaged length": 4000}


def test_nothing_but_damage_is_an_error_that_says_so(scalar, record, write):
    """All records are there, and none can be believed."""
    damaged = bytearray(record(scalar(0, 1.0)))
    damaged[20] ^= 1
    folder = write(bytes(damaged) * 3)
    with pytest.raises(LogError, match=r"nothing of this log can be read; .*: 3 × wrong CRC"):
        open_run(folder)


def test_a_file_that_grows_is_read_to_its_last_whole_record(lines, read):
    """Each time it is read, it ends where the writer was."""
    parts = lines(FEW)
    data = b"".join(parts)
    ends = np.cumsum([len(part) for part in parts])
    for length in range(len(data) - 100, len(data)):
        found = read(data[:length])
        whole = int((ends <= length).sum())
        assert found.series["loss"].steps.tolist() == list(range(whole - 1))
        assert found.files[0].tail_bytes == length - ends[whole - 1]
