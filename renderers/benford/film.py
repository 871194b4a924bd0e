"""First digits over training as a video: bars that move, beside Benford's law."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import ceil, floor, sqrt

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from epochord.renderers.benford.clock import clock, shown
from epochord.renderers.benford.distributions import benford
from epochord.renderers.benford.history import DigitHistory, largest
from epochord.renderers.benford.look import (
    DPI,
    FAINT,
    INK,
    LAW,
    OBSERVED,
    QUIET,
    SMALL,
    as_text,
    bare,
    new_figure,
    shortened,
)
from epochord.renderers.pictures.overlay import Overlay, background

__all__ = ["SIZE", "film"]

SIZE = 1280, 720  # pixels
BAR = 0.8  # of the distance between two digits
MOST = 12  # layers
HEADROOM = 1.05
DIGITS = np.arange(1, 10)
LEVEL = 2  # pixels of the line at a Gaussian's share
SHARED_SIGMA = "a Gaussian of the same σ"

Picture = npt.NDArray[np.uint8]
Shares = npt.NDArray[np.float64]


def film(histories: Sequence[DigitHistory], heading: str) -> Iterator[Picture]:
    """Yield the frames of a video, in which each layer's bars move.

    Parameters
    ----------
    histories : sequence of DigitHistory
        The layers; of more than 12 the largest are shown.  Those of fewer than 1,000 numbers are
        pale, and do not set the scale: their bars may end at its top.
    heading : str
        Above them.

    Yields
    ------
    np.ndarray [shape=(720, 1280, 3), uint8]
        Always the same array.
    """
    chosen = largest(histories, MOST)
    if len(chosen) < len(histories):
        heading += f" (the {MOST} largest of {len(histories)} layers)"
    figure, panels = _figure(chosen, heading)
    label = figure.text(0.988, 0.985, "", ha="right", va="top", fontsize=13, color=INK)
    front = [artist for axes in panels for artist in (*axes.lines, axes.spines["bottom"])]
    still, over = background(figure, [*front, label]), Overlay.of(figure, front)
    picture = still.copy()

    @lru_cache(maxsize=1)
    def said(step: int) -> Overlay:
        label.set_text(f"step {step}")
        return Overlay.of(figure, [label])

    time = clock([history.steps for history in chosen])
    places = np.stack([shown(time, history.steps) for history in chosen])
    gaussians = [history.gaussian for history in chosen]
    before = None
    for step, now in zip(time.tolist(), places.T, strict=True):
        if step != before:
            np.copyto(picture, still)
            for axes, history, reference, place in zip(panels, chosen, gaussians, now, strict=True):
                if history.steps[place] <= step:
                    _paint(picture, axes, history.shares[place], _colour(history))
                    _paint_levels(picture, axes, reference[place])
            over.put_onto(picture)
            said(step).put_onto(picture)
        before = step
        yield picture


def _colour(history: DigitHistory) -> str:
    return OBSERVED if history.size >= SMALL else FAINT


def _figure(histories: Sequence[DigitHistory], heading: str) -> tuple[Figure, list[Axes]]:
    figure = new_figure(SIZE[0] / DPI, SIZE[1] / DPI)
    figure.set_layout_engine("constrained", rect=(0, 0.055, 1, 0.895))
    figure.text(0.012, 0.985, as_text(heading), va="top", fontsize=13, color=INK)
    columns = ceil(sqrt(len(histories)))
    rows = ceil(len(histories) / columns)
    grid = list(figure.subplots(rows, columns, squeeze=False).ravel())
    large = [history for history in histories if history.size >= SMALL] or histories
    highest = max(_highest(each) for each in large)
    for place, (axes, history) in enumerate(zip(grid, histories, strict=False)):
        axes.plot(DIGITS, benford(), "o-", color=LAW, markersize=4)
        axes.set(xticks=DIGITS, xlim=(0.4, 9.6), ylim=(0, highest * HEADROOM))
        name = as_text(shortened(history.name, 120 // columns))
        axes.set_title(name, loc="left", fontsize=10, color=INK)
        bare(axes)
        if place + columns >= len(histories):
            axes.set_xlabel("first digit", fontsize=9, color=INK)
        if place % columns:
            axes.set_yticklabels([])
        else:
            axes.set_ylabel("share", fontsize=9, color=INK)
    for unused in grid[len(histories) :]:
        unused.remove()
    _add_legend(figure, histories)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure, grid[: len(histories)]


def _highest(history: DigitHistory) -> float:
    every = np.concatenate([history.shares, history.gaussian])
    return float(np.nanmax(every, initial=benford()[0]))


def _add_legend(figure: Figure, histories: Sequence[DigitHistory]) -> None:
    keys: list[Patch | Line2D] = [Patch(color=OBSERVED, label="observed")]
    if any(_colour(history) == FAINT for history in histories):
        keys.append(Patch(color=FAINT, label=f"fewer than {SMALL:,} numbers (set no scale)"))
    keys.append(Line2D([], [], color=LAW, marker="o", markersize=4, label="Benford's law"))
    keys.append(Line2D([], [], color=QUIET, linewidth=1.6, label=SHARED_SIGMA))
    figure.legend(
        handles=keys, loc="lower left", bbox_to_anchor=(0.008, 0.0), ncols=len(keys), fontsize=10,
        frameon=False,
    )  # fmt: skip


def _paint(picture: Picture, axes: Axes, shares: Shares, colour: str) -> None:
    """Paint the bars of one layer; the row at the top of each is covered in part."""
    ink = 255 * np.array(to_rgb(colour))
    sides, tops, bottom = _pixels(axes, shares, len(picture))
    for (left, right), top in zip(sides, tops, strict=True):
        whole = min(bottom, ceil(top))
        picture[whole:bottom, left:right] = np.rint(ink)
        share = whole - top
        if 0 < share < 1 and whole < bottom:
            row = picture[whole - 1, left:right]
            row[:] = np.rint(share * ink + (1 - share) * row)


def _paint_levels(picture: Picture, axes: Axes, shares: Shares) -> None:
    """Paint a short line at each share, if there are any, that is within the scale."""
    if not np.isfinite(shares).all():
        return
    ink = np.rint(255 * np.array(to_rgb(QUIET)))
    sides, tops, _ = _pixels(axes, shares, len(picture))
    for (left, right), top, share in zip(sides, tops, shares, strict=True):
        if share <= axes.get_ylim()[1]:
            picture[floor(top) : floor(top) + LEVEL, left:right] = ink


def _pixels(
    axes: Axes, shares: Shares, height: int
) -> tuple[list[tuple[int, int]], list[float], int]:
    """Return the sides of the bars, their tops from above, none above the frame, and the bottom."""
    edges = np.concatenate([DIGITS - BAR / 2, DIGITS + BAR / 2])
    corners = axes.transData.transform(np.column_stack([edges, np.zeros(len(edges))]))
    seen = np.minimum(np.nan_to_num(shares), axes.get_ylim()[1])
    ends = axes.transData.transform(np.column_stack([DIGITS, seen]))[:, 1]
    across = np.rint(corners[:, 0]).astype(int).tolist()
    bottom = height - round(float(corners[0, 1]))
    return list(zip(across[:9], across[9:], strict=True)), (height - ends).tolist(), bottom
