"""The predictive distribution of the next observation: members plus noise, at each point.

It is a mixture of Gaussians with equal weights: their means are the members' predictions, their
variances the noise's, or each member's own.  All that is asked of it here is asked at what was
observed; a member counts where its prediction is a finite number and its variance a positive one,
and a point counts with two members or more.
"""

from math import log, pi, sqrt
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp, ndtr, ndtri

from epochord.renderers.ensemble.statistics import LEAST_MEMBERS, quiet, spread
from epochord.runlog.extras import needing

__all__ = [
    "Mixtures",
    "absolute_error",
    "calibration",
    "crps",
    "mixtures",
    "nll",
    "pit",
    "pretended_pit",
]

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]

PRETENDED = 40  # members that are taken for the truth, at most
DRAWS = 3  # of the noise around each of them
GOLDEN = (5**0.5 - 1) / 2  # its multiples lie the most evenly between whole numbers


class Mixtures(NamedTuple):
    """Predictive distributions, each measured from what was observed there.

    Attributes
    ----------
    errors : np.ndarray [shape=(used points, members)]
        Prediction minus target, in the target's unit: ascending at each point, behind that NaN.
    sds : np.ndarray [shape=(used points, members)]
        Standard deviation of each Gaussian, in the same order.
    members : np.ndarray [shape=(used points,)]
        How many count.
    """

    errors: Doubles
    sds: Doubles
    members: npt.NDArray[np.intp]

    @property
    @quiet
    def bias(self) -> Doubles:
        """Mean of each distribution minus what was observed [shape=(used points,)]."""
        return np.asarray(np.nansum(self.errors, axis=1) / self.members, np.float64)

    @property
    @quiet
    def epistemic(self) -> Doubles:
        """Variance of the members, unbiased, with M - 1 [shape=(used points,)]."""
        return spread(self.errors.T) ** 2

    @property
    @quiet
    def aleatoric(self) -> Doubles:
        """Variance of the observations' noise, mean over members [shape=(used points,)]."""
        return np.asarray(np.nansum(self.sds**2, axis=1) / self.members, np.float64)


@quiet
def mixtures(
    predictions: Floats,
    targets: Floats,
    *,
    noise_sd: float | None = None,
    variances: Floats | None = None,
    counts: Bools | None = None,
    least: int = LEAST_MEMBERS,
) -> Mixtures:
    """Sort out what counts, once for all that is asked.

    Parameters
    ----------
    predictions : np.ndarray [shape=(members, points)]
        In the target's unit.
    targets : np.ndarray [shape=(points,)]
        What was observed; a point where it is not finite is left out.
    noise_sd : float, optional
        Standard deviation of the observations around what is predicted, in the target's unit.
    variances : np.ndarray [shape=(members, points)], optional
        Each member's own variance of an observation, which goes before `noise_sd`.
    counts : np.ndarray of bool [shape=(members, points)], optional
        Which members count where (see `scores.out_of_bag`); all by default.
    least : int
        With fewer members a point is left out.

    Raises
    ------
    ValueError
        If shapes do not fit, `counts` is not boolean, or there is no noise with a width.
    """
    if predictions.ndim != 2 or targets.shape != predictions.shape[1:]:
        raise ValueError(
            f"predictions have shape {predictions.shape} and targets {targets.shape}; "
            "expected (members, points) and (points,)"
        )
    errors = np.asarray(predictions - targets.astype(np.float64), np.float64)
    sds = _sds(errors.shape, noise_sd, variances)
    counting = np.isfinite(errors) & np.isfinite(sds) & (sds > 0)
    if counts is not None:
        if counts.shape != predictions.shape or counts.dtype != np.bool_:
            raise ValueError(
                f"counts are {counts.dtype} of shape {counts.shape}; "
                f"expected bool of shape {predictions.shape}"
            )
        counting &= counts
    return _sorted(errors, sds, counting, least)


def _sds(shape: tuple[int, ...], noise_sd: float | None, variances: Floats | None) -> Doubles:
    if variances is not None:
        if variances.shape != shape:
            raise ValueError(f"variances have shape {variances.shape}; expected {shape}")
        return np.sqrt(variances, dtype=np.float64)
    if noise_sd is None or not 0 < noise_sd < np.inf:
        raise ValueError(f"noise_sd is {noise_sd}; expected a positive number")
    return np.full(shape, float(noise_sd))


def _sorted(errors: Doubles, sds: Doubles, counting: Bools, least: int) -> Mixtures:
    """Put the members in an order that does not depend on theirs, those that count in front."""
    members = counting.sum(axis=0)
    used = members >= least
    members = members[used]
    most = members.max(initial=0)
    # NaN sorts last; columns of nothing else are cut off, so that they change no rounding.
    errors, sds = (np.where(counting, each, np.nan).T[used] for each in (errors, sds))
    order = np.lexsort((sds, errors), axis=1)[:, :most]
    errors, sds = (np.take_along_axis(each, order, axis=1) for each in (errors, sds))
    return Mixtures(errors, sds, members)


