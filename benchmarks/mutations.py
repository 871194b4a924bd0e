"""Small event files of every kind, and ways in which files get broken, by seed."""

from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.histogram_pb2 import HistogramProto
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from benchmarks.framing import FOOTER_BYTES, HEADER_BYTES, framed, header

__all__ = ["bases", "mutated"]

STARTED = 1_795_000_000.0  # s since the epoch
STEPS = 200  # enough that a reader takes records of one kind together
SEVERAL = (1, 1, 1, 2, 3)  # mutations a file
LARGE_EVERY = 50  # files: it takes far longer than the others
LARGE_PICTURE = 1 << 20  # bytes; five of them, so that no reader takes the file at one go
COPIES = 100  # of a broken message
IMPOSSIBLE = 1 << 60  # bytes
BLOCK = 256  # bytes at most
PLACES = (1, 1, 2, 8, 64)  # bytes that one flip or insertion touches

Mutation = Callable[[bytes, Random], bytes]

# TF2 scalars: enum in tensorboard/compat/proto/types.proto, NumPy type, field of typed values
DTYPES = (
    ("DT_HALF", "<f2", "half_val"),
    ("DT_FLOAT", "<f4", "float_val"),
    ("DT_DOUBLE", "<f8", "double_val"),
    ("DT_INT32", "<i4", "int_val"),
    ("DT_INT64", "<i8", "int64_val"),
)


def mutated(seed: int) -> bytes:
    """Return a broken event file, the same for each seed."""
    random = Random(seed)
    names = [name for name in bases() if name != "large"]
    data = bases()["large" if seed % LARGE_EVERY == 0 else random.choice(names)]
    for mutation in random.choices(MUTATIONS, k=random.choice(SEVERAL)):
        data = mutation(data, random)
    return data


@cache
def bases() -> dict[str, bytes]:
    """Return the whole files by name."""
    kinds = {
        "simple": _simple,
        "tensors": _tensors,
        "several": _several,
        "sessions": _sessions,
        "plugins": _plugins,
        "large": _large,
    }
    version = Event(wall_time=STARTED, file_version="brain.Event:2")
    files = {kind: [version, *events()] for kind, events in kinds.items()}
    return {
        kind: b"".join(framed(event.SerializeToString()) for event in events)
        for kind, events in files.items()
    }


def _event(step: int, *values: Any, **other: Any) -> Any:
    summary = {"summary": Summary(value=values)} if values else {}
    return Event(step=step, wall_time=STARTED + step, **summary, **other)


def _number(tag: str, step: int) -> Any:
    return Summary.Value(tag=tag, simple_value=step / 7)


def _simple() -> Iterator[Any]:
    """Yield TF1's scalars, one an event, as torch writes them."""
    for step in range(STEPS):
        for tag in ("loss", "lr", "grad_norm/conv1.weight"):
            yield _event(step, _number(tag, step))


