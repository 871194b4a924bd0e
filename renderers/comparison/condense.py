"""Long rows of numbers to few, each of which keeps the extreme of its stretch."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["extremes", "pooled"]


def extremes(values: npt.NDArray[np.floating[Any]], most: int) -> npt.NDArray[np.int64]:
    """Choose the places of at most so many values: of each stretch the one farthest from zero.

    Parameters
    ----------
    values : np.ndarray [shape=(n,)]
        NaN counts as zero.
    most : int
        How many, at least 1.

    Returns
    -------
    np.ndarray [shape=(min(n, most),), int64]
        Ascending.
    """
    count = len(values)
    if count <= most:
        return np.arange(count)
    starts = np.arange(most) * count // most
    size = np.nan_to_num(np.abs(values), nan=0.0, posinf=np.inf)
    peaks = np.repeat(np.maximum.reduceat(size, starts), np.diff(np.append(starts, count)))
    is_peak = size == peaks
    # The first peak of each stretch.
    place = np.where(is_peak, np.arange(count), count)
    return np.asarray(np.minimum.reduceat(place, starts))


def pooled(
    image: npt.NDArray[np.floating[Any]], most: int, how: str = "mean"
) -> npt.NDArray[np.floating[Any]]:
    """Join columns of a picture until there are at most so many.

    Parameters
    ----------
    image : np.ndarray [shape=(rows, columns)]
        Finite.
    most : int
        Columns.
    how : {"mean", "extreme"}
        What stands for several: their mean, or the value farthest from zero.
    """
    columns = image.shape[1]
    if columns <= most:
        return image
    starts = np.arange(most) * columns // most
    if how == "mean":
        sizes = np.diff(np.append(starts, columns))
        return np.asarray(np.add.reduceat(image, starts, axis=1) / sizes)
    high = np.maximum.reduceat(image, starts, axis=1)
    low = np.minimum.reduceat(image, starts, axis=1)
    return np.where(high >= -low, high, low)
