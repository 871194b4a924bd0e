"""An ensemble over two inputs: maps of the members' mean and of their standard deviation."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec

from epochord.renderers.ensemble.captions import fit
from epochord.renderers.ensemble.limits import seen_data
from epochord.renderers.ensemble.look import DATA_COLOUR, INK
from epochord.renderers.ensemble.overview import Overview
from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.renderers.ensemble.statistics import moments
from epochord.runlog import LogError
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["INPUTS", "Lattice", "MapCell"]

Floats = npt.NDArray[np.floating[Any]]

IN_FRONT = 20.0
INPUTS = "x₁", "x₂"
MAPS = {"mean": "cividis", "sd": "magma"}  # both safe for colour blindness


class Lattice:
    """The grid of two inputs as rows and columns.

    Parameters
    ----------
    ensemble : Ensemble
        Of two inputs.

    Raises
    ------
    LogError
        If the grid is not every pair of some x and some y.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        grid = ensemble.setup.grid
        self.x, columns = np.unique(grid[:, 0], return_inverse=True)
        self.y, rows = np.unique(grid[:, 1], return_inverse=True)
        self.shape = len(self.y), len(self.x)
        self._cells = rows * len(self.x) + columns
        complete = len(np.unique(self._cells)) == len(grid) == len(self.x) * len(self.y)
        if not complete or min(self.shape) < 2:
            raise LogError(
                f"run {ensemble.run.name!r}: its grid of two inputs has {len(grid)} points, "
                f"{len(self.x)} different x and {len(self.y)} different y; expected each pair of "
                "them once, at least 2 of each, to draw a map"
            )

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of the map: half a step beyond the outer points."""
        ends = []
        for places in (self.x, self.y):
            half = (places[-1] - places[0]) / (len(places) - 1) / 2
            ends += [float(places[0] - half), float(places[-1] + half)]
        return ends[0], ends[1], ends[2], ends[3]

    def map(self, values: Floats) -> Floats:
        """Return values [shape=(grid,)] as a map [shape=(y, x)], from the bottom."""
        found = np.empty(len(self._cells))
        found[self._cells] = values
        return found.reshape(self.shape)


class MapCell:
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
        self._lattice = Lattice(overview.ensemble)
        self._settings = settings
        spreads = overview.spread[np.isfinite(overview.spread)]
        widest = float(spreads.max(initial=0.0)) * 2 or 1.0
        self._norms = {"mean": Normalize(*limits), "sd": Normalize(0, widest)}
        inner = spec.subgridspec(1, 2)
        self._axes = {
            name: self._draw_axes(figure, figure.add_subplot(inner[place]), name)
            for place, name in enumerate(MAPS)
        }
        self._title = self._axes["mean"].set_title(
            heading, loc="left", fontsize="medium", color=INK
        )
        self.front = [artist for axes in self._axes.values() for artist in self._data(axes)]
        self.caption = None

    def keys(self, epochs: slice) -> list[Any]:  # noqa: ARG002
        """See `Cell`."""
        return self.front[:1]

    def fit(self) -> None:
        """See `Cell`."""
        mean, sd = self._axes.values()
        fit(self._title, sd.bbox.x1 - mean.bbox.x0)

    def caption_at(self, frame: int) -> str:  # noqa: ARG002
        """See `Cell`: maps show all members at once."""
        return ""

    def draw(self, place: int) -> None:
        """See `Cell`."""
        for name, values in self._values(place).items():
            self._axes[name].imshow(
                values, extent=self._lattice.extent, origin="lower", aspect="auto",
                cmap=MAPS[name], norm=self._norms[name], interpolation="nearest", zorder=2,
            )  # fmt: skip

    def paint(self, picture: npt.NDArray[np.uint8], place: int, frame: int) -> None:  # noqa: ARG002
        """See `Cell`."""
        for name, values in self._values(place).items():
            box, height = self._axes[name].bbox, len(picture)
            rows = slice(round(height - box.y1), round(height - box.y0))
            columns = slice(round(box.x0), round(box.x1))
            colours = colormaps[MAPS[name]](self._norms[name](values), bytes=True)[::-1, :, :3]
            target = picture[rows, columns]
            down = np.arange(target.shape[0]) * len(colours) // target.shape[0]
            across = np.arange(target.shape[1]) * colours.shape[1] // target.shape[1]
            target[:] = colours[down[:, None], across]

    def _values(self, place: int) -> dict[str, Floats]:
        found = dict(zip(MAPS, moments(self.overview.ensemble.at(place).grid), strict=True))
        return {name: np.ma.masked_invalid(self._lattice.map(v)) for name, v in found.items()}

    def _draw_axes(self, figure: Figure, axes: Axes, name: str) -> Axes:
        left, right, bottom, top = self._lattice.extent
        axes.set(xlim=(left, right), ylim=(bottom, top), xlabel=INPUTS[0], ylabel=INPUTS[1])
        from matplotlib.cm import ScalarMappable

        figure.colorbar(ScalarMappable(self._norms[name], MAPS[name]), ax=axes, label=name)
        return axes

    def _data(self, axes: Axes) -> list[Any]:
        setup = self.overview.ensemble.setup
        inputs = setup.data[seen_data(setup)]
        if "data" not in self._settings.layers or not len(inputs):
            return []
        return list(
            axes.plot(
                inputs[:, 0], inputs[:, 1], "o", color=DATA_COLOUR, markersize=5,
                markeredgecolor="white", zorder=IN_FRONT, clip_on=False, label="training data",
            )
        )  # fmt: skip
