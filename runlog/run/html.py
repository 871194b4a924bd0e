"""Runs and series as small tables for a notebook: a sparkline each, and a few numbers.

Colours are the page's own (`currentColor`); every text of a log is escaped.
"""

from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from epochord.runlog.run.run import Run
    from epochord.runlog.run.series import Series

__all__ = ["run_html", "series_html", "sparkline"]

MOST_ROWS = 30
WIDTH, HEIGHT = 160, 24  # px
COLUMNS = 80  # of a sparkline; each keeps the extremes of its values
HEADINGS = ("tag", "", "values", "steps", "least", "greatest", "last")

Floats = npt.NDArray[np.float64]


def run_html(run: "Run") -> str:
    """Return a run as a table of at most 30 series.

    Parameters
    ----------
    run : Run
        Any run.
    """
    known = "" if run.metadata.status == "unknown" else f"{run.metadata.status}, "
    status = escape(f"{known}{_count(len(run), 'tag')}")
    more = len(run) - MOST_ROWS
    rest = f"<p>… and {_count(more, 'more tag')}: <code>list(run)</code> names all</p>"
    table = _table(list(run.values())[:MOST_ROWS])
    return f"<p><b>{escape(run.name)}</b> ({status})</p>{table}{rest if more > 0 else ''}"


def series_html(series: "Series") -> str:
    """Return a series as a table of one row.

    Parameters
    ----------
    series : Series
        Any series.
    """
    return _table([series])


def sparkline(values: npt.ArrayLike) -> str:
    """Draw values as a small inline SVG.

    Parameters
    ----------
    values : array-like [shape=(n,)]
        Real numbers.  Where there are many, each column spans from its least to its
        greatest value, so that no extreme is lost.  The line has a gap wherever a value
        is not finite, and a tick at the bottom says so.

    Returns
    -------
    str
        160 × 24 px; empty if there is nothing to draw.
    """
    numbers = np.asarray(values, np.float64)
    if not numbers.size:
        return ""
    columns = np.array_split(numbers, min(COLUMNS, len(numbers)))
    width = WIDTH / len(columns)
    holes = [not np.isfinite(column).all() for column in columns]
    ticks = "".join(
        f'<path d="M{(i + 0.5) * width:.1f} {HEIGHT}v-4"/>' for i, hole in enumerate(holes) if hole
    )
    line = "".join(_strokes(columns, _Scale(numbers), width))
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" fill="none" '
        f'stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"><path d="{line}"/>'
        f'<g stroke="#d33">{ticks}</g></svg>'
    )


class _Scale:
    """From values to pixels, in float64 without overflow."""

    def __init__(self, numbers: Floats) -> None:
        finite = numbers[np.isfinite(numbers)]
        self.low = float(finite.min()) / 2 if finite.size else 0.0
        self.span = float(finite.max()) / 2 - self.low if finite.size else 0.0

    def __call__(self, value: float) -> str:
        share = (value / 2 - self.low) / self.span if self.span else 0.5
        return f"{HEIGHT - 2 - share * (HEIGHT - 4):.1f}"


def _strokes(columns: Iterable[Floats], scale: _Scale, width: float) -> Iterator[str]:
    """Yield the pieces of a path: a stroke a column, joined to the one before it without a gap."""
    joined = False
    for place, column in enumerate(columns):
        finite = column[np.isfinite(column)]
        whole = len(finite) == len(column)
        if finite.size:
            x = f"{(place + 0.5) * width:.1f}"
            least, greatest = int(finite.argmin()), int(finite.argmax())
            first, second = finite[min(least, greatest)], finite[max(least, greatest)]
            yield f"{'L' if joined and whole else 'M'}{x} {scale(float(first))}"
            yield f"L{x} {scale(float(second))}"  # a dot, if it is the same
        joined = whole


def _table(several: Iterable["Series"]) -> str:
    head = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
    rows = "".join(_row(series) for series in several)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(series: "Series") -> str:
    real = series.dtype.kind in "buif"
    finite = series.values[np.isfinite(series.values)] if real else series.values[:0]
    least, greatest = (finite.min(), finite.max()) if finite.size else ("", "")
    cells = [
        escape(series.tag),
        sparkline(series.values) if real else "",
        f"{len(series):,}",
        f"{series.steps[0]}…{series.steps[-1]}" if len(series) else "",
        *map(_number, (least, greatest, series.values[-1] if len(series) else "")),
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _number(value: Any) -> str:
    return escape(f"{value:.4g}" if isinstance(value, np.floating) else str(value))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("s" if number != 1 else "")
