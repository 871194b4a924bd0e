"""Interleaved measuring: from functions to CPU seconds a round, and to ratios with quartiles.

On a shared machine the speed changes from second to second.  So the candidates
take turns, and each is compared with the others of the same round only; the
median over the rounds then says more than any single time.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from resource import RUSAGE_CHILDREN, getrusage
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

__all__ = [
    "CpuTimes",
    "Spread",
    "cpu_and_wall_seconds",
    "cpu_seconds",
    "interleaved",
    "ratios",
    "spread",
]

CpuTimes = dict[str, npt.NDArray[np.float64]]
"""CPU seconds by candidate, one a round; NaN for a round that it sat out."""


@dataclass(frozen=True)
class Spread:
    """A median with the quartiles around it."""

    low: float
    median: float
    high: float

    def text(self, digits: int = 3) -> str:
        """Return ``median (low–high)`` with so many decimals."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}–{self.high:.{digits}f})"


def interleaved(
    candidates: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    fewer: Mapping[str, int] = MappingProxyType({}),
    warm_up: int = 1,
    after_round: Callable[[int], None] = lambda _: None,
) -> CpuTimes:
    """Run candidates in turn and time each run.

    Parameters
    ----------
    candidates : mapping of str to callable
        By name.
    rounds : int
        How often each one runs; the order rotates by one from round to round.
    fewer : mapping of str to int
        Slow ones by name: how many of the rounds, evenly spread, they take part in.
    warm_up : int
        Rounds before these that are not counted.
    after_round : callable
        Called, untimed, with the number of rounds done.

    Returns
    -------
    dict of str to np.ndarray [shape=(rounds,), float64]
        See `cpu_seconds`; NaN for rounds sat out.
    """
    names = list(candidates)
    times = {name: np.full(rounds, np.nan) for name in names}
    for turn in range(-warm_up, rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            share = fewer.get(name, rounds)
            if turn * share % rounds >= share:
                continue
            seconds = cpu_seconds(candidates[name])
            if turn >= 0:
                times[name][turn] = seconds
        after_round(max(0, turn + 1))
    return times


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds that a call takes, on all threads.

    Those of processes that it starts count too, provided that it waits for their end.
    """
    before = _cpu_seconds_so_far()
    work()
    return _cpu_seconds_so_far() - before


def _cpu_seconds_so_far() -> float:
    children = getrusage(RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def cpu_and_wall_seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return the CPU and the wall-clock seconds that a call takes."""
    before = time.perf_counter()
    cpu = cpu_seconds(work)
    return cpu, time.perf_counter() - before


def ratios(times: CpuTimes, name: str, *, to: str) -> Spread:
    """Compare two candidates round by round."""
    return spread(times[name] / times[to])


def spread(values: npt.ArrayLike) -> Spread:
    """Return the median and the quartiles of some values; NaN, a round sat out, is left out."""
    low, median, high = np.nanquantile(np.asarray(values, dtype=np.float64), [0.25, 0.5, 0.75])
    return Spread(float(low), float(median), float(high))
