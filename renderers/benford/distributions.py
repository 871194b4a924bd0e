"""Distributions of leading digits, and how far they are from each other.

A distribution is an array of shares that add up to 1, for the digits 1 to 9 (the first), 0 to 9
(any other) or 10 to 99 (the first two).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isfinite

import numpy as np
import numpy.typing as npt
from scipy.special import erf, gammaln, ndtr, xlog1py, xlogy

__all__ = [
    "Distances",
    "benford",
    "chance_mad",
    "correlation",
    "distances",
    "distribution",
    "exponential",
    "gaussian",
    "kl_divergence",
    "log_normal",
    "mad",
    "total_variation",
]

Shares = npt.NDArray[np.float64]

SUM_TOLERANCE = 1e-5  # of shares, which may be float32
# Decades below and above the scale's own: outside of them is less than 1e-17 of a Gaussian, and of
# a log-normal distribution less than 1e-5 if its sigma is 2.
DECADES = np.arange(-18, 10)


@dataclass(frozen=True)
class Distances:
    """How far a distribution is from another, to which it is compared.

    Parameters
    ----------
    mad : float
        Mean absolute deviation of the shares (see `mad`).
    total_variation : float
        From 0 to 1 (see `total_variation`).
    kl_divergence : float
        Nats; infinite where something happens that never does in the other.
    correlation : float
        From -1 to 1; NaN where a distribution is uniform (see `correlation`).
    """

    mad: float
    total_variation: float
    kl_divergence: float
    correlation: float

    def to_dict(self) -> dict[str, float | None]:
        """Return the numbers by name, as JSON knows them: None for what is not finite."""
        return {name: value if isfinite(value) else None for name, value in asdict(self).items()}


def distribution(shares: npt.ArrayLike) -> Shares:
    """Return shares as float64, scaled to add up to 1.

    Raises
    ------
    ValueError
        If there are not 9, 10 or 90, one is negative or not finite, or they add up to something
        else, as counts do.
    """
    given = np.asarray(shares, np.float64)
    if given.shape not in ((9,), (10,), (90,)):
        raise ValueError(f"shares have shape {given.shape}; expected (9,), (10,) or (90,)")
    total = given.sum()
    if not (given >= 0).all() or not abs(total - 1) <= SUM_TOLERANCE:
        raise ValueError(f"shares are {given}, with sum {total}; expected none below 0, and sum 1")
    return np.asarray(given / total)


def benford(places: int = 1) -> Shares:
    """Return Benford's shares, log10(1 + 1/d) (Proc. Am. Philos. Soc. 78, 1938).

    Parameters
    ----------
    places : int
        1 for the first digit, 2 for the first two.
    """
    return np.log10(1 + 1 / np.arange(10.0 ** (places - 1), 10.0**places))


def gaussian(sigma: float, places: int = 1) -> Shares:
    """Return the shares of leading digits of a Gaussian with mean 0, exactly.

    They depend on the fractional part of log10(sigma) alone, with nothing learned: so this is what
    the digits of weights and gradients are to be compared to.

    Parameters
    ----------
    sigma : float
        Standard deviation.
    places : int
        1 for the first digit, 2 for the first two.

    Raises
    ------
    ValueError
        If sigma is not positive and finite.
    """
    # P(|X| < x) = erf(x / (sigma √2))
    return _scaled(lambda x: erf(x / np.sqrt(2)), sigma, places, "sigma")


def exponential(scale: float, places: int = 1) -> Shares:
    """Return the shares of leading digits of an exponential distribution of a mean, exactly.

    Parameters
    ----------
    scale : float
        Its mean.
    places : int
        1 for the first digit, 2 for the first two.

    Raises
    ------
    ValueError
        If the mean is not positive and finite.
    """
    return _scaled(lambda x: -np.expm1(-x), scale, places, "scale")


def log_normal(median: float, places: int = 1, *, sigma: float = 1.0) -> Shares:
    """Return the shares of leading digits of a log-normal distribution.

    Parameters
    ----------
    median : float
        Its median.
    places : int
        1 for the first digit, 2 for the first two.
    sigma : float
        Standard deviation of the natural logarithm, up to 2.

    Raises
    ------
    ValueError
        If the median is not positive and finite.
    """
    with np.errstate(under="ignore"):
        return _scaled(lambda x: ndtr(np.log(x) / sigma), median, places, "median")


def _scaled(below: Callable[[Shares], Shares], scale: float, places: int, name: str) -> Shares:
    """Return the shares of numbers of which `below` says how many are below x times the scale."""
    if not 0 < scale < np.inf:
        raise ValueError(f"{name} is {scale}; expected a positive number")
    significand = scale / 10.0 ** np.floor(np.log10(scale))
    low = 10 ** (places - 1)
    edges = np.arange(low, 10 * low + 1) / low * 10.0 ** DECADES[:, None]
    return distribution(np.diff(below(edges / significand), axis=1).sum(axis=0))


def distances(shares: npt.ArrayLike, other: npt.ArrayLike) -> Distances:
    """Return how far shares are from others.

    Parameters
    ----------
    shares, other : array of float [shape=(9,), (10,) or (90,), the same]
        Distributions.

    Raises
    ------
    ValueError
        As by `distribution`, or if they have different shapes.
    """
    one, two = distribution(shares), distribution(other)
    if one.shape != two.shape:
        raise ValueError(f"shares have shapes {one.shape} and {two.shape}; expected the same")
    return Distances(
        mad(one, two), total_variation(one, two), kl_divergence(one, two), correlation(one, two)
    )


def mad(shares: Shares, other: Shares) -> float:
    """Return the mean absolute deviation, over digits, of shares from others."""
    return float(np.abs(shares - other).mean())


def total_variation(shares: Shares, other: Shares) -> float:
    """Return half the sum of absolute deviations: what would have to be moved, from 0 to 1."""
    return float(np.abs(shares - other).sum() / 2)


def kl_divergence(shares: Shares, other: Shares) -> float:
    """Return the Kullback-Leibler divergence of shares from others, Σ p ln(p/q), in nats."""
    some = shares > 0
    with np.errstate(divide="ignore"):
        return float(max(0.0, np.sum(shares[some] * np.log(shares[some] / other[some]))))


def correlation(shares: Shares, other: Shares) -> float:
    """Return Pearson's correlation of shares with others.

    With Benford's it is the MLH of Sahu, Java, Shaikh and Kilcher (arXiv:2102.03313, 2021).  It
    hardly tells falling shares from each other: of a Gaussian it is 0.92 to 0.99.
    """
    one, two = shares - shares.mean(), other - other.mean()
    sizes = np.linalg.norm(one) * np.linalg.norm(two)
    # Rounding leaves of a uniform distribution what is no variation.
    return float(one @ two / sizes) if sizes > 1e-15 else float("nan")


def chance_mad(n: int, expected: Shares) -> float:
    """Return the MAD that n values of a distribution have from it on average, by chance.

    Each digit's count is binomial, with mean absolute deviation 2 m C(n, m) p^m q^(n - m + 1),
    where m = ⌊np⌋ + 1 (de Moivre; Diaconis & Zabell, Statistical Science 6, 1991).  For Benford's
    first digits that is nearly 1/√(18.13 n), for the first two 1/√(158.8 n).

    Parameters
    ----------
    n : int
        How many values, 1 or more.
    expected : np.ndarray [shape=(digits,)]
        Their distribution.
    """
    above = np.floor(n * expected) + 1
    choices = gammaln(n + 1) - gammaln(above + 1) - gammaln(n - above + 1)
    logarithms = choices + xlogy(above, expected) + xlog1py(n - above + 1, -expected)
    return float(np.mean(2 * above * np.exp(logarithms)) / n)
