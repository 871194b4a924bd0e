"""From an ensemble's predictions and what was observed to numbers that say how good they are.

Everything here is of one epoch and deterministic.  A member counts at a point where `counts`
lets it and its prediction is a finite number; a point counts with two members or more.
"""

from dataclasses import dataclass
from math import log, pi
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from epochord.renderers.ensemble.statistics import LEAST_MEMBERS, mean_of, quiet, spread

__all__ = [
    "PERCENTS",
    "RANK_BINS",
    "Deviations",
    "Scores",
    "coverage",
    "crps",
    "deviations",
    "nll",
    "out_of_bag",
    "rank_histogram",
    "score",
    "spread_skill",
]

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]

PERCENTS = (50, 68, 95)  # of the central intervals: the middle half, one and two sd of a Gaussian
RANK_BINS = 10


class Deviations(NamedTuple):
    """How far the members are from what was observed, at the points that count.

    Attributes
    ----------
    errors : np.ndarray [shape=(used points, members)]
        Prediction minus target, in the target's unit: ascending at each point, behind that NaN.
    members : np.ndarray [shape=(used points,)]
        How many count, 2 or more.
    """

    errors: npt.NDArray[np.float64]
    members: npt.NDArray[np.intp]


@dataclass(frozen=True)
class Scores:
    """The scores of one epoch; NaN where there was no point to score.

    Parameters
    ----------
    nll : float
        Nats (see `nll`).
    crps : float
        In the target's unit (see `crps`).
    coverage : tuple of float
        Shares, for `PERCENTS` in turn (see `coverage`).
    spread_skill : float
        A ratio (see `spread_skill`).
    ranks : tuple of float
        Shares, from lowest to highest rank (see `rank_histogram`).
    points : int
        How many points are behind these numbers.
    """

    nll: float
    crps: float
    coverage: tuple[float, ...]
    spread_skill: float
    ranks: tuple[float, ...]
    points: int

    def to_dict(self) -> dict[str, float]:
        """Return the numbers by names that can be tags, such as ``coverage/50`` or ``rank/0``."""
        covered = zip(PERCENTS, self.coverage, strict=True)
        return {
            "nll": self.nll,
            "crps": self.crps,
            **{f"coverage/{percent}": share for percent, share in covered},
            "spread_skill": self.spread_skill,
            **{f"rank/{place}": share for place, share in enumerate(self.ranks)},
            "points": float(self.points),
        }


def score(
    predictions: Floats, targets: Floats, *, counts: Bools | None = None, noise_sd: float
) -> Scores:
    """Score the predictions of one epoch.

    Parameters
    ----------
    predictions : np.ndarray [shape=(members, points)]
        In the target's unit.
    targets : np.ndarray [shape=(points,)]
        What was observed; a point where it is not finite is left out.
    counts : np.ndarray of bool [shape=(members, points)], optional
        Which members count where (see `out_of_bag`); all by default.
    noise_sd : float
        Standard deviation of the observations around what is predicted, in the target's unit.

    Raises
    ------
    ValueError
        If shapes do not fit, `counts` is not boolean, or `noise_sd` is not positive.
    """
    these = deviations(predictions, targets, counts)
    return Scores(
        nll=nll(these, noise_sd),
        crps=crps(these),
        coverage=tuple(coverage(these, percent) for percent in PERCENTS),
        spread_skill=spread_skill(these),
        ranks=tuple(rank_histogram(these).tolist()),
        points=len(these.members),
    )


def out_of_bag(indices: npt.NDArray[np.integer[Any]], points: int) -> Bools:
    """Tell which members have not seen which training points.

    Parameters
    ----------
    indices : np.ndarray of int [shape=(members, draws)]
        The points of each member's bootstrap sample.
    points : int
        How many training points there are.

    Returns
    -------
    np.ndarray of bool [shape=(members, points)]
        The `counts` of a score on the training data.

    Raises
    ------
    ValueError
        If an index is not one of a point.
    """
    if indices.size and not 0 <= indices.min() <= indices.max() < points:
        raise ValueError(
            f"indices reach from {indices.min()} to {indices.max()}; expected 0 to {points - 1}"
        )
    unseen = np.ones((len(indices), points), np.bool_)
    unseen[np.arange(len(indices))[:, None], indices] = False
    return unseen


@quiet
def deviations(predictions: Floats, targets: Floats, counts: Bools | None = None) -> Deviations:
    """Sort out what counts, once for all scores.

    Parameters and errors are those of `score`.
    """
    if predictions.ndim != 2 or targets.shape != predictions.shape[1:]:
        raise ValueError(
            f"predictions have shape {predictions.shape} and targets {targets.shape}; "
            "expected (members, points) and (points,)"
        )
    errors = predictions - targets.astype(np.float64)
    counting = np.isfinite(errors)
    if counts is not None:
        if counts.shape != predictions.shape or counts.dtype != np.bool_:
            raise ValueError(
                f"counts are {counts.dtype} of shape {counts.shape}; "
                f"expected bool of shape {predictions.shape}"
            )
        counting &= counts
    members = counting.sum(axis=0)
    used = members >= LEAST_MEMBERS
    members = members[used]
    # Sorting puts NaN last; columns of nothing else are cut off, so that they change no rounding.
    ascending = np.sort(np.where(counting, errors, np.nan).T[used], axis=1)
    return Deviations(ascending[:, : members.max(initial=0)], members)


