"""From an ensemble's predictions and what was observed to numbers that say how good they are.

All of them are of one predictive distribution, the members plus the observations' noise (see
`predictive`).  Everything here is of one epoch and deterministic.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.ensemble.predictive import (
    Mixtures,
    calibration,
    crps,
    mixtures,
    nll,
    pit,
    pretended_pit,
)
from epochord.renderers.ensemble.statistics import mean_of, quiet
from epochord.runlog.ensemble.setup import UNKNOWN

__all__ = [
    "LEVELS",
    "PERCENTS",
    "PIT_BINS",
    "Scores",
    "out_of_bag",
    "pit_histogram",
    "reachable",
    "score",
    "scores_of",
    "spread_skill",
]

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]

PERCENTS = (50, 68, 95)  # of the central intervals: the middle half, one and two sd of a Gaussian
LEVELS = tuple(range(5, 100, 5))  # percent, of the calibration curve
PIT_BINS = 10


@dataclass(frozen=True)
class Scores:
    """The scores of one epoch; NaN where there was no point to score.

    Parameters
    ----------
    nll : float
        Negative log-likelihood, mean over points, in nats.
    crps, fair_crps : float
        Continuous ranked probability score, mean over points, in the target's unit: of these
        members; and without the part that only their number makes (see `predictive.crps`).
    coverage : tuple of float
        Shares of the points within their central intervals, for `PERCENTS` in turn.
    calibration : tuple of float
        The same for `LEVELS`.
    spread_skill : float
        A ratio (see `spread_skill`).
    pit : tuple of float
        Shares, from the lowest to the highest tenth (see `pit_histogram`).
    epistemic, aleatoric, sharpness : float
        Standard deviation of the members, of the noise, and of both together, mean over points,
        in the target's unit.  At each point the squares of the first two, the members' with
        the divisor M - 1, add up to that of the third.
    points : int
        How many points are behind these numbers.
    """

    nll: float
    crps: float
    fair_crps: float
    coverage: tuple[float, ...]
    calibration: tuple[float, ...]
    spread_skill: float
    pit: tuple[float, ...]
    epistemic: float
    aleatoric: float
    sharpness: float
    points: int

    def to_dict(self) -> dict[str, float]:
        """Return the numbers by names that can be tags, such as ``coverage/50`` or ``pit/0``.

        Without the calibration curve, which is a picture of its own.
        """
        covered = zip(PERCENTS, self.coverage, strict=True)
        return {
            "nll": self.nll,
            "crps": self.crps,
            "crps/fair": self.fair_crps,
            **{f"coverage/{percent}": share for percent, share in covered},
            "spread_skill": self.spread_skill,
            "sd/epistemic": self.epistemic,
            "sd/aleatoric": self.aleatoric,
            "sharpness": self.sharpness,
            **{f"pit/{place}": share for place, share in enumerate(self.pit)},
            "points": float(self.points),
        }


def score(
    predictions: Floats,
    targets: Floats,
    *,
    counts: Bools | None = None,
    noise_sd: float | None = None,
    variances: Floats | None = None,
) -> Scores:
    """Score the predictions of one epoch.

    Parameters and errors are those of `predictive.mixtures`.
    """
    return scores_of(
        mixtures(predictions, targets, counts=counts, noise_sd=noise_sd, variances=variances)
    )


@quiet
def scores_of(these: Mixtures) -> Scores:
    """Score predictive distributions."""
    transforms = pit(these)
    plain, fair = crps(these)
    epistemic, aleatoric = these.epistemic, these.aleatoric
    shares = calibration(transforms, np.array([*PERCENTS, *LEVELS]) / 100).tolist()
    return Scores(
        nll=mean_of(nll(these)),
        crps=mean_of(plain),
        fair_crps=mean_of(fair),
        coverage=tuple(shares[: len(PERCENTS)]),
        calibration=tuple(shares[len(PERCENTS) :]),
        spread_skill=spread_skill(these),
        pit=tuple(pit_histogram(transforms).tolist()),
        epistemic=mean_of(np.sqrt(epistemic)),
        aleatoric=mean_of(np.sqrt(aleatoric)),
        sharpness=mean_of(np.sqrt(epistemic + aleatoric)),
        points=len(these.members),
    )


def out_of_bag(indices: npt.NDArray[np.integer[Any]], points: int) -> Bools:
    """Tell which members have not seen which training points.

    Parameters
    ----------
    indices : np.ndarray of int [shape=(members, draws)]
        The points of each member's bootstrap sample; of a row of `UNKNOWN`, all may be.
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
    known = (indices != UNKNOWN).any(axis=1) | (indices.shape[1] == 0)
    told = indices[known]
    if told.size and not 0 <= told.min() <= told.max() < points:
        raise ValueError(
            f"indices reach from {told.min()} to {told.max()}; expected 0 to {points - 1}"
        )
    unseen = np.repeat(known[:, None], points, axis=1)
    unseen[np.flatnonzero(known)[:, None], told] = False
    return unseen


def pit_histogram(transforms: Doubles, bins: int = PIT_BINS) -> Doubles:
    """Return how often the transforms (see `predictive.pit`) lie in which part of 0 to 1.

    Returns
    -------
    np.ndarray [shape=(bins,)]
        Shares of the points, together 1: flat if the predictions are calibrated, high at both
        ends if they are too sure, in the middle if they are not sure enough.
    """
    if not transforms.size:
        return np.full(bins, np.nan)
    places = np.minimum((transforms * bins).astype(np.intp), bins - 1)
    return np.bincount(places, minlength=bins) / len(transforms)


@quiet
def spread_skill(these: Mixtures) -> float:
    """Return the spread of the predictions over the error of their mean: 1 if calibrated.

    Notes
    -----
    sqrt(mean of (1 + 1/M) s² + noise variance) / RMSE with the unbiased variance s² of the M
    members at each point (the factor: Fortin et al., J. Hydrometeorology 15, 2014).  Below 1 the
    ensemble is too sure of itself.
    """
    expected = (1 + 1 / these.members) * these.epistemic + these.aleatoric
    return float(np.sqrt(np.divide(mean_of(expected), mean_of(these.bias**2))))


def reachable(these: Mixtures, percents: tuple[int, ...] = PERCENTS) -> tuple[float, ...]:
    """Return which coverage so many members with such noise could show, were they calibrated.

    Few members with little noise do not reach as far out as a nominal interval of 95 %.

    Returns
    -------
    tuple of float
        Shares, for the percents in turn; NaN without points (see `predictive.pretended_pit`).
    """
    return tuple(calibration(pretended_pit(these), np.array(percents) / 100).tolist())
