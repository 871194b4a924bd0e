"""A panel of how much of the members' spread before training is left, over the inputs."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from epochord.renderers.ensemble.figure import scale
from epochord.renderers.ensemble.lattice import INPUTS, Lattice
from epochord.renderers.ensemble.look import ink
from epochord.renderers.ensemble.overview import Overview
from epochord.renderers.ensemble.view import Lines

__all__ = ["draw_contraction", "why_no_contraction"]

Floats = npt.NDArray[np.floating[Any]]

LEAST_RANGE = 1.5  # of its axis, as a factor to either side of 1
TITLE_SIZE = 10.0  # points
MAP_SHARE = 0.7  # of the panel, beside which its scale of colours has the rest


def why_no_contraction(overview: Overview) -> str:
    """Say why there is nothing to draw; nothing if there is."""
    if not overview.contraction.size:
        return "no contraction: no grid that can be drawn"
    if len(overview.ensemble.epochs) == 1:
        return "no contraction: only one epoch is recorded"
    if not _positive(overview.contraction).any():
        return "no contraction: no spread in the first epoch or in the last"
    return ""


def draw_contraction(overview: Overview, axes: Axes) -> None:
    """Draw the members' sd at the last epoch over that at the first, on a logarithmic axis."""
    ensemble, found = overview.ensemble, overview.contraction
    known = np.where(_positive(found), found, np.nan)
    axes.set_title("Spread left by training", loc="left", fontsize=TITLE_SIZE, color=ink())
    what = f"sd at epoch {ensemble.epochs[-1]} / epoch {ensemble.epochs[0]}"
    least = min(np.nanmin(known), 1 / LEAST_RANGE)
    greatest = max(np.nanmax(known), LEAST_RANGE)
    if ensemble.setup.grid.shape[1] == 2:
        _draw_map(axes, Lattice(ensemble), known, LogNorm(least, greatest), what)
        return
    lines = Lines(ensemble)
    axes.plot(lines.x, known[lines.order], color=ink())
    axes.axhline(1, color=ink(), linewidth=0.8, linestyle=":")
    axes.set(xlabel="x", ylabel=what, yscale="log", ylim=(least / 1.1, greatest * 1.1))
    scale(axes, np.array([least, greatest]), logarithmic=True)


def _draw_map(axes: Axes, lattice: Lattice, values: Floats, norm: LogNorm, what: str) -> None:
    image = axes.imshow(
        np.ma.masked_invalid(lattice.map(values)), extent=lattice.extent, origin="lower",
        aspect="auto", cmap="magma", norm=norm,
    )  # fmt: skip
    axes.set(xlabel=INPUTS[0], ylabel=INPUTS[1])
    figure = axes.get_figure()
    assert figure is not None
    left, bottom, width, height = axes.get_position().bounds
    axes.set_position((left, bottom, MAP_SHARE * width, height))
    place = (left + (MAP_SHARE + 0.04) * width, bottom, 0.05 * width, height)
    beside = figure.add_axes(place)
    figure.colorbar(image, cax=beside)
    scale(beside, np.array([norm.vmin, norm.vmax]), logarithmic=True)
    beside.tick_params(labelsize=TITLE_SIZE - 2)
    beside.set_ylabel(what, fontsize=TITLE_SIZE - 1)


def _positive(values: Floats) -> npt.NDArray[np.bool_]:
    positive: npt.NDArray[np.bool_] = np.isfinite(values) & (values > 0)
    return positive
