"""An ensemble over two inputs: maps of the members' mean and of their standard deviation."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from epochord.renderers.ensemble.interpolation import between, neighbours
from epochord.renderers.ensemble.lattice import INPUTS, Lattice
from epochord.renderers.ensemble.layout import (
    SMALL,
    Box,
    axes_box,
    axes_in,
    labelled,
    upright,
    written,
)
from epochord.renderers.ensemble.limits import seen_data
from epochord.renderers.ensemble.look import Theme, theme_of
from epochord.renderers.ensemble.overview import Overview
from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.renderers.ensemble.statistics import moments
from epochord.renderers.pictures.typeface import families
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["MapCell", "fill", "map_axes"]

Floats = npt.NDArray[np.floating[Any]]
Picture = npt.NDArray[np.uint8]

IN_FRONT = 20.0
BAR_ROOM = 62.0  # units, for the bar of colours and its labels
MAPS = {"mean": "cividis", "sd": "magma"}  # both safe for colour blindness


class MapCell:
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
        self._lattice = Lattice(overview.ensemble)
        self._settings, self._theme = settings, theme_of(settings)
        means, sds = _ranges(overview.ensemble)
        self._norms = {
            "mean": Normalize(*(means if settings.limits is None else limits)),
            "sd": Normalize(0, sds[1] or 1.0),
        }
        self._axes = {
            name: self._draw_axes(figure, half, name)
            for name, half in zip(MAPS, box.halves(stacked=upright(figure)), strict=True)
        }
        self.front = [artist for axes in self._axes.values() for artist in self._data(axes)]
        self.notes: list[Text] = []
        self._kept: dict[int, dict[str, Floats]] = {}

    @classmethod
    def keys(
        cls,
        overview: Overview,
        settings: EnsembleSettings,
        limits: tuple[float, float],  # noqa: ARG003
        epochs: slice,  # noqa: ARG003
    ) -> list[Any]:
        """See `Cell`."""
        seen = "data" in settings.layers and seen_data(overview.ensemble.setup).any()
        return [Line2D([], [], **_dots(theme_of(settings)))] if seen else []

    @property
    def areas(self) -> list[Axes]:
        """See `Cell`."""
        return list(self._axes.values())

    def notes_at(self, place: float, frame: int) -> list[str]:  # noqa: ARG002
        """See `Cell`: maps show all members at once."""
        return []

    def draw(self, place: int) -> None:
        """See `Cell`."""
        for name, values in self._values(place).items():
            self._axes[name].imshow(
                values, extent=self._lattice.extent, origin="lower", aspect="auto",
                cmap=MAPS[name], norm=self._norms[name], interpolation="nearest", zorder=2,
            )  # fmt: skip

    def paint(self, picture: Picture, place: float, frame: int) -> None:  # noqa: ARG002
        """See `Cell`."""
        for name, values in self._values(place).items():
            colours = colormaps[MAPS[name]](self._norms[name](values), bytes=True)
            fill(picture, self._axes[name], colours[..., :3])

    def _values(self, place: float) -> dict[str, Any]:
        before, after, share = neighbours(place, len(self.overview.ensemble.epochs))
        needed = {before, after} if share else {before}
        for gone in self._kept.keys() - needed:
            del self._kept[gone]
        for each in needed - self._kept.keys():
            found = moments(self.overview.ensemble.at(each).grid)
            maps = (self._lattice.map(values) for values in found)
            self._kept[each] = dict(zip(MAPS, maps, strict=True))
        first, second = self._kept[before], self._kept[after if share else before]
        return {
            name: np.ma.masked_invalid(between(first[name], second[name], share)) for name in MAPS
        }

    def _draw_axes(self, figure: Figure, box: Box, name: str) -> Axes:
        colours = ScalarMappable(self._norms[name], MAPS[name])
        return map_axes(figure, box, self._lattice, name, self._theme, colours)

    def _data(self, axes: Axes) -> list[Any]:
        setup = self.overview.ensemble.setup
        inputs = setup.data[seen_data(setup)]
        if "data" not in self._settings.layers or not len(inputs):
            return []
        dots = _dots(self._theme)
        return list(axes.plot(inputs[:, 0], inputs[:, 1], zorder=IN_FRONT, clip_on=False, **dots))


def map_axes(
    figure: Figure,
    box: Box,
    lattice: Lattice,
    name: str,
    theme: Theme,
    colours: ScalarMappable | None = None,
) -> Axes:
    """Add axes for a map over a lattice, with its name above and its colours, if any, beside it."""
    inner = box.inner()
    room = BAR_ROOM if colours else 0.0
    axes = axes_in(figure, inner._replace(right=inner.right - room))
    left, right, bottom, top = lattice.extent
    axes.set(xlim=(left, right), ylim=(bottom, top))
    labelled(axes, box.left, theme, x=INPUTS[0], y=INPUTS[1])
    above = axes_box(axes)
    place = above.left, above.top + 6
    written(figure, name, place, size=SMALL, colour=theme.ink, above=True)
    if colours:
        edge = inner.right - room
        bar = axes_in(figure, inner._replace(left=edge + 12, right=edge + 24))
        figure.colorbar(colours, cax=bar)
        bar.tick_params(labelsize=SMALL, length=0, pad=4, labelfontfamily=families())
    return axes


def fill(picture: Picture, axes: Axes, colours: Picture) -> None:
    """Fill axes with a map's colours [shape=(y, x, 3)], from the bottom, a block a point."""
    box, height = axes.bbox, len(picture)
    rows = slice(round(height - box.y1), round(height - box.y0))
    target = picture[rows, round(box.x0) : round(box.x1)]
    down = np.arange(target.shape[0]) * len(colours) // target.shape[0]
    across = np.arange(target.shape[1]) * colours.shape[1] // target.shape[1]
    target[:] = colours[::-1][down[:, None], across]


def _ranges(ensemble: Ensemble) -> list[tuple[float, float]]:
    """Return the lowest and highest mean and sd of the first epoch and the last one."""
    ends = [moments(ensemble.at(place).grid) for place in (0, -1)]
    ranges = []
    for values in (np.concatenate(both) for both in zip(*ends, strict=True)):
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        ranges.append((low, high) if low < high else (low - 0.5, high + 0.5))
    return ranges


def _dots(theme: Theme) -> dict[str, Any]:
    return {
        "marker": "o", "linestyle": "none", "color": theme.data, "markersize": 5,
        "markeredgecolor": theme.ground, "label": "training data",
    }  # fmt: skip
