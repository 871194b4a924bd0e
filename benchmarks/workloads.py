"""Logdirs to read, the same at each call: scalars alone, among pictures, and in many runs.

They are made once, of TensorBoard's own messages, one event a summary as torch's
`SummaryWriter` makes them, and kept below ``.cache/`` (0.6 GB).
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.histogram_pb2 import HistogramProto
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from benchmarks.framing import framed

__all__ = ["CACHE", "WORKLOADS", "Workload"]

CACHE = Path(__file__).parents[1] / ".cache" / "benchmarks"
VERSION = 1  # of what is written below; another one makes the logs anew
STARTED = 1_795_000_000  # s since the epoch
STEP_SECONDS = 0.1

TAGS = (
    "train/loss", "train/accuracy", "val/loss", "val/accuracy", "train/learning_rate",
    "train/epoch", "grad_norm/all", "grad_norm/conv1.weight", "grad_norm/conv2.weight",
    "grad_norm/fc1.weight", "grad_norm/fc2.weight", "optimizer/momentum", "time/forward",
    "time/backward", "gpu/memory", "gpu/utilisation",
)  # fmt: skip

POINTS_A_PICTURE, POINTS_A_HISTOGRAM = 112, 20
PICTURE_BYTES = 90_000  # median
BINS = 55  # of TF1's histograms: 1 kB
BUCKETS = 30  # of TF2's histograms


@dataclass(frozen=True)
class Workload:
    """A logdir: what it is made of.

    Parameters
    ----------
    name, what : str
        What it is called, and what is in it.
    runs : int
        Folders with a file each; one run lies in the logdir itself.
    tags : tuple of str
        Of the scalars.
    steps : int
        Of each run; each tag has a point at each.
    pictures : bool
        Whether pictures and histograms lie among the points.
    """

    name: str
    what: str
    runs: int
    tags: tuple[str, ...]
    steps: int
    pictures: bool = False

    @property
    def points(self) -> int:
        """Number of scalars in all runs."""
        return self.runs * len(self.tags) * self.steps

    @property
    def logdir(self) -> Path:
        """The logdir, made now if it is not there."""
        folder = CACHE / f"logs-{VERSION}" / self.name
        if not folder.is_dir():
            unfinished = folder.with_name(f"{self.name}.tmp")
            shutil.rmtree(unfinished, ignore_errors=True)
            for run in range(self.runs):
                self._write(unfinished if self.runs == 1 else unfinished / f"run-{run:03d}", run)
            unfinished.rename(folder)
        return folder

    def small(self) -> "Workload":
        """Return the like of it, just large enough that a reader meets all there is in it."""
        return Workload(f"{self.name}-small", self.what, 1, self.tags, 100, self.pictures)

    def _write(self, folder: Path, run: int) -> None:
        folder.mkdir(parents=True)
        stamp = STARTED + run
        with (folder / f"events.out.tfevents.{stamp}.host.{1000 + run}.0").open("xb") as file:
            file.write(_record(Event(wall_time=stamp, file_version="brain.Event:2")))
            file.writelines(map(_record, self._events(np.random.default_rng(run))))

    def _events(self, random: np.random.Generator) -> Iterator[Any]:
        histograms = 0
        for step in range(self.steps):
            event = partial(Event, step=step, wall_time=STARTED + STEP_SECONDS * step)
            values = random.normal(size=len(self.tags)).astype(np.float32).tolist()
            for place, (tag, value) in enumerate(zip(self.tags, values, strict=True)):
                yield event(summary=_summary(Summary.Value(tag=tag, simple_value=value)))
                point = step * len(self.tags) + place
                if self.pictures and point % POINTS_A_HISTOGRAM == 0:
                    yield event(summary=_summary(_histogram(random, histograms)))
                    histograms += 1
                if self.pictures and point % POINTS_A_PICTURE == 0:
                    yield event(summary=_summary(_picture(random)))


def _record(event: Any) -> bytes:
    return framed(event.SerializeToString())


def _summary(value: Any) -> Any:
    return Summary(value=[value])


def _picture(random: np.random.Generator) -> Any:
    size = round(PICTURE_BYTES * random.lognormal(sigma=0.5))
    encoded = b"\x89PNG\r\n\x1a\n" + random.bytes(size)
    image = Summary.Image(height=256, width=256, colorspace=3, encoded_image_string=encoded)
    return Summary.Value(tag="samples", image=image)


def _histogram(random: np.random.Generator, number: int) -> Any:
    """Return three histograms out of four as TF1 has them, the fourth as TF2 does."""
    if number % 4:
        limits, counts = np.sort(random.normal(size=BINS)), random.integers(1000, size=BINS)
        histogram = HistogramProto(
            min=limits[0], max=limits[-1], num=counts.sum(), bucket_limit=limits, bucket=counts
        )
        return Summary.Value(tag=f"weights/{number % 4}", histo=histogram)
    tensor = TensorProto(dtype="DT_DOUBLE", tensor_content=random.bytes(BUCKETS * 3 * 8))
    tensor.tensor_shape.dim.add(size=BUCKETS)
    tensor.tensor_shape.dim.add(size=3)
    value = Summary.Value(tag="activations", tensor=tensor)
    if number == 0:  # the first of a tag says which plugin it belongs to
        plugin = SummaryMetadata.PluginData(plugin_name="histograms")
        value.metadata.CopyFrom(SummaryMetadata(plugin_data=plugin))
    return value


WORKLOADS = (
    Workload("W1", "1M points, 16 tags, one file", 1, TAGS, 62_500),
    Workload("W2", "500k points among pictures and histograms", 1, TAGS, 31_250, pictures=True),
    Workload("W3", "200 runs × 2,000 points", 200, TAGS[:4], 500),
)
