"""What counting the leading digits of a tensor costs, against log10, and how far off shares are."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from benchmarks.measure import interleaved, ratios, spread
from benchmarks.tables import table
from benchmarks.targets import Part, at_least, at_most, joined
from epochord.recorders.digit_counts import _measure, count_first_digits
from epochord.renderers.benford.leading_digits import count_digits

__all__ = ["report"]

NUMBERS = 1_000_000
ROUNDS = 41
LEAST_GAIN = 6  # times less CPU time than log10
SEEDS = 20
MOST_ERROR = 5e-5

OURS, WHOLE = "fold of 19 bits", "fold of 19 bits, and sigma"
SELECTED, MARKED = "log10, of what is left without zeros", "log10, zeros marked by where"
UNCHECKED, NORM = "log10, no zeros and no NaN allowed", "the norm alone"


def report() -> str:
    """Measure CPU time and the error of shares, and return the tables."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return joined([_speed(), _errors()])
    finally:
        torch.set_num_threads(before)


def _speed() -> Part:
    values = torch.from_numpy(_normal(0, 1e-3))
    ways: dict[str, Callable[[torch.Tensor], object]] = {
        OURS: count_first_digits,
        WHOLE: partial(_measure, divisor=None),
        SELECTED: _selected,
        MARKED: _marked,
        UNCHECKED: _unchecked,
        NORM: torch.linalg.vector_norm,
    }
    works = {name: partial(way, values) for name, way in ways.items()}
    times = interleaved(works, rounds=ROUNDS, warm_up=2)
    rows = [
        [name, spread(1000 * np.asarray(times[name])).text(3), ratios(times, name, to=OURS).text(1)]
        for name in ways
    ]
    title = f"Leading digits of {NUMBERS:,} float32 in torch, one thread; {ROUNDS} rounds"
    gains = {name: ratios(times, name, to=OURS).median for name in (SELECTED, MARKED)}
    return Part(
        [table(f"{title}: median (quartiles)", ["way", "CPU ms", "÷ fold"], rows)],
        [at_least(f"{name} ÷ {OURS}", gain, LEAST_GAIN) for name, gain in gains.items()],
    )


def _selected(values: torch.Tensor) -> torch.Tensor:
    magnitudes = values.abs()
    magnitudes = magnitudes[(magnitudes > 0) & torch.isfinite(magnitudes)]
    return torch.bincount(_naive(magnitudes).clamp_(1, 9), minlength=10)[1:]


def _marked(values: torch.Tensor) -> torch.Tensor:
    magnitudes = values.abs()
    counted = (magnitudes > 0) & torch.isfinite(magnitudes)
    digits = _naive(torch.where(counted, magnitudes, 1.0)).clamp_(1, 9)
    return torch.bincount(torch.where(counted, digits, 0), minlength=10)[1:]


def _unchecked(values: torch.Tensor) -> torch.Tensor:
    return torch.bincount(_naive(values.abs()), minlength=11)[1:10]


def _naive(magnitudes: torch.Tensor) -> torch.Tensor:
    return (magnitudes / 10 ** torch.floor(torch.log10(magnitudes))).long()


def _errors() -> Part:
    rows, most = [], 0.0
    for scale in (1.0, 0.02, 1e-3, 3e-5):
        errors = [_error(seed, scale) for seed in range(SEEDS)]
        rows.append([f"{scale:g}", spread(errors).text(6), f"{max(errors):.6f}"])
        most = max(most, *errors)
    title = f"Greatest error of a share, {NUMBERS:,} normal float32, {SEEDS} seeds each"
    return Part(
        [table(title, ["sigma", "median (quartiles)", "most"], rows)],
        [at_most("share error of the fold", most, MOST_ERROR)],
    )


def _error(seed: int, scale: float) -> float:
    values = _normal(seed, scale)
    counts = count_first_digits(torch.from_numpy(values)).numpy()[1:10]
    return float(np.abs(counts / counts.sum() - count_digits(values).shares).max())


def _normal(seed: int, scale: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, scale, NUMBERS).astype(np.float32)


if __name__ == "__main__":
    print(report())
