"""From counts of leading digits, or a model's probabilities of them, to what may be said of them.

Counts have a number of values N behind them: so there are chi-square, intervals and chance.
Probabilities have none, and `of_probabilities` gives none of these.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from epochord.renderers.benford.distributions import (
    Distances,
    Shares,
    benford,
    chance_mad,
    distances,
    distribution,
    mad,
    mad_limit,
)
from epochord.runlog.digits.bits import DigitCounts

__all__ = [
    "CONFORMS",
    "LEAST_VALUES",
    "TOO_FEW",
    "VARIES",
    "Baseline",
    "ChiSquare",
    "CountStatistics",
    "ProbabilityStatistics",
    "chi_square",
    "mad_interval",
    "of_counts",
    "of_probabilities",
]

# Up to these MADs conformity is close, acceptable or marginal; there is none above (Nigrini,
# Benford's Law, Wiley 2012, table 7.1).  By the number of digits told apart.
CUT_OFFS = {9: (0.006, 0.012, 0.015), 90: (0.0012, 0.0018, 0.0022)}
GRADES = ("close", "acceptable", "marginal", "nonconformity")

LEAST_VALUES = 50
LEAST_EXPECTED = 5  # counts of each digit, for chi-square's p (Cochran, Biometrics 10, 1954)
ONE_IN_A_HUNDRED = 2.33  # standard deviations, of a Gaussian, above its mean
ONE_IN_FORTY = 1.96
RESAMPLES = 1000
NO_BASELINES: Mapping[str, npt.ArrayLike] = MappingProxyType({})

CONFORMS, VARIES, TOO_FEW = "conforms", "does not conform", "too few values"


class ChiSquare(NamedTuple):
    """Pearson's test against Benford's law.

    Attributes
    ----------
    statistic : float
        With 8 degrees of freedom for first digits, 89 for the first two.
    p_value : float or None
        None where a digit is expected fewer than five times: below 110 values for first digits,
        1,146 for the first two.
    """

    statistic: float
    p_value: float | None


class Baseline(NamedTuple):
    """A distribution to compare with.

    Attributes
    ----------
    distances : Distances
        From what was observed to the baseline.
    mad : float
        Of the baseline itself from Benford's law.
    """

    distances: Distances
    mad: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers."""
        return {**self.distances.to_dict(), "mad_to_benford": self.mad}


@dataclass(frozen=True)
class ProbabilityStatistics:
    """What may be said of probabilities.

    Parameters
    ----------
    shares, expected : tuple of float [9 or 90]
        The probabilities, scaled to add up to 1, and Benford's.
    distances : Distances
        From Benford's law.
    baselines : dict of str to Baseline
        By name.
    grade : str
        Nigrini's word for the MAD: one of `GRADES`.
    verdict : str
        `CONFORMS` or `VARIES`.
    sentence : str
        The same for a reader.
    """

    shares: tuple[float, ...]
    expected: tuple[float, ...]
    distances: Distances
    baselines: dict[str, Baseline]
    grade: str
    verdict: str
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "shares": list(self.shares),
            "expected": list(self.expected),
            **self.distances.to_dict(),
            "baselines": {name: each.to_dict() for name, each in self.baselines.items()},
            "grade": self.grade,
            "verdict": self.verdict,
            "sentence": self.sentence,
        }


