"""Where things are in the picture, in units: hundredths of an inch, from the lower left corner.

How many a picture has does not depend on its resolution (see `look.Size`).  All text begins at one
left edge, that of the margin; labels of axes stand there too.
"""

from math import ceil, sqrt
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from epochord.renderers.ensemble.look import UNITS_AN_INCH, Theme
from epochord.renderers.pictures.typeface import STRONG, families

__all__ = [
    "LINE",
    "MARGIN",
    "SMALL",
    "TICKS",
    "Box",
    "axes_box",
    "axes_in",
    "height_of",
    "labelled",
    "sheet",
    "units",
    "upright",
    "written",
]

MARGIN = 30.0  # on all sides
GAP = 26.0  # between two cells
TICKS = 52.0  # to the left of axes, for the labels of their ticks
LINE = 20.0  # of text below axes
SMALL = 9.5  # points
X_PAD = 5.0  # points between axes and the labels below them
STACKED = 5  # cells at most; more stand in two columns


class Box(NamedTuple):
    """A rectangle, in units."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From bottom to top."""
        return self.top - self.bottom

    def inner(self) -> "Box":
        """Return what is left for axes, with the labels to their left, above and below them."""
        return Box(self.left + TICKS, self.bottom + LINE, self.right, self.top - LINE)

    def halves(self, *, stacked: bool) -> list["Box"]:
        """Divide it into two: one over the other, or side by side."""
        if stacked:
            middle = (self.bottom + self.top) / 2
            return [self._replace(bottom=middle + GAP / 4), self._replace(top=middle - GAP / 4)]
        middle = (self.left + self.right) / 2
        return [self._replace(right=middle - GAP / 2), self._replace(left=middle + GAP / 2)]

    def grid(self, count: int, *, stacked: bool) -> list["Box"]:
        """Divide it into so many cells, row by row, or into a stack."""
        columns = (1 if count <= STACKED else 2) if stacked else ceil(sqrt(count))
        rows = ceil(count / columns)
        width = (self.width - (columns - 1) * GAP) / columns
        height = (self.height - (rows - 1) * GAP / 2) / rows
        corners = [
            (self.left + column * (width + GAP), self.top - row * (height + GAP / 2))
            for row in range(rows)
            for column in range(columns)
        ]
        return [Box(x, y - height, x + width, y) for x, y in corners[:count]]


def units(figure: Any) -> tuple[float, float]:
    """Return a figure's width and height."""
    width, height = figure.get_size_inches()
    return float(width) * UNITS_AN_INCH, float(height) * UNITS_AN_INCH


def sheet(figure: Figure) -> Box:
    """Return what lies within the margins of a figure."""
    width, height = units(figure)
    return Box(MARGIN, MARGIN, width - MARGIN, height - MARGIN)


def upright(figure: Any) -> bool:
    """Tell whether a figure is higher than wide, so that its cells are stacked."""
    width, height = units(figure)
    return height > width


def axes_in(figure: Figure, box: Box) -> Axes:
    """Add axes whose frame is a box."""
    width, height = units(figure)
    return figure.add_axes(
        (box.left / width, box.bottom / height, box.width / width, box.height / height)
    )


def labelled(axes: Axes, left: float, theme: Theme, *, x: str, y: str = "") -> None:
    """Put labels of axes at the left edge of their cell: of y above, of x beside its ticks.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        With their scale and limits; they begin `TICKS` from the edge.
    left : float
        The edge, in units.
    theme : Theme
    x, y : str
        What they are of.
    """
    figure, place = axes.figure, axes_box(axes)
    axes.tick_params(labelsize=SMALL, labelcolor=theme.ink, length=0, labelfontfamily=families())
    axes.tick_params(axis="y", pad=(place.left - left) * 72 / UNITS_AN_INCH)
    axes.tick_params(axis="x", pad=X_PAD)
    for label in axes.get_yticklabels():
        label.set_horizontalalignment("left")
    below = place.bottom - X_PAD * UNITS_AN_INCH / 72
    written(figure, x, (left, below), size=SMALL, colour=theme.faint)
    if y:
        written(figure, y, (left, place.top + 6), size=SMALL, colour=theme.faint, above=True)


def axes_box(axes: Axes) -> Box:
    """Return where axes are."""
    width, height = units(axes.figure)
    place = axes.get_position()
    return Box(place.x0 * width, place.y0 * height, place.x1 * width, place.y1 * height)


def written(
    figure: Any,
    text: str,
    place: tuple[float, float],
    *,
    size: float,
    colour: str,
    strong: bool = False,
    above: bool = False,
    right: bool = False,
) -> Text:
    """Write text into a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    text : str
    place : (float, float)
        Of its upper left corner, in units.
    size : float
        Points.
    colour : str
    strong : bool
        As a title.
    above, right : bool
        Whether the place is its lower end, and its right one.
    """
    width, height = units(figure)
    made: Text = figure.text(
        place[0] / width, place[1] / height, text, fontsize=size, color=colour,
        family=list(families(STRONG) if strong else families()),
        ha="right" if right else "left", va="bottom" if above else "top", parse_math=False,
    )  # fmt: skip
    return made


def height_of(text: Text) -> float:
    """Return how high text is, in units."""
    figure: Any = text.figure
    return float(text.get_window_extent().height) * UNITS_AN_INCH / float(figure.dpi)
