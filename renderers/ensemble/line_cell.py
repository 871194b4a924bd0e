"""An ensemble over one input: members, bands, mean and data as functions of x."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon
from matplotlib.text import Text

from epochord.renderers.ensemble.captions import fit
from epochord.renderers.ensemble.limits import seen_data
from epochord.renderers.ensemble.look import (
    DATA_COLOUR,
    DENSITY_COLOURS,
    DENSITY_MEMBERS,
    INK,
    SIZE_DPI,
    STROKES,
    Stroke,
)
from epochord.renderers.ensemble.overview import Overview
from epochord.renderers.ensemble.raster import Viewport, paint_band, paint_density, paint_lines
from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.renderers.ensemble.view import Lines, View
from epochord.renderers.pictures.clock import FPS

__all__ = ["LineCell"]

Floats = npt.NDArray[np.floating[Any]]

OUTCOMES_A_SECOND = 5  # members one at a time: slow enough to be seen one by one
DATA_SIZE = 7.0  # points
IN_FRONT = 20.0


class Mark(NamedTuple):
    """Lines or a band of one layer, ready to be drawn."""

    stroke: Stroke
    lines: Floats | None = None  # [shape=(n, grid)]
    band: tuple[Floats, Floats] | None = None


class LineCell:
    """See `epochord.renderers.ensemble.cell.Cell`."""

    def __init__(
        self,
        figure: Figure,
        spec: SubplotSpec,
        overview: Overview,
        settings: EnsembleSettings,
        limits: tuple[float, float],
        heading: str,
    ) -> None:
        self.overview = overview
        self.axes = figure.add_subplot(spec)
        self._settings = settings
        self._member = settings.member
        unknown = set() if overview.noise.known else {"predictive"}
        self._shown = set(settings.layers) - unknown
        self._dense = overview.ensemble.members > DENSITY_MEMBERS
        self._lines = Lines(overview.ensemble, overview.noise, overview.variances)
        self._viewport: Viewport | None = None
        x = self._lines.x
        self.axes.set(xlim=(x[0], x[-1]), ylim=limits)
        self._title = self.axes.set_title(heading, loc="left", fontsize="medium", color=INK)
        self.axes.grid(color="#eeeeee")
        self.axes.set_axisbelow(True)
        self.axes.spines[["top", "right"]].set_visible(False)
        self.axes.set_xlabel("x", labelpad=0)
        self.axes.set_ylabel("prediction")
        self._points = self._data()
        self.front = [*self._points, self.axes.spines["left"], self.axes.spines["bottom"]]
        self.caption = self._caption() if "hop" in settings.layers else None

    def keys(self, epochs: slice) -> list[Any]:
        """See `Cell`."""
        return [*self._keys(epochs), *self._points]

    def fit(self) -> None:
        """See `Cell`."""
        fit(self._title, self.axes.bbox.width)

    def draw(self, place: int) -> None:
        """See `Cell`."""
        view = self._view(place)
        if self.caption is not None:
            self.caption.set_text(self.caption_at(0))
        for depth, mark in enumerate(self._marks(view, 0), start=2):
            colour, alpha, width, _ = mark.stroke
            if mark.lines is not None and mark.stroke is STROKES["members"] and self._dense:
                self._draw_density(mark.lines, depth)
            elif mark.lines is not None:
                self.axes.plot(
                    self._lines.x, mark.lines.T, color=colour, alpha=alpha, linewidth=width,
                    zorder=depth,
                )  # fmt: skip
            elif mark.band is not None:
                self.axes.add_patch(_between(self._lines.x, *mark.band, mark.stroke, depth))

    def paint(self, picture: npt.NDArray[np.uint8], place: int, frame: int) -> None:
        """See `Cell`."""
        if self._viewport is None:  # the figure is laid out by now
            self._viewport = Viewport.of_axes(self.axes, self._lines.x)
        viewport = self._viewport
        for mark in self._marks(self._view(place), frame):
            colour, alpha, points, _ = mark.stroke
            if mark.lines is not None and mark.stroke is STROKES["members"] and self._dense:
                paint_density(picture, viewport, mark.lines, _density_colours())
            elif mark.lines is not None:
                width = points * SIZE_DPI / 72
                paint_lines(picture, viewport, mark.lines, to_rgb(colour), width=width, alpha=alpha)
            elif mark.band is not None:
                paint_band(picture, viewport, *mark.band, to_rgb(colour), alpha=alpha)

    def caption_at(self, frame: int) -> str:
        """See `Cell`."""
        return STROKES["member"].label.format(self._turn(frame))

    def _turn(self, frame: int) -> int:
        """Return which member is seen in a frame, where it is one after the other."""
        return frame * OUTCOMES_A_SECOND // FPS % self.overview.ensemble.members

    def _caption(self) -> Text:
        return self.axes.text(
            0.99, 0.97, "", transform=self.axes.transAxes, ha="right", va="top",
            color=STROKES["hop"].colour, zorder=IN_FRONT + 1,
        )  # fmt: skip

    def _data(self) -> list[Artist]:
        setup = self.overview.ensemble.setup
        seen = seen_data(setup, self.axes.get_ylim())
        if "data" not in self._settings.layers or not seen.any():
            return []
        return list(
            self.axes.plot(
                setup.data[seen, 0], setup.targets[seen], "o", color=DATA_COLOUR,
                markersize=DATA_SIZE, markeredgecolor="white", zorder=IN_FRONT, clip_on=False,
                label="training data",
            )
        )  # fmt: skip

    def _view(self, place: int) -> View:
        return self._lines.at(place, quantiles="quantiles" in self._settings.layers)

    def _marks(self, view: View, frame: int) -> Iterator[Mark]:
        """Yield what is drawn of an epoch, from back to front."""
        for layer, marks in _LAYERS.items():
            if layer in self._shown:
                for mark in marks(view):
                    yield Mark(STROKES[layer], *mark)
        if self._member is not None:
            yield Mark(STROKES["member"], view.members[[self._member]])
        if "hop" in self._settings.layers:
            yield Mark(STROKES["hop"], view.members[[self._turn(frame)]])

    def _seen(self, epochs: slice) -> list[str]:
        """Return which layers are seen in some of these epochs."""
        chosen = self._shown | ({"member"} if self._member is not None else set())
        if self._lines.prior is None:
            chosen -= {"f", "p"}
        if not self.overview.seen[epochs].any():
            chosen &= {"p"}
        if not np.isfinite(self.overview.spread[epochs]).any():  # of a single member
            chosen -= {"sd", "predictive", "quantiles"}
        return [name for name in STROKES if name in chosen]

    def _keys(self, epochs: slice) -> Iterator[Any]:
        for name in self._seen(epochs):
            stroke = STROKES[name]
            label = stroke.label.format(self._member)
            if name == "members" and self.overview.ensemble.members == 1:
                label = "the only member"
            if stroke.width and not (name == "members" and self._dense):
                yield Line2D(
                    [], [], color=stroke.colour, alpha=stroke.alpha, linewidth=stroke.width + 0.5,
                    label=label,
                )  # fmt: skip
            else:
                yield Patch(
                    color=stroke.colour,
                    alpha=2 * stroke.alpha if not stroke.width else 1,
                    linewidth=0,
                    label=label,
                )

    def _draw_density(self, lines: Floats, depth: float) -> None:
        """Put the density into the axes as a picture, a pixel a pixel of the figure."""
        width, height = (round(length) for length in self.axes.bbox.size)
        picture = np.full((height, width, 3), 255, np.uint8)
        x_limits, y_limits = self.axes.get_xlim(), self.axes.get_ylim()
        viewport = Viewport(
            0, 0, width, height, x_limits=x_limits, y_limits=y_limits, grid=self._lines.x
        )
        paint_density(picture, viewport, lines, _density_colours())
        touched = np.where((picture < 255).any(axis=2, keepdims=True), 255, 0)
        self.axes.imshow(
            np.concatenate([picture, touched.astype(np.uint8)], axis=2),
            extent=(*x_limits, *y_limits), aspect="auto", zorder=depth, interpolation="nearest",
        )  # fmt: skip


Marks = Callable[[View], list[tuple[Any, ...]]]

_LAYERS: dict[str, Marks] = {
    "predictive": lambda view: [
        (None, (view.mean - 2 * view.predictive, view.mean + 2 * view.predictive))
    ],
    "p": lambda view: [] if view.p is None else [(view.p,)],
    "f": lambda view: [] if view.f is None else [(view.f,)],
    "members": lambda view: [(view.members,)],
    "quantiles": lambda view: [
        (None, (view.quantiles[0], view.quantiles[3])),
        (None, (view.quantiles[1], view.quantiles[2])),
    ],
    "sd": lambda view: [
        (None, (view.mean - width * view.sd, view.mean + width * view.sd)) for width in (2, 1)
    ],
    "mean": lambda view: [(view.mean[None],)],
}


def _between(x: Floats, low: Floats, high: Floats, stroke: Stroke, depth: float) -> Polygon:
    """Return a band; fill_between draws it half a pixel off (matplotlib 3.11)."""
    known = np.isfinite(low) & np.isfinite(high)
    outline = np.column_stack(
        [np.r_[x[known], x[known][::-1]], np.r_[high[known], low[known][::-1]]]
    )
    return Polygon(
        outline.reshape(-1, 2), color=stroke.colour, alpha=stroke.alpha, linewidth=0, zorder=depth
    )


def _density_colours() -> npt.NDArray[np.uint8]:
    colours = LinearSegmentedColormap.from_list("density", DENSITY_COLOURS)
    table: npt.NDArray[np.uint8] = colours(np.linspace(0, 1, 256), bytes=True)[:, :3]
    return table
