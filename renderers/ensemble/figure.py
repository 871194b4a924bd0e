"""The picture of one or several ensembles: cells, titles, legend, and the strip of time below.

One picture serves the stills, where matplotlib draws an epoch into it, and the
video, where each epoch is painted over what matplotlib has drawn once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from math import ceil, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from epochord.renderers.ensemble.captions import fit, shortened, title
from epochord.renderers.ensemble.cell import Cell
from epochord.renderers.ensemble.line_cell import LineCell
from epochord.renderers.ensemble.look import HEIGHT, INK, RUN_COLOURS, SIZE_DPI, WIDTH
from epochord.renderers.ensemble.map_cell import MapCell
from epochord.renderers.ensemble.overview import Overview
from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["EnsembleFigure", "ensemble_figure", "headed", "scale", "whole_epochs"]

Floats = npt.NDArray[np.floating[Any]]

LOGARITHMIC_FROM = 10.0  # ratio of the greatest to the least spread
STRIP_SHARE = 0.16  # of the height
LEGEND_COLUMNS = 5
NO_SPREAD = "no spread: that takes two members that are finite"
MARGIN = 0.012  # of the width
CLOCK_SHARE = 0.35  # of the width, at most
TWO_BY_TWO = 4  # with more cells, headings are broken into two lines
ALL = slice(None)


@dataclass(frozen=True)
class EnsembleFigure:
    """A picture of ensembles, without their functions.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Laid out for good.
    cells : tuple of Cell
        One an ensemble.
    strip : matplotlib.axes.Axes
        The spread over the epochs.
    clock : matplotlib.text.Text
        Where it says which epoch it is.
    now : matplotlib.lines.Line2D
        Where we are in the strip.
    """

    figure: Figure
    cells: tuple[Cell, ...]
    strip: Axes
    clock: Text
    now: Line2D

    @property
    def captions(self) -> tuple[Text, ...]:
        """What says in the cells which member is seen, and changes within an epoch."""
        return tuple(cell.caption for cell in self.cells if cell.caption is not None)

    @property
    def front(self) -> tuple[Artist, ...]:
        """What lies over the functions."""
        return tuple(artist for cell in self.cells for artist in cell.front)

    def draw(self, places: Sequence[int]) -> None:
        """Draw one epoch with matplotlib.

        Parameters
        ----------
        places : sequence of int
            Of each ensemble: which of its recorded epochs.
        """
        for cell, place in zip(self.cells, places, strict=True):
            cell.draw(place)
        epoch, text = self.at(places)
        self.clock.set_text(text)
        self.now.set_xdata([epoch, epoch])

    def at(self, places: Sequence[int]) -> tuple[int, str]:
        """Return the epoch of these places, and what the clock says."""
        pairs = list(zip((cell.overview for cell in self.cells), places, strict=True))
        epoch = max(int(one.ensemble.epochs[place]) for one, place in pairs)
        last = max(int(one.ensemble.epochs[-1]) for one, _ in pairs)
        missing = sum(int(one.missing[place]) for one, place in pairs)
        gone = f"{missing} not finite   " if missing else ""
        return epoch, f"{gone}epoch {epoch} of {last}"


def ensemble_figure(
    overviews: Sequence[Overview],
    settings: EnsembleSettings,
    limits: tuple[float, float],
    *,
    epochs: slice = ALL,
) -> EnsembleFigure:
    """Draw all that does not move.

    Parameters
    ----------
    overviews : sequence of Overview
        The ensembles, each in a cell of its own; all axes are equal.
    settings : EnsembleSettings
        Which layers.
    limits : (float, float)
        Lowest and highest prediction.
    epochs : slice
        Which epochs will be drawn: the legend holds what is seen in them.
    """
    figure = _new_figure()
    *specs, below = _specs(figure, len(overviews))
    several = len(overviews) > 1
    cells = tuple(
        _cell(figure, spec, one, settings, limits, heading)
        for spec, one, heading in zip(specs, overviews, _headings(overviews), strict=True)
    )
    heading = f"{len(overviews)} ensembles" if several else title(overviews[0].ensemble)
    # It reserves its line for the clock, which stands at the other end of it.
    left = figure.suptitle(heading, x=MARGIN, ha="left", fontsize=14, color=INK)
    strip = figure.add_subplot(below)
    now = _draw_strip(strip, overviews)
    _draw_legend(figure, cells, epochs)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # what moves must not move the axes
    fit(left, (1 - CLOCK_SHARE) * WIDTH)
    for cell in cells:
        cell.fit()
    y = left.get_position()[1]
    clock = figure.text(1 - MARGIN, y, "", ha="right", va="top", fontsize=14, color=INK)
    return EnsembleFigure(figure, cells, strip, clock, now)


def _headings(overviews: Sequence[Overview]) -> list[str]:
    """Say what each of several ensembles is, and which of them ended before the others."""
    if len(overviews) == 1:
        return [""]
    last = max(int(one.ensemble.epochs[-1]) for one in overviews)
    headings = []
    for one in overviews:
        own = int(one.ensemble.epochs[-1])
        end = f", ended at epoch {own}" if own < last else ""
        apart = "\n" if len(overviews) > TWO_BY_TWO else ", "
        headings.append(title(one.ensemble, apart=apart) + end)
    return headings


def _new_figure() -> Figure:
    """Return an empty figure of the size of the video."""
    size = (WIDTH / SIZE_DPI, HEIGHT / SIZE_DPI)
    figure = Figure(figsize=size, dpi=SIZE_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def headed(ensemble: Ensemble, what: str) -> Figure:
    """Return an empty figure whose heading says what an ensemble is, and more."""
    figure = _new_figure()
    heading = f"{title(ensemble)}: {what}"
    fit(figure.suptitle(heading, x=MARGIN, ha="left", color=INK), (1 - 2 * MARGIN) * WIDTH)
    return figure


def _cell(
    figure: Figure,
    spec: SubplotSpec,
    overview: Overview,
    settings: EnsembleSettings,
    limits: tuple[float, float],
    heading: str,
) -> Cell:
    kind: type[Cell] = LineCell if overview.ensemble.setup.grid.shape[1] == 1 else MapCell
    return kind(figure, spec, overview, settings, limits, heading)


def _specs(figure: Figure, cells: int) -> list[SubplotSpec]:
    """Return the places of the cells, row by row, and that of the strip."""
    columns = ceil(sqrt(cells))
    rows = ceil(cells / columns)
    outer = figure.add_gridspec(2, 1, height_ratios=[1 - STRIP_SHARE, STRIP_SHARE])
    inner = outer[0].subgridspec(rows, columns)
    return [inner[place // columns, place % columns] for place in range(cells)] + [outer[1]]


def _draw_strip(axes: Axes, overviews: Sequence[Overview]) -> Line2D:
    """Draw the spread over the epochs, and the line that says where we are."""
    known = []
    for (name, one, spread), colour in zip(_spreads(overviews), cycle(RUN_COLOURS), strict=False):
        if (finite := spread[np.isfinite(spread)]).size:
            dot = "o" if finite.size == 1 else ""  # a line needs two points
            axes.plot(one.ensemble.epochs, spread, dot + "-", color=colour, lw=1.4, label=name)
            known.append(finite)
    if known:
        scale(axes, np.concatenate(known))
    else:
        axes.set_yticks([])
        axes.text(0.5, 0.5, NO_SPREAD, transform=axes.transAxes, ha="center", va="center")
    epochs = np.concatenate([one.ensemble.epochs for one in overviews])
    axes.set_xlim(epochs.min() - 0.5, epochs.max() + 0.5)
    whole_epochs(axes)
    axes.set_ylabel("mean sd")
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)
    return axes.axvline(float(epochs.min()), color=INK, linewidth=1.5)


def _spreads(overviews: Sequence[Overview]) -> list[tuple[str, Overview, Floats]]:
    """Return what the strip shows, by name: of several runs one curve each."""
    if len(overviews) > 1:
        return [(shortened(one.ensemble.run.name), one, one.spread) for one in overviews]
    (one,) = overviews
    if np.isfinite([one.outside, one.inside]).any():
        return [("outside the data", one, one.outside), ("inside", one, one.inside)]
    return [("_", one, one.spread)]  # without a name in the legend


def whole_epochs(axes: Axes) -> None:
    """Label an axis of epochs, which are whole numbers."""
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(
        MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)
    )


def scale(axes: Axes, values: Floats, *, logarithmic: bool = False) -> None:
    """Choose a scale on which small values can be told apart too."""
    positive = values[np.isfinite(values) & (values > 0)]
    wide = positive.size and positive.max() > LOGARITHMIC_FROM * positive.min()
    if wide or logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=5))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:g}")
    elif positive.size:
        axes.set_ylim(bottom=0)


def _draw_legend(figure: Figure, cells: Sequence[Cell], epochs: slice) -> None:
    keys = {str(key.get_label()): key for cell in cells for key in cell.keys(epochs)}
    if keys:
        figure.legend(
            handles=list(keys.values()),
            loc="outside lower center",
            ncols=min(len(keys), LEGEND_COLUMNS),
            frameon=False,
        )
