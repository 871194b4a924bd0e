"""Broken event files, opened one by one: what becomes of each, and how fast.

A file may be read as a run, with what is damaged named, or be refused with a
`LogError`.  Anything else is a failure: another exception, a warning, more than
`MOST_SECONDS`, more than `MOST_MIB` of memory.  Its file is kept with its seed.
The environment variable ``FUZZ_FILES`` says how many files; by default 100,000.
"""

import os
import shutil
import signal
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.mutations import bases, mutated
from benchmarks.processes import forget_peak, peak_mib, tells_peak
from benchmarks.tables import table
from benchmarks.workloads import CACHE
from epochord.runlog import LogError, open_run

__all__ = ["report"]

FILES = 100_000
FILES_A_TASK = 250
MOST_SECONDS = 5.0
MOST_MIB = 200.0
KEPT = CACHE / "fuzz"
MEMORY = Path("/dev/shm")  # no disk has to keep up; Linux
NAME = "events.out.tfevents.1795000000.host.1.0"

SEEDS_NAMED = 5

WHOLE, DAMAGED = "a run, nothing damaged", "a run, damage named"
REFUSED, FAILED = "LogError", "failed"


@dataclass
class Found:
    """How many files came to each outcome, and the seeds of those that failed, by cause."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: dict[str, list[int]] = field(default_factory=dict)

    def add(self, other: "Found") -> None:
        """Take over what another one has."""
        self.outcomes += other.outcomes
        for cause, seeds in other.failures.items():
            self.failures.setdefault(cause, []).extend(seeds)


class TooSlow(BaseException):
    """Opening took too long; no `except Exception` is to catch this."""


def report() -> str:
    """Open all files and return the tables."""
    files = int(os.environ.get("FUZZ_FILES", FILES))
    starts = range(0, files, FILES_A_TASK)
    tasks = [range(start, min(files, start + FILES_A_TASK)) for start in starts]
    found, before = Found(), time.perf_counter()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        for part in _in_processes(Path(folder), tasks):
            found.add(part)
    rate = files / (time.perf_counter() - before)
    return f"{_outcome_table(found, files, rate)}\n\n{_failure_table(found)}"


def _in_processes(folder: Path, tasks: list[range]) -> Iterator[Found]:
    try:
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            yield from pool.map(partial(_open_all, folder), tasks)
    except BrokenProcessPool as error:
        kept = shutil.copytree(folder, KEPT / "died", dirs_exist_ok=True)
        raise RuntimeError(f"a process died; it had just opened a file below {kept}") from error


def _open_all(folder: Path, seeds: range) -> Found:
    """Open some files in a process that opens nothing else."""
    run = folder / str(os.getpid())
    if not run.is_dir():
        run.mkdir()
        _open_bases(run)
    found = Found()
    for seed in seeds:
        (run / NAME).write_bytes(mutated(seed))
        outcome, is_failure = _outcome(run)
        found.outcomes[FAILED if is_failure else outcome] += 1
        if is_failure:
            found.failures.setdefault(outcome, []).append(seed)
            shutil.copytree(run, KEPT / str(seed), dirs_exist_ok=True)
    return found


def _open_bases(run: Path) -> None:
    """Load all that is loaded only when used, so that it counts neither as time nor as memory."""
    for data in bases().values():
        (run / NAME).write_bytes(data)
        if (damage := open_run(run).damage) or not open_run(run).series:
            raise AssertionError(f"a whole file is not read as one: {damage}")


def _outcome(run: Path) -> tuple[str, bool]:
    """Open a run; return what became of it, and whether that is a failure."""
    ready = _ready_mib()
    try:
        with _time_limit(), warnings.catch_warnings(action="error"):
            outcome = DAMAGED if open_run(run).damage else WHOLE
    except LogError:
        outcome = REFUSED
    except TooSlow:
        return f"more than {MOST_SECONDS:.0f} s", True
    except Exception as error:  # noqa: BLE001 - any other is what is looked for
        return _described(error), True
    if tells_peak() and peak_mib() - ready > MOST_MIB:
        return f"more than {MOST_MIB:.0f} MiB", True
    return outcome, False


def _ready_mib() -> float:
    if not tells_peak():
        return 0.0
    forget_peak()
    return peak_mib()


def _described(error: Exception) -> str:
    """Return an exception's type, and the last function of Epochord's that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "runlog" in Path(frame.filename).parts]
    place = f"{Path(ours[-1].filename).name}, {ours[-1].name}" if ours else "this benchmark"
    return f"{type(error).__name__} in {place}"


@contextmanager
def _time_limit() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _outcome_table(found: Found, files: int, rate: float) -> str:
    rows = [
        [outcome, f"{found.outcomes[outcome]:,}", f"{100 * found.outcomes[outcome] / files:.1f}"]
        for outcome in (WHOLE, DAMAGED, REFUSED, FAILED)
    ]
    title = f"{files:,} broken event files, {rate:,.0f} a second on {os.cpu_count()} cores"
    return table(title, ["outcome", "files", "%"], rows)


def _failure_table(found: Found) -> str:
    if not found.failures:
        return "No file failed."
    rows = [
        [cause, f"{len(seeds):,}", ", ".join(map(str, seeds[:SEEDS_NAMED]))]
        for cause, seeds in sorted(found.failures.items())
    ]
    return table(f"Failures; files in {KEPT}, by seed", ["cause", "files", "first seeds"], rows)
