"""Some members of an ensemble over two inputs, a map each."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from epochord.renderers.ensemble.lattice import INPUTS, Lattice
from epochord.renderers.ensemble.look import ink
from epochord.renderers.ensemble.sheet import panels
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["member_maps", "spread_out"]

Floats = npt.NDArray[np.floating[Any]]

ROWS, COLUMNS = 3, 4
SCALE_SHARE = 0.07  # of the width, for the scale of colours


def member_maps(
    figure: Figure,
    ensemble: Ensemble,
    values: Floats,
    limits: tuple[float, float],
    label: str,
) -> None:
    """Draw maps of some members, and one scale of colours for all.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        See `sheet.sheet`.
    ensemble : Ensemble
        Of two inputs.
    values : np.ndarray [shape=(members, grid)]
        What is drawn of each.
    limits : (float, float)
        The ends of the scale.
    label : str
        What it is a scale of.
    """
    lattice = Lattice(ensemble)
    chosen = spread_out(ensemble.members, ROWS * COLUMNS)
    made = panels(figure, len(chosen), COLUMNS, shared=True)
    for axes, member in zip(made, chosen, strict=True):
        axes.set_title(f"member {member}", loc="left", fontsize="small", color=ink())
        image = axes.imshow(
            np.ma.masked_invalid(lattice.map(values[member])), extent=lattice.extent,
            origin="lower", aspect="auto", cmap="cividis", vmin=limits[0], vmax=limits[1],
        )  # fmt: skip
    made[0].set_ylabel(INPUTS[1])
    made[-1].set_xlabel(INPUTS[0], labelpad=0)
    figure.colorbar(image, ax=made, label=label, fraction=SCALE_SHARE, pad=0.02)


def spread_out(members: int, most: int) -> list[int]:
    """Return numbers of at most so many members, evenly from the first to the last."""
    return sorted(set(np.linspace(0, members - 1, min(members, most)).round().astype(int).tolist()))
