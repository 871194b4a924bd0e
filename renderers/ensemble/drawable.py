"""Whether the predictions of an ensemble can be drawn over its grid, and so filmed."""

from dataclasses import replace
from typing import Any

import numpy as np

from epochord.renderers.ensemble.lattice import Lattice
from epochord.runlog import LogError
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["has_lattice", "on_points", "why_not_drawn"]

OF_ONE = "--output K draws the probability of class K alone"
LEAST_POINTS = 2  # that a function is drawn between


def why_not_drawn(ensemble: Ensemble) -> str:
    """Say why an ensemble is not drawn as functions of its inputs; nothing if it is."""
    if ensemble.task == "classification" and has_lattice(ensemble):
        return f"its classes are drawn; {OF_ONE}"
    if ensemble.task == "classification":
        return _beyond(ensemble) or f"its scores are drawn; {OF_ONE}"
    return _beyond(ensemble)


def _beyond(ensemble: Ensemble) -> str:
    """Say why a grid cannot be drawn; nothing if it can."""
    grid = ensemble.setup.grid
    if not len(grid):
        return "no film: it has no grid"
    if grid.shape[1] not in (1, 2):
        inputs = f"{grid.shape[1]} inputs" if grid.shape[1] else "more inputs than are stored"
        return f"no film: its grid has {inputs}, and one or two can be drawn"
    if grid.shape[1] == 2 and not has_lattice(ensemble):
        x, y = (len(np.unique(column)) for column in grid.T)
        return (
            f"no film: its grid of two inputs has {len(grid)} points, {x} different x and {y} "
            "different y; a map shows each pair of them once"
        )
    different = len(np.unique(grid[:, 0]))
    if grid.shape[1] == 1 and different < LEAST_POINTS:
        return f"no film: its grid has {different} different point; expected {LEAST_POINTS} or more"
    return ""


def has_lattice(ensemble: Ensemble) -> bool:
    """Tell whether the grid is every pair of some x and some y."""
    if ensemble.setup.grid.shape[1] != 2 or not len(ensemble.setup.grid):
        return False
    try:
        Lattice(ensemble)
    except LogError:
        return False
    return True


def on_points(ensemble: Ensemble) -> Ensemble:
    """Return an ensemble that can be scored like others though it has no grid.

    Its first place stands for the grid; inputs that are not stored are all at one point.
    """
    setup = ensemble.setup
    moved = ensemble if len(setup.grid) else ensemble.with_grid_at(setup.first_place)
    if setup.grid.shape[1]:
        return moved
    flat: dict[str, Any] = {name: np.zeros((n, 1)) for name, n in moved.setup.places.items()}
    return moved.with_setup(replace(moved.setup, **flat))
