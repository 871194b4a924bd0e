"""The Parquet log: `metrics.parquet`, and `metrics.parts/` while recording; other tables likewise.

Each batch of rows becomes one part file, named by its first step, written
beside the parts folder and renamed into it; so whatever is killed, every part
that can be seen is whole.  Closing merges the parts into `metrics.parquet`.
Of logs with very many tags the parts are packed (`packing.py`), the merged file never is.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from epochord.runlog.arrow import arrow_array, numbers
from epochord.runlog.atomic import make_folder, remove_folder, replacing
from epochord.runlog.errors import LogError, one_line
from epochord.runlog.packing import pack, same_tags, unpack, unpacked_schema
from epochord.runlog.run.metadata import RunMetadata
from epochord.runlog.run.rows import METRICS_TABLE
from epochord.runlog.run.run import STEP, WALL_TIME

__all__ = [
    "METADATA_KEY",
    "METRICS",
    "PARTS",
    "ParquetWriter",
    "embedded_metadata",
    "is_parquet_log",
    "parts_folder",
    "read_parquet",
    "read_row_group",
    "replace_rows",
    "row_groups",
    "table_file",
    "table_sources",
]

METRICS = f"{METRICS_TABLE}.parquet"
PARTS = f"{METRICS_TABLE}.parts"
METADATA_KEY = b"epochord.run"  # run.json once more, in the Parquet key-value metadata

# A row group holds about this many values: 16 MiB of float32 before encoding.
VALUES_A_ROW_GROUP = 1 << 22
# So many parts are joined into one while recording: a week at a part every five
# seconds stays at about a thousand files.
PARTS_BEFORE_JOINING = 128

Metadata = dict[bytes, bytes]  # key-value metadata of a Parquet file

READ_ATTEMPTS = 5

_DAMAGE = (pa.ArrowException, OSError)


def table_file(directory: Path, table: str) -> Path:
    """Return the file that holds a table in the end."""
    return directory / f"{table}.parquet"


def parts_folder(directory: Path, table: str) -> Path:
    """Return the folder that holds a table's parts while it is recorded."""
    return directory / f"{table}.parts"


class ParquetWriter:
    """Writes the rows of each table as part files, and in the end as one file.

    Parameters
    ----------
    directory : Path
        The run's directory; it must exist.
    metadata : RunMetadata
        Stored in every part, so that a run without its `run.json` still says
        what it is.
    """

    def __init__(self, directory: Path, metadata: RunMetadata) -> None:
        self._directory = directory
        self._metadata = _stored(metadata)
        self._tables: dict[str, _Parts] = {}
        self._parts(METRICS_TABLE)

    def write(self, rows: pa.Table, table: str = METRICS_TABLE) -> None:
        """Write one part; it is safe on disk when this returns."""
        if rows.num_rows:
            self._parts(table).write(rows)

    def complete(self, metadata: RunMetadata) -> None:
        """Merge everything into one file a table and remove the parts.

        Raises
        ------
        LogError
            If a part is damaged; then nothing of its table is removed.
        """
        for parts in self._tables.values():
            parts.complete(_stored(metadata))

    def close(self) -> None:
        """Do nothing: no file stays open between two parts."""

    def _parts(self, table: str) -> "_Parts":
        if table not in self._tables:
            self._tables[table] = _Parts(self._directory, table, self._metadata)
        return self._tables[table]


class _Parts:
    """One table's part files."""

    def __init__(self, directory: Path, table: str, metadata: Metadata) -> None:
        self._directory = directory
        self._table = table
        self._folder = parts_folder(directory, table)
        self._metadata = metadata
        self._fresh: list[Path] = []
        make_folder(self._folder)

    def write(self, rows: pa.Table) -> None:
        part = self._folder / f"{rows[STEP][0].as_py():012d}.parquet"
        # What the run is stands in the first part: of wide models it is longer than the rows.
        about = {} if self._fresh and part != self._fresh[0] else self._metadata
        rows = pack(rows) if self._table == METRICS_TABLE else rows
        _write([rows], rows.schema, part, about, scratch=self._directory)
        if part not in self._fresh[-1:]:
            self._fresh.append(part)
        if len(self._fresh) > PARTS_BEFORE_JOINING:
            self._join()

    def _join(self) -> None:
        # The last part may still be replaced by the same row, completed.
        # The others go into the name of the first: a reader that meets the
        # joined part and them at once passes over the steps it has seen.
        *done, last = [part for part in self._fresh if part.exists()]
        if not done:  # somebody has removed them
            self._fresh = [last]
            return
        _merge(done, done[0], self._metadata, scratch=self._directory, packed=True)
        self._fresh = [done[0], last]
        for joined in done[1:]:
            joined.unlink()

    def complete(self, metadata: Metadata) -> None:
        if not self._folder.is_dir():
            return  # an earlier attempt has got so far
        sources = table_sources(self._directory, self._table)
        whole = table_file(self._directory, self._table)
        if self._table != METRICS_TABLE and sources == self._fresh[:1]:
            sources[0].replace(whole)  # only the measurements say what the run is
        elif sources:
            _merge(sources, whole, metadata)
        remove_folder(self._folder)


