"""Where an ensemble is asked: grid, data, held-out and other points to one array, and back."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from epochord.recorders.answers import Answer, Answers, as_array
from epochord.recorders.asking import Asked, Members
from epochord.recorders.ensemble_task import Task
from epochord.runlog.ensemble import EnsembleSetup, Predictions
from epochord.runlog.ensemble.setup import MOST_STORED_INPUTS, PLACES, TARGETS

__all__ = ["Places", "Points", "refuse_unreadable", "split", "with_prior"]

Points = Any  # a tensor, an array, a table or a list


class Places:
    """The points of an ensemble, as they were given.

    Parameters
    ----------
    grid, ood : tensor or array-like [shape=(points,) or (points, ...)], optional
        Inputs alone.
    data, held_out : tuple of (inputs, targets), optional
        With targets.

    Attributes
    ----------
    inputs : tensor or np.ndarray [shape=(points, ...)]
        All of them, as what the first place is: a tensor on its device, or an array.
    targets : dict of str to array-like
        By place, as they were given.

    Raises
    ------
    ValueError
        If shapes do not fit each other.
    TypeError
        If something is no pair, or no real numbers.
    """

    def __init__(
        self,
        grid: Points | None,
        data: tuple[Points, Points] | None,
        held_out: tuple[Points, Points] | None,
        ood: Points | None,
    ) -> None:
        self.targets: dict[str, Any] = {}
        inputs = {"grid": grid, "ood": ood}
        for name, pair in (("data", data), ("held_out", held_out)):
            if pair is not None:
                inputs[name], self.targets[name] = _pair(name, pair)
        inputs = {name: inputs[name] for name in PLACES if inputs.get(name) is not None}
        self._arrays = {name: _inputs_of(name, values) for name, values in inputs.items()}
        self._refuse_unlike()
        grid_points = self._arrays.get("grid", np.empty(0))
        if not np.isfinite(grid_points).all():
            raise ValueError("grid has inputs that are not finite; expected numbers")
        first = next(name for name, array in self._arrays.items() if len(array))
        self.inputs = _together(list(self._arrays.values()), inputs[first])

    def _refuse_unlike(self) -> None:
        filled = {name: array for name, array in self._arrays.items() if len(array)}
        if not filled:
            raise ValueError(
                "there are no points at which the members could be asked; give grid=…, or "
                "held_out=(inputs, targets)"
            )
        (first, shape), *_ = ((name, array.shape[1:]) for name, array in filled.items())
        for name, array in filled.items():
            if array.shape[1:] != shape:
                expected = ", ".join(map(str, ("points", *shape)))
                raise ValueError(
                    f"{name} has shape {array.shape}; expected ({expected}), as the {first}"
                )
        self._arrays = filled

    def setup(self, task: Task) -> EnsembleSetup:
        """Return what stays fixed, with targets as they are recorded."""
        fixed: dict[str, Any] = {name: _stored(each) for name, each in self._arrays.items()}
        for name, given in self.targets.items():
            fixed[TARGETS[name]] = task.targets(given, name)
        return EnsembleSetup(**fixed, task=task.name, outputs=task.outputs)


def _pair(name: str, given: Any) -> tuple[Any, Any]:
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise TypeError(f"{name} is {type(given).__name__}; expected (inputs, targets)")
    return given[0], given[1]


def _inputs_of(name: str, values: Points) -> npt.NDArray[Any]:
    array = as_array(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} is {array.dtype}; expected real numbers")
    if array.ndim == 0:
        raise ValueError(f"{name} is a single number; expected (points, inputs)")
    return array[:, None] if array.ndim == 1 else array


def _stored(array: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return inputs as they are stored: flat, or only how many points there are."""
    flat = array.reshape(len(array), -1)
    if flat.shape[1] > MOST_STORED_INPUTS:
        return np.empty((len(flat), 0))
    return flat.astype(np.float64)


def _together(arrays: list[npt.NDArray[Any]], like: Points) -> Answers:
    """Join all places, as what the first one is: a tensor on its device, or an array."""
    if isinstance(like, torch.Tensor):
        dtype = like.dtype if like.is_floating_point() else torch.get_default_dtype()
        both = np.concatenate(arrays)
        return torch.as_tensor(both).to(like.device, dtype)
    kind = np.asarray(like).dtype
    return np.concatenate(arrays).astype(kind if kind.kind == "f" else np.float64)


def split(values: npt.NDArray[Any], setup: EnsembleSetup) -> Predictions:
    """Take the answers [shape=(members, points, outputs)] at all places apart."""
    plain = values[..., 0] if setup.scalar else values
    ends = np.cumsum([len(getattr(setup, name)) for name in PLACES[:-1]])
    return Predictions(*np.split(plain, ends, axis=1))


def with_prior(
    setup: EnsembleSetup,
    prior: Members | None,
    scale: float,
    inputs: Answers,
    first: Answer,
) -> EnsembleSetup:
    """Ask the priors, if there are any, and add what they say.

    Raises
    ------
    ValueError
        If they cannot be asked, or are not as many as the members.
    """
    if prior is None:
        return setup
    answers = as_array(Asked(prior, inputs, name="prior").checked().answer.values)
    members, outputs = len(first.values), setup.outputs
    if len(answers) != members:
        raise ValueError(f"prior has {len(answers)} functions for {members} members")
    if answers.shape[-1] != outputs:
        raise ValueError(f"prior gives {answers.shape[-1]} outputs; the members give {outputs}")
    said = split(answers.astype(np.float64), setup)
    return replace(setup, prior=said, prior_scale=float(scale))


def refuse_unreadable(setup: EnsembleSetup, members: int) -> None:
    """Raise if a tensor would be too large for readers of event files."""
    from epochord.runlog.tensorboard.points import MAX_ELEMENTS

    numbers = max(
        members * max(setup.places.values()) * setup.outputs,
        *(array.size for array in setup.arrays().values()),
    )
    if numbers > MAX_ELEMENTS:
        raise ValueError(
            f"{numbers:,} numbers belong together; a tensor of an event file may have "
            f"{MAX_ELEMENTS:,}: record with format='parquet'"
        )
