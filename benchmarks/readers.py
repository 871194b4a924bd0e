"""What reading TensorBoard logs costs, in CPU time and in memory, against peers and the limit.

The logs are described in `workloads`, the readers in `peers`.  Readers take
turns; the slow ones sit out some of the rounds.  All that find points must find
as many; the time counts until they are in the caller's hands, or, for the data
server, until it has loaded them.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from importlib.metadata import version

from benchmarks import data_server
from benchmarks.measure import CpuTimes, Spread, interleaved, ratios, spread
from benchmarks.peers import (
    EVENT_ACCUMULATOR,
    LIMIT_READ,
    LIMIT_SCAN,
    OURS,
    READERS,
    SERVER,
    SLOW,
)
from benchmarks.processes import NOT_TOLD, tells_peak
from benchmarks.reader_memory import Peaks, memory_table, peaks
from benchmarks.tables import table
from benchmarks.workloads import WORKLOADS, Workload

__all__ = ["report"]

ROUNDS, SLOW_ROUNDS = 5, 2
PACKAGES = ("tbparse", "tensorboard-data-server", "google-crc32c", "numba")

# How many times less CPU time than EventAccumulator's ours takes at least, and how many
# times as much as the limit's at most.
LEAST_GAIN = {"W1": 20, "W2": 20, "W3": 15}
MOST_OF_LIMIT = {"W1": 3.5, "W2": 2.5, "W3": 6}
NOT_ABOVE_SERVER = ("W1", "W2")
MOST_MIB = 300e6 / 2**20  # of ours, in all, on W2


def report() -> str:
    """Measure all readers on all workloads and return the tables."""
    readers = [name for name in READERS if name != SERVER or data_server.exists()]
    times = {workload.name: _times(workload, readers) for workload in WORKLOADS}
    found = peaks(readers) if tells_peak() else {}
    return "\n\n".join(
        [
            *(_speed_table(workload, times[workload.name]) for workload in WORKLOADS),
            memory_table(found) if found else NOT_TOLD,
            _target_table(times, found),
            "\n".join(f"- {note}" for note in _notes(readers)),
        ]
    )


def _times(workload: Workload, readers: Iterable[str]) -> CpuTimes:
    for name in readers:  # loads and compiles whatever is loaded and compiled only when used
        _read(name, workload.small())
    works = {name: partial(_read, name, workload) for name in readers}
    return interleaved(works, rounds=ROUNDS, fewer=dict.fromkeys(SLOW, SLOW_ROUNDS))


def _read(name: str, workload: Workload) -> None:
    points = READERS[name](workload.logdir)
    if points not in (None, workload.points):
        raise AssertionError(
            f"{name} finds {points} points in {workload.name}, which has {workload.points}: "
            "nothing to compare"
        )


def _speed_table(workload: Workload, times: CpuTimes) -> str:
    rows = []
    for name in times:
        cells = [
            ratios(times, name, to=LIMIT_SCAN),
            ratios(times, name, to=LIMIT_READ),
            ratios(times, EVENT_ACCUMULATOR, to=name),
        ]
        rows.append([name, spread(times[name]).text(), *(_short(cell) for cell in cells)])
    size = sum(file.stat().st_size for file in workload.logdir.rglob("*tfevents*"))
    title = f"{workload.name}: {workload.what}, {size / 1e6:.1f} MB"
    rounds = f"{ROUNDS} rounds, {SLOW_ROUNDS} of the slow ones"
    head = ["reader", "CPU s", "÷ scan", "÷ read and CRC", f"{EVENT_ACCUMULATOR} ÷ reader"]
    return table(f"{title}; {rounds}: median (quartiles)", head, rows)


def _short(ratio: Spread) -> str:
    return ratio.text(2 if ratio.median < 10 else 0)


def _target_table(times: dict[str, CpuTimes], found: Peaks) -> str:
    rows = [row for name in times for row in _speed_targets(name, times[name])]
    if found:
        _, peak = found["W2", OURS]
        rows.append(["W2", f"{OURS}, peak, MiB", f"{peak:.0f}", f"≤ {MOST_MIB:.0f}"])
    return table(f"Targets of {OURS}", ["log", "what", "measured", "target"], rows)


def _speed_targets(workload: str, times: CpuTimes) -> Iterator[list[str]]:
    gain = ratios(times, EVENT_ACCUMULATOR, to=OURS)
    yield [workload, f"{EVENT_ACCUMULATOR} ÷ {OURS}", _short(gain), f"≥ {LEAST_GAIN[workload]}"]
    if SERVER in times and workload in NOT_ABOVE_SERVER:
        yield [workload, f"{OURS} ÷ {SERVER}", _short(ratios(times, OURS, to=SERVER)), "≤ 1"]
    # The other limit finds no points: it is what reading the bytes costs.
    share = _short(ratios(times, OURS, to=LIMIT_SCAN))
    yield [workload, f"{OURS} ÷ {LIMIT_SCAN}", share, f"≤ {MOST_OF_LIMIT[workload]}"]


def _notes(readers: Iterable[str]) -> Iterator[str]:
    yield ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    if SERVER not in readers:
        yield f"{SERVER}: not measured, it has no binary for this system."
        return
    given = (f"{each.name} {data_server.count(each.logdir):,}" for each in WORKLOADS)
    yield f"points that the data server gives: {', '.join(given)}; all others found all points."
