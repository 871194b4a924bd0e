"""From a run to the series that are to be rendered, on one axis of steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from runlog import LogError, Run
from runlog.layers import choose_layers, group_by_module, is_weight
from runlog.run import GRAD_NORM

__all__ = ["NothingToHearError", "Parameters", "Timeline", "layer_norms", "root_sum_of_squares"]

Parameters = Literal["weight", "all"]


class NothingToHearError(LogError):
    """A run holds none of the series that a renderer needs."""


@dataclass(frozen=True)
class Timeline:
    """Series on one axis.

    Parameters
    ----------
    steps : np.ndarray [shape=(frames,), int64]
        Ascending.
    names : tuple of str
        One a series, in the order in which they are to be heard.
    values : np.ndarray [shape=(series, frames), float32]
        NaN and the infinities are measurements.
    measured : np.ndarray [shape=(series, frames), bool]
        False where nothing was measured; the value there means nothing.
    unit : str
        What the values are.
    """

    steps: npt.NDArray[np.int64]
    names: tuple[str, ...]
    values: npt.NDArray[np.float32]
    measured: npt.NDArray[np.bool_]
    unit: str = ""

    @property
    def frames(self) -> int:
        """Number of steps on the axis."""
        return len(self.steps)


def layer_norms(
    run: Run, *, layers: Sequence[str] = (), parameters: Parameters = "weight"
) -> Timeline:
    """Take the gradient norm of each layer.

    Parameters
    ----------
    run : Run
        With series ``grad_norm/<parameter>``.
    layers : sequence of str
        Which layers, in which order (see `runlog.layers.choose_layers`); by
        default all, modules joined by their prefix if there are many.
    parameters : {"weight", "all"}
        Of each layer only its weights, or all of its parameters.  A layer that
        has no weight is taken whole.

    Returns
    -------
    Timeline
        One series a layer: the 2-norm of all its parameters' gradients
        together, so the root of the sum of their squared norms.

    Raises
    ------
    NothingToHearError
        If the run has no gradient norms.
    LogError
        If a name in `layers` matches nothing.
    """
    names = run.parameters
    if not names:
        tags = ", ".join([*list(run.series)[:8], *(["…"] if len(run.series) > 8 else [])])
        raise NothingToHearError(
            f"run {run.name!r} has no gradient norms of parameters ({GRAD_NORM}<parameter>) to "
            f"hear; it has {tags or 'no measurement at all'}"
        )
    try:
        groups = choose_layers(names, layers) if layers else group_by_module(names)
    except LogError as error:
        raise LogError(f"run {run.name!r}: {error}") from None
    if parameters == "weight":
        groups = {layer: _weights(members) for layer, members in groups.items()}
    chosen = [run[GRAD_NORM + name] for members in groups.values() for name in members]
    steps = np.unique(np.concatenate([series.steps for series in chosen]))
    rows = [_together(run, members, steps) for members in groups.values()]
    values, measured = (np.stack(part) for part in zip(*rows, strict=True))
    return Timeline(steps, tuple(groups), values, measured, unit="gradient norm")


def root_sum_of_squares(norms: Sequence[npt.ArrayLike]) -> npt.NDArray[np.float32]:
    """Join the norms of parts to the norm of the whole.

    Parameters
    ----------
    norms : sequence of array-like [shape=(n,)]
        2-norms of disjoint parts of one vector.

    Returns
    -------
    np.ndarray [shape=(n,), float32]
        Computed in float64, where no square of a float32 overflows; a single
        part comes back unchanged, to the bit.
    """
    if len(norms) == 1:
        return np.asarray(norms[0], dtype=np.float32)
    total = np.zeros(np.shape(norms[0]), dtype=np.float64)
    for norm in norms:
        total += np.square(np.asarray(norm, dtype=np.float64))
    with np.errstate(over="ignore"):  # a sum of float32 norms can exceed float32
        return np.sqrt(total).astype(np.float32)


def _weights(members: list[str]) -> list[str]:
    return [name for name in members if is_weight(name)] or members


def _together(
    run: Run, members: Sequence[str], steps: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Put a layer's parameters on the axis; it is measured where any of them is."""
    norms = []
    measured = np.zeros(len(steps), dtype=bool)
    for name in members:
        series = run[GRAD_NORM + name]
        place = np.searchsorted(steps, series.steps)
        norm = np.zeros(len(steps), dtype=np.float32)
        norm[place] = series.values
        measured[place] = True
        norms.append(norm)
    return root_sum_of_squares(norms), measured
