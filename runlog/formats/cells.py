"""From CSV text to a table of numbers, block by block.

Every column of numbers is read in full, whatever its first rows look like: the
types of a large file's columns are taken from its first block, and where a
later block proves them wrong, all cells are read as text and then understood.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from epochord.runlog.arrow import texts
from epochord.runlog.errors import LogError, one_line
from epochord.runlog.formats.axis import STEPS
from epochord.runlog.formats.dialect import Dialect, find_dialect
from epochord.runlog.formats.first_look import opened, require_text
from epochord.runlog.formats.sheet import LABELS, Column, Sheet, column_of, is_long, joined, nonzero

__all__ = ["is_number", "read_sheet"]

BLOCK = 1 << 22  # bytes parsed at a time; a row has to fit in
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "null", "NULL", "None", "none")

Types = Mapping[int, pa.DataType]  # by the column's place, since names may occur twice


def read_sheet(path: Path, expected: str, *, x: str | None = None) -> Sheet:
    """Read a CSV file's columns of numbers.

    Parameters
    ----------
    path : Path
        The file: UTF-8, with a header.
    expected : str
        Name of the format, for error messages.
    x : str, optional
        A column of steps beside the usual ones; integers there stay exact.

    Returns
    -------
    Sheet
        Columns with any text that is no number are left out and counted, and so
        are rows that have another number of fields than the header.

    Raises
    ------
    LogError
        If it is no such file.
    """
    with opened(path, expected) as stream:
        head = stream.read(BLOCK)
    text = require_text(head, path, expected)
    try:
        plan = _plan(find_dialect(text), path, x)
        if len(head) < BLOCK:  # that is all of it
            return _sheet(io.BytesIO(head), plan, plan.as_text)
        return _large_sheet(path, expected, plan, head)
    except (pa.ArrowException, csv.Error) as error:
        raise LogError(f"{path}: cannot be read as {expected} ({one_line(error)})") from error


def is_number(cell: str) -> bool:
    """Tell whether a cell holds a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class _Plan:
    """What is to be read of a file."""

    file: str
    dialect: Dialect
    names: dict[int, str]  # of the columns wanted, by place
    labels: frozenset[int]  # columns that stay text
    whole: frozenset[int]  # columns that may hold steps
    others: dict[str, int]  # columns not wanted

    @property
    def as_text(self) -> Types:
        return dict.fromkeys(self.names, pa.string())


def _plan(dialect: Dialect, path: Path, x: str | None) -> _Plan:
    if not dialect.first:
        raise LogError(f"{path}: {'holds a header and no rows' if dialect.names else 'is empty'}")
    if all(is_number(name) for name in dialect.names):
        raise LogError(
            f"{path}: begins with numbers ({', '.join(dialect.names[:3])}), not with a header; "
            "put names of the columns into its first line, such as step,loss"
        )
    names: dict[str, int] = {}
    others: Counter[str] = Counter()
    for place, name in enumerate(dialect.names):
        if name and name not in names:
            names[name] = place
        else:
            others["duplicate column" if name else "unnamed column"] += 1
    labels = {names[name] for name in LABELS if name in names} if is_long(names) else ()
    whole = {place for name, place in names.items() if name in STEPS or name == x}
    places = {place: name for name, place in names.items()}
    return _Plan(str(path), dialect, places, frozenset(labels), frozenset(whole), others)


def _large_sheet(path: Path, expected: str, plan: _Plan, head: bytes) -> Sheet:
    try:
        # The reader's own numbers: several times as fast as cell by cell.
        types = _first_types(head, plan)
        with opened(path, expected) as stream:
            return _sheet(stream, plan, types)
    except pa.ArrowInvalid:
        with opened(path, expected) as stream:
            return _sheet(stream, plan, plan.as_text)


def _first_types(head: bytes, plan: _Plan) -> Types:
    """Find the columns that hold nothing but numbers in a file's first block, and which."""
    # Whole lines: of a cell that is cut, such as N/A, something else may be left.
    lines = head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1]
    batch = next(_batches(io.BytesIO(lines), plan, plan.as_text, Counter()), None)
    if batch is None:
        return plan.as_text
    types = {}
    for place, cells in zip(plan.names, batch.columns, strict=True):
        numbers = cells if place in plan.labels else _numbers(cells, whole=place in plan.whole)
        if numbers is not None:
            types[place] = numbers.type
    return types


