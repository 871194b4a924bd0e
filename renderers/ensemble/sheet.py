"""A still of several panels: one heading, and places that are the same for every ensemble.

The places are fixed, which takes matplotlib a tenth of the time of a layout that it finds.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from epochord.renderers.ensemble.figure import headed
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["panels", "plain", "sheet"]

EDGES = {"left": 0.07, "right": 0.96, "bottom": 0.092, "top": 0.885}  # of width and height
BETWEEN = {"wspace": 0.3, "hspace": 0.36}  # of a panel
BELOW = 0.14  # the bottom where something stands below the panels
# Of a panel without a title, whose legend stands above it.
ALONE = {"left": 0.075, "bottom": 0.1, "top": 0.87}
TICKS = 4  # of panels that stand close, at most


def sheet(ensemble: Ensemble, what: str) -> Figure:
    """Return an empty figure that says what an ensemble is, and more, in its heading."""
    figure = headed(ensemble, what)
    figure.set_layout_engine("none")
    return figure


def panels(
    figure: Figure, count: int, columns: int, *, shared: bool = False, below: bool = False
) -> list[Axes]:
    """Return so many axes, row by row.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Where they go.
    count, columns : int
        How many, and how many side by side at most.
    shared : bool
        Whether they show the same ranges, which then stand only at the outer ones.
    below : bool
        Whether to leave room for a line below them.
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    close = {"wspace": 0.1, "hspace": 0.22} if shared else BETWEEN
    edges = EDGES | ({"bottom": BELOW} if below else {}) | (ALONE if count == 1 else {})
    grid = figure.add_gridspec(rows, columns, **edges, **close)
    made: list[Axes] = []
    for place in range(count):
        with_first = made[0] if shared and made else None
        axes = figure.add_subplot(
            grid[place // columns, place % columns], sharex=with_first, sharey=with_first
        )
        made.append(axes)
    if shared:
        made[0].xaxis.set_major_locator(MaxNLocator(TICKS, prune="both"))
        _label_outer(made, columns)
    return made


def _label_outer(made: Sequence[Axes], columns: int) -> None:
    """Leave ranges to the left column and to the lowest panel of each other one."""
    for place, axes in enumerate(made):
        axes.tick_params(labelleft=place % columns == 0, labelbottom=place + columns >= len(made))


def plain(axes: Axes) -> None:
    """Take away the lines above and to the right."""
    axes.spines[["top", "right"]].set_visible(False)
