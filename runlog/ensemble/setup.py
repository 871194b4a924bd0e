"""What an ensemble's log holds, in memory: predictions of an epoch, and what stays fixed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

__all__ = ["PLACES", "EnsembleSetup", "Predictions"]

Floats = npt.NDArray[np.floating[Any]]

PLACES = ("grid", "data", "held_out")  # where an ensemble is asked


class Predictions(NamedTuple):
    """What every member says at every place.

    Parameters
    ----------
    grid : np.ndarray [shape=(members, grid points)]
        On the grid that is drawn.
    data : np.ndarray [shape=(members, data points)]
        At the training data.
    held_out : np.ndarray [shape=(members, held-out points)]
        At data that nobody was trained on.
    """

    grid: Floats
    data: Floats
    held_out: Floats


@dataclass(frozen=True)
class EnsembleSetup:
    """What stays fixed while an ensemble is trained.

    Parameters
    ----------
    grid : np.ndarray [shape=(grid points, inputs)]
        Where the ensemble is asked in every recorded epoch; one or two inputs.
    data, targets : np.ndarray [shape=(n, inputs)] and [shape=(n,)]
        Training data; may be empty.
    held_out, held_out_targets : np.ndarray [shape=(m, inputs)] and [shape=(m,)]
        Data that nobody was trained on; may be empty.
    indices : np.ndarray [shape=(members, draws), int64], optional
        Which training data each member was trained on, where they differ.
    prior : Predictions, optional
        What each member's fixed prior function p says, without the scale.
    prior_scale : float
        β: a member predicts Q = f + β·p.

    Raises
    ------
    ValueError
        If the shapes do not fit each other.
    """

    grid: Floats
    data: Floats = field(default_factory=lambda: np.empty((0, 1)))
    targets: Floats = field(default_factory=lambda: np.empty(0))
    held_out: Floats = field(default_factory=lambda: np.empty((0, 1)))
    held_out_targets: Floats = field(default_factory=lambda: np.empty(0))
    indices: npt.NDArray[np.int64] | None = None
    prior: Predictions | None = None
    prior_scale: float = 1.0

    def __post_init__(self) -> None:
        if self.grid.ndim != 2 or self.grid.shape[1] not in (1, 2) or not len(self.grid):
            raise ValueError(
                f"grid has shape {self.grid.shape}; expected (points, 1) or (points, 2)"
            )
        for name in ("data", "held_out"):  # nothing is of any number of inputs
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.empty((0, self.grid.shape[1])))
        for name, targets in (("data", self.targets), ("held_out", self.held_out_targets)):
            inputs = getattr(self, name)
            if len(inputs) and inputs.shape[1:] != self.grid.shape[1:]:
                raise ValueError(
                    f"{name} has shape {inputs.shape}; expected (points, {self.grid.shape[1]}), "
                    "as the grid"
                )
            if targets.shape != inputs.shape[:1]:
                raise ValueError(
                    f"{name} has {len(inputs)} inputs and targets of shape {targets.shape}; "
                    "expected one target each"
                )
        if self.indices is not None and not _within(self.indices, len(self.data)):
            raise ValueError(
                f"indices [shape={self.indices.shape}] must be (members, draws) numbers from 0 to "
                f"{len(self.data) - 1}, one for each of the training data"
            )

    @property
    def places(self) -> dict[str, int]:
        """How many points there are at each of `PLACES` that has any."""
        counts = {name: len(getattr(self, name)) for name in PLACES}
        return {name: count for name, count in counts.items() if count}

    def as_predictions(self, columns: Mapping[str, Floats]) -> Predictions:
        """Complete what was read of an epoch: NaN at places where nothing was."""
        members, places = len(columns["grid"]), self.places
        return Predictions(
            *(
                columns[name]
                if name in columns
                else np.full((members, places.get(name, 0)), np.nan, np.float32)
                for name in PLACES
            )
        )

    def arrays(self) -> dict[str, Floats | npt.NDArray[np.int64]]:
        """Return all that there is, by name, as arrays of rank 2."""
        found: dict[str, Any] = {
            "grid": self.grid,
            "data": self.data,
            "targets": self.targets[:, None],
            "held_out": self.held_out,
            "held_out_targets": self.held_out_targets[:, None],
            "indices": self.indices,
        }
        if self.prior is not None:
            found |= {f"prior/{name}": each for name, each in self.prior._asdict().items()}
            found["prior_scale"] = np.array([[self.prior_scale]])
        return {name: array for name, array in found.items() if array is not None and array.size}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats]) -> Self:
        """Understand what `arrays` returned.

        Raises
        ------
        ValueError, KeyError
            If something is missing or does not fit.
        """
        plain: dict[str, Any] = {n: arrays[n] for n in ("data", "held_out") if n in arrays}
        columns = {n: arrays[n] for n in ("targets", "held_out_targets") if n in arrays}
        plain |= {name: column[:, 0] for name, column in columns.items()}
        bare = cls(grid=arrays["grid"], **plain)
        indices = arrays["indices"].astype(np.int64) if "indices" in arrays else None
        if "prior/grid" not in arrays:
            return replace(bare, indices=indices)
        prior = {name: arrays[f"prior/{name}"] for name in bare.places}
        return replace(
            bare,
            indices=indices,
            prior=bare.as_predictions(prior),
            prior_scale=float(arrays["prior_scale"][0, 0]),
        )


def _within(indices: npt.NDArray[np.int64], points: int) -> bool:
    return bool(indices.ndim == 2 and ((indices >= 0) & (indices < points)).all())
