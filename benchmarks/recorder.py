"""What recording adds to a step of training, in CPU time, against the bare loop.

Bare loop, bare loop once more (so: the noise), Epochord, the naive TensorBoard loop,
wandb (where it is installed) and the norms alone take turns in one process, each with
a network of its own, equal at the start: Epochord records whoever trains its network.
Each training has a process of its own, since tiny tensors are slower where others were.
"""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from benchmarks.loggers import Bare, Epochord, Logger, Naive, NormsAlone, Wandb, has_wandb
from benchmarks.measure import (
    CpuTimes,
    cpu_and_wall_seconds,
    cpu_seconds,
    interleaved,
    ratios,
    spread,
)
from benchmarks.tables import table
from benchmarks.targets import Part, Target, at_most, joined
from benchmarks.trainings import TRAININGS

__all__ = ["report"]

BARE, AGAIN, OURS, NAIVE = "bare", "bare again", "Epochord", "add_scalar"
WANDB, NORMS = "wandb.watch", "norms alone"

FLUSH_EVERY = 5.0  # s of training, about: GradientRecorder's own default
SECONDS_A_BLOCK = 0.1
FLUSHES = 2

# Slow ones are in some rounds only; of many tensors in as few as give a median.
FEWER = {NAIVE: 25, WANDB: 10}
FEWER_OF_MANY = {NAIVE: 5, WANDB: 3}
MANY = 300  # tensors

# At most so many times the bare loop, with flushes.
LIMITS = {
    "original net, batch 10": 1.05,
    "original net, batch 256": 1.03,
    "transformer, 99 tensors": 1.03,
    "400 tiny tensors": 1.15,
}
# At most so many CPU seconds: a flush of what 5 s of training bring, and closing.
LIMITS_FLUSHING = {"10,000 tiny tensors": (0.25, 1.0)}


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
    rounds_a_flush: int
    times: CpuTimes
    flushing: dict[str, Flushing]

    def with_flushes(self, logger: str) -> float:
        """Return the median ratio with the flushes' share added."""
        share = sum(cpu for cpu, _ in self.flushing[logger].flushes) / self.times[BARE].sum()
        return ratios(self.times, logger, to=BARE).median + share


def report() -> str:
    """Measure all trainings and return the tables."""
    fresh = ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1)
    with fresh, tempfile.TemporaryDirectory() as folder:
        results = list(fresh.map(_measure, TRAININGS, map(Path(folder).joinpath, TRAININGS)))
    tables = [_step_table(results), _flush_table(results)]
    return joined([Part(tables, list(_targets(results)), list(_notes()))])


def _measure(name: str, folder: Path) -> Result:
    # Two threads on two shared cores wait for each other, and waiting burns CPU time.
    torch.set_num_threads(1)
    make = TRAININGS[name]
    loggers: dict[str, Logger] = {
        BARE: Bare(make()),
        AGAIN: Bare(make()),
        OURS: Epochord(make(), folder / "epochord"),
        NAIVE: Naive(make(), folder / "naive"),
        NORMS: NormsAlone(make()),
    }
    if has_wandb():
        loggers[WANDB] = Wandb(make(), folder / "wandb")
    flushing = {key: Flushing() for key in loggers if key in (OURS, NAIVE, WANDB)}

    def flush(rounds: int) -> None:
        if rounds and rounds % rounds_a_flush == 0:
            for key, spent in flushing.items():
                spent.flushes.append(cpu_and_wall_seconds(loggers[key].flush))

    steps, seconds = _steps_a_block(loggers[BARE])
    rounds_a_flush = max(1, round(FLUSH_EVERY / seconds))
    blocks = {key: partial(_block, logger, steps) for key, logger in loggers.items()}
    many = len(list(loggers[BARE].training.model.parameters())) > MANY
    fewer = FEWER_OF_MANY if many else FEWER
    rounds = FLUSHES * rounds_a_flush
    times = interleaved(blocks, rounds=rounds, fewer=fewer, after_round=flush)
    for key, spent in flushing.items():
        spent.close = cpu_and_wall_seconds(loggers[key].close)
    return Result(name, steps, rounds_a_flush, times, flushing)


def _block(logger: Logger, steps: int) -> None:
    for number in range(steps):
        logger.after(logger.training.step(number, logger.optimizer))


def _steps_a_block(bare: Logger) -> tuple[int, float]:
    """Return how many steps a block has, and about how many CPU seconds it takes."""
    _block(bare, 3)
    seconds = cpu_seconds(partial(_block, bare, 8)) / 8
    steps = max(1, round(SECONDS_A_BLOCK / seconds))
    return steps, steps * seconds


def _step_table(results: list[Result]) -> str:
    others = [key for key in (AGAIN, NORMS, OURS, NAIVE, WANDB) if key in results[0].times]
    rows = []
    for result in results:
        milliseconds = 1e3 * spread(result.times[BARE] / result.steps).median
        limit = LIMITS.get(result.name)
        rows.append(
            [
                result.name,
                f"{len(result.times[BARE])}",
                f"{milliseconds:.2f}",
                *(ratios(result.times, key, to=BARE).text() for key in others),
                f"{result.with_flushes(OURS):.3f}",
                f"{limit:.2f}" if limit else "",
            ]
        )
    head = ["training", "rounds", "bare step, CPU ms", *(f"{key} ÷ bare" for key in others)]
    head += [f"{OURS} with flushes", "target"]
    return table("A step, CPU time: median (quartiles)", head, rows)


def _flush_table(results: list[Result]) -> str:
    rows = []
    for result in results:
        for key, spent in result.flushing.items():
            cpu, wall = np.median(spent.flushes, axis=0)
            flushed = ["", ""] if key == WANDB else [f"{1e3 * each:.2f}" for each in (cpu, wall)]
            taken = int(np.isfinite(result.times[key]).sum())
            steps = result.steps * taken // FLUSHES
            closed = [f"{1e3 * seconds:.2f}" for seconds in spent.close]
            rows.append([result.name, key, f"{steps:,}", *flushed, *closed])
    head = ["training", "log", "steps a flush", "flush, CPU ms", "flush, wall ms"]
    head += ["close, CPU ms", "close, wall ms"]
    return table(f"Flushing what about {FLUSH_EVERY:.0f} s bring, median, and closing", head, rows)


def _targets(results: list[Result]) -> Iterator[Target]:
    for result in results:
        if limit := LIMITS.get(result.name):
            what = f"{result.name}: a step with flushes ÷ bare"
            yield at_most(what, result.with_flushes(OURS), limit)
        if limits := LIMITS_FLUSHING.get(result.name):
            spent = result.flushing[OURS]
            yield at_most(
                f"{result.name}: a flush of 5 s, CPU s",
                float(np.median([cpu for cpu, _ in spent.flushes])),
                limits[0],
            )
            yield at_most(f"{result.name}: closing, CPU s", spent.close[0], limits[1])


def _notes() -> Iterator[str]:
    yield (
        f"{NAIVE} is in {FEWER[NAIVE]} rounds and {WANDB} in {FEWER[WANDB]}, with more than "
        f"{MANY:,} tensors in {FEWER_OF_MANY[NAIVE]} and {FEWER_OF_MANY[WANDB]}, evenly spread; "
        "in these they log at every step."
    )
    if has_wandb():
        yield (
            f'wandb {version("wandb")}, offline, `watch(log="gradients", log_freq=1)`: the CPU '
            "time of its service, a process of its own, counts when it closes, not in its steps."
        )
    else:
        yield "wandb is not installed, so it is not in the table."
