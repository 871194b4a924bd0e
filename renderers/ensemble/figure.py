"""The picture of one or several ensembles: cells, titles, legend, and the strip of time below.

One picture serves the stills, where matplotlib draws an epoch into it, and the
video, where each epoch is painted over what matplotlib has drawn once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from epochord.renderers.ensemble.captions import about, fit, shortened, title, wrap
from epochord.renderers.ensemble.cell import Cell
from epochord.renderers.ensemble.layout import (
    LINE,
    SMALL,
    Box,
    height_of,
    sheet,
    units,
    upright,
    written,
)
from epochord.renderers.ensemble.legend import put_legend
from epochord.renderers.ensemble.line_cell import LineCell
from epochord.renderers.ensemble.look import (
    UNITS_AN_INCH,
    Size,
    Theme,
    ink,
    size_of,
    styled,
)
from epochord.renderers.ensemble.map_cell import MapCell
from epochord.renderers.ensemble.overview import Overview
from epochord.renderers.ensemble.sentences import sentence
from epochord.renderers.ensemble.settings import SIZES, EnsembleSettings
from epochord.renderers.ensemble.strip import (
    Curve,
    curves,
    draw_strip,
    scale,
    strip_keys,
    whole_epochs,
)
from epochord.runlog.reading.ensemble import Ensemble

__all__ = [
    "EnsembleFigure",
    "Limits",
    "ensemble_figure",
    "headed",
    "new_figure",
    "of_each",
    "put_titles",
    "scale",
    "whole_epochs",
]

Limits = tuple[float, float]

STRIP = 0.13  # of what is between the margins, for the strip's axes
TITLE, TEXT, HEADING = 19.0, 11.5, 11.0  # points
TITLE_LINES = 3  # at most
SPACE = 8.0  # units, between two things that belong together
SPREAD = "spread: mean sd of the members"
SAMPLE = 30.0  # units, of a run's line in its heading
ALL = slice(None)


@dataclass(frozen=True)
class EnsembleFigure:
    """A picture of ensembles, without their functions.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Laid out for good.
    cells : tuple of Cell
        One an ensemble.
    strip : matplotlib.axes.Axes
        The spread over the epochs.
    clock : matplotlib.text.Text
        Where it says which epoch it is.
    now : matplotlib.lines.Line2D
        Where we are in the strip.
    settings : EnsembleSettings
        How it is drawn.
    """

    figure: Figure
    cells: tuple[Cell, ...]
    strip: Axes
    clock: Text
    now: Line2D
    settings: EnsembleSettings

    @property
    def notes(self) -> tuple[Text, ...]:
        """What is said in the cells and changes: who is seen, how many are beyond an edge."""
        return tuple(note for cell in self.cells for note in cell.notes)

    @property
    def front(self) -> tuple[Artist, ...]:
        """What lies over the functions."""
        return tuple(artist for cell in self.cells for artist in cell.front)

    def draw(self, places: Sequence[int]) -> None:
        """Draw one epoch with matplotlib.

        Parameters
        ----------
        places : sequence of int
            Of each ensemble: which of its recorded epochs.
        """
        for cell, place in zip(self.cells, places, strict=True):
            cell.draw(place)
        epoch, text = self.at(places)
        self.clock.set_text(text)
        self.now.set_xdata([epoch, epoch])

    def at(self, places: Sequence[float]) -> tuple[float, str]:
        """Return the epoch of these places, between recorded ones too, and what the clock says."""
        pairs = list(zip((cell.overview for cell in self.cells), places, strict=True))
        epoch = max(_epoch(one, place) for one, place in pairs)
        last = max(int(one.ensemble.epochs[-1]) for one, _ in pairs)
        missing = sum(int(one.missing[round(place)]) for one, place in pairs)
        return epoch, _clock(round(epoch), last, missing)


def _epoch(one: Overview, place: float) -> float:
    epochs = one.ensemble.epochs
    return float(np.interp(place, np.arange(len(epochs)), epochs))


def ensemble_figure(
    overviews: Sequence[Overview],
    settings: EnsembleSettings,
    limits: Limits | Sequence[Limits],
    *,
    epochs: slice = ALL,
) -> EnsembleFigure:
    """Draw all that does not move.

    Parameters
    ----------
    overviews : sequence of Overview
        The ensembles, each in a cell of its own.
    settings : EnsembleSettings
        Which layers, how large, in which colours.
    limits : (float, float) or sequence of them
        Lowest and highest prediction: of all cells, or of each.
    epochs : slice
        Which epochs will be drawn: the legend holds what is seen in them.
    """
    each = list(zip(overviews, of_each(limits, len(overviews)), strict=True))
    with styled(settings) as theme:
        figure = new_figure(size_of(settings))
        whole = sheet(figure)
        own_axes = len({shown for _, shown in each}) > 1
        top, clock = _draw_titles(figure, overviews, theme, own_axes)
        keys = {
            str(key.get_label()): key
            for one, shown in each
            for key in _kind(one).keys(one, settings, shown, epochs)
        }
        top -= put_legend(figure, list(keys.values()), (whole.left, top), whole.width)
        drawn = curves(overviews, theme)
        bottom, strip, now = _draw_below(figure, whole, drawn, theme)
        boxes = Box(whole.left, bottom, whole.right, top - SPACE).grid(
            len(overviews), stacked=upright(figure)
        )
        if len(overviews) > 1:
            boxes = [
                _headed_box(figure, box, curve, theme)
                for box, curve in zip(boxes, drawn, strict=True)
            ]
        cells = tuple(
            _kind(one)(figure, box, one, settings, shown)
            for box, (one, shown) in zip(boxes, each, strict=True)
        )
        figure.draw_without_rendering()  # every tick gets the typeface
    return EnsembleFigure(figure, cells, strip, clock, now, settings)


def of_each(limits: Limits | Sequence[Limits], count: int) -> list[Limits]:
    """Return the limits of each of several cells."""
    if isinstance(limits[0], tuple):
        return list(cast("Sequence[Limits]", limits))
    return [cast("Limits", limits)] * count


def _kind(one: Overview) -> type[Cell]:
    return LineCell if one.ensemble.setup.grid.shape[1] == 1 else MapCell


def new_figure(size: Size) -> Figure:
    """Return an empty figure of so many pixels."""
    figure = Figure(figsize=size.inches, dpi=size.dpi)
    FigureCanvasAgg(figure)
    return figure


def _draw_titles(
    figure: Figure, overviews: Sequence[Overview], theme: Theme, own_axes: bool
) -> tuple[float, Text]:
    """Write the sentence, and below it what the ensembles are; return their end, and the clock."""
    said = title(overviews[0].ensemble) if len(overviews) == 1 else _in_all(overviews)
    said += ", each on axes of its own" if own_axes else ""
    return put_titles(figure, (sentence(overviews), said, _longest(overviews)), theme)


def put_titles(figure: Figure, said: tuple[str, str, str], theme: Theme) -> tuple[float, Text]:
    """Write a heading, what is said below it, and the clock; return their end, and the clock.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    said : (str, str, str)
        Heading, what stands below it, and the longest that the clock says, for which there is room.
    theme : Theme
    """
    whole, pixels = sheet(figure), figure.dpi / UNITS_AN_INCH
    heading = written(
        figure, said[0], (whole.left, whole.top), size=TITLE, colour=theme.ink, strong=True
    )
    wrap(heading, whole.width * pixels, TITLE_LINES)
    below = whole.top - height_of(heading) - SPACE
    beside = written(figure, said[1], (whole.left, below), size=TEXT, colour=theme.faint)
    clock = written(
        figure, said[2], (whole.right, below), size=TEXT, colour=theme.ink, strong=True, right=True
    )
    fit(beside, whole.width * pixels - clock.get_window_extent().width - 2 * SPACE * pixels)
    clock.set_text("")
    return below - TEXT * UNITS_AN_INCH / 72 - 1.5 * SPACE, clock


def _longest(overviews: Sequence[Overview]) -> str:
    """Return the longest that the clock says."""
    last = max(int(one.ensemble.epochs[-1]) for one in overviews)
    missing = sum(int(one.missing.max()) for one in overviews)
    return _clock(last, last, missing)


def _clock(epoch: int, last: int, missing: int) -> str:
    gone = f"{missing} not finite   " if missing else ""
    return f"{gone}epoch {epoch}" + (f" of {last}" if last else "")


def _in_all(overviews: Sequence[Overview]) -> str:
    """Say how many there are, and what all of them have."""
    said = {about(one.ensemble) for one in overviews}
    return f"{len(overviews)} ensembles" + (f", each of {said.pop()}" if len(said) == 1 else "")


def _draw_below(
    figure: Figure, whole: Box, drawn: Sequence[Curve], theme: Theme
) -> tuple[float, Axes, Line2D]:
    """Draw the strip and its legend; return where they begin."""
    top = whole.bottom + LINE + STRIP * whole.height
    axes, now = draw_strip(figure, whole._replace(top=top), drawn, theme)
    label = written(
        figure, SPREAD, (whole.left, top + SPACE), size=SMALL, colour=theme.faint, above=True
    )
    beside = whole.left + label.get_window_extent().width * UNITS_AN_INCH / figure.dpi + 2 * SPACE
    keys, above = strip_keys(drawn), height_of(label)
    rows = put_legend(figure, keys, (beside, top + SPACE), whole.right - beside, upwards=True)
    if rows > 1.5 * above:  # no room in one line: the headings have the lines too
        figure.legends[-1].remove()
        rows = 0.0
    return top + max(rows, above) + 2.5 * SPACE, axes, now


def _headed_box(figure: Figure, box: Box, curve: Curve, theme: Theme) -> Box:
    """Write what one of several ensembles is, beside its line in the strip; return what is left."""
    pixels = figure.dpi / UNITS_AN_INCH
    one = curve.overview
    name = written(
        figure, shortened(one.ensemble.run.name), (box.left, box.top), size=HEADING,
        colour=theme.ink, strong=True,
    )  # fmt: skip
    fit(name, (box.width - SAMPLE - SPACE) * pixels)
    width, height = units(figure)
    y = (box.top - HEADING * 0.7) / height
    figure.add_artist(
        Line2D(
            [(box.right - SAMPLE) / width, box.right / width], [y, y], color=curve.colour,
            linestyle=curve.dashes, linewidth=2,
        )
    )  # fmt: skip
    below = box.top - HEADING * UNITS_AN_INCH / 72 - SPACE / 2
    rest = written(figure, _rest(curve), (box.left, below), size=SMALL, colour=theme.faint)
    beside = name.get_window_extent().x1 + SPACE * pixels
    if beside + rest.get_window_extent().width < (box.right - SAMPLE - SPACE) * pixels:
        rest.set_position((beside / figure.bbox.width, (box.top - 1.5) / height))
        return box._replace(top=below - SPACE / 4)
    fit(rest, box.width * pixels)
    return box._replace(top=below - SMALL * UNITS_AN_INCH / 72 - SPACE / 2)


def _rest(curve: Curve) -> str:
    """Say what an ensemble is besides its name, and whether it ended before the others."""
    one, last = curve.overview, curve.last
    own = int(one.ensemble.epochs[-1])
    return about(one.ensemble) + (f", ended at epoch {own}" if own < last else "")


def headed(ensemble: Ensemble, what: str) -> Figure:
    """Return an empty figure whose heading says what an ensemble is, and more."""
    figure = new_figure(Size(*SIZES["1280x720"]))
    whole = sheet(figure)
    across, up = units(figure)
    heading = written(
        figure, f"{title(ensemble)}: {what}", (whole.left, whole.top), size=HEADING + 2,
        colour=ink(), strong=True,
    )  # fmt: skip
    fit(heading, whole.width * figure.dpi / UNITS_AN_INCH)
    heading.set_in_layout(False)
    below = whole.top - height_of(heading) - SPACE
    box = whole.left / across, whole.bottom / up, whole.width / across, (below - whole.bottom) / up
    figure.set_layout_engine("constrained", rect=box)
    return figure
