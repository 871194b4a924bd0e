"""A table of numbers beside pictures: a row a subject, and columns of one width each."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from epochord.renderers.benford.look import INK, QUIET, as_text, shortened

__all__ = ["NOTHING", "Table"]

ROW = 0.21  # inches
CHARACTER, GAP = 0.066, 0.2  # inches of text of 8 points
SIZE = 8  # points
LONGEST = 44  # characters of a name
NOTHING = "–"
WORD = 13  # characters of a line of a column's head


class Table:
    """Names and numbers, ready to be measured and drawn.

    Parameters
    ----------
    rows : sequence of (str, mapping of str to str)
        Names, and numbers by column; a column of nothing but dashes is left out.
    """

    def __init__(self, rows: Sequence[tuple[str, Mapping[str, str]]]) -> None:
        given = dict.fromkeys(column for _, numbers in rows for column in numbers)
        columns = [
            each for each in given if {row.get(each, NOTHING) for _, row in rows} != {NOTHING}
        ]
        self._names = [shortened(name, LONGEST) for name, _ in rows]
        self._cells = {
            _wrapped(column): [numbers.get(column, NOTHING) for _, numbers in rows]
            for column in columns
        }
        self._head = max((head.count("\n") + 1 for head in self._cells), default=1)

    @property
    def width(self) -> float:
        """In inches."""
        return _width(self._names) + sum(
            _width([*c.split("\n"), *v]) for c, v in self._cells.items()
        )

    @property
    def height(self) -> float:
        """In inches."""
        return ROW * (len(self._names) + self._head + 0.5)

    def draw(self, figure: Figure, left: float, top: float) -> None:
        """Draw it at a place, in inches from the left and the bottom of a figure."""
        width, height = figure.get_size_inches()

        def say(text: str, x: float, y: float, align: str, colour: str, hung: str = "top") -> None:
            figure.text(
                x / width, y / height, as_text(text), ha=align, va=hung, fontsize=SIZE,
                color=colour, linespacing=1.15,
            )  # fmt: skip

        first = top - ROW * (self._head + 0.5)
        for row, name in enumerate(self._names):
            say(name, left, first - ROW * row, "left", INK)
        right = left + _width(self._names)
        for head, cells in self._cells.items():
            right += _width([*head.split("\n"), *cells])
            say(head, right - GAP, first + ROW / 4, "right", QUIET, "bottom")
            for row, cell in enumerate(cells):
                say(cell, right - GAP, first - ROW * row, "right", INK)


def _width(texts: Sequence[str]) -> float:
    return CHARACTER * max(map(len, texts)) + GAP


def _wrapped(head: str) -> str:
    """Put the words of a column's head below each other, as many to a line as have room."""
    lines: list[str] = []
    for word in head.split():
        if lines and len(lines[-1]) + 1 + len(word) <= WORD:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "\n".join(lines)
