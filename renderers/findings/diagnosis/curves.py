"""A series where it was logged, and what its ordinary values are."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["BEFORE", "EMPTY", "FEWEST", "Curve", "Values", "held", "levels"]

Values = npt.NDArray[np.float64]

BEFORE = 30  # steps whose median is the level of the one behind them
FEWEST = 5  # steps before there is such a level


@dataclass(frozen=True)
class Curve:
    """One series where it was logged.

    Parameters
    ----------
    steps : np.ndarray [shape=(n,), int64]
        Ascending.
    values : np.ndarray [shape=(n,)]
        Maybe not finite.
    """

    steps: npt.NDArray[np.int64]
    values: Values

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def finite(self) -> "Curve":
        """The same without what is no number."""
        known = np.isfinite(self.values)
        return Curve(self.steps[known], self.values[known])

    def course(self, parts: int) -> Values:
        """Return the medians of so many equal parts, or of as many as there are values."""
        return np.array([np.median(part) for part in np.array_split(self.values, self._at(parts))])

    def means(self, parts: int) -> Values:
        """Return the means of so many equal parts, or of as many as there are values."""
        return np.array([np.mean(part) for part in np.array_split(self.values, self._at(parts))])

    def _at(self, parts: int) -> int:
        return max(1, min(parts, len(self)))

    def smooth(self, share: float) -> Values:
        """Return the mean of the neighbourhood of each value, of a share of the curve."""
        width = int(share * len(self)) | 1
        padded = np.pad(self.values, width // 2, mode="edge")
        sums = np.cumsum(np.concatenate([[0.0], padded]))
        return np.asarray((sums[width:] - sums[:-width]) / width)


EMPTY = Curve(np.empty(0, np.int64), np.empty(0))


def levels(curve: Curve) -> tuple[Curve, Values]:
    """Return the positive values of a curve, and the level before each.

    Returns
    -------
    (Curve, np.ndarray [shape=(n,)])
        The level is the median of the values before; NaN where there are too few.
    """
    finite = curve.finite
    positive = finite.values > 0
    curve = Curve(finite.steps[positive], finite.values[positive])
    padded = np.concatenate([np.full(BEFORE, np.nan), curve.values[:-1]])
    level = np.full(len(curve), np.nan)
    if len(curve) > FEWEST:
        windows = np.lib.stride_tricks.sliding_window_view(padded, BEFORE)
        level[FEWEST:] = np.nanmedian(windows[FEWEST:], axis=1)
    return curve, level


def held(curve: Curve, steps: npt.NDArray[np.int64]) -> Values:
    """Return a curve's value at each step, held from the one before; NaN where there is none."""
    if not len(curve):
        return np.full(len(steps), np.nan)
    place = np.searchsorted(curve.steps, steps, side="right") - 1
    return np.where(place >= 0, curve.values[np.maximum(place, 0)], np.nan)
