"""First digits over training as pictures: a column a layer, its shares above its distance."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from epochord.renderers.benford.distributions import benford
from epochord.renderers.benford.history import DigitHistory
from epochord.renderers.benford.look import (
    INK,
    LAW,
    QUIET,
    SMALL,
    as_text,
    bare,
    new_figure,
    shortened,
)

__all__ = ["history_figure"]

COLUMNS = 4
CELL = (3.0, 3.1)  # inches: a heat map above a curve
MAP, CURVE = (0.42, 1.15), (1.85, 0.8)  # from the top of a cell, and high
LEFT, RIGHT, TOP, BOTTOM = 0.75, 0.95, 0.75, 0.65
WIDE = 0.86  # of a cell is its frame
TITLE = 36  # characters
HEADROOM = 1.08
PALE = 0.35  # opacity
STRONG = "#0072B2"
LEAST_SPAN = 0.02  # of the colours, so that noise is not made to look like something
DIVERGING = LinearSegmentedColormap.from_list("digits", [STRONG, "#FFFFFF", LAW])


def history_figure(histories: Sequence[DigitHistory], heading: str) -> Figure:
    """Draw each layer's shares less Benford's, and its distance beside a Gaussian's.

    Layers of fewer than 1,000 numbers are pale and set no scale: chance moves them most.

    Parameters
    ----------
    histories : sequence of DigitHistory
        One or more, of one kind.
    heading : str
        Above all of them.
    """
    columns = min(COLUMNS, len(histories))
    rows = -(-len(histories) // columns)
    figure = new_figure(LEFT + CELL[0] * columns + RIGHT, TOP + CELL[1] * rows + BOTTOM)
    span, highest = _scales(histories)
    for place, history in enumerate(histories):
        row, column = divmod(place, columns)
        above, below = _cell(figure, row, column)
        _draw_shares(above, history, span)
        _draw_distances(below, history, highest)
        if column == 0:
            above.set_ylabel("first digit", fontsize=8, color=INK)
            below.set_ylabel("distance", fontsize=8, color=INK)
        else:
            above.set_yticklabels([])
            below.set_yticklabels([])
        if place + columns >= len(histories):
            below.set_xlabel("step", fontsize=8, color=INK)
    _say_around(figure, span, histories, heading)
    return figure


def _scales(histories: Sequence[DigitHistory]) -> tuple[float, float]:
    """Return the greatest deviation of a share and the greatest distance, of large layers."""
    large = [history for history in histories if history.size >= SMALL] or histories
    deviations = [np.abs(np.nan_to_num(each.shares - benford())).max(initial=0) for each in large]
    distances = [
        np.nan_to_num([*each.distance, *each.gaussian_distance]).max(initial=0) for each in large
    ]
    return max(LEAST_SPAN, *deviations), max(LEAST_SPAN, *distances) * HEADROOM


def _cell(figure: Figure, row: int, column: int) -> tuple[Axes, Axes]:
    width, height = figure.get_size_inches()
    left, top = LEFT + CELL[0] * column, height - TOP - CELL[1] * row
    above, below = (
        figure.add_axes(
            (left / width, (top - down - high) / height, CELL[0] * WIDE / width, high / height)
        )
        for down, high in (MAP, CURVE)
    )
    return above, below


def _draw_shares(axes: Axes, history: DigitHistory, span: float) -> None:
    deviations = np.ma.masked_invalid((history.shares - benford()).T)
    axes.pcolormesh(
        history.steps.astype(np.float64), np.arange(1, 10), deviations, shading="nearest",
        cmap=DIVERGING, alpha=_alpha(history), vmin=-span, vmax=span, rasterized=True,
    )  # fmt: skip
    axes.set(yticks=[1, 3, 5, 7, 9])
    axes.tick_params(labelsize=8, colors=INK)
    axes.set_xticklabels([])
    axes.set_title(as_text(shortened(history.name, TITLE)), loc="left", fontsize=9, color=INK)


def _draw_distances(axes: Axes, history: DigitHistory, highest: float) -> None:
    alpha = _alpha(history)
    axes.plot(
        history.steps, history.gaussian_distance, color=QUIET, linewidth=1.6, alpha=alpha,
        linestyle=(0, (3, 1.5)), label="a Gaussian of the same σ",
    )  # fmt: skip
    axes.plot(
        history.steps, history.distance, color=STRONG, linewidth=1.2, alpha=alpha, label="observed"
    )
    axes.set(ylim=(0, highest), xlim=_limits(history))
    bare(axes)
    greatest = float(np.nan_to_num(history.distance).max(initial=0))
    if greatest > highest:  # a curve that leaves the scale says how far
        axes.text(
            1, 1, f"up to {100 * greatest:.0f} %", transform=axes.transAxes, ha="right",
            va="bottom", fontsize=7, color=QUIET,
        )  # fmt: skip


def _alpha(history: DigitHistory) -> float:
    return 1.0 if history.size >= SMALL else PALE


def _limits(history: DigitHistory) -> tuple[float, float]:
    first, last = float(history.steps[0]), float(history.steps[-1])
    half = (last - first) / max(1, len(history.steps) - 1) / 2 or 0.5
    return first - half, last + half  # as the heat map has it


def _say_around(
    figure: Figure, span: float, histories: Sequence[DigitHistory], heading: str
) -> None:
    width, height = figure.get_size_inches()
    small = sum(history.size < SMALL for history in histories)
    pale = f"; pale: {small} of fewer than {SMALL:,} numbers, which set no scale" if small else ""
    below = f"above: shares less Benford's; below: total variation from Benford's law{pale}"
    x = 0.15 / width
    figure.text(x, 1 - 0.12 / height, as_text(heading), va="top", fontsize=13, color=INK)
    figure.text(x, 1 - 0.42 / height, below, va="top", fontsize=9, color=QUIET)
    handles = figure.axes[1].get_legend_handles_labels()[0]
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(x, 0.02 / height), fontsize=9, ncols=2,
        frameon=False,
    )  # fmt: skip
    top = 1 - (TOP + MAP[0]) / height
    bar = figure.add_axes((1 - 0.9 / width, top - MAP[1] / height, 0.12 / width, MAP[1] / height))
    figure.colorbar(ScalarMappable(Normalize(-span, span), DIVERGING), cax=bar)
    bar.tick_params(labelsize=8, colors=INK)
    bar.yaxis.set_major_formatter(lambda value, _: f"{100 * value:+.0f} %" if value else "law")