def is_parquet_log(directory: Path) -> bool:
    """Tell whether a directory holds a log of ours in Parquet."""
    return (directory / METRICS).is_file() or (directory / PARTS).is_dir()


def read_parquet(directory: Path, table: str = METRICS_TABLE) -> tuple[pa.Table, list[str]]:
    """Read all rows that are whole.

    Parameters
    ----------
    directory : Path
        The run's directory.
    table : str
        Which of its tables; by default the measurements.

    Returns
    -------
    rows : pyarrow.Table
        `step`, `wall_time` and one column a tag, in ascending steps.
    damage : list of str
        One line for each piece that could not be read.
    """
    for _ in range(READ_ATTEMPTS):
        damage: list[str] = []
        try:
            sources = table_sources(directory, table)
            tables = [
                unpack(group) for source in sources for _, group in row_groups(source, damage)
            ]
            break
        except FileNotFoundError as error:  # a recorder has merged it meanwhile: look again
            vanished = f"{error.filename or directory}: vanished while it was read"
    else:
        tables, damage = [], [vanished]
    empty = pa.Table.from_batches([], pa.schema({STEP: pa.int64(), WALL_TIME: pa.float64()}))
    rows = pa.concat_tables([empty, *_ascending(tables)], promote_options="default")
    return rows.combine_chunks(), damage


def replace_rows(directory: Path, table: str, rows: pa.Table, metadata: RunMetadata) -> None:
    """Write all rows of a table anew, as one file."""
    whole = table_file(directory, table)
    if rows.num_rows:
        _write([rows], rows.schema, whole, _stored(metadata))
    else:
        whole.unlink(missing_ok=True)
    if parts_folder(directory, table).is_dir():
        remove_folder(parts_folder(directory, table))


def embedded_metadata(directory: Path) -> str | None:
    """Return the text of `run.json` that the newest readable file carries, if any."""
    for source in reversed(table_sources(directory, METRICS_TABLE)):
        with contextlib.suppress(*_DAMAGE):
            with _opened(source) as place:
                stored = pq.read_schema(place).metadata or {}
            if METADATA_KEY in stored:
                return str(stored[METADATA_KEY].decode())
    return None


@contextlib.contextmanager
def _opened(source: Path) -> Iterator[Path | IO[bytes]]:
    """Yield what pyarrow reads: a local path, or a stream of what lies in another store."""
    if isinstance(source, Path):
        yield source
    else:
        with source.open("rb") as stream:
            yield stream


def _stored(metadata: RunMetadata) -> Metadata:
    return {METADATA_KEY: metadata.to_json().encode()}


def table_sources(directory: Path, table: str) -> list[Path]:
    """List the files that hold a table, in the order of their steps."""
    # The parts first: merging meanwhile then shows up as a file that has gone.
    parts = sorted(parts_folder(directory, table).glob("[0-9]*.parquet"))
    whole = table_file(directory, table)
    return ([whole] if whole.is_file() else []) + parts


def _write(
    tables: Iterable[pa.Table],
    schema: pa.Schema,
    target: Path,
    metadata: Metadata,
    scratch: Path | None = None,
) -> None:
    """Write tables as one Parquet file, a row group each."""
    schema = schema.with_metadata((schema.metadata or {}) | metadata)
    with (
        replacing(target, scratch=scratch) as temporary,
        pq.ParquetWriter(temporary, schema, **_encoding(schema)) as writer,
    ):
        for table in tables:
            if not table.schema.equals(schema):  # to cast imports much
                table = table.cast(schema)
            writer.write_table(table, row_group_size=max(table.num_rows, 1))


def _encoding(schema: pa.Schema) -> dict[str, Any]:
    # Dictionaries cost more than they save on noise-like floats; splitting the
    # bytes of a float lets zstd see the slow exponents apart from the mantissas.
    by_column = {}
    for field in schema:
        nested = pa.types.is_nested(field.type)
        kind = field.type.value_type if nested else field.type
        path = f"{field.name}.list.element" if nested else field.name
        if pa.types.is_floating(kind):
            by_column[path] = "BYTE_STREAM_SPLIT"
        elif pa.types.is_integer(kind):
            by_column[path] = "DELTA_BINARY_PACKED"
    return {
        "compression": "zstd",
        "use_dictionary": False,
        "column_encoding": by_column,
        "write_page_checksum": True,
    }


