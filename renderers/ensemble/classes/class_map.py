"""The picture of classifiers over two inputs: their classes, and both parts of their uncertainty.

One picture serves the still, where matplotlib draws an epoch into it, and the film, where each
moment is painted over what matplotlib has drawn once.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from contourpy import LineType, contour_generator
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from epochord.renderers.ensemble.classes.look import class_colours, mixed
from epochord.renderers.ensemble.classes.overview import ClassOverview
from epochord.renderers.ensemble.classes.scores import mean_probabilities, uncertainty
from epochord.renderers.ensemble.classes.words import about, certainty
from epochord.renderers.ensemble.figure import new_figure, put_titles
from epochord.renderers.ensemble.interpolation import between, neighbours
from epochord.renderers.ensemble.lattice import Lattice
from epochord.renderers.ensemble.layout import Box, sheet
from epochord.renderers.ensemble.legend import put_legend
from epochord.renderers.ensemble.look import Size, current
from epochord.renderers.ensemble.map_cell import fill, map_axes
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["ClassMap", "Moment", "map_still"]

Floats = npt.NDArray[np.floating[Any]]
Picture = npt.NDArray[np.uint8]

SPACE = 8.0  # units, below the legend
MOST_NAMED = 8  # classes in the legend
NAME = "likeliest class (faint: unsure)"
MAPS = "cividis", "magma"  # perceptual, and safe for colour blindness
PARTS_NAMED = ("aleatoric part, nats", "mutual information, nats")
KEPT = 2  # epochs, between which a film moves


class Moment(NamedTuple):
    """What is seen of an epoch, or between two.

    Parameters
    ----------
    by_class : np.ndarray [shape=(y, x, classes)]
        p̄, from the bottom.
    aleatoric, disputed : np.ndarray [shape=(y, x)]
        Both parts of the uncertainty, nats.
    """

    by_class: Floats
    aleatoric: Floats
    disputed: Floats


class ClassMap:
    """The picture, without an epoch.

    Parameters
    ----------
    overview : ClassOverview
        Of an ensemble whose grid is a lattice.
    size : Size
        Of the picture.
    most : (float, float), optional
        The upper ends of the scales of both parts; by default those of the last epoch.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        Laid out for good.
    dots, boundary, clock : matplotlib artists
        What lies over the maps, and what says which epoch it is.
    """

    dots: Artist
    boundary: LineCollection
    clock: Text

    def __init__(
        self, overview: ClassOverview, size: Size, most: tuple[float, float] | None = None
    ) -> None:
        self._overview, ensemble = overview, overview.ensemble
        self._lattice = Lattice(ensemble)
        self._read = lru_cache(maxsize=KEPT)(self._of_epoch)
        last = self._read(len(ensemble.epochs) - 1)
        ends = most or (_greatest(last.aleatoric), _greatest(last.disputed))
        self._norms = [Normalize(0, end or 1.0) for end in ends]
        self.figure = new_figure(size)
        self._draw_frame()

    def at(self, place: float) -> Moment:
        """Return what is seen at a place among the epochs; 1.5 is halfway between two."""
        before, after, share = neighbours(place, len(self._overview.ensemble.epochs))
        if share <= 0:
            return self._read(before)
        pairs = zip(self._read(before), self._read(after), strict=True)
        return Moment(*(between(a, b, share) for a, b in pairs))

    def draw(self, place: int) -> None:
        """Draw one epoch with matplotlib."""
        moment = self.at(place)
        settings: dict[str, Any] = {
            "extent": self._lattice.extent, "origin": "lower", "aspect": "auto",
            "interpolation": "nearest",
        }  # fmt: skip
        self._classes.imshow(mixed(moment.by_class), **settings)
        for axes, values, colours, norm in zip(
            self._parts, moment[1:], MAPS, self._norms, strict=True
        ):
            axes.imshow(np.ma.masked_invalid(values), cmap=colours, norm=norm, **settings)
        self.say(place, moment)

    def paint(self, picture: Picture, place: float) -> None:
        """Paint the maps of a moment over a picture of what does not move."""
        moment = self.at(place)
        fill(picture, self._classes, np.rint(255 * mixed(moment.by_class)).astype(np.uint8))
        for axes, values, colours, norm in zip(
            self._parts, moment[1:], MAPS, self._norms, strict=True
        ):
            shown = colormaps[colours](norm(np.ma.masked_invalid(values)), bytes=True)
            fill(picture, axes, shown[..., :3])
        self.say(place, moment)

    def say(self, place: float, moment: Moment) -> None:
        """Put boundary and clock where they belong at a moment."""
        epochs = self._overview.ensemble.epochs
        self.boundary.set_segments(_boundaries(self._lattice, moment.by_class))
        epoch = np.interp(place, np.arange(len(epochs)), epochs)
        self.clock.set_text(f"epoch {round(float(epoch))} of {epochs[-1]}")

    def _of_epoch(self, place: int) -> Moment:
        said = self._overview.ensemble.at(place).grid
        mean, unsure = mean_probabilities(said), uncertainty(said)
        by_class = np.stack([self._lattice.map(column) for column in mean.T], axis=-1)
        parts = (unsure.aleatoric, unsure.mutual_information)
        return Moment(by_class, *(self._lattice.map(part) for part in parts))

    def _draw_frame(self) -> None:
        ensemble, theme, whole = self._overview.ensemble, current(), sheet(self.figure)
        disputed = uncertainty(ensemble.at(-1).grid).mutual_information
        last = ensemble.epochs[-1]
        heading = certainty(ensemble, disputed), about(self._overview), f"epoch {last} of {last}"
        top, self.clock = put_titles(self.figure, heading, theme)
        top -= put_legend(self.figure, _keys(ensemble), (whole.left, top), whole.width) + SPACE
        box, parts = _boxes(whole._replace(top=top))
        self._classes = map_axes(self.figure, box, self._lattice, NAME, theme)
        self._parts = [
            map_axes(self.figure, each, self._lattice, name, theme, ScalarMappable(norm, colours))
            for each, name, norm, colours in zip(parts, PARTS_NAMED, self._norms, MAPS, strict=True)
        ]
        self.dots = _draw_data(self._classes, self._overview)
        self.boundary = LineCollection([], colors=theme.ink, linewidths=1.2, zorder=2.5)
        self._classes.add_collection(self.boundary, autolim=False)


def _boxes(whole: Box) -> tuple[Box, list[Box]]:
    """Return where the classes are, and both parts of the uncertainty: beside them, or below."""
    lies = whole.width > whole.height
    one, other = whole.halves(stacked=not lies)
    return one, other.halves(stacked=lies)


def map_still(overview: ClassOverview, size: Size) -> Figure:
    """Draw where which class is, and where the ensemble is unsure, at the last epoch.

    Parameters
    ----------
    overview : ClassOverview
        Of an ensemble whose grid is a lattice.
    size : Size
        Of the picture.
    """
    drawn = ClassMap(overview, size)
    drawn.draw(len(overview.ensemble.epochs) - 1)
    return drawn.figure


def _greatest(values: Floats) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else 0.0


def _boundaries(lattice: Lattice, by_class: Floats) -> list[Floats]:
    """Return the lines on which two classes are equally likely, and no other is likelier."""
    found: list[Floats] = []
    classes = by_class.shape[-1]
    for number in range(classes if classes > 2 else 1):
        others = np.delete(by_class, number, axis=-1).max(axis=-1)
        ahead = np.ma.masked_invalid(by_class[..., number] - others)
        if ahead.count() and ahead.min() < 0 < ahead.max():
            lines = contour_generator(lattice.x, lattice.y, ahead, line_type=LineType.Separate)
            found += lines.lines(0.0)  # type: ignore[arg-type]
    return found


def _draw_data(axes: Axes, overview: ClassOverview) -> Artist:
    """Draw the training data, or else the held-out points, in the colours of their classes."""
    setup = overview.ensemble.setup
    inputs, classes = (
        (setup.data, setup.targets) if len(setup.data) else (setup.held_out, setup.held_out_targets)
    )
    colours = class_colours(overview.ensemble.outputs)
    return axes.scatter(
        inputs[:, 0], inputs[:, 1], s=26, c=colours[classes.astype(int)], zorder=3,
        edgecolor=current().ground, linewidth=0.8,
    )  # fmt: skip


def _keys(ensemble: Ensemble) -> list[Line2D]:
    colours = class_colours(ensemble.outputs)
    keys: list[Line2D] = [
        Line2D([], [], marker="o", linestyle="", color=tuple(colours[number]), label=name)
        for number, name in enumerate(ensemble.classes[:MOST_NAMED])
    ]
    return [*keys, Line2D([], [], color=current().ink, linewidth=1.2, label="boundary")]
