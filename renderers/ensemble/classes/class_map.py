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

from epochord.renderers.ensemble.classes.look import (
    EDGE,
    SMALL,
    class_colours,
    mixed,
    sheet,
)
from epochord.renderers.ensemble.classes.overview import ClassOverview
from epochord.renderers.ensemble.classes.scores import mean_probabilities, uncertainty
from epochord.renderers.ensemble.classes.words import about, certainty
from epochord.renderers.ensemble.lattice import INPUTS, Lattice
from epochord.renderers.ensemble.look import current, ink

__all__ = ["ClassMap", "Moment", "map_still"]

Floats = npt.NDArray[np.floating[Any]]
Picture = npt.NDArray[np.uint8]

# Left, bottom, width and height of the maps, of the figure's; that of the classes is the largest.
CLASSES = (0.07, 0.13, 0.45, 0.71)
PARTS = ((0.605, 0.535, 0.315, 0.305), (0.605, 0.13, 0.315, 0.305))
BAR = 0.012  # the width of a colour bar
MOST_NAMED = 8  # classes in the legend
MAPS = "cividis", "magma"  # perceptual, and safe for colour blindness
PARTS_NAMED = (
    "Aleatoric: the members' own entropy, nats",
    "Disagreement: mutual information, nats",
)
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

    def __init__(self, overview: ClassOverview, most: tuple[float, float] | None = None) -> None:
        self._overview, ensemble = overview, overview.ensemble
        self._lattice = Lattice(ensemble)
        self._read = lru_cache(maxsize=KEPT)(self._of_epoch)
        last = self._read(len(ensemble.epochs) - 1)
        disputed = uncertainty(ensemble.at(-1).grid).mutual_information
        self.figure = sheet(certainty(ensemble, disputed), about(overview))
        ends = most or (_greatest(last.aleatoric), _greatest(last.disputed))
        self._norms = [Normalize(0, end or 1.0) for end in ends]
        self._classes = self.figure.add_axes(CLASSES)
        self._parts = [self.figure.add_axes(where) for where in PARTS]
        self._draw_frame()

    def at(self, place: float) -> Moment:
        """Return what is seen at a place among the epochs; 1.5 is halfway between two."""
        first = min(int(place), len(self._overview.ensemble.epochs) - 1)
        before, share = self._read(first), place - first
        if share <= 0:
            return before
        after = self._read(first + 1)
        return Moment(*(a + share * (b - a) for a, b in zip(before, after, strict=True)))

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
        _fill(picture, self._classes, np.rint(255 * mixed(moment.by_class)).astype(np.uint8))
        for axes, values, colours, norm in zip(
            self._parts, moment[1:], MAPS, self._norms, strict=True
        ):
            shown = colormaps[colours](norm(np.ma.masked_invalid(values)), bytes=True)
            _fill(picture, axes, shown[..., :3])
        self.say(place, moment)

    def say(self, place: float, moment: Moment) -> None:
        """Put boundary and clock where they belong at a moment."""
        epochs = self._overview.ensemble.epochs
        self.boundary.set_segments(_boundaries(self._lattice, moment.by_class))
        of = f" of {epochs[-1]}" if len(epochs) > 1 else ""
        self.clock.set_text(f"epoch {epochs[int(place)]}{of}")

    def _of_epoch(self, place: int) -> Moment:
        said = self._overview.ensemble.at(place).grid
        mean, unsure = mean_probabilities(said), uncertainty(said)
        by_class = np.stack([self._lattice.map(column) for column in mean.T], axis=-1)
        parts = (unsure.aleatoric, unsure.mutual_information)
        return Moment(by_class, *(self._lattice.map(part) for part in parts))

    def _draw_frame(self) -> None:
        left, right, bottom, top = self._lattice.extent
        for axes in (self._classes, *self._parts):
            axes.set(xlim=(left, right), ylim=(bottom, top))
        for axes in (self._classes, *self._parts):
            axes.set_ylabel(INPUTS[1])
        for axes in (self._classes, self._parts[-1]):
            axes.set_xlabel(INPUTS[0])
        self._classes.set_title(
            "Likeliest class (faint: unsure)", loc="left", fontsize=SMALL + 1, color=ink()
        )
        for axes, norm, colours, name in zip(
            self._parts, self._norms, MAPS, PARTS_NAMED, strict=True
        ):
            _draw_scale(self.figure, axes, norm, colours, name)
        self.dots = _draw_data(self._classes, self._overview)
        self.boundary = LineCollection([], colors=ink(), linewidths=1.2, zorder=2.5)
        self._classes.add_collection(self.boundary, autolim=False)
        self.clock = self.figure.text(
            1 - EDGE, 0.955, "", fontsize=13, color=ink(), ha="right", va="center"
        )
        _draw_legend(self._classes, self._overview)


def map_still(overview: ClassOverview) -> Figure:
    """Draw where which class is, and where the ensemble is unsure, at the last epoch.

    Parameters
    ----------
    overview : ClassOverview
        Of an ensemble whose grid is a lattice.
    """
    drawn = ClassMap(overview)
    drawn.draw(len(overview.ensemble.epochs) - 1)
    return drawn.figure


def _greatest(values: Floats) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else 0.0


def _fill(picture: Picture, axes: Axes, colours: Picture) -> None:
    """Fill axes with a map's colours [shape=(y, x, 3)], from the bottom, a block a point."""
    box, height = axes.bbox, len(picture)
    rows = slice(round(height - box.y1) + 1, round(height - box.y0))  # the frame stays
    target = picture[rows, round(box.x0) + 1 : round(box.x1)]
    down = np.arange(target.shape[0]) * len(colours) // target.shape[0]
    across = np.arange(target.shape[1]) * colours.shape[1] // target.shape[1]
    target[:] = colours[::-1][down[:, None], across]


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
        inputs[:, 0], inputs[:, 1], s=26, c=colours[classes.astype(int)],
        edgecolor=current().ground, linewidth=0.8, zorder=3,
    )  # fmt: skip


def _draw_legend(axes: Axes, overview: ClassOverview) -> None:
    ensemble = overview.ensemble
    colours = class_colours(ensemble.outputs)
    dots = "training data" if len(ensemble.setup.data) else "held-out points"
    keys: list[Line2D] = [Line2D([], [], linestyle="", label=f"{dots} of class")]
    keys += [
        Line2D([], [], marker="o", linestyle="", color=tuple(colours[number]), label=name)
        for number, name in enumerate(ensemble.classes[:MOST_NAMED])
    ]
    keys.append(Line2D([], [], color=ink(), linewidth=1.2, label="boundary"))
    axes.legend(
        handles=keys, loc="upper left", bbox_to_anchor=(-0.06, -0.085), frameon=False,
        ncols=len(keys), fontsize=SMALL, handletextpad=0.4, columnspacing=1.2,
    )  # fmt: skip


def _draw_scale(figure: Figure, axes: Axes, norm: Normalize, colours: str, name: str) -> None:
    axes.set_title(name, loc="left", fontsize=SMALL + 1, color=ink())
    axes.tick_params(labelsize=SMALL)
    left, bottom, width, height = axes.get_position().bounds
    beside = figure.add_axes((left + width + BAR, bottom, BAR, height))
    figure.colorbar(ScalarMappable(norm, colours), cax=beside).ax.tick_params(labelsize=SMALL)
