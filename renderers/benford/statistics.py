"""From counts of digits, or a model's probabilities of them, to what may be said of them.

Counts have a number of values N behind them: so there are chi-square, intervals, chance and power.
Probabilities have none, and `of_probabilities` gives none of these.
"""

from bisect import bisect_left
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from epochord.renderers.benford import sentences
from epochord.renderers.benford.chance import (
    ALPHA,
    LEAST_EXPECTED,
    chance,
    least_deviation,
    power_against,
)
from epochord.renderers.benford.digit import FIRST, FIRST_TWO, Digit
from epochord.renderers.benford.distributions import (
    Shares,
    chance_mad,
    distances,
    distribution,
    mad,
)
from epochord.renderers.benford.outcomes import (
    DIFFERS,
    EQUAL_DIGITS,
    GRADES,
    NEARER,
    NO_NEARER,
    NOT_TOLD,
    TOO_FEW,
    Baseline,
    ChiSquare,
    CountStatistics,
    ProbabilityStatistics,
)
from epochord.runlog.digits.bits import DigitCounts

__all__ = ["LEAST_VALUES", "chi_square", "mad_interval", "of_counts", "of_probabilities"]

# Nigrini's words for a MAD up to these, and above (Benford's Law, Wiley 2012, table 7.1); they
# were made for accounts, and know nothing of the number of values.
CUT_OFFS = {
    "first": (0.006, 0.012, 0.015),
    "second": (0.008, 0.010, 0.012),
    "first-two": (0.0012, 0.0018, 0.0022),
}

LEAST_VALUES = 50
RESAMPLES = 1000
NO_BASELINES: Mapping[str, npt.ArrayLike] = MappingProxyType({})


def of_probabilities(
    probabilities: npt.ArrayLike,
    *,
    baselines: Mapping[str, npt.ArrayLike] = NO_BASELINES,
    mass: float | None = None,
) -> ProbabilityStatistics:
    """Compare probabilities of leading digits with Benford's law.

    There is no N, hence no test: what can be said is how far they are, and whether they are nearer
    than what has learned nothing.

    Parameters
    ----------
    probabilities : array of float [shape=(9,) or (90,)]
        With sum 1.
    baselines : mapping of str to array [shape=(digits,) or (several, digits)]
        What else to compare them with, by name; with equal digits they are compared always.
    mass : float, optional
        How much of all probability they are; of little the sentence says so first.

    Raises
    ------
    ValueError
        If these or the baselines are not distributions of the same digits.
    """
    shares = distribution(probabilities)
    digit = _leading(len(shares))
    these = distances(shares, digit.law)
    equal = {EQUAL_DIGITS: np.full(len(shares), 1 / len(shares))}
    others = _compared(shares, equal | dict(baselines), digit)
    ranges = {name: each.mads for name, each in others.items()}
    verdict = NEARER if all(these.mad < low for low, _ in ranges.values()) else NO_NEARER
    sentence = sentences.mass_first(mass) + sentences.beside(these.mad, ranges)
    grade = _grade(these.mad, digit)
    return ProbabilityStatistics(
        tuple(shares.tolist()), digit.law, mass, these, others, grade, verdict, sentence
    )


def of_counts(
    counts: DigitCounts,
    *,
    digit: Digit | None = None,
    baselines: Mapping[str, npt.ArrayLike] = NO_BASELINES,
    dependence: str = "",
    short: int = 0,
    seed: int = 0,
) -> CountStatistics:
    """Compare counts of digits with their law.

    They differ if Pearson's test says so at 5 %.  Of fewer than 50 values nothing is said.

    Parameters
    ----------
    counts : DigitCounts
        Of the digits.
    digit : Digit, optional
        Which one it is; by default the first, or first two, as the counts have it.
    baselines : mapping of str to array of float [shape of the counts]
        Distributions to compare them with, by name.
    dependence : str
        Why the values depend on each other; it is said.
    short : int
        How many values were left out since they have too few digits.
    seed : int
        Of the resampling.

    Raises
    ------
    TypeError
        If they are no `DigitCounts`.
    ValueError
        If the counts are not of this digit, or a baseline is not a distribution of it.
    """
    digit, n = _digit_of(counts, digit), counts.n
    law, test = np.asarray(digit.law), chi_square(counts, digit=digit)
    left_out = {"zero or not finite": counts.zero + counts.non_finite, digit.short: short}
    few = sentences.too_few(n, left_out, LEAST_VALUES)
    if test is None:
        return CountStatistics(
            counts, digit, None, {}, *(None,) * 5, {}, dependence, None, TOO_FEW, few
        )
    these, others = distances(counts.shares, law), _compared(counts.shares, baselines, digit)
    by_chance, limit = chance_mad(n, law), chance(n, digit.law).mad_limit(0.99)
    least, power = least_deviation(n, digit.law), power_against(n, digit)
    if n < LEAST_VALUES:
        verdict, sentence = TOO_FEW, few
    elif test.p_value < ALPHA:
        verdict = DIFFERS
        sentence = sentences.differs(digit.expected, test.p_value, these.mad, by_chance, n)
    else:
        verdict = NOT_TOLD
        sentence = sentences.not_told(digit.expected, test.p_value, n, least, power)
    if dependence and verdict != TOO_FEW:
        sentence += f" {sentences.dependent(dependence)}"
    told = verdict != TOO_FEW and limit <= CUT_OFFS.get(digit.name, (0.0,))[-1]
    interval = mad_interval(counts, digit=digit, seed=seed)
    return CountStatistics(
        counts, digit, these, others, by_chance, limit, interval, test, least, power, dependence,
        _grade(these.mad, digit) if told else None, verdict, sentence,
    )  # fmt: skip


