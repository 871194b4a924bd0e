"""Opening the log of an ensemble; its predictions are read epoch by epoch."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from epochord.runlog.ensemble.setup import EnsembleSetup, Floats, Predictions
from epochord.runlog.ensemble.tables import ENSEMBLE, ENSEMBLE_SETUP, setup_arrays
from epochord.runlog.errors import LogError, described
from epochord.runlog.locations import Location
from epochord.runlog.parquet import read_parquet, table_sources
from epochord.runlog.reading.ensemble_sources import ParquetSource, TensorSource, tensor
from epochord.runlog.reading.opening import event_files, open_run
from epochord.runlog.reading.source import RunSource, place_and_name
from epochord.runlog.reading.tables import StoredTables
from epochord.runlog.run.run import WALL_TIME, Run

__all__ = ["Ensemble", "NoEnsembleError", "open_ensemble"]

HOLDS = {
    ENSEMBLE: "its predictions, epoch by epoch",
    ENSEMBLE_SETUP: "its grid, its training data and its priors",
}
SETUP_COLUMNS = {"name", "row", "values"}


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


def open_ensemble(path: Location | RunSource, *, name: str | None = None) -> Ensemble:
    """Read the log of an ensemble.

    Parameters
    ----------
    path : str, path-like or RunSource
        A run's directory, in any format, or one of what `find_runs` returns.
    name : str, optional
        What to call it; by default as its folder.

    Raises
    ------
    NoEnsembleError
        If the run has no predictions of an ensemble.
    LogError
        If there is no run, a table is missing or damaged, or they do not fit together.

    Notes
    -----
    Only the grid's predictions are needed.  Those at the data, or at held-out points, that are
    missing or damaged are NaN, and `Ensemble.run` names them in its `damage`.
    """
    place, name = place_and_name(path, name)
    run = open_run(place, name=name)
    damage: list[str] = []
    try:
        setup, source = _found(run, place, damage)
    except (ValueError, KeyError, TypeError) as error:
        raise LogError(
            f"{place}: the ensemble's tables do not fit together ({described(error)}); "
            "record the run again"
        ) from error
    if not len(source.epochs):
        raise NoEnsembleError(f"{place}: no epoch of its ensemble is recorded yet")
    whole = Run(**{**vars(run), "damage": (*run.damage, *damage)})
    return Ensemble(whole, setup, source)


def _found(run: Run, place: Path, damage: list[str]) -> tuple[EnsembleSetup, Source]:
    """Find setup and predictions in Parquet files or, where these are not whole, event files."""
    files = {name: table_sources(place, name) if place.is_dir() else [] for name in HOLDS}
    if all(files.values()):
        rows, lost = read_parquet(place, ENSEMBLE_SETUP)
        damage += lost
        if len(rows) and set(rows.column_names) >= SETUP_COLUMNS:
            setup = _setup(setup_arrays(rows), files[ENSEMBLE_SETUP][0], damage)
            source = ParquetSource(files[ENSEMBLE], setup, damage)
            if len(source.epochs) or not damage:
                return setup, source
    tables = _tensors(run, place)
    prefix = f"{ENSEMBLE_SETUP}/"
    arrays = {
        tag.removeprefix(prefix): tensor(table, 0)
        for tag, table in tables.items()
        if tag.startswith(prefix)
    }
    if arrays:
        setup = _setup(arrays, place, damage)
        return setup, TensorSource(tables, setup, place, damage)
    raise _nothing(run, place, {name for name, there in files.items() if there}, damage)


def _tensors(run: Run, place: Path) -> Mapping[str, pa.Table]:
    """Return the tables of event files, also where the run was opened from Parquet files."""
    if isinstance(run.tables, StoredTables) and (files := event_files(place)):
        from epochord.runlog.tensorboard import read_event_files

        return read_event_files(files).tables
    return run.tables


def _nothing(run: Run, place: Path, there: set[str], damage: list[str]) -> LogError:
    """Say why there is no ensemble to be opened."""
    remedy = "copy it back from where the run was recorded, or record the run again"
    if damage:
        fatal = next((line for line in damage if f"{WALL_TIME} is left out" not in line), damage[0])
        return LogError(f"{fatal}; {remedy}")
    if there:
        (missing,) = HOLDS.keys() - there
        return LogError(
            f"{place}: has {there.pop()}.parquet but no {missing}.parquet, which holds "
            f"{HOLDS[missing]}; {remedy}"
        )
    return NoEnsembleError(
        f"run {run.name!r} has no ensemble table; expected {ENSEMBLE}.parquet, or tensors "
        f"{ENSEMBLE}/grid in event files, as EnsembleRecorder or 'epochord record ensemble' "
        "writes them"
    )


def _setup(arrays: dict[str, Floats], where: Path, damage: list[str]) -> EnsembleSetup:
    """Understand the setup; where something of the held-out points is lost, without them."""
    parts = {"held_out", "held_out_targets"}
    parts |= {"prior/held_out"} if "prior/grid" in arrays else set()
    lost = parts - arrays.keys()
    if lost and lost != parts:
        damage.append(f"{where}: {' and '.join(sorted(lost))} is lost, held_out is left out")
        arrays = {name: array for name, array in arrays.items() if name not in parts}
    return EnsembleSetup.from_arrays(arrays)
