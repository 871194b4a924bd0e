"""How good the probabilities of an ensemble of classifiers are, and where it is uncertain.

Conventions: probabilities are [shape=(members, points, classes)], a member that is not finite at
a point does not count there.  The ensemble predicts the mean p̄ of its members.  Entropies are in
nats; 0·log 0 is 0.  What cannot be said is NaN.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.ensemble.statistics import finite_mean

__all__ = [
    "BINS",
    "ClassScores",
    "Reliability",
    "Uncertainty",
    "auroc",
    "mean_probabilities",
    "reliability",
    "score_classes",
    "uncertainty",
]

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]

BINS = 15  # of confidence, as in Guo et al. (2017)
# A probability of 0 that comes true costs this much, as in scikit-learn: 36 nats.
LEAST = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Reliability:
    """How often predictions of some confidence are right (Guo et al. 2017).

    Parameters
    ----------
    counts : np.ndarray [shape=(bins,), int64]
        How many points have a confidence, the greatest probability, in ((b - 1)/bins, b/bins].
    confidence, accuracy : np.ndarray [shape=(bins,)]
        Their means; NaN in a bin without points.
    """

    counts: npt.NDArray[np.int64]
    confidence: Floats
    accuracy: Floats

    def to_dict(self) -> dict[str, list[float | None]]:
        """Return the table as plain JSON values; None in a bin without points."""

        def plain(values: Floats) -> list[float | None]:
            return [float(value) if np.isfinite(value) else None for value in values]

        return {
            "counts": self.counts.tolist(),
            "confidence": plain(self.confidence),
            "accuracy": plain(self.accuracy),
        }

    @property
    def error(self) -> float:
        """Expected calibration error: mean of |accuracy - confidence| over the points."""
        total = self.counts.sum()
        gaps = np.abs(self.accuracy - self.confidence)[self.counts > 0]
        weights = self.counts[self.counts > 0]
        return float((gaps * weights).sum() / total) if total else float("nan")


@dataclass(frozen=True)
class Uncertainty:
    """What an ensemble does not know, point by point, in nats (Depeweg et al. 2018).

    Parameters
    ----------
    total : np.ndarray [shape=(points,)]
        Entropy of the mean p̄.
    aleatoric : np.ndarray [shape=(points,)]
        Mean entropy of the members: what they agree to be open.
    """

    total: Floats
    aleatoric: Floats

    @property
    def mutual_information(self) -> Floats:
        """Epistemic part, total - aleatoric [shape=(points,)]: what members disagree on."""
        parted: Floats = np.maximum(self.total - self.aleatoric, 0)  # below 0 by rounding only
        return parted


@dataclass(frozen=True)
class ClassScores:
    """How good the probabilities were at some points.

    Parameters
    ----------
    nll : float
        Categorical negative log-likelihood of p̄, nats a point.
    brier : float
        Brier's (1950) score: mean squared distance of p̄ to the class, from 0 to 2.
    accuracy : float
        Share of points whose class has the greatest p̄.
    ece : float
        Expected calibration error, in `BINS` bins of equal width.
    entropy, aleatoric, mutual_information : float
        Means over the points: entropy = aleatoric + mutual information.
    """

    nll: float
    brier: float
    accuracy: float
    ece: float
    entropy: float
    aleatoric: float
    mutual_information: float

    def to_dict(self) -> dict[str, float]:
        """Return them by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def mean_probabilities(probabilities: Floats, counts: Bools | None = None) -> Floats:
    """Return p̄ [shape=(points, classes), float64]: NaN where no member counts.

    Parameters
    ----------
    probabilities : np.ndarray [shape=(members, points, classes)]
        Of each member.
    counts : np.ndarray of bool [shape=(members, points)], optional
        Which members count where.
    """
    known = _counting(probabilities, counts)
    total = np.sum(probabilities, axis=0, dtype=np.float64, where=known[..., None])
    with np.errstate(invalid="ignore"):
        mean: Floats = total / known.sum(axis=0)[:, None]
    return mean


