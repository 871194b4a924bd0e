"""Where an ensemble is asked: grid, data and held-out points to one array of inputs, and back."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from epochord.recorders.asking import Answers, Asked, Members, as_array
from epochord.runlog.ensemble import EnsembleSetup, Predictions

__all__ = [
    "Points",
    "all_inputs",
    "refuse_unreadable",
    "setup_of",
    "split",
    "with_prior",
]

Points = Any  # a tensor, an array or a list


def split(values: npt.NDArray[Any], setup: EnsembleSetup) -> Predictions:
    """Take the answers at all places apart."""
    ends = np.cumsum([len(setup.grid), len(setup.data)])
    return Predictions(*np.split(values, ends, axis=1))


def setup_of(
    grid: Points, data: tuple[Points, Points] | None, held_out: tuple[Points, Points] | None
) -> EnsembleSetup:
    """Check the places and their targets.

    Raises
    ------
    ValueError
        If shapes do not fit each other.
    TypeError
        If something is no pair, or no real numbers.
    """
    fixed = {"grid": _inputs_of("grid", grid)}
    for name, targets, given in (
        ("data", "targets", data),
        ("held_out", "held_out_targets", held_out),
    ):
        if given is not None:
            if not isinstance(given, tuple | list) or len(given) != 2:
                raise TypeError(f"{name} is {type(given).__name__}; expected (inputs, targets)")
            fixed[name] = _inputs_of(name, given[0])
            column = _numbers(f"the targets of {name}", given[1])
            fixed[targets] = column[:, 0] if column.ndim == 2 and column.shape[1] == 1 else column
    return EnsembleSetup(**fixed)  # type: ignore[arg-type]


def _inputs_of(name: str, values: Points) -> npt.NDArray[np.float64]:
    array = _numbers(name, values)
    return array[:, None] if array.ndim == 1 else array


def _numbers(name: str, values: Points) -> npt.NDArray[np.float64]:
    array = as_array(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} is {array.dtype}; expected real numbers")
    return array.astype(np.float64)


def all_inputs(setup: EnsembleSetup, grid: Points) -> Answers:
    """Join all places, as what the grid is: a tensor on its device, or an array."""
    both = np.concatenate([getattr(setup, name) for name in setup.places])
    if isinstance(grid, torch.Tensor):
        dtype = grid.dtype if grid.is_floating_point() else torch.get_default_dtype()
        return torch.as_tensor(both).to(grid.device, dtype)
    kind = np.asarray(grid).dtype
    return both.astype(kind) if kind.kind == "f" else both


def with_prior(
    setup: EnsembleSetup, prior: Members | None, scale: float, inputs: Answers, members: int
) -> EnsembleSetup:
    """Ask the priors, if there are any, and add what they say.

    Raises
    ------
    ValueError
        If they cannot be asked, or are not as many as the members.
    """
    if prior is None:
        return setup
    answers = as_array(Asked(prior, inputs, name="prior").checked()).astype(np.float64)
    if len(answers) != members:
        raise ValueError(f"prior has {len(answers)} functions for {members} members")
    return replace(setup, prior=split(answers, setup), prior_scale=float(scale))


def refuse_unreadable(setup: EnsembleSetup, members: int) -> None:
    """Raise if a tensor would be too large for readers of event files."""
    from epochord.runlog.tensorboard.points import MAX_ELEMENTS

    numbers = max(
        members * max(setup.places.values()), *(array.size for array in setup.arrays().values())
    )
    if numbers > MAX_ELEMENTS:
        raise ValueError(
            f"{numbers:,} numbers belong together; a tensor of an event file may have "
            f"{MAX_ELEMENTS:,}: record with format='parquet'"
        )
