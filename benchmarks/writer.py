"""What writing a log costs: CPU time a value and bytes a value, against pyarrow and TensorBoard.

The log is noise of the kind that training makes: 16 tags of AR(1) noise, steps
one apart, a wall time for each.  A row is 18 values: step, wall time, 16 tags.
The slower writers get fewer rows; a value costs them the same.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.signal import lfilter
from torch.utils.tensorboard import SummaryWriter

from benchmarks.measure import CpuTimes, Spread, interleaved, spread
from benchmarks.tables import table
from epochord.runlog.parquet import ParquetWriter
from epochord.runlog.run.metadata import RunMetadata
from epochord.runlog.run.rows import LogWriter, rows_table
from epochord.runlog.run.run import STEP, WALL_TIME
from epochord.runlog.tensorboard import TensorBoardWriter

__all__ = ["noise", "report"]

TAGS = 16
VALUES_A_ROW = TAGS + 2
PHI = 0.99  # of AR(1): each value is 0.99 of the one before, plus fresh noise
STARTED = 1_795_000_000.0  # s since the epoch
STEP_SECONDS = 0.01
BATCH = 4096  # rows; what GradientRecorder hands over at most
ROUNDS = 5

OURS, PLAIN = "Epochord, Parquet in parts, merged", "pyarrow's defaults, one write"
OURS_EVENTS, ADD_SCALAR = "Epochord, TensorBoard", "SummaryWriter.add_scalar"

TARGET_BYTES = 3.2  # a value, at most, of `OURS`


@dataclass(frozen=True)
class Candidate:
    """A way to write a log, and how much it gets to write."""

    write: Callable[[pa.Table, Path], None]
    rows: int


def noise(rows: int) -> pa.Table:
    """Return a log of AR(1) noise with variance 1; the same at each call."""
    random = np.random.default_rng(0)
    white = random.normal(scale=np.sqrt(1 - PHI**2), size=(TAGS, rows))
    white[:, 0] /= np.sqrt(1 - PHI**2)  # so that it begins as it goes on
    values = lfilter([1.0], [1.0, -PHI], white, axis=1).astype(np.float32)
    durations = STEP_SECONDS * random.lognormal(sigma=0.1, size=rows)
    measured = np.ones(rows, dtype=bool)
    return rows_table(
        np.arange(rows),
        STARTED + np.cumsum(durations),
        {f"grad_norm/layer{tag}.weight": (values[tag], measured) for tag in range(TAGS)},
    )


def report() -> str:
    """Measure all writers and return the table."""
    candidates = {
        OURS: Candidate(_write_parquet, 1_000_000),
        PLAIN: Candidate(_write_plain, 1_000_000),
        OURS_EVENTS: Candidate(_write_events, 20_000),
        ADD_SCALAR: Candidate(_add_scalars, 4_000),
    }
    log = noise(max(candidate.rows for candidate in candidates.values()))
    sizes: dict[str, int] = {}
    works = {
        name: partial(_run, name, candidate, log, sizes) for name, candidate in candidates.items()
    }
    return _table(candidates, interleaved(works, rounds=ROUNDS), sizes)


def _run(name: str, candidate: Candidate, log: pa.Table, sizes: dict[str, int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        candidate.write(log[: candidate.rows], Path(folder))
        sizes[name] = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())


def _write_parquet(log: pa.Table, folder: Path) -> None:
    metadata = RunMetadata("noise")
    _write_batches(ParquetWriter(folder, metadata), log, metadata)


def _write_events(log: pa.Table, folder: Path) -> None:
    _write_batches(TensorBoardWriter(folder), log, RunMetadata("noise"))


def _write_batches(writer: LogWriter, log: pa.Table, metadata: RunMetadata) -> None:
    for start in range(0, log.num_rows, BATCH):
        writer.write(log[start : start + BATCH])
    writer.complete(metadata)
    writer.close()


def _write_plain(log: pa.Table, folder: Path) -> None:
    pq.write_table(log, folder / "metrics.parquet")


def _add_scalars(log: pa.Table, folder: Path) -> None:
    tags = [name for name in log.column_names if name not in (STEP, WALL_TIME)]
    with SummaryWriter(str(folder)) as writer:
        for row in _rows(log):
            for tag in tags:
                writer.add_scalar(tag, row[tag], row[STEP], walltime=row[WALL_TIME])


def _rows(log: pa.Table) -> Iterator[dict[str, float]]:
    # Made in small pieces: a training loop has its numbers at hand, one row at a time.
    for batch in log.to_batches(max_chunksize=256):
        yield from batch.to_pylist()


def _table(candidates: dict[str, Candidate], times: CpuTimes, sizes: dict[str, int]) -> str:
    rows = []
    for name, candidate in candidates.items():
        values = candidate.rows * VALUES_A_ROW
        rate = spread(candidate.rows / times[name]).median
        cost: Spread = spread(1e6 * times[name] / values)
        target = f"{TARGET_BYTES}" if name == OURS else ""
        size = f"{sizes[name] / values:.2f}"
        rows.append([name, f"{candidate.rows:,}", f"{rate:,.0f}", cost.text(), size, target])
    head = ["writer", "rows", "rows a CPU s", "CPU µs a value", "bytes a value", "target"]
    return table(f"A log of {TAGS} tags, {ROUNDS} rounds: median (quartiles)", head, rows)
