"""Opening the log of an ensemble; its predictions are read epoch by epoch."""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from runlog.ensemble.setup import EnsembleSetup, Floats, Predictions
from runlog.ensemble.tables import ENSEMBLE, ENSEMBLE_SETUP, predictions_of, setup_arrays
from runlog.errors import LogError, described
from runlog.locations import Location, location
from runlog.opening import open_run
from runlog.parquet import read_row_group, row_groups, table_sources
from runlog.run import STEP, Run

__all__ = ["Ensemble", "NoEnsembleError", "open_ensemble"]


class NoEnsembleError(LogError):
    """A run holds no predictions of an ensemble."""


class Source(Protocol):
    """Where predictions lie."""

    epochs: npt.NDArray[np.int64]

    def at(self, place: int) -> Predictions:
        """Read the predictions of one of the epochs."""


class Ensemble:
    """What an ensemble predicted while it was trained.

    Parameters
    ----------
    run : Run
        Its metadata, and its ordinary series, such as the members' losses.
    setup : EnsembleSetup
        What stays fixed.
    source : Source
        Where the predictions come from.

    Attributes
    ----------
    epochs : np.ndarray [shape=(epochs,), int64]
        The recorded epochs, ascending; 0 is before the first step.
    members : int
        How many.
    """

    def __init__(self, run: Run, setup: EnsembleSetup, source: Source) -> None:
        self.run = run
        self.setup = setup
        self.epochs = source.epochs
        self._source = source
        self.members = len(source.at(0).grid)
        if setup.prior is not None and len(setup.prior.grid) != self.members:
            raise LogError(
                f"run {run.name!r}: has {self.members} members but the priors of "
                f"{len(setup.prior.grid)}"
            )

    def __repr__(self) -> str:
        return f"<Ensemble {self.run.name!r}: {self.members} members, {len(self.epochs)} epochs>"

    def at(self, place: int) -> Predictions:
        """Read what the members predict, Q = f + β·p.

        Parameters
        ----------
        place : int
            Which of `epochs`, counted from 0.

        Raises
        ------
        LogError
            If the log has changed or broken since it was opened.
        """
        try:
            return self._source.at(range(len(self.epochs))[place])
        except (OSError, pa.ArrowException, ValueError, KeyError) as error:
            raise LogError(
                f"run {self.run.name!r}: epoch {self.epochs[place]} cannot be read any more "
                f"({described(error)})"
            ) from error

    def trained(self, place: int) -> Predictions:
        """Return the trained part f = Q - β·p of an epoch's predictions; Q where there is no p."""
        both, prior = self.at(place), self.setup.prior
        if prior is None:
            return both
        scale = self.setup.prior_scale
        return Predictions(*(q - scale * p for q, p in zip(both, prior, strict=True)))

    def __iter__(self) -> Iterator[Predictions]:
        return (self.at(place) for place in range(len(self.epochs)))

    def log_hash(self) -> str:
        """Return the SHA-256 of setup, epochs and predictions, whatever the log's format."""
        digest = hashlib.sha256()
        for name, array in sorted(self.setup.arrays().items()):
            digest.update(f"{name}{array.shape}".encode())
            digest.update(np.asarray(array, "<f8").tobytes())
        for epoch, predictions in zip(self.epochs.tolist(), self, strict=True):
            digest.update(epoch.to_bytes(8, "little", signed=True))
            for values in predictions:
                digest.update(np.where(np.isnan(values), np.float32("nan"), values).tobytes())
        return digest.hexdigest()


