"""An ensemble's answers and losses on their way to the log's rows."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from epochord.recorders.answers import Answer, Answers, is_real
from epochord.recorders.devices import to_host
from epochord.recorders.ensemble_places import Points, split
from epochord.runlog.ensemble import EnsembleSetup
from epochord.runlog.ensemble.tables import prediction_rows
from epochord.runlog.words import plural

__all__ = [
    "Pending",
    "Waiting",
    "as_losses",
    "beyond_half",
    "form_of",
    "refuse_other_form",
    "refuse_other_shape",
    "rows_of",
]

Waiting = Callable[[], npt.NDArray[np.floating[Any]]]


class Pending(NamedTuple):
    """An epoch on its way to the log."""

    step: int
    wall_time: float
    values: Waiting
    variances: Waiting | None
    identities: npt.NDArray[np.int64]


def beyond_half(answers: Answers) -> Waiting:
    """Start counting the finite answers that are infinite in float16."""
    if isinstance(answers, torch.Tensor):
        values = answers.detach()
        return to_host((values.to(torch.float16).isinf() & values.isfinite()).sum())
    with np.errstate(over="ignore"):
        count = np.sum(np.isinf(answers.astype(np.float16)) & np.isfinite(answers))
    return lambda: np.asarray(count)


def as_losses(losses: Points) -> Answers:
    """Return losses without their graph.

    Raises
    ------
    TypeError
        If they are no real numbers.
    """
    values: Answers = losses.detach() if isinstance(losses, torch.Tensor) else np.asarray(losses)
    if not is_real(values):
        raise TypeError(f"losses are {values.dtype}; expected real numbers")
    return values


def form_of(answer: Answer) -> str:
    """Say in words what members give, which stays the same in all epochs of a log."""
    widths = "" if answer.variances is None else " with variances"
    return plural(int(answer.values.shape[-1]), "output") + widths


def refuse_other_form(answer: Answer, first: str) -> None:
    """Raise unless the members give what they gave first.

    Raises
    ------
    ValueError
        If they do not.
    """
    if (now := form_of(answer)) != first:
        raise ValueError(f"record(): the members give {now}; when recording began, {first}")


def refuse_other_shape(losses: Answers, members: int) -> None:
    """Raise unless there is one loss a member.

    Raises
    ------
    ValueError
        If there is not.
    """
    if tuple(losses.shape) != (members,):
        raise ValueError(
            f"losses have shape {tuple(losses.shape)}; expected ({members},), one a member"
        )


def rows_of(epochs: Sequence[Pending], setup: EnsembleSetup) -> pa.Table:
    """Return the rows of epochs, once their answers have come."""
    return pa.concat_tables(
        [
            prediction_rows(
                epoch.step,
                epoch.wall_time,
                split(epoch.values(), setup),
                variances=None if epoch.variances is None else split(epoch.variances(), setup),
                members=epoch.identities,
            )
            for epoch in epochs
        ]
    )
