"""Where an ensemble's predictions lie: in Parquet files or in event files, epoch by epoch."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from epochord.runlog.arrow import numbers
from epochord.runlog.ensemble.setup import EnsembleSetup, Floats, Predictions
from epochord.runlog.ensemble.tables import ENSEMBLE, predictions_of
from epochord.runlog.parquet import read_row_group, row_groups
from epochord.runlog.run.run import STEP

__all__ = ["ParquetSource", "TensorSource", "tensor"]

GRID = "grid"  # without it there is no epoch; the other places may be lost


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
        If there are none on the grid.
    """

    def __init__(
        self,
        tables: Mapping[str, pa.Table],
        setup: EnsembleSetup,
        where: Path,
        damage: list[str],
    ) -> None:
        self._setup = setup
        self._tables = {
            name: tables[f"{ENSEMBLE}/{name}"]
            for name in setup.places
            if name == GRID or f"{ENSEMBLE}/{name}" in tables
        }
        self.epochs = numbers(self._tables[GRID][STEP])
        members = self._tables[GRID]["shape"][0].as_py()[0] if len(self.epochs) else 0
        for name, points in setup.places.items():
            found = self._epochs_of(name, [members, points])
            if lost := len(self.epochs) - len(np.intersect1d(found, self.epochs)):
                damage.append(
                    f"{where}: {ENSEMBLE}/{name} is missing in {lost} of {len(self.epochs)} "
                    f"epochs, {name} is left out there"
                )

    def _epochs_of(self, name: str, expected: list[int]) -> npt.NDArray[np.int64]:
        """Return the epochs that have predictions at a place, and check their shapes."""
        if name not in self._tables:
            return np.empty(0, np.int64)
        table = self._tables[name]
        epochs: npt.NDArray[np.int64] = numbers(table[STEP])
        for epoch, shape in zip(epochs, table["shape"].to_pylist(), strict=True):
            if shape != expected:
                raise ValueError(
                    f"{ENSEMBLE}/{name} has shape {tuple(shape)} at epoch {epoch}; "
                    f"expected {tuple(expected)}"
                )
        return epochs

    def at(self, place: int) -> Predictions:
        """See `epochord.runlog.reading.ensemble.Source`."""
        columns = {}
        for name, table in self._tables.items():
            row = np.flatnonzero(numbers(table[STEP]) == self.epochs[place])
            if len(row):
                columns[name] = tensor(table, int(row[0]))
        return self._setup.as_predictions(columns)


class _Place(NamedTuple):
    """Where an epoch's rows lie, and which of their columns are whole."""

    file: Path
    group: int
    columns: tuple[str, ...]
    start: int
    rows: int


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
                columns = self._whole(file, rows, damage, said=len(damage) > before)
                if GRID in columns:
                    self._note(found, file, group, columns, rows)
        self.epochs = np.array(sorted(found), np.int64)
        self._places = [found[epoch] for epoch in self.epochs.tolist()]
        self._group = lru_cache(maxsize=1)(read_row_group)

    def _whole(
        self, file: Path, rows: pa.Table, damage: list[str], *, said: bool
    ) -> tuple[str, ...]:
        """Return the places whose predictions a row group holds; check their lists."""
        columns = []
        for name, points in self._setup.places.items():
            if name not in rows.column_names:
                if not said:
                    damage.append(f"{file}: has no column {name}, which is left out")
                continue
            kind = rows.schema.field(name).type
            if not pa.types.is_fixed_size_list(kind) or kind.list_size != points:
                raise ValueError(
                    f"{file.name}: column {name} holds {kind}; expected lists of {points} numbers"
                )
            columns.append(name)
        return tuple(columns)

    def _note(
        self,
        found: dict[int, _Place],
        file: Path,
        group: int,
        columns: tuple[str, ...],
        rows: pa.Table,
    ) -> None:
        """Note where the epochs of a row group lie."""
        steps = numbers(rows[STEP])
        epochs, starts, counts = np.unique(steps, return_index=True, return_counts=True)
        for epoch, start, count in zip(
            epochs.tolist(), starts.tolist(), counts.tolist(), strict=True
        ):
            found.setdefault(epoch, _Place(file, group, columns, start, count))
        members = {place.rows for place in found.values()}
        if len(members) > 1:
            raise ValueError(f"epochs have {min(members)} to {max(members)} members")

    def at(self, place: int) -> Predictions:
        """See `epochord.runlog.reading.ensemble.Source`."""
        where = self._places[place]
        rows = self._group(where.file, where.group, (STEP, *where.columns))
        rows = rows.slice(where.start, where.rows)
        if (numbers(rows[STEP]) != self.epochs[place]).any():
            raise ValueError("the file has changed")
        return predictions_of(rows, self._setup)
