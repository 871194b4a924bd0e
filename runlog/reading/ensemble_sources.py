"""Where an ensemble's predictions lie: in Parquet files or in event files, epoch by epoch."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from epochord.runlog.arrow import numbers
from epochord.runlog.ensemble.setup import EnsembleSetup, Floats
from epochord.runlog.ensemble.tables import ENSEMBLE, MEMBER, VARIANCE, Epoch, epoch_of
from epochord.runlog.parquet import read_row_group, row_groups
from epochord.runlog.run.run import STEP

__all__ = ["GridAt", "OneOutput", "ParquetSource", "Source", "TensorSource", "tensor"]

Identities = npt.NDArray[np.int64]

GRID = "grid"


class Source(Protocol):
    """Where predictions lie."""

    epochs: npt.NDArray[np.int64]
    identities: list[Identities]
    """Whose predictions there are, by epoch."""

    def at(self, place: int) -> Epoch:
        """Read one of the epochs."""


class OneOutput:
    """One of several outputs, as if it were the only one.

    Parameters
    ----------
    source : Source
        Of all of them.
    output, outputs : int
        Which, of how many.
    """

    def __init__(self, source: Source, output: int, outputs: int) -> None:
        self.epochs, self.identities = source.epochs, source.identities
        self._source, self._every = source, slice(output, None, outputs)

    def at(self, place: int) -> Epoch:
        """See `Source`."""
        members, columns = self._source.at(place)
        return Epoch(members, {name: values[:, self._every] for name, values in columns.items()})


class GridAt:
    """The predictions at another place, as those on the grid too.

    Parameters
    ----------
    source : Source
        Of all places.
    place : str
        Which.
    """

    def __init__(self, source: Source, place: str) -> None:
        self.epochs, self.identities = source.epochs, source.identities
        self._source, self._place = source, place

    def at(self, place: int) -> Epoch:
        """See `Source`."""
        members, columns = self._source.at(place)
        grid = {
            prefix + GRID: columns[prefix + self._place]
            for prefix in ("", VARIANCE)
            if prefix + self._place in columns
        }
        return Epoch(members, columns | grid)


def tensor(table: pa.Table, row: int) -> Floats:
    """Return one row of a table of tensors as an array."""
    values: Floats = numbers(table["value"][row].values)
    return values.reshape(table["shape"][row].as_py())


class TensorSource:
    """Predictions from event files, which are read as a whole.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
        The tensors by tag.
    setup : EnsembleSetup
        Says where predictions are expected.
    where : Path
        For messages.
    damage : list of str
        Gets a line for each place that is lost in some epochs.

    Raises
    ------
    ValueError
        If shapes do not fit.
    KeyError
        If there are none at the first place.
    """

    def __init__(
        self,
        tables: Mapping[str, pa.Table],
        setup: EnsembleSetup,
        where: Path,
        damage: list[str],
    ) -> None:
        _refuse_strange_grid(f"{ENSEMBLE}/{GRID}" in tables, setup)
        first = setup.first_place
        self._setup = setup
        names = [*setup.places, *(VARIANCE + name for name in setup.places)]
        self._tables = {
            name: tables[f"{ENSEMBLE}/{name}"]
            for name in names
            if name == first or f"{ENSEMBLE}/{name}" in tables
        }
        lead = self._tables[first]
        sizes = [shape[0] for shape in lead["shape"].to_pylist()]
        rows = dict(zip(numbers(lead[STEP]).tolist(), sizes, strict=True))
        known = _identities(tables.get(f"{ENSEMBLE}/{MEMBER}"), rows)
        if lost := len(rows) - len(known):
            damage.append(
                f"{where}: {ENSEMBLE}/{MEMBER} is missing in {lost} of {len(rows)} epochs, which "
                "are left out"
            )
        self.epochs = np.array(list(known), np.int64)
        self.identities = list(known.values())
        for name, points in setup.places.items():
            self._check(name, points * setup.outputs, rows, where, damage)
            if VARIANCE + name in self._tables:
                self._check(VARIANCE + name, points * setup.outputs, rows, where, damage)

    def _check(
        self, name: str, width: int, rows: Mapping[int, int], where: Path, damage: list[str]
    ) -> None:
        """Check the shapes of what there is of a place; say in how many epochs it is missing."""
        table = self._tables.get(name)
        epochs = [] if table is None else numbers(table[STEP]).tolist()
        shapes = [] if table is None else table["shape"].to_pylist()
        for epoch, shape in zip(epochs, shapes, strict=True):
            if epoch in rows and shape != [rows[epoch], width]:
                raise ValueError(
                    f"{ENSEMBLE}/{name} has shape {tuple(shape)} at epoch {epoch}; "
                    f"expected {(rows[epoch], width)}"
                )
        if lost := len(self.epochs) - len(np.intersect1d(epochs, self.epochs)):
            damage.append(
                f"{where}: {ENSEMBLE}/{name} is missing in {lost} of {len(self.epochs)} "
                f"epochs, {name} is left out there"
            )

    def at(self, place: int) -> Epoch:
        """See `Source`."""
        columns = {}
        for name, table in self._tables.items():
            row = np.flatnonzero(numbers(table[STEP]) == self.epochs[place])
            if len(row):
                columns[name] = tensor(table, int(row[0]))
        return Epoch(self.identities[place], columns)


def _identities(table: pa.Table | None, rows: Mapping[int, int]) -> dict[int, Identities]:
    """Say who is there in which epoch; without a table, as before there was one, all in order."""
    if table is None:
        return {epoch: np.arange(count) for epoch, count in rows.items()}
    steps = numbers(table[STEP]).tolist()
    found = {step: tensor(table, row).ravel() for row, step in enumerate(steps)}
    return {
        epoch: _distinct(found[epoch].astype(np.int64), epoch, count)
        for epoch, count in rows.items()
        if epoch in found
    }


def _distinct(members: Identities, epoch: int, rows: int) -> Identities:
    if len(members) != rows or len(np.unique(members)) != rows or (members < 0).any():
        raise ValueError(f"epoch {epoch} has {rows} rows of members {members.tolist()}")
    return members


def _refuse_strange_grid(has_grid: bool, setup: EnsembleSetup) -> None:
    if has_grid and GRID not in setup.places:
        raise ValueError("there are predictions on a grid, but the setup has none")


class _Place(NamedTuple):
    """Where an epoch's rows lie, which of their columns are whole, and whose they are."""

    file: Path
    group: int
    columns: tuple[str, ...]
    start: int
    rows: int
    members: Identities | None