@quiet
def nll(these: Mixtures) -> Doubles:
    """Return the negative log-likelihood of what was observed, in nats [shape=(used points,)]."""
    errors, sds, members = these
    known = np.isfinite(errors)
    exponents = np.where(known, -0.5 * (errors / sds) ** 2 - np.log(sds), -np.inf)
    density = logsumexp(exponents, axis=1) - np.log(members)
    return np.asarray(0.5 * log(2 * pi) - density, np.float64)


@quiet
def pit(these: Mixtures) -> Doubles:
    """Return the probability integral transforms [shape=(used points,)].

    That is the probability, as predicted, of a value below what was observed: evenly spread
    between 0 and 1 if the predictions are calibrated (Dawid, JRSS A 147, 1984; of ensembles with
    errors of observation, Saetra et al., Monthly Weather Review 132, 2004).
    """
    errors, sds, members = these
    below = np.where(np.isfinite(errors), ndtr(-errors / sds), 0.0)
    return np.asarray(below.sum(axis=1) / members, np.float64)


def calibration(transforms: Doubles, levels: Doubles) -> Doubles:
    """Return the share of points whose central intervals hold what was observed.

    Parameters
    ----------
    transforms : np.ndarray [shape=(points,)]
        See `pit`: an interval of the level p holds what is between (1 - p)/2 and (1 + p)/2.
    levels : np.ndarray [shape=(levels,)]
        Nominal shares, 0 to 1.

    Returns
    -------
    np.ndarray [shape=(levels,)]
        0 to 1; NaN without points.
    """
    if not transforms.size:
        return np.full(levels.shape, np.nan)
    # Half an ulp of room: the ends belong to the interval, and 2|p - 1/2| is rounded.
    widths = np.abs(2 * transforms - 1)[:, None]
    return np.asarray((widths <= levels + 1e-15).mean(axis=0), np.float64)


@quiet
def absolute_error(means: Doubles, sds: Doubles) -> Doubles:
    """Return E|X| of Gaussians: the A(mean, sd²) of Grimit et al. (2006, eq. 5)."""
    scaled = means / sds
    density = np.exp(-0.5 * scaled**2) / sqrt(2 * pi)
    return np.asarray(2 * sds * density + means * (2 * ndtr(scaled) - 1), np.float64)


@quiet
def crps(these: Mixtures) -> tuple[Doubles, Doubles]:
    """Return the continuous ranked probability scores, in the target's unit.

    Parameters
    ----------
    these : Mixtures
        The predictive distributions.

    Returns
    -------
    plain, fair : np.ndarray [shape=(used points,) each]
        E|X - y| - E|X - X'| / 2, in closed form (Grimit, Gneiting, Berrocal & Johnson, QJRMS 132,
        2006).  The fair one takes X and X' from different members only, so that its mean does not
        depend on how many there are, as that of the plain one does (Ferro, QJRMS 140, 2014).
    """
    with needing("scoring ensembles", "video"):  # numba, which settings and logs do not need
        from epochord.renderers.ensemble.overlap import overlaps

    errors, sds, members = these
    distance = np.nansum(absolute_error(errors, sds), axis=1) / members
    overlap = overlaps(errors, sds, members)  # E|X - X'| / 2
    own = np.nansum(sds, axis=1) / sqrt(pi)  # the sum of each member's with itself
    apart = (members**2 * overlap - own) / (members * (members - 1))
    return np.asarray(distance - overlap, np.float64), np.asarray(distance - apart, np.float64)


@quiet
def pretended_pit(these: Mixtures) -> Doubles:
    """Return the transforms of truths that are drawn like the members: a member plus noise.

    Each of some members in turn is taken for the truth, with noise, against all other members.
    However well calibrated an ensemble of this size and this noise is, this is what there is to
    be seen of it.  The noise is of evenly spread shares, not drawn at random.

    Returns
    -------
    np.ndarray [shape=(pretended truths,)]
        Of all points together.
    """
    errors, sds, members = these
    found = [np.empty(0)]
    for row, widths, count in zip(errors, sds, members.tolist(), strict=True):
        others, spreads = row[:count], widths[:count]
        chosen = np.unique(np.linspace(0, count - 1, min(count, PRETENDED)).round().astype(int))
        turn = (len(found) * len(chosen) + np.arange(len(chosen))) * GOLDEN % 1
        shares = (np.arange(DRAWS) + turn[:, None]) / DRAWS
        truths = others[chosen, None] + spreads[chosen, None] * ndtri(shares)
        below = ndtr((truths[:, :, None] - others) / spreads)
        found.append(((below.sum(axis=2) - shares) / (count - 1)).ravel())
    return np.clip(np.concatenate(found), 0, 1)  # but for rounding, they are
