"""An ensemble's whole training in a few numbers an epoch: one pass over its log."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.ensemble.asked import Asked, asked_of, noise_of
from epochord.renderers.ensemble.limits import limits_of, reach, used
from epochord.renderers.ensemble.noise import Noise
from epochord.renderers.ensemble.predictive import Mixtures
from epochord.renderers.ensemble.scores import Scores, reachable, scores_of
from epochord.renderers.ensemble.statistics import (
    contraction,
    finite_mean,
    inside_outside,
    moments,
)
from epochord.runlog.ensemble import EnsembleSetup, Predictions
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["Overview", "overview"]

Floats = npt.NDArray[np.floating[Any]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Overview:
    """What became of an ensemble, epoch by epoch.

    Parameters
    ----------
    ensemble : Ensemble
        Of which.
    spread : np.ndarray [shape=(epochs,)]
        Standard deviation over the members, mean over the grid.
    inside, outside : np.ndarray [shape=(epochs,)]
        The same within the range of the training data, and beyond; NaN without data.
    deviation : np.ndarray [shape=(members, epochs)]
        Of each member from the ensemble's mean, mean over the grid; NaN for a
        member that is not finite.
    missing : np.ndarray [shape=(epochs,), int64]
        How many members have a value that is not finite.
    reaches : dict of str to np.ndarray [shape=(epochs, 4)]
        Between which values the predictions lie on the grid (see `limits.reach`):
        ``members``, and where there are priors the trained parts ``f`` and the scaled
        priors ``p``.
    scores : dict of str to list of Scores
        By kind of points, ``held_out`` and ``out_of_bag``: one an epoch.
    contraction : np.ndarray [shape=(grid,)]
        Standard deviation at the last epoch over that at the first one, which is
        the ensemble before training where the log begins there.
    reach : dict of str to tuple of float
        By kind of points: the coverage that so many members could show at the last epoch, for
        each of `scores.PERCENTS` (see `scores.reachable`).
    noise : Noise
        Of the observations around what is predicted.
    """

    ensemble: Ensemble
    spread: Floats
    inside: Floats
    outside: Floats
    deviation: Floats
    missing: npt.NDArray[np.int64]
    reaches: dict[str, Floats]
    scores: dict[str, list[Scores]]
    contraction: Floats
    reach: dict[str, tuple[float, ...]]
    noise: Noise

    def limits(self, layers: Collection[str] = ("members",)) -> tuple[float, float]:
        """Return the lowest and highest value that a picture with these layers should show.

        The predictions and the data always count (see `limits_of`).
        """
        wanted = {"members", *layers}
        reaches = {name: each for name, each in self.reaches.items() if name in wanted}
        return limits_of(reaches, self.ensemble.setup.targets)

    def used(self, limits: tuple[float, float], layers: Collection[str] = ("members",)) -> float:
        """Return which share of a picture's height the bulk and the data take at the end."""
        wanted = {"members", *layers}
        ends = [each[-1] for name, each in self.reaches.items() if name in wanted]
        least, greatest = used(limits, ends, self.ensemble.setup.targets)
        return (greatest - least) / (limits[1] - limits[0])

    @property
    def seen(self) -> npt.NDArray[np.bool_]:
        """In which epochs a prediction is finite [shape=(epochs,)]."""
        seen: npt.NDArray[np.bool_] = np.isfinite(self.reaches["members"][:, 0])
        return seen

    def columns(self) -> dict[str, Floats]:
        """Return what there is an epoch, by names that can be tags."""
        found = {
            "spread": self.spread,
            "spread/inside": self.inside,
            "spread/outside": self.outside,
            "missing_members": self.missing.astype(np.float64),
        }
        for kind, scores in self.scores.items():
            rows = [each.to_dict() for each in scores]
            found |= {f"{kind}/{name}": np.array([row[name] for row in rows]) for name in rows[0]}
        return found


def overview(
    ensemble: Ensemble, *, noise: float | None = None, progress: Progress | None = None
) -> Overview:
    """Go through an ensemble's log once.

    Parameters
    ----------
    ensemble : Ensemble
        Of any number of inputs.
    noise : float, optional
        See `EnsembleSettings`.
    progress : callable, optional
        Called with the epochs done and the epochs in all.
    """
    setup, count = ensemble.setup, len(ensemble.epochs)
    scoring = _Scoring.of(ensemble, noise)
    reaches: dict[str, list[tuple[float, ...]]] = {}
    sds: list[Floats] = []
    spreads = []
    deviation, missing = np.empty((ensemble.members, count)), np.empty(count, np.int64)
    for place, predictions in enumerate(ensemble):
        mean, sd = moments(predictions.grid)
        sds = [*sds[:1], sd]  # the first and the last
        lost = ~np.isfinite(predictions.grid).all(axis=1)
        missing[place] = (lost & ensemble.present[place]).sum()  # who is absent is not lost
        with np.errstate(invalid="ignore", over="ignore"):
            deviation[:, place] = (predictions.grid - mean).mean(axis=1, dtype=np.float64)
        for name, values in _functions(predictions.grid, setup).items():
            reaches.setdefault(name, []).append(reach(values))
        spreads.append((finite_mean(sd), *inside_outside(sd, setup.grid, setup.data)))
        scoring.score(place, predictions)
        if progress:
            progress(place + 1, count)
    deviation[~np.isfinite(deviation)] = np.nan
    around, inside, outside = np.array(spreads).T
    return Overview(
        ensemble=ensemble,
        spread=around,
        inside=inside,
        outside=outside,
        deviation=deviation,
        missing=missing,
        reaches={name: np.array(each) for name, each in reaches.items()},
        scores=scoring.scores,
        contraction=contraction(sds[-1], sds[0]),
        reach={kind: reachable(these) for kind, these in scoring.last.items()},
        noise=scoring.noise,
    )


@dataclass(frozen=True)
class _Scoring:
    """The scores of an ensemble, epoch by epoch, and the predictive distributions of the last."""

    ensemble: Ensemble
    asked: dict[str, Asked]
    noise: Noise
    scores: dict[str, list[Scores]]
    last: dict[str, Mixtures]

    @classmethod
    def of(cls, ensemble: Ensemble, noise: float | None) -> "_Scoring":
        asked = asked_of(ensemble)
        return cls(ensemble, asked, noise_of(ensemble, noise), {kind: [] for kind in asked}, {})

    def score(self, place: int, predictions: Predictions) -> None:
        own = self.ensemble.variances(place) if self.noise.sd is None else None
        for kind, points in self.asked.items():
            self.last[kind] = points.mixtures(predictions, self.noise, own)
            self.scores[kind].append(scores_of(self.last[kind]))


def _functions(grid: Floats, setup: EnsembleSetup) -> dict[str, Floats]:
    """Return an epoch's functions by the layer that draws them."""
    if setup.prior is None:
        return {"members": grid}
    scaled = setup.prior_scale * setup.prior.grid
    with np.errstate(invalid="ignore"):  # of infinities
        return {"members": grid, "f": grid - scaled, "p": scaled}