class ParquetSource:
    """Predictions from Parquet files, of which one row group at a time is in memory.

    Parameters
    ----------
    files : list of Path
        In the order of their epochs.
    setup : EnsembleSetup
        Says where predictions are expected.
    damage : list of str
        Gets a line for each piece that is lost.

    Raises
    ------
    ValueError
        If shapes do not fit.
    """

    def __init__(self, files: list[Path], setup: EnsembleSetup, damage: list[str]) -> None:
        self._setup = setup
        found: dict[int, _Place] = {}
        for file in files:
            before = len(damage)
            for group, rows in row_groups(file, damage):
                _refuse_strange_grid(GRID in rows.column_names, setup)
                columns = self._whole(file, rows, damage, said=len(damage) > before)
                if setup.first_place in columns:
                    _note(found, file, group, columns, rows)
        known = _with_members(found, damage)
        self.epochs = np.array(sorted(known), np.int64)
        self._places = [known[epoch] for epoch in self.epochs.tolist()]
        self.identities = [
            np.arange(each.rows) if each.members is None else each.members for each in self._places
        ]
        self._group = lru_cache(maxsize=1)(read_row_group)

    def _whole(
        self, file: Path, rows: pa.Table, damage: list[str], *, said: bool
    ) -> tuple[str, ...]:
        """Return the columns of predictions that a row group holds; check their lists."""
        columns = []
        for name, points in self._setup.places.items():
            if name not in rows.column_names:
                if not said:
                    damage.append(f"{file}: has no column {name}, which is left out")
                continue
            there = (column for column in (name, VARIANCE + name) if column in rows.column_names)
            columns += _checked(there, file, rows.schema, points * self._setup.outputs)
        return tuple(columns)

    def at(self, place: int) -> Epoch:
        """See `Source`."""
        where = self._places[place]
        rows = self._group(where.file, where.group, (STEP, *where.columns))
        rows = rows.slice(where.start, where.rows)
        if (numbers(rows[STEP]) != self.epochs[place]).any():
            raise ValueError("the file has changed")
        return epoch_of(rows, self._setup, self.identities[place])


def _checked(columns: Iterable[str], file: Path, schema: pa.Schema, width: int) -> list[str]:
    found = list(columns)
    for name in found:
        kind = schema.field(name).type
        if not pa.types.is_fixed_size_list(kind) or kind.list_size != width:
            raise ValueError(
                f"{file.name}: column {name} holds {kind}; expected lists of {width} numbers"
            )
    return found


def _note(
    found: dict[int, _Place], file: Path, group: int, columns: tuple[str, ...], rows: pa.Table
) -> None:
    """Note where the epochs of a row group lie."""
    steps = numbers(rows[STEP])
    members = numbers(rows[MEMBER]).astype(np.int64) if MEMBER in rows.column_names else None
    epochs, starts, counts = np.unique(steps, return_index=True, return_counts=True)
    for epoch, start, count in zip(epochs.tolist(), starts.tolist(), counts.tolist(), strict=True):
        own = None if members is None else members[start : start + count]
        if own is not None:
            own = _distinct(own, epoch, count)
        found.setdefault(epoch, _Place(file, group, columns, start, count, own))


def _with_members(found: dict[int, _Place], damage: list[str]) -> dict[int, _Place]:
    """Leave out the epochs of which it is lost whose rows they are, unless all are there."""
    most = max(
        (e.rows if e.members is None else int(e.members.max()) + 1 for e in found.values()),
        default=0,
    )
    known = {n: e for n, e in found.items() if e.members is not None or e.rows == most}
    if lost := len(found) - len(known):
        damage.append(f"{MEMBER} is lost in {lost} of {len(found)} epochs, which are left out")
    return known
