"""Legends that begin at the left edge and take as many rows as they need."""

from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist

from epochord.renderers.ensemble.layout import SMALL, units
from epochord.renderers.ensemble.look import UNITS_AN_INCH
from epochord.renderers.pictures.typeface import families

__all__ = ["put_legend"]


def put_legend(
    figure: Any,
    keys: Sequence[Artist],
    place: tuple[float, float],
    width: float,
    *,
    upwards: bool = False,
) -> float:
    """Put a legend into a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    keys : sequence of Artist
        What it explains; without any there is no legend.
    place : (float, float)
        Its upper left corner, in units.
    width : float
        At most, in units.
    upwards : bool
        Whether further rows go up from there, instead of down.

    Returns
    -------
    float
        How high it is, in units.
    """
    across, up = units(figure)
    corner = "lower left" if upwards else "upper left"
    for columns in range(len(keys), 0, -1):
        made = figure.legend(
            handles=list(keys), loc=corner, ncols=columns, frameon=False,
            bbox_to_anchor=(place[0] / across, place[1] / up), borderpad=0, borderaxespad=0,
            handlelength=1.7, handletextpad=0.5, columnspacing=1.6, labelspacing=0.35,
            prop={"size": SMALL + 0.5, "family": list(families())},
        )  # fmt: skip
        extent = made.get_window_extent()
        if extent.width * UNITS_AN_INCH / figure.dpi <= width or columns == 1:
            return float(extent.height) * UNITS_AN_INCH / float(figure.dpi)
        made.remove()
    return 0.0