def _tensors() -> Iterator[Any]:
    """Yield TF2's scalars: of each type, as bytes of rank 0 and as typed values of shape [1]."""
    for step in range(STEPS // 2):
        for place, (dtype, kind, typed) in enumerate(DTYPES):
            number = np.array(step + place, kind)
            content = TensorProto(dtype=dtype, tensor_content=number.tobytes())
            # Halves are kept as their bits, in a field of integers.
            value = number.view("<u2").item() if dtype == "DT_HALF" else number.item()
            filled = TensorProto(dtype=dtype, **{typed: [value]})
            filled.tensor_shape.dim.add(size=1)
            for form, tensor in (("content", content), ("typed", filled)):
                scalar = Summary.Value(tag=f"{form}/{dtype}", tensor=tensor)
                if step == 0:
                    scalar.metadata.CopyFrom(_metadata("scalars"))
                yield _event(step, scalar)


def _several() -> Iterator[Any]:
    """Yield events with five values, as Epochord writes them."""
    for step in range(STEPS):
        yield _event(step, *(_number(f"grad_norm/{layer}", step) for layer in range(5)))


def _sessions() -> Iterator[Any]:
    """Yield a run that begins anew at an earlier step, twice."""
    for begin in (0, 60, 30):
        yield _event(begin, session_log=SessionLog(status=SessionLog.START))
        for step in range(begin, begin + STEPS // 2):
            yield _event(step, _number("loss", step))
        yield _event(step, session_log=SessionLog(status=SessionLog.CHECKPOINT))


def _plugins() -> Iterator[Any]:
    """Yield text, hyperparameters, histograms and pictures, and scalars in between."""
    for step in range(STEPS // 3):
        text = TensorProto(dtype="DT_STRING", string_val=[b"text " * (step % 9)])
        yield _event(step, Summary.Value(tag="t", tensor=text, metadata=_metadata("text")))
        yield _event(step, Summary.Value(tag="h", metadata=_metadata("hparams")))
        histogram = HistogramProto(bucket_limit=range(9), bucket=range(9), num=36)
        yield _event(step, Summary.Value(tag="weights", histo=histogram), _number("loss", step))
        yield _event(step, _picture(100 * (step % 9)))


def _large() -> Iterator[Any]:
    """Yield pictures of 1 MiB and points around them: more than a reader takes at one go."""
    for picture in range(5):
        yield _event(picture, _picture(LARGE_PICTURE))
        for step in range(STEPS):
            yield _event(picture * STEPS + step, _number("loss", step))


def _picture(size: int) -> Any:
    image = Summary.Image(height=8, width=8, encoded_image_string=Random(size).randbytes(size))
    return Summary.Value(tag="picture", image=image)


def _metadata(plugin: str) -> Any:
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin))


def _flip(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice(PLACES) if data else 0):
        changed[random.randrange(len(data))] ^= random.randrange(1, 256)
    return bytes(changed)


def _truncate(data: bytes, random: Random) -> bytes:
    return data[: random.randint(0, len(data))]


def _insert(data: bytes, random: Random) -> bytes:
    place = random.randint(0, len(data))
    return data[:place] + random.randbytes(random.choice(PLACES)) + data[place:]


def _delete(data: bytes, random: Random) -> bytes:
    start, end = _block(data, random)
    return data[:start] + data[end:]


def _zero(data: bytes, random: Random) -> bytes:
    start, end = _block(data, random)
    return data[:start] + bytes(end - start) + data[end:]


def _duplicate(data: bytes, random: Random) -> bytes:
    start, end = _block(data, random)
    place = random.randint(0, len(data))
    return data[:place] + data[start:end] + data[place:]


def _swap(data: bytes, random: Random) -> bytes:
    a, b, c, d = sorted((*_block(data, random), *_block(data, random)))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def _block(data: bytes, random: Random) -> tuple[int, int]:
    start = random.randint(0, len(data))
    return start, min(len(data), start + random.randint(1, BLOCK))


def _impossible_length(data: bytes, random: Random) -> bytes:
    """Give a record a length that its CRC confirms and no disk can hold."""
    start, _ = _record(data, random)
    return data[:start] + header(IMPOSSIBLE) + data[start + HEADER_BYTES :]


def _broken_message(data: bytes, random: Random) -> bytes:
    """Break a message, make its length and its CRCs right again, and write it often or once."""
    start, end = _record(data, random)
    message = data[start + HEADER_BYTES : end - FOOTER_BYTES]
    for mutation in random.choices(WITHIN, k=random.choice(SEVERAL)):
        message = mutation(message, random)
    return data[:start] + framed(message) * random.choice((1, COPIES)) + data[end:]


def _splice(data: bytes, random: Random) -> bytes:
    """Continue with a piece of another file."""
    other = bases()[random.choice(list(bases())[:-1])]
    begin, end = sorted(random.randint(0, len(other)) for _ in range(2))
    return data[: random.randint(0, len(data))] + other[begin:end]


def _record(data: bytes, random: Random) -> tuple[int, int]:
    """Return where a record begins and ends, as far as the lengths can be followed."""
    bounds = [0]
    while bounds[-1] + HEADER_BYTES <= len(data):
        length = int.from_bytes(data[bounds[-1] : bounds[-1] + 8], "little")
        bounds.append(bounds[-1] + HEADER_BYTES + length + FOOTER_BYTES)
    place = random.randrange(max(1, len(bounds) - 1))
    return bounds[place], min(len(data), bounds[min(place + 1, len(bounds) - 1)])


WITHIN: tuple[Mutation, ...] = (_flip, _truncate, _insert, _delete, _zero, _duplicate)
MUTATIONS: tuple[Mutation, ...] = (*WITHIN, _swap, _impossible_length, _broken_message, _splice)
