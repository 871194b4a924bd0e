"""What is drawn of one epoch, as plain arrays over a sorted grid."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.ensemble.interpolation import between, neighbours
from epochord.renderers.ensemble.noise import Noise
from epochord.renderers.ensemble.statistics import bands, moments
from epochord.runlog import LogError
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["QUANTILES", "Lines", "View"]

Floats = npt.NDArray[np.floating[Any]]

QUANTILES = (0.05, 0.25, 0.75, 0.95)


@dataclass(frozen=True)
class View:
    """One epoch of an ensemble over a grid of one input.

    Parameters
    ----------
    members : np.ndarray [shape=(members, grid)]
        Q of each member.
    mean, sd : np.ndarray [shape=(grid,)]
        Over the members.
    predictive : np.ndarray [shape=(grid,)]
        Standard deviation of what will be observed: members and noise; NaN where that is unknown.
    quantiles : np.ndarray [shape=(4, grid)]
        At `QUANTILES`.
    f, p : np.ndarray [shape=(members, grid)], optional
        The trained part and the scaled prior; None for a run without priors.
    """

    members: Floats
    mean: Floats
    sd: Floats
    predictive: Floats
    quantiles: Floats
    f: Floats | None
    p: Floats | None

    @property
    def missing(self) -> int:
        """How many members have a value that is not finite."""
        return int((~np.isfinite(self.members).all(axis=1)).sum())

    def towards(self, other: "View", share: float) -> "View":
        """Return what is drawn between this epoch and another: see `interpolation.between`."""
        ways: dict[str, Any] = {}
        for each in fields(self):
            before, after = getattr(self, each.name), getattr(other, each.name)
            ways[each.name] = None if before is None else between(before, after, share)
        return View(**ways)


@dataclass(frozen=True)
class Lines:
    """An ensemble over one input, epoch by epoch, along its sorted grid.

    Parameters
    ----------
    ensemble : Ensemble
        Of one input.
    noise : Noise, optional
        Of the observations around what is predicted.

    Raises
    ------
    LogError
        If the grid has no two different points.
    """

    ensemble: Ensemble
    noise: Noise | None = None
    order: npt.NDArray[np.int64] = field(init=False)
    _kept: dict[int, View] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        x, order = np.unique(self.ensemble.setup.grid[:, 0], return_index=True)
        if len(x) < 2:
            raise LogError(
                f"run {self.ensemble.run.name!r}: its grid has {len(x)} different point; expected "
                "2 or more, to draw functions between them"
            )
        object.__setattr__(self, "order", order)

    @property
    def x(self) -> Floats:
        """The grid [shape=(grid,)], ascending."""
        x: Floats = self.ensemble.setup.grid[self.order, 0]
        return x

    @property
    def prior(self) -> Floats | None:
        """β·p of each member [shape=(members, grid)], or None without priors."""
        setup = self.ensemble.setup
        return None if setup.prior is None else setup.prior_scale * setup.prior.grid[:, self.order]

    def between(self, place: float, *, quantiles: bool = True) -> View:
        """Return what is drawn at a place, between two recorded epochs too.

        Parameters
        ----------
        place : float
            1.5 is halfway between the second and the third epoch.
        quantiles : bool
            See `at`.
        """
        before, after, share = neighbours(place, len(self.ensemble.epochs))
        for gone in self._kept.keys() - {before, after}:
            del self._kept[gone]
        for needed in (before, after) if share else (before,):
            if needed not in self._kept:
                self._kept[needed] = self.at(needed, quantiles=quantiles)
        kept = self._kept[before]
        return kept.towards(self._kept[after], share) if share else kept

    def at(self, place: int, *, quantiles: bool = True) -> View:
        """Return what is drawn of one epoch.

        Parameters
        ----------
        place : int
            Which of the recorded epochs.
        quantiles : bool
            Whether they are needed; else they are empty.
        """
        members = self.ensemble.at(place).grid[:, self.order]
        mean, sd = moments(members)
        prior = self.prior
        return View(
            members,
            mean,
            sd,
            np.sqrt(sd**2 + self._aleatoric(place)),
            bands(members, QUANTILES) if quantiles else np.empty((0, len(self.order))),
            None if prior is None else members - prior,
            prior,
        )

    def _aleatoric(self, place: int) -> Floats:
        """Return the variance of the noise at each point of the grid, the mean over members."""
        if self.noise is not None and self.noise.sd is not None:
            return np.full(len(self.order), self.noise.sd**2)
        own = self.ensemble.variances(place) if self.noise is not None else None
        if own is None:
            return np.full(len(self.order), np.nan)
        return moments(own.grid[:, self.order])[0]
