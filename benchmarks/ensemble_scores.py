"""Scores of an ensemble: what an epoch costs, and how that grows with members and points."""

from functools import partial

import numpy as np

from benchmarks.measure import interleaved, ratios, spread
from benchmarks.tables import table
from benchmarks.targets import Part, at_most
from epochord.renderers.ensemble.scores import score

__all__ = ["measured"]

NOISE = 0.5
BASE = (40, 100)  # members and points
GROWN = {"members": (1000, 100), "points": (40, 2500)}
ROUNDS = 15
MOST_MS = 25.0  # an epoch of the base
MOST_GROWTH = 1.1  # of linear


def measured() -> Part:
    """Time scoring of one epoch, whose noise is known."""
    work = {"base": _work(*BASE)} | {name: _work(*sizes) for name, sizes in GROWN.items()}
    times = interleaved(work, rounds=ROUNDS)
    base = spread(times["base"]).median
    targets = [at_most("scoring an epoch of 40 members at 100 points, CPU ms", 1e3 * base, MOST_MS)]
    rows = [["40 members, 100 points", f"{1e3 * base:.2f}", ""]]
    for name, sizes in GROWN.items():
        linear = sizes[0] * sizes[1] / (BASE[0] * BASE[1])
        growth = ratios(times, name, to="base").median / linear
        targets.append(at_most(f"growth with {name}, ÷ linear", growth, MOST_GROWTH))
        median = spread(times[name]).median
        rows.append(
            [f"{sizes[0]} members, {sizes[1]} points", f"{1e3 * median:.2f}", f"{growth:.2f}"]
        )
    title = f"All scores of an epoch, CPU time: median of {ROUNDS} rounds"
    return Part([table(title, ["what", "ms", "growth ÷ linear"], rows)], targets)


def _work(members: int, points: int) -> partial[object]:
    rng = np.random.default_rng(0)
    predictions, targets = rng.normal(size=(members, points)), rng.normal(size=points)
    return partial(score, predictions, targets, noise_sd=NOISE)