def chi_square(counts: DigitCounts, *, digit: Digit | None = None) -> ChiSquare | None:
    """Return Pearson's test of counts against their law; None where there is no value.

    Parameters
    ----------
    counts, digit
        As of `of_counts`.

    Raises
    ------
    TypeError
        If they are no `DigitCounts`: probabilities, or shares, have no N to test with.
    """
    digit = _digit_of(counts, digit)
    if not counts.n:
        return None
    expected = np.asarray(digit.law) * counts.counts.sum()
    statistic = float(np.sum((counts.counts - expected) ** 2 / expected))
    if expected.min() < LEAST_EXPECTED:
        return ChiSquare(statistic, chance(counts.n, digit.law).p_value(statistic))
    return ChiSquare(statistic, float(chdtrc(len(expected) - 1, statistic)))


def mad_interval(
    counts: DigitCounts, *, digit: Digit | None = None, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[float, float] | None:
    """Return a 95 % interval of the MAD from the law; None where there is no value.

    By resampling the counts (multinomial bootstrap).  A resample deviates in addition to what the
    counts deviate by chance, so that the lower end is the reflected one (Davison & Hinkley,
    Bootstrap Methods, 1997, section 5.2), and 0 where chance alone makes as much of the law.

    Parameters
    ----------
    counts, digit
        As of `of_counts`.
    seed : int
        Of the resampling.
    resamples : int
        How many.
    """
    digit = _digit_of(counts, digit)
    if not counts.n:
        return None
    expected = np.asarray(digit.law)
    found = mad(counts.shares, expected)
    drawn = np.random.default_rng(seed).multinomial(counts.n, counts.shares, size=resamples)
    high = float(np.quantile(np.abs(drawn / counts.n - expected).mean(axis=1), 0.975))
    by_chance = found <= chance(counts.n, digit.law).mad_limit(0.975)
    return 0.0 if by_chance else max(0.0, 2 * found - high), high


def _digit_of(counts: DigitCounts, digit: Digit | None) -> Digit:
    """Return which digit was counted; refuse what is no count, such as shares."""
    if not isinstance(counts, DigitCounts):
        raise TypeError(f"counts are {type(counts).__name__}; expected DigitCounts")
    size = len(counts.counts)
    if digit is None and size in (9, 90):
        return _leading(size)
    if digit is None or len(digit.law) != size:
        named = "no digit" if digit is None else f"the {digit.words}"
        raise ValueError(f"there are {size} counts, and {named} is given; expected that of them")
    return digit


def _leading(size: int) -> Digit:
    if size not in (9, 90):
        raise ValueError(f"there are {size} shares; expected 9 or 90, of leading digits")
    return FIRST if size == 9 else FIRST_TWO


def _compared(
    shares: Shares, baselines: Mapping[str, npt.ArrayLike], digit: Digit
) -> dict[str, Baseline]:
    found = {}
    for name, given in baselines.items():
        each = [distribution(row) for row in np.atleast_2d(np.asarray(given, np.float64))]
        mads = [distances(row, digit.law).mad for row in each]
        mean = np.mean(each, axis=0)
        found[name] = Baseline(distances(shares, mean), (min(mads), max(mads)))
    return found


def _grade(deviation: float, digit: Digit) -> str | None:
    cut_offs = CUT_OFFS.get(digit.name)
    return GRADES[bisect_left(cut_offs, deviation)] if cut_offs else None
