"""Places on an axis to stretches of it."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Bools", "Floats", "stretches"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]


def stretches(places: Bools, gap: int = 1) -> list[tuple[int, int]]:
    """Return where places that follow each other begin and end.

    Parameters
    ----------
    places : np.ndarray [shape=(n,), bool]
        Which places.
    gap : int
        Places at most so far from each other belong together.

    Returns
    -------
    list of (int, int)
        The first one, and the one behind the last.
    """
    there = np.flatnonzero(places)
    if not len(there):
        return []
    apart = np.flatnonzero(np.diff(there) > gap)
    begins = there[np.concatenate([[0], apart + 1])]
    ends = there[np.concatenate([apart, [len(there) - 1]])] + 1
    return list(zip(begins.tolist(), ends.tolist(), strict=True))