@dataclass(frozen=True)
class CountStatistics:
    """What may be said of counts; None where they are too few to say it.

    Parameters
    ----------
    counts : DigitCounts
        What was counted.
    distances : Distances or None
        Of its shares from Benford's law.
    baselines : dict of str to Baseline
        By name.
    chance_mad : float or None
        The MAD that as many values of Benford's law have on average, by chance.
    mad_limit : float or None
        What theirs stays below in about 99 of 100 cases.
    mad_interval : tuple of float or None
        95 % (see `mad_interval`); times 4.5 for first digits, or 45, that of the total variation.
    chi_square : ChiSquare or None
        See there.
    grade : str or None
        Nigrini's word for the MAD, one of `GRADES`; None where the values are too few to tell.
    verdict : str
        `CONFORMS`, `VARIES` or `TOO_FEW`.
    sentence : str
        The same for a reader.
    """

    counts: DigitCounts
    distances: Distances | None
    baselines: dict[str, Baseline]
    chance_mad: float | None
    mad_limit: float | None
    mad_interval: tuple[float, float] | None
    chi_square: ChiSquare | None
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
        some = bool(self.counts.n)
        return {
            **self.counts.to_dict(),
            "shares": self.counts.shares.tolist() if some else None,
            "expected": _benford_like(self.counts).tolist(),
            **(self.distances.to_dict() if self.distances else {}),
            "baselines": {name: each.to_dict() for name, each in self.baselines.items()},
            "chance_mad": self.chance_mad,
            "mad_limit": self.mad_limit,
            "mad_interval": self.mad_interval,
            "total_variation_interval": self.total_variation_interval,
            "chi_square": self.chi_square and self.chi_square.statistic,
            "p_value": self.chi_square and self.chi_square.p_value,
            "grade": self.grade,
            "verdict": self.verdict,
            "sentence": self.sentence,
        }


def of_probabilities(
    probabilities: npt.ArrayLike, *, baselines: Mapping[str, npt.ArrayLike] = NO_BASELINES
) -> ProbabilityStatistics:
    """Compare probabilities of leading digits with Benford's law.

    Parameters
    ----------
    probabilities : array of float [shape=(9,) or (90,)]
        With sum 1.
    baselines : mapping of str to array, the same shape
        What else to compare them with, by name.

    Raises
    ------
    ValueError
        If these or the baselines are not distributions of the same digits.
    """
    shares = distribution(probabilities)
    expected = benford(1 if len(shares) == 9 else 2)
    these = distances(shares, expected)
    others = _compared(shares, baselines)
    grade = _grade(these.mad, len(shares))
    verdict = VARIES if grade == GRADES[-1] else CONFORMS
    said = f"differ from it by {_points(these.mad)} on average"
    sentence = f"{_opening(verdict, grade, None)}: the probabilities {said}{_beside(others)}."
    return ProbabilityStatistics(
        tuple(shares.tolist()), tuple(expected.tolist()), these, others, grade, verdict, sentence
    )


def of_counts(
    counts: DigitCounts, *, baselines: Mapping[str, npt.ArrayLike] = NO_BASELINES, seed: int = 0
) -> CountStatistics:
    """Compare counts of leading digits with Benford's law.

    They conform if their MAD is within Nigrini's cut-offs, or no greater than chance makes it of
    as many values that follow the law.  Of fewer than 50 values nothing is said.

    Parameters
    ----------
    counts : DigitCounts
        Of first digits, or of the first two.
    baselines : mapping of str to array of float [shape of the counts]
        Distributions to compare them with, by name.
    seed : int
        Of the resampling.

    Raises
    ------
    TypeError
        If they are no `DigitCounts`.
    ValueError
        If a baseline is not a distribution of the same digits.
    """
    expected, n = _benford_like(counts), counts.n
    if not n:
        return CountStatistics(
            counts, None, {}, None, None, None, None, None, TOO_FEW, _too_few(counts)
        )
    these, others = distances(counts.shares, expected), _compared(counts.shares, baselines)
    by_chance, limit = chance_mad(n, expected), mad_limit(n, expected, ONE_IN_A_HUNDRED)
    cut_off = CUT_OFFS[len(expected)][-1]
    verdict = VARIES if these.mad > max(cut_off, limit) else CONFORMS
    grade = _grade(these.mad, len(expected)) if verdict == VARIES or limit <= cut_off else None
    whose = "their shares" if grade is None else f"the shares of {n:,} values"
    said = f"{whose} differ from it by {_points(these.mad)} on average"
    chance = f"by chance alone it would be {_short(by_chance)}"
    sentence = f"{_opening(verdict, grade, n)}: {said}{_beside(others)}; {chance}."
    if n < LEAST_VALUES:
        verdict, grade, sentence = TOO_FEW, None, _too_few(counts)
    interval, test = mad_interval(counts, seed=seed), chi_square(counts)
    return CountStatistics(
        counts, these, others, by_chance, limit, interval, test, grade, verdict, sentence
    )


