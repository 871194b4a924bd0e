"""Ways to read all points of a logdir: TensorBoard's two, tbparse, ours, and the least there is.

Each takes a logdir and returns how many points it has found.  What one needs is
imported when it is called, so that a process holds nothing but what it uses.
"""

from collections.abc import Callable
from pathlib import Path

__all__ = [
    "EVENT_ACCUMULATOR",
    "LIMIT_READ",
    "LIMIT_SCAN",
    "OURS",
    "READERS",
    "SERVER",
    "SLOW",
    "TBPARSE",
]

EVENT_ACCUMULATOR, TBPARSE = "EventAccumulator", "tbparse"
SERVER, OURS = "data server (Rust)", "Epochord"
LIMIT_SCAN, LIMIT_READ = "limit, scan", "limit, read and CRC"

SLOW = (EVENT_ACCUMULATOR, TBPARSE)


def _event_accumulator(logdir: Path) -> int:
    from tensorboard.backend.event_processing.event_accumulator import (
        STORE_EVERYTHING_SIZE_GUIDANCE,
        EventAccumulator,
    )

    points = 0
    for folder in sorted({file.parent for file in _files(logdir)}):
        accumulator = EventAccumulator(str(folder), STORE_EVERYTHING_SIZE_GUIDANCE).Reload()
        tags = accumulator.Tags()
        points += sum(len(accumulator.Scalars(tag)) for tag in tags["scalars"])
        # Where TF2's scalars would be; in these logs there are histograms only.
        for tag in tags["tensors"]:
            accumulator.Tensors(tag)
    return points


def _tbparse(logdir: Path) -> int:
    from tbparse import SummaryReader

    return len(SummaryReader(str(logdir), pivot=False, event_types={"scalars"}).scalars)


def _data_server(logdir: Path) -> int | None:
    from benchmarks import data_server

    data_server.load(logdir)
    return None  # asking it how many there are would cost it time


def _epochord(logdir: Path) -> int:
    from epochord.runlog import find_runs

    runs = [source.open() for source in find_runs(logdir)]
    return sum(len(series.values) for run in runs for series in run.series.values())


def _scan(logdir: Path) -> int:
    from benchmarks import limit

    return limit.scan(_files(logdir))


def _read(logdir: Path) -> None:
    from benchmarks import limit

    limit.read(_files(logdir))


def _files(logdir: Path) -> list[Path]:
    return sorted(logdir.rglob("*tfevents*"))


READERS: dict[str, Callable[[Path], int | None]] = {
    EVENT_ACCUMULATOR: _event_accumulator,
    TBPARSE: _tbparse,
    SERVER: _data_server,
    OURS: _epochord,
    LIMIT_SCAN: _scan,
    LIMIT_READ: _read,
}
"""By name; those that return None find no points, or do not tell."""