def open_ensemble(path: Location, *, name: str | None = None) -> Ensemble:
    """Read the log of an ensemble.

    Parameters
    ----------
    path : str or path-like
        A run's directory, in any format.
    name : str, optional
        What to call it; by default as its folder.

    Raises
    ------
    NoEnsembleError
        If the run has no predictions of an ensemble.
    LogError
        If there is no run, or its predictions do not fit together.
    """
    place = location(path)
    run = open_run(place, name=name)
    damage: list[str] = []
    files = table_sources(place, ENSEMBLE) if place.is_dir() else []
    try:
        setup = EnsembleSetup.from_arrays(_setup(run))
        source: Source = (
            _ParquetSource(files, setup, damage) if files else _TensorSource(run, setup)
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LogError(
            f"{place}: the ensemble's tables do not fit together ({described(error)})"
        ) from error
    if not len(source.epochs):
        why = f"; {damage[0]}" if damage else " yet"
        raise NoEnsembleError(f"{place}: no epoch of its ensemble is recorded{why}")
    whole = Run(**{**vars(run), "damage": (*run.damage, *damage)})
    return Ensemble(whole, setup, source)


def _setup(run: Run) -> dict[str, Floats]:
    """Find the arrays of the setup, from Parquet or from event files."""
    if ENSEMBLE_SETUP in run.tables:
        return setup_arrays(run.tables[ENSEMBLE_SETUP])
    prefix = f"{ENSEMBLE_SETUP}/"
    arrays = {
        tag.removeprefix(prefix): _tensor(table, 0)
        for tag, table in run.tables.items()
        if tag.startswith(prefix)
    }
    if not arrays:
        raise NoEnsembleError(
            f"run {run.name!r} has no ensemble table; expected {ENSEMBLE}.parquet, or tensors "
            f"{ENSEMBLE}/grid in event files, as EnsembleRecorder or 'earshot record ensemble' "
            "writes them"
        )
    return arrays


def _tensor(table: pa.Table, row: int) -> Floats:
    values: Floats = table["value"][row].values.to_numpy(zero_copy_only=False)
    return values.reshape(table["shape"][row].as_py())


class _TensorSource:
    """Predictions from event files, which are read as a whole."""

    def __init__(self, run: Run, setup: EnsembleSetup) -> None:
        self._setup = setup
        self._tables = {name: run.tables[f"{ENSEMBLE}/{name}"] for name in setup.places}
        steps = [table[STEP].to_numpy() for table in self._tables.values()]
        self.epochs = steps[0]
        if any(not np.array_equal(self.epochs, each) for each in steps[1:]):
            raise ValueError("its places were recorded in different epochs")
        shapes = {name: (-1, points) for name, points in setup.places.items()}
        members = self._tables["grid"]["shape"][0].as_py()[0] if len(self.epochs) else 0
        for name, table in self._tables.items():
            for epoch, shape in zip(self.epochs, table["shape"].to_pylist(), strict=True):
                if shape != [members, shapes[name][1]]:
                    raise ValueError(
                        f"{ENSEMBLE}/{name} has shape {tuple(shape)} at epoch {epoch}; "
                        f"expected {(members, shapes[name][1])}"
                    )

    def at(self, place: int) -> Predictions:
        return self._setup.as_predictions(
            {name: _tensor(table, place) for name, table in self._tables.items()}
        )


class _Place(NamedTuple):
    """Where an epoch's rows lie."""

    file: Path
    group: int
    start: int
    rows: int


class _ParquetSource:
    """Predictions from Parquet files, of which one row group at a time is in memory."""

    def __init__(self, files: list[Path], setup: EnsembleSetup, damage: list[str]) -> None:
        self._setup = setup
        found: dict[int, _Place] = {}
        for file in files:
            for group, rows in row_groups(file, damage):
                if set(setup.places) <= set(rows.column_names):
                    self._note(found, file, group, rows)
        self.epochs = np.array(sorted(found), np.int64)
        self._places = [found[epoch] for epoch in self.epochs.tolist()]
        self._group = lru_cache(maxsize=1)(read_row_group)

    def _note(self, found: dict[int, _Place], file: Path, group: int, rows: pa.Table) -> None:
        """Note where the epochs of a row group lie, and check their lists."""
        for name, points in self._setup.places.items():
            kind = rows.schema.field(name).type
            if not pa.types.is_fixed_size_list(kind) or kind.list_size != points:
                raise ValueError(
                    f"{file.name}: column {name} holds {kind}; expected lists of {points} numbers"
                )
        steps = rows[STEP].to_numpy()
        epochs, starts, counts = np.unique(steps, return_index=True, return_counts=True)
        for epoch, start, count in zip(
            epochs.tolist(), starts.tolist(), counts.tolist(), strict=True
        ):
            found.setdefault(epoch, _Place(file, group, start, count))
        members = {place.rows for place in found.values()}
        if len(members) > 1:
            raise ValueError(f"epochs have {min(members)} to {max(members)} members")

    def at(self, place: int) -> Predictions:
        where = self._places[place]
        rows = self._group(where.file, where.group).slice(where.start, where.rows)
        if not pc.all(pc.equal(rows[STEP], int(self.epochs[place]))).as_py():
            raise ValueError("the file has changed")
        return predictions_of(rows, self._setup)
