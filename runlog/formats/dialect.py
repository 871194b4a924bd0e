"""What the first lines of a CSV file tell: its separator and the names of its columns."""

import csv
import io
import re
from dataclasses import dataclass

__all__ = ["Dialect", "find_dialect"]

SEPARATORS = ",;\t|"  # where two fit equally well, the first
_QUOTED = re.compile(r'"[^"]*"')
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Dialect:
    """How a file is written.

    Parameters
    ----------
    separator : str
        Between two cells.
    names : sequence of str
        The cells of the header, without spaces around them.
    first : sequence of str
        The cells of the first row; none if there is no row.
    blank_lines : int
        Lines before the header.
    """

    separator: str
    names: tuple[str, ...]
    first: tuple[str, ...]
    blank_lines: int


def find_dialect(text: str) -> Dialect:
    """Find out how a file is written.

    Parameters
    ----------
    text : str
        Its beginning.

    Raises
    ------
    csv.Error
        If the header is none.
    """
    body = text.lstrip("\r\n")
    blank_lines = len(_LINE_END.findall(text[: len(text) - len(body)]))
    separator = _separator(body)
    rows = (row for row in csv.reader(io.StringIO(body, newline=""), delimiter=separator) if row)
    names = tuple(name.strip() for name in next(rows, []))
    try:
        first = next(rows, [])
    except csv.Error:  # a text longer than the csv module takes
        first = ["?"] * len(names)
    return Dialect(separator, names, tuple(first), blank_lines)


def _separator(text: str) -> str:
    """Choose what is as frequent in the first row as in the header, or else in the header."""
    header, row, *_ = (_QUOTED.sub("", line) for line in _LINE_END.split(f"{text}\n", maxsplit=2))

    def fit(separator: str) -> tuple[bool, int]:
        count = header.count(separator)
        return count > 0 and count == row.count(separator), count

    return max(SEPARATORS, key=fit)