@quiet
def nll(deviations: Deviations, noise_sd: float) -> float:
    """Return the negative log-likelihood of the targets, mean over points, in nats.

    The members are the means of a mixture of Gaussians with equal weights whose standard
    deviation is that of the observations' noise.

    Parameters
    ----------
    deviations : Deviations
        Of the members.
    noise_sd : float
        In the target's unit.

    Raises
    ------
    ValueError
        If `noise_sd` is not a positive number.
    """
    if not 0 < noise_sd < np.inf:
        raise ValueError(f"noise_sd is {noise_sd}; expected a positive number")
    errors, members = deviations
    if not len(members):
        return float("nan")
    exponents = np.where(np.isnan(errors), -np.inf, -0.5 * (errors / noise_sd) ** 2)
    density = logsumexp(exponents, axis=1) - np.log(members)
    return mean_of(-density) + log(noise_sd) + 0.5 * log(2 * pi)


@quiet
def crps(deviations: Deviations, *, fair: bool = False) -> float:
    """Return the continuous ranked probability score, mean over points, in the target's unit.

    Parameters
    ----------
    deviations : Deviations
        Of the members.
    fair : bool
        By default the score of the members' own distribution, E|X - y| - E|X - X'| / 2 with each
        pair of members, also of one with itself (Gneiting & Raftery, JASA 102, 2007, eq. 21, with
        the sign turned).  The fair one does without pairs of one with itself, so that it is free
        of bias by the number of members, and may be negative (Ferro, QJRMS 140, 2014).
    """
    errors, members = deviations
    count = members[:, None]
    # Of M sorted members the k-th is the greater one in k - 1 pairs and the lesser one in M - k.
    weights = 2 * np.arange(1, errors.shape[1] + 1) - count - 1
    pairs = count * (count - 1 if fair else count)
    return mean_of(np.nansum(np.abs(errors) / count - weights * (errors / pairs), axis=1))


@quiet
def coverage(deviations: Deviations, percent: float) -> float:
    """Return the share of points whose target lies within the members' central interval.

    Parameters
    ----------
    deviations : Deviations
        Of the members.
    percent : float
        Of the interval, 0 to 100.

    Returns
    -------
    float
        0 to 1; the ends belong to the interval.

    Raises
    ------
    ValueError
        If `percent` is not one.

    Notes
    -----
    The ends are quantiles of type 6 (Hyndman & Fan, The American Statistician 50, 1996; NumPy's
    ``weibull``): the k-th of M members is where a target drawn like the members stays below with
    probability k / (M + 1).  So a calibrated ensemble of any size covers `percent`, unless that
    is more than (M - 1) / (M + 1), the share between its outermost members.  NumPy's default
    would cover (M - 1) / (M + 1) of `percent`.
    """
    if not 0 <= percent <= 100:
        raise ValueError(f"percent is {percent}; expected 0 to 100")
    errors, members = deviations
    position = np.maximum((100 - percent) * (members + 1) / 200 - 1, 0)
    outer = position.astype(np.intp)
    along = position - outer
    point = np.arange(len(members))
    # The upper end counts from above, so that turning all signs changes nothing.
    ends = [
        (1 - along) * errors[point, place] + along * errors[point, further]
        for place, further in ((outer, outer + 1), (members - 1 - outer, members - 2 - outer))
    ]
    return mean_of((ends[0] <= 0) & (ends[1] >= 0))


def rank_histogram(deviations: Deviations, bins: int = RANK_BINS) -> npt.NDArray[np.float64]:
    """Return how often the target has which relative rank among the members.

    Parameters
    ----------
    deviations : Deviations
        Of the members.
    bins : int
        Of equal width, from below all members to above them all.

    Returns
    -------
    np.ndarray [shape=(bins,)]
        Shares of the points, together 1.

    Notes
    -----
    Of the M + 1 ranks each is an interval of width 1 / (M + 1), and a target that has it is
    spread evenly over that interval; one that equals members, over all ranks that it shares.
    This is the histogram of Czado, Gneiting & Held (Biometrics 65, 2009, eq. 2): nothing is
    drawn at random, and it is flat for a calibrated ensemble even where M + 1 is no multiple of
    `bins` or differs by point.
    """
    errors, members = deviations
    if not len(members):
        return np.full(bins, np.nan)
    below = np.sum(errors < 0, axis=1)[:, None]
    shared = np.sum(errors == 0, axis=1)[:, None] + 1
    edges = np.arange(bins + 1) * (members[:, None] + 1) / bins
    reached = np.clip((edges - below) / shared, 0, 1).mean(axis=0)
    return np.asarray(np.diff(reached), np.float64)


@quiet
def spread_skill(deviations: Deviations) -> float:
    """Return the spread of the members over the error of their mean: 1 if calibrated.

    Notes
    -----
    sqrt(mean of (M + 1) / M s²) / RMSE with the unbiased variance s² of the M members at each
    point (Fortin et al., J. Hydrometeorology 15, 2014, there with one M).  Below 1 the ensemble
    is too sure of itself.
    """
    errors, members = deviations
    expected = (members + 1) / members * spread(errors.T) ** 2
    squared = (np.nansum(errors, axis=1) / members) ** 2
    return float(np.sqrt(np.divide(mean_of(expected), mean_of(squared))))
