"""The still of classifiers over two inputs: their classes, and both parts of their uncertainty."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from epochord.renderers.ensemble.classes.look import INK, SMALL, class_colours, mixed, sheet
from epochord.renderers.ensemble.classes.overview import ClassOverview
from epochord.renderers.ensemble.classes.scores import mean_probabilities, uncertainty
from epochord.renderers.ensemble.classes.words import about, certainty
from epochord.renderers.ensemble.map_cell import INPUTS, Lattice

__all__ = ["map_still"]

Floats = npt.NDArray[np.floating[Any]]

# Left, bottom, width and height of the maps, of the figure's; that of the classes is the largest.
CLASSES = (0.06, 0.13, 0.46, 0.71)
PARTS = ((0.60, 0.535, 0.32, 0.305), (0.60, 0.13, 0.32, 0.305))
BAR = 0.012  # the width of a colour bar
MOST_NAMED = 8  # classes in the legend
MAPS = "cividis", "magma"  # perceptual, and safe for colour blindness
PARTS_NAMED = ("Open to all: aleatoric part, nats", "Disputed: mutual information, nats")


def map_still(overview: ClassOverview) -> Figure:
    """Draw where which class is, and where the ensemble is unsure, at the last epoch.

    Parameters
    ----------
    overview : ClassOverview
        Of an ensemble whose grid is a lattice.
    """
    ensemble = overview.ensemble
    lattice, said = Lattice(ensemble), ensemble.at(-1).grid
    mean, unsure = mean_probabilities(said), uncertainty(said)
    disputed = unsure.mutual_information
    figure = sheet(certainty(ensemble, disputed), about(overview))
    _draw_classes(figure.add_axes(CLASSES), overview, lattice, mean)
    for where, values, colours, name in zip(
        PARTS, (unsure.aleatoric, disputed), MAPS, PARTS_NAMED, strict=True
    ):
        _draw_part(figure, figure.add_axes(where), lattice, values, colours, name)
    return figure


def _draw_classes(axes: Axes, overview: ClassOverview, lattice: Lattice, mean: Floats) -> None:
    """Draw the likeliest class, its boundary, and the data by class."""
    by_class = np.stack([lattice.map(column) for column in mean.T], axis=-1)
    axes.imshow(
        mixed(by_class), extent=lattice.extent, origin="lower", aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    _draw_boundary(axes, lattice, by_class)
    _draw_data(axes, overview, lattice)
    axes.set(xlabel=INPUTS[0], ylabel=INPUTS[1])
    axes.set_title("Class, as strong as it is sure", loc="left", fontsize=SMALL + 1, color=INK)
    _draw_legend(axes, overview)


def _draw_boundary(axes: Axes, lattice: Lattice, by_class: Floats) -> None:
    """Draw the lines on which two classes are equally likely, and no other is likelier."""
    for number in range(by_class.shape[-1]):
        others = np.delete(by_class, number, axis=-1).max(axis=-1)
        ahead = by_class[..., number] - others
        if np.isfinite(ahead).any() and np.nanmin(ahead) < 0 < np.nanmax(ahead):
            axes.contour(lattice.x, lattice.y, ahead, levels=[0], colors=INK, linewidths=1.2)


def _draw_data(axes: Axes, overview: ClassOverview, lattice: Lattice) -> None:
    """Draw the training data, or else the held-out points, that lie within the map."""
    setup = overview.ensemble.setup
    inputs, classes = (
        (setup.data, setup.targets) if len(setup.data) else (setup.held_out, setup.held_out_targets)
    )
    left, right, bottom, top = lattice.extent
    axes.set(xlim=(left, right), ylim=(bottom, top))
    colours = class_colours(overview.ensemble.outputs)
    axes.scatter(
        inputs[:, 0], inputs[:, 1], s=26, c=colours[classes.astype(int)], edgecolor="white",
        linewidth=0.8, zorder=3,
    )  # fmt: skip


def _draw_legend(axes: Axes, overview: ClassOverview) -> None:
    ensemble = overview.ensemble
    colours = class_colours(ensemble.outputs)
    keys: list[Line2D] = [
        Line2D([], [], marker="o", linestyle="", color=tuple(colours[number]), label=name)
        for number, name in enumerate(ensemble.classes[:MOST_NAMED])
    ]
    keys.append(Line2D([], [], color=INK, linewidth=1.2, label="boundary"))
    axes.legend(
        handles=keys, loc="upper left", bbox_to_anchor=(-0.02, -0.085), frameon=False,
        ncols=len(keys), fontsize=SMALL, handletextpad=0.4, columnspacing=1.2,
    )  # fmt: skip


def _draw_part(
    figure: Figure, axes: Axes, lattice: Lattice, values: Floats, colours: str, name: str
) -> None:
    most = float(np.nanmax(values)) if np.isfinite(values).any() else 1.0
    norm = Normalize(0, most or 1.0)
    axes.imshow(
        np.ma.masked_invalid(lattice.map(values)), extent=lattice.extent, origin="lower",
        aspect="auto", cmap=colours, norm=norm, interpolation="nearest",
    )  # fmt: skip
    axes.set_title(name, loc="left", fontsize=SMALL + 1, color=INK)
    axes.tick_params(labelsize=SMALL)
    left, bottom, width, height = axes.get_position().bounds
    beside = figure.add_axes((left + width + BAR, bottom, BAR, height))
    figure.colorbar(ScalarMappable(norm, colours), cax=beside).ax.tick_params(labelsize=SMALL)
