"""Steps on one axis."""

import numpy as np
import numpy.typing as npt

__all__ = ["once"]


def once(steps: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return each step once, ascending; `np.unique` hashes what mostly is so already."""
    if (steps[1:] > steps[:-1]).all():
        return steps
    ordered = np.sort(steps, kind="stable")  # merges pieces that are in order
    fresh: npt.NDArray[np.bool_] = np.concatenate([[True], ordered[1:] > ordered[:-1]])
    distinct: npt.NDArray[np.int64] = ordered[fresh]
    return distinct
