"""Mean, spread and quantiles over the members of an ensemble; what is not finite does not count."""

from typing import Any

import numpy as np
import numpy.typing as npt

from renderers.ensemble.scores import spread

__all__ = ["bands", "moments"]

Floats = npt.NDArray[np.floating[Any]]


def moments(values: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard deviation over the members.

    Parameters
    ----------
    values : np.ndarray [shape=(members, points)]
        Predictions.

    Returns
    -------
    mean, sd : np.ndarray [shape=(points,), float64]
        Over the finite values: the mean is NaN where there is none, and the
        sd, with n - 1 in its denominator, where there is only one.
    """
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = np.sum(values, axis=0, dtype=np.float64, where=finite)
        return total / finite.sum(axis=0), spread(values)


def bands(values: Floats, shares: tuple[float, ...]) -> Floats:
    """Return quantiles over the members [shape=(shares, points)]; NaN where no value is finite.

    Parameters
    ----------
    values : np.ndarray [shape=(members, points)]
        Predictions.
    shares : tuple of float
        From 0 to 1; between members the quantile is interpolated (Hyndman and
        Fan's definition 7, NumPy's default).
    """
    finite = np.isfinite(values)
    if finite.all():
        return np.asarray(np.quantile(values, shares, axis=0))
    found = np.full((len(shares), values.shape[1]), np.nan)
    some = finite.any(axis=0)
    kept = np.where(finite, values, np.nan)[:, some]
    found[:, some] = np.nanquantile(kept, shares, axis=0)
    return found
