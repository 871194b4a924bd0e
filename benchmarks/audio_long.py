"""A long and wide log of ours to a short sound, reading included, in a process of its own.

The log is made once and kept below ``.cache/`` (0.3 GB): gradient norms of one
hundred layers that wander each at its own pace.
"""

import shutil
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.measure import spread
from benchmarks.processes import in_new_process, peak_mib, tells_peak
from benchmarks.tables import table
from benchmarks.targets import Part, at_most
from epochord.runlog import RunMetadata
from epochord.runlog.parquet import ParquetWriter
from epochord.runlog.run.rows import rows_table

__all__ = ["measured"]

LOGS = Path(__file__).parents[1] / ".cache" / "benchmarks" / "audio-1"
STEPS, FEW = 1_000_000, 1_000
SERIES = 100
BATCH = 50_000  # rows; bounds the memory of making it
STARTED, STEP_SECONDS = 1_795_000_000.0, 0.01  # s

RUNS = 3
PATIENCE = 60.0  # s, after which none of these begins any more
MOST_SECONDS = 10.0  # CPU


class Cost(NamedTuple):
    """CPU seconds and peaks in MiB: before, after reading, and after all."""

    reading: float
    rendering: float
    ready: float
    read: float
    peak: float


def measured() -> Part:
    """Hear the log and return what that costs."""
    small, large = _log(FEW), _log(STEPS)
    size = sum(file.stat().st_size for file in large.rglob("*.parquet"))
    costs: list[Cost] = []
    began = time.monotonic()
    while len(costs) < RUNS and time.monotonic() - began < PATIENCE:
        costs.append(in_new_process(_hear, small, large))
    what = f"{STEPS:,} steps × {SERIES} series ({size / 1e6:.0f} MB)"
    title = f"{what} to 60 s of lanes, {len(costs)} runs: median (quartiles)"
    reading, rendering, *peaks = zip(*costs, strict=True)
    total = spread(np.add(reading, rendering))
    rows = [
        ["reading", spread(reading).text(2), _mib(peaks[1])],
        ["rendering", spread(rendering).text(2), _mib(peaks[2])],
        ["both", total.text(2), _mib(peaks[2])],
    ]
    target = at_most("1M steps × 100 series to 60 s, CPU s", total.median, MOST_SECONDS)
    note = f"Of the peaks of the long log {_mib(peaks[0])} MiB were there before reading it."
    return Part([table(title, ["part", "CPU s", "peak, MiB"], rows)], [target], [note])


def _mib(sizes: tuple[float, ...]) -> str:
    return f"{max(sizes):.0f}" if tells_peak() else "not told"


def _hear(small: Path, large: Path) -> Cost:
    """Read and render a log as one would without knowing it."""
    from epochord.renderers.audio import render_audio
    from epochord.runlog import open_run

    with tempfile.TemporaryDirectory() as folder:
        render_audio(open_run(small), Path(folder, "first"))  # what is loaded only when used
        ready, begun = _peak(), time.process_time()
        run = open_run(large)
        read, done = _peak(), time.process_time()
        render_audio(run, Path(folder, "measured"))
        return Cost(done - begun, time.process_time() - done, ready, read, _peak())


def _peak() -> float:
    return peak_mib() if tells_peak() else np.nan


def _log(steps: int) -> Path:
    """Return a log of so many steps, made now if it is not there."""
    folder = LOGS / f"{steps}"
    if not folder.is_dir():
        unfinished = folder.with_name(f"{steps}.tmp")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _write(unfinished, steps)
        unfinished.rename(folder)
    return folder


def _write(folder: Path, steps: int) -> None:
    random = np.random.default_rng(0)
    metadata = RunMetadata("long")
    writer = ParquetWriter(folder, metadata)
    for start in range(0, steps, BATCH):
        axis = np.arange(start, min(start + BATCH, steps))
        measured = np.ones(len(axis), dtype=bool)
        columns = {}
        for layer in range(SERIES):
            wander = np.sin(axis * (layer + 1) / 50_000) + 0.1 * random.normal(size=len(axis))
            tag = f"grad_norm/blocks.{layer // 4}.{layer % 4}.weight"
            columns[tag] = ((10**wander).astype(np.float32), measured)
        writer.write(rows_table(axis, STARTED + STEP_SECONDS * axis, columns))
    writer.complete(metadata)
    writer.close()
