"""From records of keys and values, as JSON has them, to a table."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from epochord.runlog.arrow import texts as arrow_texts
from epochord.runlog.formats.sheet import LABELS, Column, Sheet, is_long

__all__ = ["sheet_of"]

# JSON has no such numbers, so writers that keep to it write them as text.
NUMBERS_AS_TEXT = {
    "NaN": math.nan,
    "nan": math.nan,
    "Infinity": math.inf,
    "inf": math.inf,
    "-Infinity": -math.inf,
    "-inf": -math.inf,
}
_KINDS = {str: "text column", bool: "bool column", list: "list column"}

Cells = dict[str, tuple[list[int], list[Any]]]  # rows and values by column


def sheet_of(
    file: str, records: Iterable[Mapping[str, Any]], skipped: Mapping[str, int] | None = None
) -> Sheet:
    """Put records into a table.

    Parameters
    ----------
    file : str
        Path or URL.
    records : iterable of mapping
        One a row; a mapping within gives columns ``outer/inner``, None is no
        measurement, NaN and the infinities are, also as text.
    skipped : mapping of str to int, optional
        Records that could not be used, by reason; read when all of `records`
        has been.

    Returns
    -------
    Sheet
        Columns that hold anything else than numbers are left out and counted.
    """
    cells: Cells = {}
    twice: set[str] = set()
    count = 0
    for row, record in enumerate(records):
        count = row + 1
        for name, value in _flat(record):
            rows, values = cells.setdefault(name, ([], []))
            if rows and rows[-1] == row:
                twice.add(name)
                continue
            rows.append(row)
            values.append(value)
    labels = _labels(cells, count) if is_long(cells) else {}
    columns, others = _columns(cells, labels)
    if twice:
        others["duplicate column"] = len(twice)
    return Sheet(file, count, columns, labels, dict(skipped or {}), others)


def _flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}/")
        elif value is not None:
            yield prefix + key, value


def _columns(
    cells: Cells, labels: Mapping[str, pa.Array]
) -> tuple[dict[str, Column], dict[str, int]]:
    columns: dict[str, Column] = {}
    others: Counter[str] = Counter()
    for name, (rows, values) in cells.items():
        if name in labels:
            continue
        numbers, kind = _numbers(values)
        if kind:
            others[kind] += 1
        else:
            columns[name] = Column(np.array(rows), numbers)
    return columns, dict(others)


def _numbers(values: list[Any]) -> tuple[npt.NDArray[Any], str]:
    """Return values as numbers, or else what the first of them is that is none."""
    kinds = set(map(type, values))
    if str in kinds:
        values = [NUMBERS_AS_TEXT.get(v, v) if isinstance(v, str) else v for v in values]
        kinds = set(map(type, values))
    if kinds <= {int, float}:
        return _array(values, whole=kinds == {int}), ""
    odd = next(type(value) for value in values if type(value) not in (int, float))
    return np.empty(0), _KINDS.get(odd, "text column")


def _array(values: list[Any], *, whole: bool) -> npt.NDArray[Any]:
    try:
        return np.array(values, np.int64 if whole else np.float64)
    except OverflowError:
        return np.array([_float(value) for value in values])


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits
        return math.inf if value > 0 else -math.inf


def _labels(cells: Cells, count: int) -> dict[str, pa.Array]:
    labels = {}
    for name in LABELS:
        if name in cells:
            texts: list[str | None] = [None] * count
            for row, value in zip(*cells[name], strict=True):
                texts[row] = str(value)
            labels[name] = arrow_texts(texts)
    return labels
