"""Mean, spread and quantiles over the members; what is not finite does not count."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "LEAST_MEMBERS",
    "bands",
    "contraction",
    "finite_mean",
    "inside_outside",
    "mean_of",
    "moments",
    "quiet",
    "spread",
]

Floats = npt.NDArray[np.floating[Any]]

LEAST_MEMBERS = 2  # fewer have no spread

# What is undefined is NaN and what overflows is infinite: that is said by the number itself.
quiet = np.errstate(divide="ignore", over="ignore", invalid="ignore")


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


@quiet
def spread(predictions: Floats) -> npt.NDArray[np.float64]:
    """Return the members' standard deviation at each point, with the divisor M - 1.

    Parameters
    ----------
    predictions : np.ndarray [shape=(..., members, points)]
        Numbers that are not finite do not count.

    Returns
    -------
    np.ndarray [shape=(..., points)]
        NaN where fewer than two members count.
    """
    counting = np.isfinite(predictions)
    members = counting.sum(axis=-2, keepdims=True)
    # Measured from the least of them, members that are equal differ by exactly nothing.
    least = np.min(predictions, axis=-2, keepdims=True, where=counting, initial=np.inf)
    above = np.where(counting, predictions - least.astype(np.float64), 0)
    around = np.where(counting, above - above.sum(axis=-2, keepdims=True) / members, 0)
    variance = (around**2).sum(axis=-2) / (members[..., 0, :] - 1)
    return np.asarray(np.where(members[..., 0, :] < LEAST_MEMBERS, np.nan, np.sqrt(variance)))


@quiet
def contraction(sd: Floats, before: Floats) -> npt.NDArray[np.float64]:
    """Return how much of the spread before training is left.

    Parameters
    ----------
    sd : np.ndarray [shape=(..., grid)]
        Of one epoch or several (see `spread`).
    before : np.ndarray [shape=(grid,)]
        Of the ensemble before training.

    Returns
    -------
    np.ndarray [shape=(..., grid)]
        1 where nothing is learnt; 0/0 is NaN.
    """
    return np.asarray(np.divide(sd, before, dtype=np.float64))


def inside_outside(sd: Floats, grid: Floats, data: Floats) -> tuple[float, float]:
    """Return the mean spread where there are data, and where there are none.

    Parameters
    ----------
    sd : np.ndarray [shape=(grid,)]
        See `spread`; what is not finite is left out.
    grid : np.ndarray [shape=(grid, d)]
        Where `sd` is.
    data : np.ndarray [shape=(n, d)]
        The inputs of the data.

    Returns
    -------
    tuple of float
        Mean of `sd` within the box from the least to the greatest coordinates of the data, its
        faces included, and outside of it; NaN where that has no grid point.

    Raises
    ------
    ValueError
        If shapes do not fit.
    """
    if grid.ndim != 2 or data.ndim != 2 or (len(sd), data.shape[1]) != grid.shape:
        raise ValueError(
            f"sd, grid and data have shapes {sd.shape}, {grid.shape} and {data.shape}; "
            "expected (grid,), (grid, d) and (n, d)"
        )
    least, greatest = data.min(axis=0, initial=np.inf), data.max(axis=0, initial=-np.inf)
    within = np.all((grid >= least) & (grid <= greatest), axis=1)
    known = np.isfinite(sd)
    return mean_of(sd[known & within]), mean_of(sd[known & ~within])


def mean_of(values: npt.NDArray[Any]) -> float:
    """Return the mean, of nothing NaN."""
    return float(values.mean(dtype=np.float64)) if values.size else float("nan")


def finite_mean(values: npt.NDArray[Any]) -> float:
    """Return the mean of what is finite, of nothing NaN."""
    return mean_of(values[np.isfinite(values)])
