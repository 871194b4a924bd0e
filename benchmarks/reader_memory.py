"""Peak memory of reading TensorBoard logs, each reader and log in a process of its own."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.peers import READERS, SERVER
from benchmarks.processes import in_new_process, peak_mib
from benchmarks.tables import table
from benchmarks.workloads import WORKLOADS

__all__ = ["Peaks", "memory_table", "peaks"]

LOGS = ("W1", "W2")

Peaks = dict[tuple[str, str], tuple[float, float]]
"""By log and reader: the peak in MiB before reading, with all modules loaded, and after it."""


def peaks(readers: Sequence[str]) -> Peaks:
    """Read each log with each reader."""
    keys = [(log, reader) for log in LOGS for reader in readers]
    # Two at once, for what memory they take does not depend on their speed.
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda key: in_new_process(_peak, *key), keys))
    return dict(zip(keys, found, strict=True))


def memory_table(found: Peaks) -> str:
    """Return the peaks as a table."""
    rows = [
        [log, reader, *(f"{mib:.0f}" for mib in (ready, peak, peak - ready))]
        for (log, reader), (ready, peak) in found.items()
    ]
    head = ["log", "reader", "ready, MiB", "peak, MiB", "growth, MiB"]
    return table("Peak memory, in a process of its own", head, rows)


def _peak(log: str, reader: str) -> tuple[float, float]:
    workload = next(each for each in WORKLOADS if each.name == log)
    logdirs = workload.small().logdir, workload.logdir
    if reader == SERVER:  # the process of its own is the server
        from benchmarks import data_server

        return data_server.peak(logdirs[0]), data_server.peak(logdirs[1])
    READERS[reader](logdirs[0])
    ready = peak_mib()
    READERS[reader](logdirs[1])
    return ready, peak_mib()
