"""First digits over training as a video: bars that move, beside Benford's law."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from epochord.renderers.benford.clock import clock, shown
from epochord.renderers.benford.distributions import benford
from epochord.renderers.benford.history import DigitHistory
from epochord.renderers.benford.plots import BARS, INK, LAW
from epochord.renderers.pictures.overlay import Overlay, background

__all__ = ["SIZE", "film"]

SIZE = 1280, 720  # pixels
DPI = 100
BAR = 0.8  # of the distance between two digits
MOST = 12  # layers
HEADROOM = 1.05
DIGITS = np.arange(1, 10)

Picture = npt.NDArray[np.uint8]


def film(histories: Sequence[DigitHistory], heading: str) -> Iterator[Picture]:
    """Yield the frames of a video, in which each layer's bars move.

    Parameters
    ----------
    histories : sequence of DigitHistory
        The layers; of more than 12 the first ones are shown.
    heading : str
        Above them.

    Yields
    ------
    np.ndarray [shape=(720, 1280, 3), uint8]
        Always the same array.
    """
    chosen = histories[:MOST]
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
    before = None
    for step, now in zip(time.tolist(), places.T, strict=True):
        if step != before:
            np.copyto(picture, still)
            for axes, history, place in zip(panels, chosen, now, strict=True):
                if history.steps[place] <= step:
                    _paint(picture, axes, history.shares[place])
            over.put_onto(picture)
            said(step).put_onto(picture)
        before = step
        yield picture


def _figure(histories: Sequence[DigitHistory], heading: str) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(SIZE[0] / DPI, SIZE[1] / DPI), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(heading.replace("$", r"\$"), x=0.012, ha="left", fontsize=13, color=INK)
    columns = ceil(sqrt(len(histories)))
    rows = ceil(len(histories) / columns)
    grid = list(figure.subplots(rows, columns, squeeze=False).ravel())
    highest = max(float(np.nanmax(h.shares, initial=0.0)) for h in histories)
    for axes, history in zip(grid, histories, strict=False):
        axes.plot(DIGITS, benford(), "o-", color=LAW, markersize=4)
        axes.set(xticks=DIGITS, xlim=(0.4, 9.6), ylim=(0, max(highest, 0.31) * HEADROOM))
        axes.set_title(history.name.replace("$", r"\$"), loc="left", fontsize=10, color=INK)
        axes.spines[["top", "right"]].set_visible(False)
    for unused in grid[len(histories) :]:
        unused.remove()
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure, grid[: len(histories)]


def _paint(picture: Picture, axes: Axes, shares: npt.NDArray[np.float64]) -> None:
    """Paint the bars of one layer; the row at the top of each is covered in part."""
    colour = 255 * np.array(to_rgb(BARS))
    edges = np.concatenate([DIGITS - BAR / 2, DIGITS + BAR / 2])
    corners = axes.transData.transform(np.column_stack([edges, np.zeros(len(edges))]))
    tops = axes.transData.transform(np.column_stack([DIGITS, np.nan_to_num(shares)]))[:, 1]
    height = len(picture)
    bottom = height - round(float(corners[0, 1]))
    for digit in range(9):
        left, right = (round(float(corners[digit + side, 0])) for side in (0, 9))
        top = height - float(tops[digit])
        whole = min(bottom, ceil(top))
        picture[whole:bottom, left:right] = np.rint(colour)
        share = whole - top
        if 0 < share < 1 and whole < bottom:
            row = picture[whole - 1, left:right]
            row[:] = np.rint(share * colour + (1 - share) * row)
