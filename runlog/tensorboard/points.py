"""What the events of one file say, collected tag by tag."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError

from epochord.runlog.tensorboard.messages import NUMPY_TYPES, START, Event
from epochord.runlog.tensorboard.tensor_values import array_of

__all__ = ["Chunk", "Points", "Tensor"]

# One tag's simple values and its tensors are kept apart: only the latter can turn
# out to belong to a plugin, which the first of them says.
Key = tuple[str, bool]  # tag, whether it came as a tensor

SCALARS = ("", "scalars")  # plugins whose tensors are measurements
# A tensor's shape can claim any size: TensorFlow repeats a single number to fill it.
MAX_ELEMENTS = 1 << 22


class Chunk(NamedTuple):
    """Measurements of one tag; `order` is their place in the file."""

    order: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
    wall_times: npt.NDArray[np.float64]
    values: npt.NDArray[Any]

    def at(self, index: npt.NDArray[Any]) -> "Chunk":
        """Return the measurements that an index array or a mask chooses."""
        return Chunk(
            self.order[index], self.steps[index], self.wall_times[index], self.values[index]
        )

    @classmethod
    def joined(cls, chunks: Sequence["Chunk"]) -> "Chunk":
        """Return chunks as one, in the order of the file."""
        if len(chunks) == 1:
            return chunks[0]
        order, *others = (np.concatenate(columns) for columns in zip(*chunks, strict=True))
        whole = cls(order, *others)
        return whole if (np.diff(order) >= 0).all() else whole.at(np.argsort(order, kind="stable"))


class Tensor(NamedTuple):
    """A tensor of rank 1 or 2 at one step."""

    order: int
    step: int
    wall_time: float
    value: npt.NDArray[Any]


class Points:
    """Collects what is read of one file.

    Attributes
    ----------
    tensors : dict of str to list of Tensor
        By tag: numbers of rank 1 and 2.
    plugins : dict of str to str
        By tag: to which of TensorBoard's plugins it belongs, where events say so.
    restarts : list of (int, int)
        Place in the file and step of each `SessionLog` START.
    others : Counter
        Entries that are no numbers, by kind.
    """

    def __init__(self) -> None:
        self.tensors: dict[str, list[Tensor]] = {}
        self.plugins: dict[str, str] = {}
        self.restarts: list[tuple[int, int]] = []
        self.others: Counter[str] = Counter()
        self._chunks: dict[Key, list[Chunk]] = {}
        self._single: dict[Key, list[tuple[int, int, float, np.floating]]] = {}

    def add_chunk(self, tag: str, chunk: Chunk, *, is_tensor: bool) -> None:
        """Add measurements of one tag, in the order of the file."""
        self._chunks.setdefault((tag, is_tensor), []).append(chunk)

    def add_event(self, message: bytes, order: int) -> None:
        """Add whatever one event says.

        Raises
        ------
        google.protobuf.message.DecodeError
            If the message, or a tensor in it, is broken; then nothing is added.
        """
        event = Event.FromString(message)
        kind = event.WhichOneof("what")
        if kind == "summary":
            found = [(value, _number(value)) for value in event.summary.value]
            for place, (value, number) in enumerate(found):
                self._add_value(event, value, number, order + place)
        elif kind == "session_log" and event.session_log.status == START:
            self.restarts.append((order, event.step))
        elif kind not in ("file_version", "session_log", None):
            self.others[kind] += 1

    def add_plugin(self, tag: str, plugin: str) -> None:
        """Note which plugin a tag belongs to; the first event that says so decides."""
        if plugin:
            self.plugins.setdefault(tag, plugin)

    def measured(self, plugins: Mapping[str, str]) -> Iterator[tuple[str, Chunk]]:
        """Yield each tag with its measurements, in the order of the file.

        Parameters
        ----------
        plugins : mapping of str to str
            What all files of the run say; tensors of other plugins than
            TensorBoard's scalars are counted in `others` instead.
        """
        chosen: dict[str, list[Chunk]] = {}
        for key in dict.fromkeys([*self._chunks, *self._single]):
            tag, is_tensor = key
            chunks = self._chunks.get(key, []) + _as_chunks(self._single.get(key, []))
            if is_tensor and plugins.get(tag, "") not in SCALARS:
                self.others[plugins[tag]] += sum(len(chunk.steps) for chunk in chunks)
            else:
                chosen.setdefault(tag, []).extend(chunks)
        for tag, chunks in chosen.items():
            yield tag, Chunk.joined(chunks)

    def tables(self, plugins: Mapping[str, str]) -> dict[str, list[Tensor]]:
        """Return `tensors`, less those of other plugins, which are counted in `others` instead.

        Parameters
        ----------
        plugins : mapping of str to str
            What all files of the run say.
        """
        foreign = [tag for tag in self.tensors if plugins.get(tag, "") not in SCALARS]
        for tag in foreign:
            self.others[plugins[tag]] += len(self.tensors[tag])
        return {tag: found for tag, found in self.tensors.items() if tag not in foreign}

    def _add_value(self, event: Any, value: Any, number: Any, order: int) -> None:
        if value.HasField("metadata"):
            self.add_plugin(value.tag, value.metadata.plugin_data.plugin_name)
        if number is None:
            kind = value.WhichOneof("value") or "empty value"
            self.others[self.plugins.get(value.tag, kind)] += 1
        elif np.ndim(number) == 0:
            key = (value.tag, value.HasField("tensor"))
            point = (order, event.step, event.wall_time, number)
            self._single.setdefault(key, []).append(point)
        elif self.plugins.get(value.tag, "") in SCALARS:
            tensor = Tensor(order, event.step, event.wall_time, number)
            self.tensors.setdefault(value.tag, []).append(tensor)
        else:
            self.others[self.plugins[value.tag]] += 1


def _number(value: Any) -> Any:
    """Return a value's number or array of rank 1 or 2: float32 where that is exact, or float64."""
    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return np.float32(value.simple_value)
    if kind != "tensor":
        return None
    tensor = value.tensor
    sizes = [dim.size for dim in tensor.tensor_shape.dim]
    if tensor.dtype not in NUMPY_TYPES or len(sizes) > 2 or not 0 < prod(sizes) <= MAX_ELEMENTS:
        return None
    try:
        array = array_of(tensor)
    except TypeError:  # typed values that TensorBoard does not unpack: uint32, uint64
        return None
    except (ValueError, OverflowError) as error:
        raise DecodeError("broken tensor") from error
    exact = array.astype(np.float32 if np.can_cast(array.dtype, np.float32) else np.float64)
    return exact.ravel()[0] if sizes in ([], [1]) else exact


def _as_chunks(points: Sequence[tuple[int, int, float, np.floating]]) -> list[Chunk]:
    if not points:
        return []
    order, steps, wall_times, values = zip(*points, strict=True)
    return [
        Chunk(
            np.array(order, np.int64),
            np.array(steps, np.int64),
            np.array(wall_times, np.float64),
            np.array(values),  # float64 if any of them is
        )
    ]
