"""What recording adds to a step of training, in CPU time, against the bare loop.

Bare loop, bare loop once more (so: the noise), Epochord and the naive TensorBoard
loop take turns on one network in one process, each with an optimizer of its own.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.loggers import Bare, Epochord, Logger, Naive
from benchmarks.measure import (
    CpuTimes,
    cpu_and_wall_seconds,
    cpu_seconds,
    interleaved,
    ratios,
    spread,
)
from benchmarks.tables import table
from benchmarks.trainings import TRAININGS, Training

__all__ = ["report"]

BARE, AGAIN, OURS, NAIVE = "bare", "bare again", "Epochord", "add_scalar"

FLUSH_EVERY = 5.0  # s of training, about: GradientRecorder's own default
SECONDS_A_BLOCK = 0.1
ROUNDS_A_FLUSH = round(FLUSH_EVERY / SECONDS_A_BLOCK)
ROUNDS = 3 * ROUNDS_A_FLUSH

# At most so many times the bare loop.
LIMITS = {
    "original net, batch 10": 1.05,
    "original net, batch 256": 1.03,
    "transformer, 99 tensors": 1.03,
}


@dataclass
class Flushing:
    """What flushing and closing one logger took: (CPU, wall) seconds."""

    flushes: list[tuple[float, float]] = field(default_factory=list)
    close: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Result:
    """What was measured with one training."""

    name: str
    steps: int  # a block
    times: CpuTimes
    flushing: dict[str, Flushing]

    def with_flushes(self, logger: str) -> float:
        """Return the median ratio with the flushes' share added."""
        share = sum(cpu for cpu, _ in self.flushing[logger].flushes) / self.times[BARE].sum()
        return ratios(self.times, logger, to=BARE).median + share


def report() -> str:
    """Measure all trainings and return the tables."""
    with _one_thread(), tempfile.TemporaryDirectory() as folder:
        results = [
            _measure(name, make(), Path(folder, str(place)))
            for place, (name, make) in enumerate(TRAININGS.items())
        ]
    return f"{_step_table(results)}\n\n{_flush_table(results)}"


def _measure(name: str, training: Training, folder: Path) -> Result:
    loggers: dict[str, Logger] = {
        BARE: Bare(training),
        AGAIN: Bare(training),
        OURS: Epochord(training, folder / "epochord"),
        NAIVE: Naive(training, folder / "naive"),
    }
    flushing = {OURS: Flushing(), NAIVE: Flushing()}

    def flush(rounds: int) -> None:
        if rounds and rounds % ROUNDS_A_FLUSH == 0:
            for key, spent in flushing.items():
                spent.flushes.append(cpu_and_wall_seconds(loggers[key].flush))

    steps = _steps_a_block(training, loggers[BARE])
    blocks = {key: partial(_block, training, logger, steps) for key, logger in loggers.items()}
    times = interleaved(blocks, rounds=ROUNDS, after_round=flush)
    for key, spent in flushing.items():
        spent.close = cpu_and_wall_seconds(loggers[key].close)
    return Result(name, steps, times, flushing)


def _block(training: Training, logger: Logger, steps: int) -> None:
    for number in range(steps):
        logger.after(training.step(number, logger.optimizer))


def _steps_a_block(training: Training, bare: Logger) -> int:
    _block(training, bare, 3)
    return max(1, round(SECONDS_A_BLOCK / (cpu_seconds(partial(_block, training, bare, 8)) / 8)))


def _step_table(results: list[Result]) -> str:
    rows = []
    for result in results:
        milliseconds = 1e3 * spread(result.times[BARE] / result.steps).median
        compared = [ratios(result.times, key, to=BARE).text() for key in (AGAIN, OURS, NAIVE)]
        rows.append(
            [
                result.name,
                f"{milliseconds:.2f}",
                *compared,
                f"{result.with_flushes(OURS):.3f}",
                f"{LIMITS[result.name]:.2f}",
            ]
        )
    head = ["training", "bare step, CPU ms", f"{AGAIN} ÷ bare", f"{OURS} ÷ bare"]
    head += [f"{NAIVE} ÷ bare", f"{OURS} with flushes", "target"]
    return table(f"A step, CPU time, {ROUNDS} rounds: median (quartiles)", head, rows)


def _flush_table(results: list[Result]) -> str:
    rows = []
    for result in results:
        for key, spent in result.flushing.items():
            cpu, wall = np.median(spent.flushes, axis=0)
            cells = [f"{1e3 * seconds:.2f}" for seconds in (cpu, wall, *spent.close)]
            steps = result.steps * ROUNDS_A_FLUSH
            rows.append([result.name, key, f"{steps:,}", *cells])
    head = ["training", "log", "steps a flush", "flush, CPU ms", "flush, wall ms"]
    head += ["close, CPU ms", "close, wall ms"]
    return table(f"A flush every {ROUNDS_A_FLUSH} rounds, median, and closing", head, rows)


@contextmanager
def _one_thread() -> Iterator[None]:
    # Two threads on two shared cores wait for each other, and waiting burns CPU time.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
