"""An ensemble over one input: members, bands, mean and data as functions of x."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from epochord.renderers.ensemble.layout import SMALL, Box, axes_in, labelled
from epochord.renderers.ensemble.limits import seen_data
from epochord.renderers.ensemble.look import (
    DENSITY_MEMBERS,
    STROKES,
    Stroke,
    Theme,
    size_of,
    theme_of,
)
from epochord.renderers.ensemble.overview import Overview
from epochord.renderers.ensemble.pacing import FPS
from epochord.renderers.ensemble.raster import Viewport, paint_band, paint_density, paint_lines
from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.renderers.ensemble.view import Lines, View
from epochord.runlog.words import plural

__all__ = ["LineCell"]

Floats = npt.NDArray[np.floating[Any]]

OUTCOMES_A_SECOND = 5  # members one at a time: slow enough to be seen one by one
DATA_SIZE = 7.0  # points
IN_FRONT = 20.0
HALF = 0.5


class Mark(NamedTuple):
    """Lines or a band of one layer, ready to be drawn."""

    stroke: Stroke
    lines: Floats | None = None  # [shape=(n, grid)]
    band: tuple[Floats, Floats] | None = None
    dense: bool = False  # as a density


class LineCell:
    """See `epochord.renderers.ensemble.cell.Cell`."""

    def __init__(
        self,
        figure: Figure,
        box: Box,
        overview: Overview,
        settings: EnsembleSettings,
        limits: tuple[float, float],
    ) -> None:
        self.overview = overview
        self._settings, self._theme = settings, theme_of(settings)
        self._member = settings.member
        self._shown = _shown(overview, settings)
        self._dense = overview.ensemble.members > DENSITY_MEMBERS
        self._lines = Lines(overview.ensemble, overview.noise)
        self._viewport: Viewport | None = None
        self.axes = axes_in(figure, box.inner())
        x = self._lines.x
        self.axes.set(xlim=(x[0], x[-1]), ylim=limits)
        self.axes.grid(color=self._theme.grid)
        self.axes.set_axisbelow(True)
        self.axes.spines[["top", "right"]].set_visible(False)
        labelled(self.axes, box.left, self._theme, x="x", y="prediction")
        self._points = _data(self.axes, overview, settings)
        self.front = [*self._points, self.axes.spines["left"], self.axes.spines["bottom"]]
        self.notes = self._notes()

    @classmethod
    def keys(
        cls,
        overview: Overview,
        settings: EnsembleSettings,
        limits: tuple[float, float],
        epochs: slice,
    ) -> list[Any]:
        """See `Cell`."""
        return [*_keys(overview, settings, epochs), *_data_key(overview, settings, limits)]

    @property
    def areas(self) -> list[Axes]:
        """See `Cell`."""
        return [self.axes]

    def draw(self, place: int) -> None:
        """See `Cell`."""
        view = self._view(place)
        for note, said in zip(self.notes, self.notes_at(place, 0), strict=True):
            note.set_text(said)
        for depth, mark in enumerate(self._marks(view, 0), start=2):
            colour, alpha, width, _ = mark.stroke
            if mark.lines is not None and mark.dense:
                self._draw_density(mark.lines, depth)
            elif mark.lines is not None:
                self.axes.plot(
                    self._lines.x, mark.lines.T, color=colour, alpha=alpha, linewidth=width,
                    zorder=depth,
                )  # fmt: skip
            elif mark.band is not None:
                self.axes.add_patch(_between(self._lines.x, *mark.band, mark.stroke, depth))

    def paint(self, picture: npt.NDArray[np.uint8], place: float, frame: int) -> None:
        """See `Cell`."""
        if self._viewport is None:  # the figure is laid out by now
            self._viewport = Viewport.of_axes(self.axes, self._lines.x)
        viewport, pixels = self._viewport, size_of(self._settings).dpi / 72
        for mark in self._marks(self._view(place), frame):
            colour, alpha, points, _ = mark.stroke
            if mark.lines is not None and mark.dense:
                paint_density(picture, viewport, mark.lines, _density_colours(self._theme))
            elif mark.lines is not None:
                width = points * pixels
                paint_lines(picture, viewport, mark.lines, to_rgb(colour), width=width, alpha=alpha)
            elif mark.band is not None:
                paint_band(picture, viewport, *mark.band, to_rgb(colour), alpha=alpha)

    def notes_at(self, place: float, frame: int) -> list[str]:
        """See `Cell`."""
        said = []
        if "hop" in self._settings.layers:
            said.append(STROKES["member"].label.format(self._turn(frame)))
        if "members" in self._settings.layers:
            said += _beyond(self._view(place).members, self.axes.get_ylim())
        return said

    def _turn(self, frame: int) -> int:
        """Return which member is seen in a frame, where it is one after the other."""
        return frame * OUTCOMES_A_SECOND // FPS % self.overview.ensemble.members

    def _notes(self) -> list[Text]:
        """Return what says which member is seen, and how many are above and below the picture."""
        theme, places = self._theme, {}
        if "hop" in self._settings.layers:
            places[0.01, 0.97] = theme.stroke("hop").colour
        if "members" in self._settings.layers:
            places |= {(0.995, 0.985): theme.faint, (0.995, 0.015): theme.faint}
        halo = [withStroke(linewidth=3, foreground=theme.ground)]
        return [
            self.axes.text(
                x, y, "", transform=self.axes.transAxes, color=colour, zorder=IN_FRONT + 1,
                ha="left" if x < HALF else "right", va="bottom" if y < HALF else "top",
                fontsize=SMALL + 0.5, path_effects=halo,
            )
            for (x, y), colour in places.items()
        ]  # fmt: skip

    def _view(self, place: float) -> View:
        return self._lines.between(place, quantiles="quantiles" in self._settings.layers)

    def _marks(self, view: View, frame: int) -> Iterator[Mark]:
        """Yield what is drawn of an epoch, from back to front."""
        stroke = self._theme.stroke
        for layer, marks in _LAYERS.items():
            if layer in self._shown:
                for mark in marks(view):
                    dense = layer == "members" and self._dense
                    yield Mark(stroke(layer), *mark)._replace(dense=dense)
        if self._member is not None:
            yield Mark(stroke("member"), view.members[[self._member]])
        if "hop" in self._settings.layers:
            yield Mark(stroke("hop"), view.members[[self._turn(frame)]])

    def _draw_density(self, lines: Floats, depth: float) -> None:
        """Put the density into the axes as a picture, a pixel a pixel of the figure."""
        width, height = (round(length) for length in self.axes.bbox.size)
        ground = np.rint(255 * np.array(to_rgb(self._theme.ground))).astype(np.uint8)
        picture = np.empty((height, width, 3), np.uint8)
        picture[:] = ground
        x_limits, y_limits = self.axes.get_xlim(), self.axes.get_ylim()
        viewport = Viewport(
            0, 0, width, height, x_limits=x_limits, y_limits=y_limits, grid=self._lines.x
        )
        paint_density(picture, viewport, lines, _density_colours(self._theme))
        touched = np.where((picture != ground).any(axis=2, keepdims=True), 255, 0)
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


def _density_colours(theme: Theme) -> npt.NDArray[np.uint8]:
    colours = LinearSegmentedColormap.from_list("density", theme.density)
    table: npt.NDArray[np.uint8] = colours(np.linspace(0, 1, 256), bytes=True)[:, :3]
    return table


def _beyond(members: Floats, limits: tuple[float, float]) -> list[str]:
    """Say how many members are somewhere above the picture, and how many below."""
    low, high = limits
    above = ((members > high) & np.isfinite(members)).any(axis=1).sum()
    below = ((members < low) & np.isfinite(members)).any(axis=1).sum()
    return [
        f"{plural(int(count), 'member')} {where}" if count else ""
        for count, where in ((above, "above"), (below, "below"))
    ]


def _data(axes: Axes, overview: Overview, settings: EnsembleSettings) -> list[Artist]:
    """Draw the training data that are seen."""
    setup, theme = overview.ensemble.setup, theme_of(settings)
    seen = seen_data(setup, axes.get_ylim())
    if "data" not in settings.layers or not seen.any():
        return []
    return list(
        axes.plot(
            setup.data[seen, 0], setup.targets[seen], zorder=IN_FRONT, clip_on=False, **_dots(theme)
        )
    )


def _dots(theme: Theme) -> dict[str, Any]:
    return {
        "marker": "o", "linestyle": "none", "color": theme.data, "markersize": DATA_SIZE,
        "markeredgecolor": theme.ground, "label": "training data",
    }  # fmt: skip


def _data_key(
    overview: Overview, settings: EnsembleSettings, limits: tuple[float, float]
) -> list[Line2D]:
    seen = "data" in settings.layers and seen_data(overview.ensemble.setup, limits).any()
    return [Line2D([], [], **_dots(theme_of(settings)))] if seen else []


def _shown(overview: Overview, settings: EnsembleSettings) -> set[str]:
    """Return the layers that are asked for and can be drawn."""
    return set(settings.layers) - (set() if overview.noise.known else {"predictive"})


def _seen(overview: Overview, settings: EnsembleSettings, epochs: slice) -> list[str]:
    """Return which layers are seen in some of these epochs."""
    chosen = _shown(overview, settings) | ({"member"} if settings.member is not None else set())
    if overview.ensemble.setup.prior is None:
        chosen -= {"f", "p"}
    if not overview.seen[epochs].any():
        chosen &= {"p"}
    if not np.isfinite(overview.spread[epochs]).any():  # of a single member
        chosen -= {"sd", "predictive", "quantiles"}
    return [name for name in STROKES if name in chosen]


def _keys(overview: Overview, settings: EnsembleSettings, epochs: slice) -> Iterator[Any]:
    """Yield what the legend says of the layers."""
    dense = overview.ensemble.members > DENSITY_MEMBERS
    for name in _seen(overview, settings, epochs):
        stroke = theme_of(settings).stroke(name)
        label = stroke.label.format(settings.member)
        if name == "members" and overview.ensemble.members == 1:
            label = "the only member"
        if stroke.width and not (name == "members" and dense):
            yield Line2D(
                [], [], color=stroke.colour, alpha=stroke.alpha, linewidth=stroke.width + 0.5,
                label=label,
            )  # fmt: skip
        else:
            alpha = 2 * stroke.alpha if not stroke.width else 1
            yield Patch(color=stroke.colour, alpha=alpha, linewidth=0, label=label)