def _sheet(stream: BinaryIO | io.BytesIO, plan: _Plan, types: Types) -> Sheet:
    skipped: Counter[str] = Counter()
    parts: dict[int, list[Column]] = {place: [] for place in types if place not in plan.labels}
    texts: dict[int, list[pa.Array]] = {place: [] for place in plan.labels}
    count = 0
    for batch in _batches(stream, plan, types, skipped):
        for place, cells in zip(types, batch.columns, strict=True):
            if place in texts:
                texts[place].append(cells)
            elif place in parts:
                _extend(parts, place, _numbers(cells, whole=place in plan.whole), count)
        count += batch.num_rows
    others = {**plan.others, "text column": len(plan.names) - len(parts) - len(texts)}
    columns = {plan.names[place]: joined(part) for place, part in parts.items() if part}
    labels = {plan.names[place]: pa.concat_arrays(text) for place, text in texts.items() if text}
    return Sheet(plan.file, count, columns, labels, skipped, nonzero(others))


def _extend(
    parts: dict[int, list[Column]], place: int, numbers: pa.Array | None, first_row: int
) -> None:
    if numbers is None:
        del parts[place]
    else:
        parts[place].append(column_of(numbers, first_row))


def _numbers(cells: pa.Array, *, whole: bool) -> pa.Array | None:
    """Return cells as numbers, null where one is missing; None if one is text."""
    if not pa.types.is_string(cells.type):
        return cells
    cells = pc.utf8_trim_whitespace(cells)
    missing = pc.is_in(cells, value_set=texts(MISSING))
    cells = pc.if_else(missing, pa.nulls(1, pa.string())[0], cells)
    for kind in (pa.int64(), pa.float64()) if whole else (pa.float64(),):
        try:
            return cells.cast(kind)
        except pa.ArrowInvalid:
            continue
    return None


def _batches(
    stream: BinaryIO | io.BytesIO, plan: _Plan, types: Types, skipped: Counter[str]
) -> Iterator[pa.RecordBatch]:
    """Parse a file; columns that stay text are given as text."""

    def skip(_row: pacsv.InvalidRow) -> str:
        skipped["row with another number of fields"] += 1
        return "skip"

    dialect, at_once = plan.dialect, isinstance(stream, io.BytesIO)
    options = (
        pacsv.ReadOptions(
            use_threads=not at_once,
            block_size=BLOCK,
            column_names=[str(place) for place in range(len(dialect.names))],
            skip_rows=dialect.blank_lines,
            skip_rows_after_names=1,
        ),
        pacsv.ParseOptions(
            delimiter=dialect.separator, newlines_in_values=True, invalid_row_handler=skip
        ),
        pacsv.ConvertOptions(
            column_types={str(place): kind for place, kind in types.items()},
            include_columns=[str(place) for place in types],
            null_values=MISSING,
        ),
    )
    if at_once:  # a reader that streams has threads, which may outlive Python's end
        for batch in pacsv.read_csv(stream, *options).to_batches():
            yield _without_headers(batch, plan, types, skipped)
        return
    with pacsv.open_csv(stream, *options) as reader:
        for batch in reader:
            yield _without_headers(batch, plan, types, skipped)


def _without_headers(
    batch: pa.RecordBatch, plan: _Plan, types: Types, skipped: Counter[str]
) -> pa.RecordBatch:
    """Leave out the rows in which a restarted training wrote the header again."""
    headers = None
    for place, cells in zip(types, batch.columns, strict=True):
        if not pa.types.is_string(cells.type):
            return batch  # a header would not be numbers
        same = pc.equal(pc.utf8_trim_whitespace(cells), texts([plan.names[place]])[0])
        headers = same if headers is None else pc.and_(headers, same)
        if not pc.any(headers).as_py():
            return batch
    skipped["header once more"] += pc.sum(headers).as_py()
    return batch.filter(pc.invert(headers))