def _merge(
    sources: Sequence[Path],
    target: Path,
    metadata: Metadata,
    scratch: Path | None = None,
    *,
    packed: bool = False,
) -> None:
    """Write several files as one, packed only if that is wanted and they are packed alike."""
    damage: list[str] = []
    schemas = [_schema(source) for source in sources]
    alike = packed and all(same_tags(each, schemas[0]) for each in schemas)
    schema = schemas[0] if alike else _unified(schemas)
    tables = (table for source in sources for _, table in row_groups(source, damage))
    rows = max(1, VALUES_A_ROW_GROUP // sum(_width(field.type) for field in schema))

    def checked() -> Iterator[pa.Table]:
        for table in _regrouped(_ascending(tables), rows):
            yield table if alike else _conform(unpack(table), schema)
        if damage:
            raise LogError(f"{damage[0]}; its parts stay as they are, beside the rest")

    _write(checked(), schema, target, metadata, scratch)


def _unified(schemas: Sequence[pa.Schema]) -> pa.Schema:
    different: list[pa.Schema] = []
    for schema in schemas:
        if not different or not same_tags(schema, different[-1]):
            different.append(schema)
    return pa.unify_schemas([unpacked_schema(schema) for schema in different])


def _width(kind: pa.DataType) -> int:
    return kind.list_size if pa.types.is_fixed_size_list(kind) else 1


def _schema(source: Path) -> pa.Schema:
    try:
        return pq.read_schema(source)
    except _DAMAGE as error:
        raise LogError(f"{source}: {one_line(error)}; the parts stay as they are") from error


def _conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    present = set(table.column_names)
    columns = [
        table[field.name] if field.name in present else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _regrouped(tables: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Join small tables with the same columns until each has about `rows` rows."""
    pending: list[pa.Table] = []
    count = 0
    for table in tables:
        if pending and (count >= rows or not same_tags(table.schema, pending[0].schema)):
            yield pa.concat_tables(pending)
            pending, count = [], 0
        pending.append(table)
        count += table.num_rows
    if pending:
        yield pa.concat_tables(pending)


def _ascending(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Leave out the steps that an earlier file holds already.

    After a kill between renaming a merged file and removing what went into it,
    both are there.
    """
    last = None
    for table in tables:
        steps = numbers(table[STEP])
        overlaps = last is not None and len(steps) and steps[0] <= last
        fresh = table.filter(arrow_array(steps > last)) if overlaps else table
        if fresh.num_rows:
            last = int(numbers(fresh[STEP]).max())
            yield fresh


def row_groups(source: Path, damage: list[str]) -> Iterator[tuple[int, pa.Table]]:
    """Yield a file's row groups and their numbers, one at a time.

    Parameters
    ----------
    source : Path
        The file.
    damage : list of str
        Gets a line for each piece that cannot be read; such columns, or row
        groups, are left out.  Tags that are packed stay so.
    """
    try:
        with (
            _opened(source) as place,
            pq.ParquetFile(place, page_checksum_verification=True) as file,
        ):
            step = file.schema_arrow.get_field_index(STEP)
            if step < 0 or not pa.types.is_integer(file.schema_arrow.field(step).type):
                damage.append(f"{source}: has no column {STEP!r} of integers, so it is left out")
                return
            for group in range(file.num_row_groups):
                table = _read_row_group(file, group, source, damage)
                if table is not None:
                    yield group, table
    except FileNotFoundError:
        raise
    except _DAMAGE as error:
        damage.append(f"{source}: damaged, its rows are left out ({one_line(error)})")


def read_row_group(source: Path, group: int, columns: Sequence[str] | None = None) -> pa.Table:
    """Read one row group, or columns of it, that `row_groups` has found whole."""
    with _opened(source) as place, pq.ParquetFile(place) as file:
        return file.read_row_group(group, columns=columns)


def _read_row_group(
    file: pq.ParquetFile, group: int, source: Path, damage: list[str]
) -> pa.Table | None:
    try:
        return file.read_row_group(group)
    except _DAMAGE:
        pass
    columns = {}
    for name in file.schema_arrow.names:
        try:
            columns[name] = file.read_row_group(group, columns=[name])[name]
        except _DAMAGE as error:
            where = f"{source}: row group {group + 1} of {file.num_row_groups}"
            if name == STEP:
                damage.append(f"{where}: damaged steps, its rows are left out ({one_line(error)})")
                return None
            damage.append(f"{where}: damaged, {name} is left out there ({one_line(error)})")
    rows = len(columns[STEP])
    columns.setdefault(WALL_TIME, pa.chunked_array([arrow_array(np.full(rows, np.nan))]))
    return pa.table(columns).replace_schema_metadata(file.schema_arrow.metadata)
