"""Tables on stdout: drawn by rich on a terminal, plain text for a file or a pipe."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["aside", "heading", "table"]

GAP = "  "
NARROWEST = 16  # characters of the first column, before others are cut


def heading(name: str, about: str) -> None:
    """Print what a table is of: its name, and more behind it."""
    if not sys.stdout.isatty():
        print(name, about)
        return
    from rich.text import Text

    _draw(Text.assemble((name, "bold"), " ", about), soft_wrap=True)


def aside(line: str) -> None:
    """Print a line that belongs to a table."""
    if not sys.stdout.isatty():
        print(line)
        return
    from rich.text import Text

    _draw(Text(line, "dim"), soft_wrap=True)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose first column is text, and all others numbers.

    Parameters
    ----------
    headings : sequence of str
        One a column.
    rows : sequence of sequences of str
        As many cells each; on a terminal, long names in the first column are folded.
    """
    if not sys.stdout.isatty():
        widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
        for first, *others in (headings, *rows):
            numbers = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
            print(GAP.join([first.ljust(widths[0]), *numbers]))
        return
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="dim")
    drawn.add_column(headings[0], overflow="fold", min_width=NARROWEST)
    for name in headings[1:]:
        drawn.add_column(name, justify="right", no_wrap=True)
    for first, *others in rows:
        drawn.add_row(Text(first), *others)
    _draw(drawn)


def _draw(what: "RenderableType", *, soft_wrap: bool = False) -> None:
    from rich.console import Console

    Console().print(what, soft_wrap=soft_wrap)
