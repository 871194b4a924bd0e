"""Grids of two inputs, and values on them as maps."""

from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.runlog import LogError
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["INPUTS", "Lattice"]

Floats = npt.NDArray[np.floating[Any]]

INPUTS = "x₁", "x₂"


class Lattice:
    """The grid of two inputs as rows and columns.

    Parameters
    ----------
    ensemble : Ensemble
        Of two inputs.

    Raises
    ------
    LogError
        If the grid is not every pair of some x and some y.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        grid = ensemble.setup.grid
        self.x, columns = np.unique(grid[:, 0], return_inverse=True)
        self.y, rows = np.unique(grid[:, 1], return_inverse=True)
        self.shape = len(self.y), len(self.x)
        self._cells = rows * len(self.x) + columns
        complete = len(np.unique(self._cells)) == len(grid) == len(self.x) * len(self.y)
        if not complete or min(self.shape) < 2:
            raise LogError(
                f"run {ensemble.run.name!r}: its grid of two inputs has {len(grid)} points, "
                f"{len(self.x)} different x and {len(self.y)} different y; expected each pair of "
                "them once, at least 2 of each, to draw a map"
            )

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of the map: half a step beyond the outer points."""
        ends = []
        for places in (self.x, self.y):
            half = (places[-1] - places[0]) / (len(places) - 1) / 2
            ends += [float(places[0] - half), float(places[-1] + half)]
        return ends[0], ends[1], ends[2], ends[3]

    def map(self, values: Floats) -> Floats:
        """Return values [shape=(grid,)] as a map [shape=(y, x)], from the bottom."""
        found = np.empty(len(self._cells))
        found[self._cells] = values
        return found.reshape(self.shape)