def chi_square(counts: DigitCounts) -> ChiSquare | None:
    """Return Pearson's test of counts against Benford's law; None where there is no value.

    Raises
    ------
    TypeError
        If they are no `DigitCounts`: probabilities, or shares, have no N to test with.
    """
    shares = _benford_like(counts)
    if not counts.n:
        return None
    expected = shares * counts.counts.sum()
    statistic = float(np.sum((counts.counts - expected) ** 2 / expected))
    if expected.min() < LEAST_EXPECTED:
        return ChiSquare(statistic, None)
    return ChiSquare(statistic, float(chdtrc(len(expected) - 1, statistic)))


def mad_interval(
    counts: DigitCounts, *, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[float, float] | None:
    """Return a 95 % interval of the MAD from Benford's law; None where there is no value.

    By resampling the counts (multinomial bootstrap).  A resample deviates in addition to what the
    counts deviate by chance, so that the lower end is the reflected one (Davison & Hinkley,
    Bootstrap Methods, 1997, section 5.2), and 0 where chance alone makes as much of Benford's law.

    Parameters
    ----------
    counts : DigitCounts
        Of first digits, or of the first two.
    seed : int
        Of the resampling.
    resamples : int
        How many.
    """
    expected = _benford_like(counts)
    if not counts.n:
        return None
    found = mad(counts.shares, expected)
    drawn = np.random.default_rng(seed).multinomial(counts.n, counts.shares, size=resamples)
    high = float(np.quantile(np.abs(drawn / counts.n - expected).mean(axis=1), 0.975))
    by_chance = found <= mad_limit(counts.n, expected, ONE_IN_FORTY)
    return 0.0 if by_chance else max(0.0, 2 * found - high), high


def _benford_like(counts: DigitCounts) -> Shares:
    """Return Benford's shares of the digits counted; refuse what is no count, such as shares."""
    if not isinstance(counts, DigitCounts):
        raise TypeError(f"counts are {type(counts).__name__}; expected DigitCounts")
    return benford(1 if len(counts.counts) == 9 else 2)


def _compared(shares: Shares, baselines: Mapping[str, npt.ArrayLike]) -> dict[str, Baseline]:
    expected = benford(1 if len(shares) == 9 else 2)
    return {
        name: Baseline(distances(shares, other), mad(distribution(other), expected))
        for name, other in baselines.items()
    }


def _grade(deviation: float, digits: int) -> str:
    return GRADES[bisect_left(CUT_OFFS[digits], deviation)]


def _opening(verdict: str, grade: str | None, n: int | None) -> str:
    if verdict == VARIES:
        return "Does not conform to Benford's law"
    words = dict(zip(GRADES, (" closely", " acceptably", " only just"), strict=False))
    return "Conforms to Benford's law" + (
        words[grade] if grade else f" as far as {n:,} values can tell"
    )


def _too_few(counts: DigitCounts) -> str:
    n, without = counts.n, counts.zero + counts.non_finite
    rest = f"; {without:,} are zero or not finite" if without else ""
    return f"Too few values to say: {n} with a leading digit{rest}; {LEAST_VALUES} are needed."


def _beside(baselines: Mapping[str, Baseline]) -> str:
    """Return how far the baselines are from Benford's law themselves."""
    if not baselines:
        return ""
    each = (f"{name} does by {_short(baseline.mad)}" for name, baseline in baselines.items())
    return f" ({', '.join(each)})"


def _points(share: float) -> str:
    return f"{_short(share)} percentage points"


def _short(share: float) -> str:
    """Return a share in percentage points, with two digits that count."""
    return f"{100 * share:#.2g}".removesuffix(".")
