"""Parquet files that others wrote, and `epochord export`'s (our own runs: `runlog.parquet`)."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from epochord.runlog.errors import LogError, one_line
from epochord.runlog.formats.axis import CLOCKS
from epochord.runlog.formats.columns import contents
from epochord.runlog.formats.first_look import glance, is_file, opened
from epochord.runlog.formats.sheet import LABELS, Column, Sheet, column_of, is_long, joined
from epochord.runlog.run.contents import Contents

__all__ = ["IN_FOLDERS", "NAME", "matches", "read"]

NAME = "Parquet"
IN_FOLDERS = False
SUFFIXES = (".parquet", ".pq")
MAGIC = b"PAR1"


def matches(path: Path) -> bool:
    """Tell whether a file is called so or begins like one."""
    if path.suffix.lower() in SUFFIXES:
        return is_file(path)
    return glance(path).startswith(MAGIC)


def read(path: Path, *, x: str | None = None) -> Contents:
    """Read a table, be it wide or long.

    Parameters
    ----------
    path : Path
        The file.
    x : str, optional
        The column to take steps from; by default it is guessed.

    Returns
    -------
    Contents
        Row groups that are damaged are counted in its report.

    Raises
    ------
    LogError
        If nothing of it can be used.
    """
    with opened(path, NAME) as stream:
        if not stream.read(len(MAGIC)) == MAGIC:
            raise LogError(f"{path}: is no {NAME} file; one begins with {MAGIC.decode()}")
        stream.seek(0)
        try:
            with pq.ParquetFile(stream, page_checksum_verification=True) as file:
                sheet = _sheet(file, str(path))
        except (pa.ArrowException, OSError) as error:
            raise LogError(f"{path}: damaged {NAME} file ({one_line(error)})") from error
    return contents(sheet, x=x)


def _sheet(file: pq.ParquetFile, where: str) -> Sheet:
    types, others = _usable(file.schema_arrow)
    parts: dict[str, list[Column]] = {name: [] for name in types if name not in _texts(types)}
    texts: dict[str, list[pa.Array]] = {name: [] for name in _texts(types)}
    skipped: Counter[str] = Counter()
    count = 0
    for table in _row_groups(file, list(types), skipped):
        for name, part in parts.items():
            part.append(column_of(_numbers(_column(table, name)), count))
        for name, pieces in texts.items():
            pieces.append(_column(table, name).cast(pa.string()))
        count += table.num_rows
    columns = {name: joined(part) for name, part in parts.items() if part}
    labels = {name: pa.concat_arrays(pieces) for name, pieces in texts.items() if pieces}
    return Sheet(where, count, columns, labels, skipped, others)


def _usable(schema: pa.Schema) -> tuple[dict[str, pa.DataType], dict[str, int]]:
    """Choose the columns that can be used; count the others by what they are."""
    types: dict[str, pa.DataType] = {}
    others: Counter[str] = Counter()
    long = is_long(schema.names)
    for field in schema:
        kind = _kind(field, label=long and field.name in LABELS)
        if field.name in types:
            others["duplicate column"] += 1
        elif kind:
            others[kind] += 1
        else:
            types[field.name] = field.type
    return types, dict(others)


def _texts(types: dict[str, Any]) -> list[str]:
    return [name for name in LABELS if name in types] if is_long(types) else []


def _kind(field: pa.Field, *, label: bool) -> str:
    """Say what a column is that holds no numbers."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    clock = pa.types.is_timestamp(kind) and field.name in CLOCKS
    if number or clock or label or pa.types.is_null(kind):
        return ""
    if pa.types.is_boolean(kind):
        return "bool column"
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return "text column" if text or pa.types.is_string_view(kind) else f"column of type {kind}"


def _row_groups(
    file: pq.ParquetFile, names: list[str], skipped: Counter[str]
) -> Iterator[pa.Table]:
    for group in range(file.num_row_groups):
        try:
            yield file.read_row_group(group, columns=names)
        except (pa.ArrowException, OSError):
            skipped["damaged row group"] += 1


def _column(table: pa.Table, name: str) -> pa.Array:
    # The first of several that share a name.
    column = table.column(table.column_names.index(name))
    column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _numbers(array: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(array.type):
        return pc.divide(array.cast(pa.timestamp("us"), safe=False).cast(pa.int64()), 1e6)
    if pa.types.is_decimal(array.type):
        # Arrow's own cast divides by a power of ten that is rounded already.
        return array.cast(pa.string()).cast(pa.float64())
    native = pa.types.is_integer(array.type) or array.type in (pa.float32(), pa.float64())
    return array if native else array.cast(pa.float64())