def uncertainty(probabilities: Floats, counts: Bools | None = None) -> Uncertainty:
    """Take the uncertainty at each point apart.

    Parameters
    ----------
    probabilities : np.ndarray [shape=(members, points, classes)]
        Of each member.
    counts : np.ndarray of bool [shape=(members, points)], optional
        Which members count where.
    """
    known = _counting(probabilities, counts)
    own = _entropy(probabilities)
    with np.errstate(invalid="ignore"):
        aleatoric = np.sum(own, axis=0, where=known) / known.sum(axis=0)
    return Uncertainty(_entropy(mean_probabilities(probabilities, counts)), aleatoric)


def reliability(mean: Floats, targets: Floats, bins: int = BINS) -> Reliability:
    """Sort predictions by their confidence.

    Parameters
    ----------
    mean : np.ndarray [shape=(points, classes)]
        p̄; points where it is NaN are left out.
    targets : np.ndarray [shape=(points,)]
        Numbers of the classes.
    bins : int
        How many, of equal width.
    """
    known = np.isfinite(mean).all(axis=1)
    confidence = mean[known].max(axis=1, initial=0)
    right = mean[known].argmax(axis=1) == targets[known]
    edges = np.linspace(0, 1, bins + 1)
    places = np.searchsorted(edges[1:-1], confidence)  # in (a, b]
    counts = np.bincount(places, minlength=bins)
    with np.errstate(invalid="ignore"):
        return Reliability(
            counts,
            np.bincount(places, confidence, bins) / counts,
            np.bincount(places, right, bins) / counts,
        )


def score_classes(
    probabilities: Floats, targets: Floats, counts: Bools | None = None
) -> ClassScores:
    """Score an epoch's probabilities.

    Parameters
    ----------
    probabilities : np.ndarray [shape=(members, points, classes)]
        Of each member.
    targets : np.ndarray [shape=(points,)]
        Numbers of the classes that came true.
    counts : np.ndarray of bool [shape=(members, points)], optional
        Which members count where.
    """
    mean = mean_probabilities(probabilities, counts)
    known = np.isfinite(mean).all(axis=1)
    kept, classes = mean[known], targets[known].astype(np.int64)
    unsure = uncertainty(probabilities, counts)
    came = kept[np.arange(len(kept)), classes]
    distances = np.square(kept - np.eye(mean.shape[1])[classes]).sum(axis=1)
    return ClassScores(
        nll=finite_mean(-np.log(np.clip(came, LEAST, 1))),
        brier=finite_mean(distances),
        accuracy=finite_mean(kept.argmax(axis=1) == classes) if len(kept) else float("nan"),
        ece=reliability(kept, targets[known]).error,
        entropy=finite_mean(unsure.total),
        aleatoric=finite_mean(unsure.aleatoric),
        mutual_information=finite_mean(unsure.mutual_information),
    )


def auroc(inside: Floats, outside: Floats) -> float:
    """Return how surely a number tells points outside of a distribution from those inside.

    Parameters
    ----------
    inside, outside : np.ndarray [shape=(n,)] and [shape=(m,)]
        Uncertainties; what is not finite is left out.

    Returns
    -------
    float
        The area under the ROC curve: the chance that one from outside is greater than one from
        inside, ties counted half (Mann and Whitney's U).
    """
    from scipy.stats import rankdata

    low, high = inside[np.isfinite(inside)], outside[np.isfinite(outside)]
    if not (low.size and high.size):
        return float("nan")
    ranks = rankdata(np.concatenate([low, high]))[low.size :]
    return float((ranks.sum() - high.size * (high.size + 1) / 2) / (low.size * high.size))


def _counting(probabilities: Floats, counts: Bools | None) -> Bools:
    known = np.asarray(np.isfinite(probabilities).all(axis=-1))
    return known if counts is None else known & counts


def _entropy(probabilities: Floats) -> Floats:
    values = probabilities.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(values > 0, values * np.log(values), 0 * values)
    entropy: Floats = -terms.sum(axis=-1) + 0.0  # no -0
    return entropy
