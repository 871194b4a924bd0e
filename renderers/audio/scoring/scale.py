"""From values to positions between the ends of a range, the same for all runs of one command."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Sample", "Scale", "common", "robust", "sample", "shared"]

Floats = npt.NDArray[np.floating[Any]]

# Tukey's outer fences: what lies further than three interquartile ranges from the
# quartiles is an explosion, which is to be heard at the top, not to set the range.
FENCE = 3.0
SAMPLES = 1024  # of each run, where several share a scale; of a shorter one some repeat
# Ranges narrower than this are widened, so that noise does not fill a register.
LEAST_RATIO = 10 ** (1 / 4)
TINY = float(np.finfo(np.float64).tiny)
LARGEST = 1e300  # no range reaches further, so that its width is a number, too


@dataclass(frozen=True)
class Scale:
    """A range of values and how it is divided.

    Parameters
    ----------
    low, high : float
        Ends of the range.
    kind : {"log", "linear"}
        ``log`` where all values are positive or zero.
    middle : float, optional
        The median of the values; by default halfway along the range.

    Raises
    ------
    ValueError
        If the ends make no range.
    """

    low: float
    high: float
    kind: Literal["log", "linear"] = "log"
    middle: float | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not -LARGEST <= self.low < self.high <= LARGEST:  # also refuses NaN
            raise ValueError(
                f"range is {self.low}:{self.high}; expected LO:HI with LO < HI, "
                f"both within ±{LARGEST:g}"
            )
        if self.kind == "log" and self.low <= 0:
            raise ValueError(f"range is {self.low}:{self.high}; a logarithmic one has LO > 0")

    def positions(self, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return where values lie: 0 at the low end, 1 at the high end, never outside.

        Parameters
        ----------
        values : array-like
            NaN stays NaN; zero lies at the low end of a logarithmic range.
        """
        numbers = np.asarray(values, np.float64)
        low, high = self._axis(np.array([self.low, self.high]))
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(np.clip((self._axis(numbers) - low) / (high - low), 0.0, 1.0))

    def values(self, positions: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the values at positions: what `positions` maps, back again."""
        low, high = self._axis(np.array([self.low, self.high]))
        along = low + np.asarray(positions, np.float64) * (high - low)
        return np.asarray(np.exp(along) if self.kind == "log" else along)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def ordinary(self) -> float:
        """The middle of the values, as far as it is known, or of the range."""
        return float(self.values(0.5)) if self.middle is None else self.middle

    def _axis(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.log(np.maximum(values, TINY)) if self.kind == "log" else values


def robust(values: Iterable[Floats]) -> Scale:
    """Find a range that most values fill and that no explosion stretches.

    Parameters
    ----------
    values : iterable of np.ndarray
        Everything that is to share the range.

    Returns
    -------
    Scale
        From the least to the greatest finite value, except for what lies
        outside of Tukey's outer fences (Exploratory Data Analysis, 1977),
        measured on the scale's own axis.  Zeros do not count on a logarithmic one.
    """
    finite = np.concatenate([np.ravel(each)[np.isfinite(np.ravel(each))] for each in values])
    numbers = np.clip(finite.astype(np.float64), -LARGEST, LARGEST)
    if not numbers.size:
        return Scale(0.0, 1.0, "linear")
    if (numbers < 0).any():
        scale = _around(numbers[_fenced(numbers)], "linear")
        return replace(scale, middle=float(np.median(numbers)))
    positive = np.maximum(numbers[numbers > 0], TINY) if numbers.any() else np.ones(1)
    scale = _around(positive[_fenced(np.log(positive))], "log")
    return replace(scale, middle=float(np.exp(np.median(np.log(positive)))))


def _fenced(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Tell which numbers lie within the fences."""
    first, third = np.quantile(numbers, [0.25, 0.75])
    if first == third:  # most are equal: what is far from them is up to the others
        first, third = np.quantile(np.unique(numbers), [0.25, 0.75])
    reach = FENCE * (third - first)
    return np.asarray((numbers >= first - reach) & (numbers <= third + reach))


def _around(numbers: npt.NDArray[np.float64], kind: Literal["log", "linear"]) -> Scale:
    """Return the range of numbers; where that is nearly a point, with some width around it."""
    low, high = float(numbers.min()), float(numbers.max())
    if kind == "log":
        factor = max(1.0, (LEAST_RATIO / (high / low)) ** 0.5)
        low, high = low / factor, high * factor
    else:
        least = max(abs(low + high) * (LEAST_RATIO - 1) / 4, TINY)
        more = max(0.0, least - (high - low) / 2)
        low, high = low - more, high + more
    return Scale(max(low, -LARGEST), min(high, LARGEST), kind)


class Sample(NamedTuple):
    """What stands for one run on a scale that several share.

    Parameters
    ----------
    values : np.ndarray [shape=(n,)]
        Finite.
    healthy : bool
        Whether its range is one that others can be heard on: it has neither exploded
        nor died nor ceased to be a number.
    """

    values: npt.NDArray[np.float64]
    healthy: bool = True


def sample(values: Floats) -> npt.NDArray[np.float64]:
    """Return values that stand for a run: its finite ones at evenly spaced ranks.

    However long the run is, they are few enough to be sent from one process to another.
    """
    finite = np.sort(values[np.isfinite(values)]).astype(np.float64)
    if not len(finite):
        return finite
    return np.asarray(finite[np.linspace(0, len(finite) - 1, SAMPLES).round().astype(int)])


def shared(samples: Sequence[Sample]) -> Scale:
    """Find a scale on which several runs can be heard.

    Parameters
    ----------
    samples : sequence of Sample
        Of each run.

    Returns
    -------
    Scale
        From the lowest to the highest end of the healthy runs' own ranges (see
        `robust`), so that one explosion does not flatten all others: what lies
        beyond is held at the ends.  Where no run is healthy, the range that most of
        their values fill.
    """
    healthy = [each.values for each in samples if each.healthy and each.values.size]
    if not healthy:
        return robust([each.values for each in samples])
    ranges = [robust([values]) for values in healthy]
    logarithmic = all(scale.kind == "log" for scale in ranges)
    return Scale(
        min(scale.low for scale in ranges),
        max(scale.high for scale in ranges),
        "log" if logarithmic else "linear",
        middle=float(np.median([scale.ordinary for scale in ranges])),
    )


def common(samples: Iterable[Mapping[str, Sample]]) -> dict[str, Scale]:
    """Find the scale of each group on which all runs can be heard.

    Parameters
    ----------
    samples : iterable of mapping of str to Sample
        Of each run, by group.
    """
    gathered: dict[str, list[Sample]] = {}
    for each in samples:
        for group, one in each.items():
            gathered.setdefault(group, []).append(one)
    return {group: shared(several) for group, several in gathered.items()}
