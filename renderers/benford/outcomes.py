"""What may be said of digits: of counts, with a number of values behind them, and of probabilities.

Both are plain data, with the words for what was found, and `to_dict` for JSON.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from epochord.renderers.benford.digit import Digit
from epochord.renderers.benford.distributions import Distances
from epochord.runlog.digits.bits import DigitCounts

__all__ = [
    "DIFFERS",
    "EQUAL_DIGITS",
    "GRADES",
    "NEARER",
    "NOT_TOLD",
    "NO_NEARER",
    "TOO_FEW",
    "Baseline",
    "ChiSquare",
    "CountStatistics",
    "ProbabilityStatistics",
]

GRADES = ("close", "acceptable", "marginal", "nonconformity")
NOT_TOLD, DIFFERS, TOO_FEW = "cannot be told", "differs", "too few values"
NEARER, NO_NEARER = "nearer than its baselines", "no nearer than a baseline"
EQUAL_DIGITS = "equal digits"  # a ninth each; not equal tokens, whose digits are the vocabulary's


class ChiSquare(NamedTuple):
    """Pearson's test against a law.

    Attributes
    ----------
    statistic : float
        With 8 degrees of freedom for first digits, 9 for other ones, 89 for the first two.
    p_value : float
        Of the chi-square distribution; where a digit is expected fewer than five times (below 110
        values for first digits, 1,146 for the first two), of 9,999 simulated samples.
    """

    statistic: float
    p_value: float


class Baseline(NamedTuple):
    """A distribution to compare with, or several of one kind.

    Attributes
    ----------
    distances : Distances
        From what was observed to the mean of them.
    mads : tuple of float
        Of the nearest and of the farthest one from the law.
    """

    distances: Distances
    mads: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers."""
        return {**self.distances.to_dict(), "mads_to_law": list(self.mads)}


@dataclass(frozen=True)
class ProbabilityStatistics:
    """What may be said of probabilities.

    Parameters
    ----------
    shares, expected : tuple of float [9 or 90]
        The probabilities, scaled to add up to 1, and Benford's.
    mass : float or None
        How much of all probability they are.
    distances : Distances
        From Benford's law.
    baselines : dict of str to Baseline
        By name; equal digits are always one.
    grade : str
        Nigrini's word for the MAD: one of `GRADES`.
    verdict : str
        `NEARER`, to Benford's law, than all baselines, or `NO_NEARER`.
    sentence : str
        The same for a reader.
    """

    shares: tuple[float, ...]
    expected: tuple[float, ...]
    mass: float | None
    distances: Distances
    baselines: dict[str, Baseline]
    grade: str | None
    verdict: str
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "shares": list(self.shares),
            "expected": list(self.expected),
            "mass": self.mass,
            **self.distances.to_dict(),
            "baselines": {name: each.to_dict() for name, each in self.baselines.items()},
            "grade": self.grade,
            "verdict": self.verdict,
            "sentence": self.sentence,
        }


@dataclass(frozen=True)
class CountStatistics:
    """What may be said of counts; None where there is no value.

    Parameters
    ----------
    counts : DigitCounts
        What was counted.
    digit : Digit
        Which one of each number.
    distances : Distances or None
        Of its shares from the law.
    baselines : dict of str to Baseline
        By name.
    chance_mad : float or None
        The MAD that as many values of the law have on average, by chance.
    mad_limit : float or None
        What theirs stays below in 99 of 100 simulated samples.
    mad_interval : tuple of float or None
        95 % (see `mad_interval`); times half the number of digits, that of the total variation.
    chi_square : ChiSquare or None
        See there.
    least_deviation : float or None
        The least MAD that as many values show with 80 % power at 5 %, whatever its shape.
    power : dict of str to float
        How often as many values of other distributions would differ from the law.
    dependence : str
        Why the values depend on each other, so that p is too small; empty if nothing is known.
    grade : str or None
        Nigrini's word for the MAD, one of `GRADES`; None where the values are too few to tell.
    verdict : str
        `NOT_TOLD`, `DIFFERS` or `TOO_FEW`.
    sentence : str
        The same for a reader.
    """

    counts: DigitCounts
    digit: Digit
    distances: Distances | None
    baselines: dict[str, Baseline]
    chance_mad: float | None
    mad_limit: float | None
    mad_interval: tuple[float, float] | None
    chi_square: ChiSquare | None
    least_deviation: float | None
    power: dict[str, float]
    dependence: str
    grade: str | None
    verdict: str
    sentence: str

    @property
    def total_variation_interval(self) -> tuple[float, float] | None:
        """That of the MAD, in another unit: both are sums of the same deviations."""
        if self.mad_interval is None:
            return None
        low, high = self.mad_interval
        return low * len(self.counts.counts) / 2, high * len(self.counts.counts) / 2

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            **self.counts.to_dict(),
            "digit": self.digit.name,
            "shares": self.counts.shares.tolist() if self.counts.n else None,
            "expected": list(self.digit.law),
            **(self.distances.to_dict() if self.distances else {}),
            "baselines": {name: each.to_dict() for name, each in self.baselines.items()},
            "chance_mad": self.chance_mad,
            "mad_limit": self.mad_limit,
            "mad_interval": self.mad_interval,
            "total_variation_interval": self.total_variation_interval,
            "chi_square": self.chi_square and self.chi_square.statistic,
            "p_value": self.chi_square and self.chi_square.p_value,
            "least_deviation": self.least_deviation,
            "power": self.power,
            "dependence": self.dependence,
            "grade": self.grade,
            "verdict": self.verdict,
            "sentence": self.sentence,
        }
