"""The strip below an ensemble's picture: the spread over the epochs, and where we are."""

from collections.abc import Sequence
from itertools import cycle, product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from epochord.renderers.ensemble.captions import shortened
from epochord.renderers.ensemble.layout import LINE, TICKS, Box, axes_in, labelled
from epochord.renderers.ensemble.look import RUN_DASHES, Theme
from epochord.renderers.ensemble.overview import Overview

__all__ = ["Curve", "curves", "draw_strip", "scale", "strip_keys", "whole_epochs"]

Floats = npt.NDArray[np.floating[Any]]

MANY_DECADES = 1e3  # ratio from which ticks stand at powers of ten alone
LOGARITHMIC_FROM = 10.0  # ratio of the greatest to the least spread
NO_SPREAD = "no spread: that takes two members that are finite"
WIDTH, DOT = 1.6, 6.0  # points
HEADROOM = 1.06  # above the greatest value


class Curve(NamedTuple):
    """One line of the strip: what it is called, of which ensemble, and how it is drawn.

    `last` is the last epoch of all ensembles in the picture.
    """

    name: str
    overview: Overview
    spread: Floats
    colour: str
    dashes: Any
    last: int

    def key(self) -> Line2D:
        """Return it as a legend shows it."""
        return Line2D([], [], **self.look())

    def look(self) -> dict[str, Any]:
        """Return how it is drawn; a single epoch is a dot, hollow where lines are dashed."""
        alone = np.isfinite(self.spread).sum() == 1
        return {
            "color": self.colour, "linestyle": self.dashes, "linewidth": WIDTH,
            "label": self.name, "marker": "o" if alone else "", "markersize": DOT,
            "fillstyle": "full" if self.dashes == "-" else "none",
        }  # fmt: skip


def curves(overviews: Sequence[Overview], theme: Theme) -> list[Curve]:
    """Return what the strip shows: of several runs one curve each."""
    last = max(int(one.ensemble.epochs[-1]) for one in overviews)
    if len(overviews) > 1:
        styles = cycle(product(RUN_DASHES, theme.runs))
        return [
            Curve(shortened(one.ensemble.run.name), one, one.spread, colour, dashes, last)
            for one, (dashes, colour) in zip(overviews, styles, strict=False)
        ]
    (one,) = overviews
    if np.isfinite([one.outside, one.inside]).any():
        return [
            Curve("outside the data", one, one.outside, theme.ink, "-", last),
            Curve("among them", one, one.inside, theme.ink, RUN_DASHES[1], last),
        ]
    return [Curve("all over the grid", one, one.spread, theme.ink, "-", last)]


def strip_keys(drawn: Sequence[Curve]) -> list[Line2D]:
    """Return the legend of the curves that have something to show."""
    return [curve.key() for curve in drawn if np.isfinite(curve.spread).any()]


def draw_strip(
    figure: Figure, box: Box, drawn: Sequence[Curve], theme: Theme
) -> tuple[Axes, Line2D]:
    """Draw the spread over the epochs.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    box : Box
        Of all of it; its legend stands above.
    drawn : sequence of Curve
    theme : Theme

    Returns
    -------
    axes : matplotlib.axes.Axes
    now : matplotlib.lines.Line2D
        The line that says where we are.
    """
    axes = axes_in(figure, box._replace(left=box.left + TICKS, bottom=box.bottom + LINE))
    axes.spines[["top", "right"]].set_visible(False)
    known = []
    for curve in drawn:
        if (finite := curve.spread[np.isfinite(curve.spread)]).size:
            axes.plot(curve.overview.ensemble.epochs, curve.spread, **curve.look())
            known.append(finite)
    epochs = np.concatenate([curve.overview.ensemble.epochs for curve in drawn])
    axes.set_xlim(epochs.min() - 0.5, epochs.max() + 0.5)
    if known:
        scale(axes, np.concatenate(known))
    else:
        axes.set_yticks([])
        axes.text(0.5, 0.5, NO_SPREAD, transform=axes.transAxes, ha="center", va="center")
    whole_epochs(axes)
    axes.set_xlabel("")
    labelled(axes, box.left, theme, x="epoch")
    now = axes.axvline(float(epochs.min()), color=theme.ink, linewidth=1.5)
    return axes, now


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
        near = not positive.size or positive.max() < MANY_DECADES * positive.min()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if near else (1,), numticks=5))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:g}")
    elif positive.size:
        axes.set_ylim(0, max(axes.get_ylim()[1], HEADROOM * float(positive.max())))
