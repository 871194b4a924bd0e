"""CSV and TSV files of any origin: Keras, W&B, TensorBoard's download, spreadsheets, our export.

A blank cell, NA, N/A, null and None mean not measured; nan and inf are
measurements.
"""

import csv
from dataclasses import replace
from pathlib import Path

from epochord.runlog.errors import LogError
from epochord.runlog.formats.cells import is_number, read_sheet
from epochord.runlog.formats.columns import contents
from epochord.runlog.formats.dialect import find_dialect
from epochord.runlog.formats.first_look import glance, is_file, require_text
from epochord.runlog.formats.sheet import Sheet
from epochord.runlog.run.contents import Contents

__all__ = ["IN_FOLDERS", "NAME", "matches", "read"]

NAME = "CSV"
IN_FOLDERS = False
SUFFIXES = (".csv", ".tsv", ".tab")
EXTREMES = ("__MIN", "__MAX")  # W&B's, of the points that one point of its chart stands for
TENSORBOARD = {"Wall time", "Step", "Value"}


def matches(path: Path) -> bool:
    """Tell whether a file is called so, or its first lines are a header and a row of numbers."""
    if path.suffix.lower() in SUFFIXES:
        return is_file(path)
    try:
        dialect = find_dialect(require_text(glance(path), path, NAME))
    except (LogError, csv.Error):
        return False
    fields = len(dialect.first)
    return 1 < fields == len(dialect.names) and any(map(is_number, dialect.first))


def read(path: Path, *, x: str | None = None) -> Contents:
    """Read a table, be it wide or long; separator and header are found out.

    Parameters
    ----------
    path : Path
        The file.
    x : str, optional
        The column to take steps from; by default it is guessed.

    Raises
    ------
    LogError
        If nothing of it can be used.
    """
    sheet = _without_extremes(read_sheet(path, NAME, x=x))
    return contents(sheet, x=x, step="Step" if set(sheet.columns) == TENSORBOARD else None)


def _without_extremes(sheet: Sheet) -> Sheet:
    extremes = {
        base + end for base in sheet.columns for end in EXTREMES if base + end in sheet.columns
    }
    if not extremes:
        return sheet
    columns = {name: column for name, column in sheet.columns.items() if name not in extremes}
    note = f"left out: {len(extremes)} columns of W&B's minima and maxima (__MIN, __MAX)"
    return replace(sheet, columns=columns, notes=(*sheet.notes, note))
