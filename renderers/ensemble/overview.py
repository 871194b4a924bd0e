"""An ensemble's whole training in a few numbers an epoch: one pass over its log."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.ensemble.limits import limits_of, reach, used
from epochord.renderers.ensemble.scores import Scores, out_of_bag, score
from epochord.renderers.ensemble.statistics import contraction, inside_outside, moments, spread
from epochord.runlog.ensemble import EnsembleSetup
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
    noise : float
        Standard deviation of the observations' noise that the likelihood assumes.
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
    noise: float

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
    assumed = noise or _logged_noise(ensemble) or _estimated_noise(ensemble)
    asked = _asked(ensemble)
    scores: dict[str, list[Scores]] = {kind: [] for kind in asked}
    reaches: dict[str, list[tuple[float, ...]]] = {}
    spreads = []
    deviation, missing = np.empty((ensemble.members, count)), np.empty(count, np.int64)
    for place, predictions in enumerate(ensemble):
        mean, sd = moments(predictions.grid)
        missing[place] = (~np.isfinite(predictions.grid).all(axis=1)).sum()
        with np.errstate(invalid="ignore", over="ignore"):
            deviation[:, place] = (predictions.grid - mean).mean(axis=1, dtype=np.float64)
        for name, values in _functions(predictions.grid, setup).items():
            reaches.setdefault(name, []).append(reach(values))
        spreads.append((_mean(sd), *inside_outside(sd, setup.grid, setup.data)))
        for kind, (targets, counts) in asked.items():
            values = predictions.held_out if kind == "held_out" else predictions.data
            scores[kind].append(score(values, targets, counts=counts, noise_sd=assumed))
        if progress:
            progress(place + 1, count)
    first, last = (spread(ensemble.at(place).grid) for place in (0, count - 1))
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
        scores=scores,
        contraction=contraction(last, first),
        noise=assumed,
    )


def _functions(grid: Floats, setup: EnsembleSetup) -> dict[str, Floats]:
    """Return an epoch's functions by the layer that draws them."""
    if setup.prior is None:
        return {"members": grid}
    scaled = setup.prior_scale * setup.prior.grid
    with np.errstate(invalid="ignore"):  # of infinities
        return {"members": grid, "f": grid - scaled, "p": scaled}


def _asked(ensemble: Ensemble) -> dict[str, tuple[Floats, npt.NDArray[np.bool_] | None]]:
    """Say on which points the members can be scored fairly: nobody was trained on them."""
    setup = ensemble.setup
    asked: dict[str, tuple[Floats, npt.NDArray[np.bool_] | None]] = {}
    if len(setup.held_out):
        asked["held_out"] = setup.held_out_targets, None
    if setup.indices is not None:
        unseen = out_of_bag(setup.indices, len(setup.data))
        if unseen.any():
            asked["out_of_bag"] = setup.targets, unseen
    return asked


def _logged_noise(ensemble: Ensemble) -> float | None:
    noise = ensemble.run.metadata.dataset.get("noise_sd")
    return float(noise) if isinstance(noise, int | float) and noise > 0 else None


def _estimated_noise(ensemble: Ensemble) -> float:
    """Return the root mean square of the last epoch's residuals at the training data.

    That is the noise under which they are most likely; 1 where there is nothing to go by.
    """
    mean, _ = moments(ensemble.at(-1).data)
    return _root_mean_square(mean - ensemble.setup.targets) or 1.0


def _root_mean_square(values: Floats) -> float:
    return float(np.sqrt(_mean(np.square(values))) if np.isfinite(values).any() else 0.0)


def _mean(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")
