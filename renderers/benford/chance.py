"""What chance makes of as many values that follow a law, by simulation, and what it would not.

All draws have one fixed seed, so that equal counts are judged equally, and are kept: layers of one
size share them.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri, chndtr, chndtrinc

from epochord.renderers.benford.digit import Digit
from epochord.renderers.benford.distributions import Shares, exponential, gaussian, log_normal

__all__ = [
    "ALPHA",
    "LEAST_EXPECTED",
    "Chance",
    "chance",
    "least_deviation",
    "power",
    "power_against",
]

DRAWS = 9_999  # so that p-values are multiples of 1/10,000
SEED = 0
ALPHA = 0.05  # how often values that follow the law are said to differ
POWER = 0.80  # how often the least deviation would be shown
SURE = 1 - 1e-6  # by the noncentral chi-square: then nothing is left to simulate
SCALES = np.geomspace(1, 10, 24, endpoint=False)  # a decade: digits do not know the others
LEAST_EXPECTED = 5  # counts of each digit, for chi-square's p (Cochran, Biometrics 10, 1954)

# Distributions of values of some scale, to shares of leading digits.
ALTERNATIVES: dict[str, Callable[[float, int], Shares]] = {
    "half-normal values": gaussian,
    "exponential values": exponential,
    "log-normal values": log_normal,
}


class Chance(NamedTuple):
    """Distances from a law of many samples of values that follow it.

    Attributes
    ----------
    mads, statistics : np.ndarray [shape=(9999,)]
        Ascending: mean absolute deviations of shares, and Pearson's chi-square statistics.
    """

    mads: npt.NDArray[np.float64]
    statistics: npt.NDArray[np.float64]

    def mad_limit(self, level: float) -> float:
        """Return what the MAD stays below in such a share of samples."""
        return float(np.quantile(self.mads, level))

    def p_value(self, statistic: float) -> float:
        """Return how often chance makes as great a statistic (Davison & Hinkley 1997, eq. 4.11)."""
        # Rounding must not part what is equal.
        below = np.searchsorted(self.statistics, statistic * (1 - 1e-9))
        return float((len(self.statistics) - below + 1) / (len(self.statistics) + 1))


@lru_cache(maxsize=256)
def chance(n: int, law: tuple[float, ...]) -> Chance:
    """Draw samples of a law.

    Parameters
    ----------
    n : int
        How many values a sample has, 1 or more.
    law : tuple of float
        Shares of the digits.
    """
    expected = np.asarray(law)
    shares = _drawn(n, expected)
    statistics = n * ((shares - expected) ** 2 / expected).sum(axis=1)
    return Chance(np.sort(np.abs(shares - expected).mean(axis=1)), np.sort(statistics))


def _drawn(n: int, shares: Shares) -> npt.NDArray[np.float64]:
    return np.random.default_rng(SEED).multinomial(n, shares / shares.sum(), size=DRAWS) / n


@lru_cache(maxsize=256)
def critical(n: int, law: tuple[float, ...]) -> float:
    """Return the chi-square statistic above which n values differ from a law, at 5 %."""
    if n * min(law) < LEAST_EXPECTED:
        return float(np.quantile(chance(n, law).statistics, 1 - ALPHA))
    return float(chdtri(len(law) - 1, ALPHA))


def least_deviation(n: int, law: tuple[float, ...]) -> float:
    """Return the least MAD from a law that n values show with 80 % power at 5 %, of any shape.

    Of all deviations with a total variation T the noncentrality Σ n δ²/p is least, 4 n T², where
    one half of the law's mass is scaled up and the other down; a mean absolute deviation is 2 T
    over the number of digits.

    Parameters
    ----------
    n : int
        How many values, 1 or more.
    law : tuple of float
        Shares of the digits.
    """
    noncentrality = float(chndtrinc(critical(n, law), len(law) - 1, 1 - POWER))
    return float(np.sqrt(noncentrality / (4 * n)) * 2 / len(law))


@lru_cache(maxsize=256)
def power(n: int, law: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return how often n values of another distribution differ from a law by the test at 5 %.

    Parameters
    ----------
    n : int
        How many values, 1 or more.
    law, other : tuple of float
        Shares of the digits.
    """
    expected, shares = np.asarray(law), np.asarray(other)
    limit = critical(n, law)
    noncentrality = n * float(((shares - expected) ** 2 / expected).sum())
    if 1 - chndtr(limit, len(law) - 1, noncentrality) > SURE:
        return 1.0
    statistics = n * ((_drawn(n, shares) - expected) ** 2 / expected).sum(axis=1)
    return float((statistics > limit).mean())


def power_against(n: int, digit: Digit) -> dict[str, float]:
    """Return how often n values of some distributions would be told from a digit's law.

    Those are equal digits, and half-normal, exponential and log-normal values (whose natural
    logarithm has sd 1), each of the scale that is hardest to tell.

    Parameters
    ----------
    n : int
        How many values, 1 or more.
    digit : Digit
        Of digits behind the second one, nothing is returned: of all these distributions they are
        nearly equal.
    """
    if digit.fold is None:
        return {}
    found = {"equal digits": power(n, digit.law, (1 / len(digit.law),) * len(digit.law))}
    for name in ALTERNATIVES:
        found[name] = power(n, digit.law, _hardest(name, digit))
    return found


@lru_cache
def _hardest(name: str, digit: Digit) -> tuple[float, ...]:
    """Return the shares of a family at the scale where they are nearest to the law."""
    assert digit.fold is not None
    law = np.asarray(digit.law)
    each = [digit.fold(ALTERNATIVES[name](scale, 2)) for scale in SCALES.tolist()]
    nearest = min(each, key=lambda shares: float(((shares - law) ** 2 / law).sum()))
    return tuple(nearest.tolist())
