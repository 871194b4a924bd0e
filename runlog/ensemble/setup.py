"""What an ensemble's log holds, in memory: predictions of an epoch, and what stays fixed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_STORED_INPUTS", "PLACES", "TASKS", "UNKNOWN", "EnsembleSetup", "Predictions"]

Floats = npt.NDArray[np.floating[Any]]

UNKNOWN = -1  # index of what a member was trained on

PLACES = ("grid", "data", "held_out", "ood")  # where an ensemble is asked
TASKS = ("regression", "classification")
TARGETS = {"data": "targets", "held_out": "held_out_targets"}
# Inputs of more numbers a point, such as images, are not stored: only how many points there are.
MOST_STORED_INPUTS = 64

_NOWHERE: Floats = np.empty((0, 0), np.float32)
_NOWHERE.flags.writeable = False


class Predictions(NamedTuple):
    """What every member says at every place.

    Of a regression with one output, numbers [shape=(members, points)]; of one with several,
    [shape=(members, points, outputs)]; of a classification, probabilities
    [shape=(members, points, classes)].  A member that is absent in an epoch is a row of NaN.

    Parameters
    ----------
    grid : np.ndarray
        On the grid that is drawn.
    data : np.ndarray
        At the training data.
    held_out : np.ndarray
        At data that nobody was trained on.
    ood : np.ndarray
        At inputs that are known to be out of distribution; of shape (0, 0) where there are none.
    """

    grid: Floats
    data: Floats
    held_out: Floats
    ood: Floats = _NOWHERE


@dataclass(frozen=True)
class EnsembleSetup:
    """What stays fixed while an ensemble is trained.

    Parameters
    ----------
    grid : np.ndarray [shape=(grid points, inputs)]
        Where the ensemble is asked in every recorded epoch, to be drawn; may be empty where there
        are points elsewhere.
    data, targets : np.ndarray [shape=(n, inputs)] and [shape=(n,) or (n, outputs)]
        Training data; may be empty.  Of a classification, targets are numbers of classes.
    held_out, held_out_targets : np.ndarray [shape=(m, inputs)] and [shape=(m,) or (m, outputs)]
        Data that nobody was trained on; may be empty.
    indices : np.ndarray [shape=(members, draws), int64], optional
        Which training data each member was trained on, where they differ; a row of `UNKNOWN`
        for a member of which that is not known.
    prior : Predictions, optional
        What each member's fixed prior function p says, without the scale.
    prior_scale : float
        β: a member predicts Q = f + β·p.
    ood : np.ndarray [shape=(k, inputs)]
        Inputs known to be out of distribution; may be empty.
    task : {"regression", "classification"}
        What the members' numbers are.
    outputs : int
        How many numbers a member says at a point: target dimensions, or classes.

    Raises
    ------
    ValueError
        If the shapes do not fit each other.

    Notes
    -----
    Inputs of more than 64 numbers a point are not stored: they are of shape (points, 0).
    """

    grid: Floats = field(default_factory=lambda: np.empty((0, 1)))
    data: Floats = field(default_factory=lambda: np.empty((0, 1)))
    targets: Floats = field(default_factory=lambda: np.empty(0))
    held_out: Floats = field(default_factory=lambda: np.empty((0, 1)))
    held_out_targets: Floats = field(default_factory=lambda: np.empty(0))
    indices: npt.NDArray[np.int64] | None = None
    prior: Predictions | None = None
    prior_scale: float = 1.0
    ood: Floats = field(default_factory=lambda: np.empty((0, 1)))
    task: str = TASKS[0]
    outputs: int = 1

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(f"task is {self.task!r}; expected {' or '.join(map(repr, TASKS))}")
        if self.task == TASKS[1] and self.outputs < 2:
            raise ValueError(f"a classification of {self.outputs} class; expected 2 or more")
        self._check_inputs()
        for name, of in TARGETS.items():
            self._check_targets(name, getattr(self, of))
        if self.indices is not None and not _within(self.indices, len(self.data)):
            raise ValueError(
                f"indices [shape={self.indices.shape}] must be (members, draws) numbers from 0 to "
                f"{len(self.data) - 1}, one for each of the training data"
            )

    def _check_inputs(self) -> None:
        given = {name: getattr(self, name) for name in PLACES}
        for name, array in given.items():
            if array.ndim != 2:
                raise ValueError(f"{name} has shape {array.shape}; expected (points, inputs)")
        filled = [name for name in PLACES if len(given[name])]
        if not filled:
            raise ValueError(
                f"grid has shape {self.grid.shape} and there are no other points; expected (points,"
                " inputs), or held_out=(inputs, targets)"
            )
        first = given[filled[0]]
        for name, array in given.items():
            if not len(array):  # nothing is of any number of inputs
                object.__setattr__(self, name, np.empty((0, first.shape[1])))
            elif array.shape[1:] != first.shape[1:]:
                raise ValueError(
                    f"{name} has shape {array.shape}; expected (points, {first.shape[1]}), "
                    f"as the {filled[0]}"
                )

    def _check_targets(self, name: str, targets: Floats) -> None:
        points = len(getattr(self, name))
        several = self.outputs > 1 and self.task == TASKS[0]
        expected = (points, self.outputs) if several else (points,)
        if not points and not targets.size:
            object.__setattr__(self, TARGETS[name], np.empty(expected))
        elif targets.shape != expected:
            each = f"{self.outputs} targets each" if several else "one target each"
            raise ValueError(
                f"{name} has {points} inputs and targets of shape {targets.shape}; expected {each}"
            )

    @property
    def places(self) -> dict[str, int]:
        """How many points there are at each of `PLACES` that has any."""
        counts = {name: len(getattr(self, name)) for name in PLACES}
        return {name: count for name, count in counts.items() if count}

    @property
    def first_place(self) -> str:
        """Where predictions are needed: the grid or, without one, the first that has points."""
        return next(iter(self.places))

    @property
    def scalar(self) -> bool:
        """Whether a member says one number at a point, so that there is no axis of outputs."""
        return self.outputs == 1

    def as_predictions(self, columns: Mapping[str, Floats]) -> Predictions:
        """Complete what was read of an epoch: NaN at places where nothing was.

        Parameters
        ----------
        columns : mapping of str to np.ndarray [shape=(members, points * outputs)]
            By place.
        """
        members, counts = len(next(iter(columns.values()))), self.places
        found = []
        for name in PLACES:
            points = counts.get(name, 0)
            shape = (members, points) if self.scalar else (members, points, self.outputs)
            if name in columns:
                found.append(columns[name].reshape(shape))
            elif name == "ood" and not points:
                found.append(_NOWHERE)
            else:
                found.append(np.full(shape, np.nan, np.float32))
        return Predictions(*found)

    def arrays(self) -> dict[str, Floats | npt.NDArray[np.int64]]:
        """Return all that there is, by name, as arrays of rank 2."""
        found: dict[str, Any] = {}
        for name, points in self.places.items():
            stored = getattr(self, name)
            found[name] = stored
            if not stored.shape[1]:
                found[f"points/{name}"] = np.array([[points]])
            if name in TARGETS:
                found[TARGETS[name]] = getattr(self, TARGETS[name]).reshape(points, -1)
        found["indices"] = self.indices
        if self.prior is not None:
            for name, each in self.prior._asdict().items():
                found[f"prior/{name}"] = each.reshape(len(each), -1) if each.size else each
            found["prior_scale"] = np.array([[self.prior_scale]])
        if self.task != TASKS[0]:
            found["task"] = np.array([[TASKS.index(self.task)]])
        if not self.scalar:
            found["outputs"] = np.array([[self.outputs]])
        return {name: array for name, array in found.items() if array is not None and array.size}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats]) -> Self:
        """Understand what `arrays` returned.

        Raises
        ------
        ValueError, KeyError
            If something is missing or does not fit.
        """
        task = TASKS[int(arrays["task"][0, 0])] if "task" in arrays else TASKS[0]
        outputs = int(arrays["outputs"][0, 0]) if "outputs" in arrays else 1
        several = outputs > 1 and task == TASKS[0]
        plain: dict[str, Any] = {}
        for name in PLACES:
            if f"points/{name}" in arrays:
                plain[name] = np.empty((int(arrays[f"points/{name}"][0, 0]), 0))
            elif name in arrays:
                plain[name] = arrays[name]
            if name in plain and name in TARGETS:
                column = arrays[TARGETS[name]]
                plain[TARGETS[name]] = column if several else column[:, 0]
        bare = cls(**plain, task=task, outputs=outputs)
        indices = arrays["indices"].astype(np.int64) if "indices" in arrays else None
        if "prior_scale" not in arrays:
            return replace(bare, indices=indices)
        prior = {name: arrays[f"prior/{name}"] for name in bare.places}
        return replace(
            bare,
            indices=indices,
            prior=bare.as_predictions(prior),
            prior_scale=float(arrays["prior_scale"][0, 0]),
        )


def _within(indices: npt.NDArray[np.int64], points: int) -> bool:
    """Tell whether all are numbers of points, or `UNKNOWN` in whole rows."""
    if indices.ndim != 2:
        return False
    known = indices[(indices != UNKNOWN).any(axis=1)]
    return bool(((known >= 0) & (known < points)).all())
