"""Between two recorded epochs: linear, and where one of them has nothing, as in the nearer one."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["between", "neighbours"]

Floats = npt.NDArray[np.floating[Any]]


def neighbours(place: float, count: int) -> tuple[int, int, float]:
    """Return the recorded epochs around a place, and how far it is from the first to the second.

    Parameters
    ----------
    place : float
        1.5 is halfway between the second and the third epoch.
    count : int
        How many epochs are recorded.
    """
    before = min(int(place), count - 1)
    return before, min(before + 1, count - 1), float(place) - before


def between(before: Floats, after: Floats, share: float) -> Floats:
    """Return values on the straight way from one epoch to the next.

    Parameters
    ----------
    before, after : np.ndarray
        Of equal shapes.
    share : float
        From 0 to 1: how far from the first to the second.  What is not finite in one of
        them is as in the nearer one; from the middle on, that is the second.
    """
    if share <= 0:
        return before
    with np.errstate(invalid="ignore", over="ignore"):
        way = after - before
        mixed: Floats = before + way.dtype.type(share) * way
    odd = ~np.isfinite(mixed)
    if odd.any():
        mixed[odd] = (before if share < 0.5 else after)[odd]
    return mixed
