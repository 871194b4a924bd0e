"""Opening the log of an ensemble; its predictions are read epoch by epoch."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from epochord.runlog.ensemble.setup import UNKNOWN, EnsembleSetup, Floats, Predictions
from epochord.runlog.ensemble.tables import ENSEMBLE, ENSEMBLE_SETUP, VARIANCE, setup_arrays
from epochord.runlog.errors import LogError, described
from epochord.runlog.locations import Location
from epochord.runlog.parquet import read_parquet, table_sources
from epochord.runlog.reading.ensemble_sources import (
    GridAt,
    OneOutput,
    ParquetSource,
    Source,
    TensorSource,
    tensor,
)
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
        How many there ever were; one that is absent in an epoch is a row of NaN there.
    present : np.ndarray [shape=(epochs, members), bool]
        Who was there in which epoch.
    task : {"regression", "classification"}
        Whether the members' numbers are values or probabilities of classes.
    outputs : int
        How many numbers a member says at a point: target dimensions, or classes.
    names : tuple of str
        What the members are called: the names given, else their numbers.
    classes : tuple of str
        What the classes are called: their labels, else their numbers; of a regression, none.
    """

    def __init__(self, run: Run, setup: EnsembleSetup, source: Source) -> None:
        self.run = run
        self.epochs = source.epochs
        self._source = source
        priors = 0 if setup.prior is None else max(map(len, setup.prior))
        self.members = max(priors, *(int(each.max()) + 1 for each in source.identities))
        self.present = np.zeros((len(self.epochs), self.members), bool)
        for row, identities in zip(self.present, source.identities, strict=True):
            row[identities] = True
        self.setup = self._for_all(setup)
        self.task, self.outputs = setup.task, setup.outputs
        about = run.metadata.hyperparameters
        self.names = _called(about.get("member_names"), self.members)
        classes = self.outputs if self.task == "classification" else 0
        self.classes = _called(about.get("classes"), classes)

    def _for_all(self, setup: EnsembleSetup) -> EnsembleSetup:
        """Complete what is known of the first members: who came later has no prior, for one."""
        if setup.indices is not None and (later := self.members - len(setup.indices)) > 0:
            unknown = np.full((later, setup.indices.shape[1]), UNKNOWN)
            setup = replace(setup, indices=np.concatenate([setup.indices, unknown]))
        if setup.prior is None or max(map(len, setup.prior)) == self.members:
            return setup
        prior = Predictions(*(_padded(each, self.members) for each in setup.prior))
        return replace(setup, prior=prior)

    def __repr__(self) -> str:
        what = f"{self.members} members, {len(self.epochs)} epochs"
        if self.outputs > 1:
            what += f", {self.outputs} {'classes' if self.classes else 'outputs'}"
        return f"<Ensemble {self.run.name!r}: {what}>"

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
        return self.setup.as_predictions(self._columns(place, ""))

    def variances(self, place: int) -> Predictions | None:
        """Read each member's own variance of an observation, in the shapes of `at`.

        Parameters
        ----------
        place : int
            Which of `epochs`, counted from 0.

        Returns
        -------
        Predictions or None
            None where the members give none.

        Raises
        ------
        LogError
            If the log has changed or broken since it was opened.
        """
        columns = self._columns(place, VARIANCE)
        return self.setup.as_predictions(columns) if columns else None

    def output(self, output: int) -> "Ensemble":
        """Return one output alone, as an ensemble whose members say one number at a point.

        Parameters
        ----------
        output : int
            Which, counted from 0.  Of a classification: a class, whose probability is
            predicted and whose targets are 1 where it is the class, else 0.

        Raises
        ------
        LogError
            If there is no such output.
        """
        if not 0 <= output < self.outputs:
            raise LogError(
                f"run {self.run.name!r} has no output {output}; it has {self.outputs}, counted "
                "from 0"
            )
        if self.setup.scalar:
            return self
        setup = _one_output(self.setup, output)
        return Ensemble(self.run, setup, OneOutput(self._source, output, self.outputs))

    def with_grid_at(self, place: str) -> "Ensemble":
        """Return the same ensemble with the points of another place for its grid.

        Parameters
        ----------
        place : {"data", "held_out", "ood"}
            One that has points.
        """
        prior = self.setup.prior
        setup = replace(
            self.setup,
            grid=getattr(self.setup, place),
            prior=prior and prior._replace(grid=getattr(prior, place)),
        )
        return Ensemble(self.run, setup, GridAt(self._source, place))

    def with_setup(self, setup: EnsembleSetup) -> "Ensemble":
        """Return the same predictions of another setup, which has as many points."""
        return Ensemble(self.run, setup, self._source)

    def _columns(self, place: int, prefix: str) -> dict[str, Floats]:
        """Read the columns of an epoch whose names begin so; a row a member there ever was."""
        try:
            number = range(len(self.epochs))[place]
            identities, columns = self._source.at(number)
        except (OSError, pa.ArrowException, ValueError, KeyError) as error:
            raise LogError(
                f"run {self.run.name!r}: epoch {self.epochs[place]} cannot be read any more "
                f"({described(error)})"
            ) from error
        places = {prefix + name: name for name in self.setup.places}
        found = {places[name]: values for name, values in columns.items() if name in places}
        if np.array_equal(identities, np.arange(self.members)):
            return found
        return {name: _scattered(each, identities, self.members) for name, each in found.items()}

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
        for place in range(len(self.epochs)):
            for values in self.variances(place) or ():
                digest.update(np.where(np.isnan(values), np.float32("nan"), values).tobytes())
        if not self.present.all():
            digest.update(np.packbits(self.present).tobytes())
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
    Only the predictions on the grid or, without one, at the first place are needed.  Those at
    other places that are missing or damaged are NaN, and `Ensemble.run` names them in its
    `damage`.
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
    inputs = "points/held_out" if "points/held_out" in arrays else "held_out"
    parts = {inputs, "held_out_targets"}
    parts |= {"prior/held_out"} if "prior_scale" in arrays else set()
    lost = parts - arrays.keys()
    if lost and lost != parts:
        damage.append(f"{where}: {' and '.join(sorted(lost))} is lost, held_out is left out")
        arrays = {name: array for name, array in arrays.items() if name not in parts}
    return EnsembleSetup.from_arrays(arrays)


def _one_output(setup: EnsembleSetup, output: int) -> EnsembleSetup:
    """Return the setup of one output; the targets of a class are whether it is the class."""

    def own(targets: Floats) -> Floats:
        if setup.task == "classification":
            return np.where(targets == output, 1.0, 0.0)
        column: Floats = targets[:, output]
        return column

    prior = setup.prior and Predictions(
        *(each[..., output] if each.ndim == 3 else each for each in setup.prior)
    )
    return replace(
        setup,
        task="regression",
        outputs=1,
        targets=own(setup.targets),
        held_out_targets=own(setup.held_out_targets),
        prior=prior,
    )


def _scattered(values: Floats, identities: npt.NDArray[np.int64], members: int) -> Floats:
    whole = np.full((members, *values.shape[1:]), np.nan, np.float32)
    whole[identities] = values
    return whole


def _padded(values: Floats, members: int) -> Floats:
    return _scattered(values, np.arange(len(values)), members) if len(values) else values


def _called(names: Any, count: int) -> tuple[str, ...]:
    """Return names that were given, as far as they go, and numbers for the rest."""
    given = [str(name) for name in names][:count] if isinstance(names, list | tuple) else []
    return (*given, *(str(number) for number in range(len(given), count)))
