"""An ensemble's whole training in a few numbers an epoch: one pass over its log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from renderers.ensemble.scores import (
    Scores,
    contraction,
    inside_outside,
    out_of_bag,
    score,
    spread,
)
from renderers.ensemble.statistics import moments
from runlog.ensemble import Ensemble

__all__ = ["Overview", "overview"]

Floats = npt.NDArray[np.floating[Any]]
Progress = Callable[[int, int], None]

SEEN = (0.005, 0.995)  # share of an epoch's values between the limits of the picture
EDGE = 0.05  # room above and below, as a share of the range


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
    low, high : np.ndarray [shape=(epochs,)]
        Between them lie 99 % of the finite predictions on the grid.
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
    low: Floats
    high: Floats
    scores: dict[str, list[Scores]]
    contraction: Floats
    noise: float

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest prediction that a picture should show.

        What most epochs and the last one hold, and the data; a training that
        begins far off, or explodes for a while, does not flatten the rest.
        """
        setup = self.ensemble.setup
        targets = setup.targets[np.isfinite(setup.targets)]
        low = [*_usual(self.low, 10), self.low[-1], *targets]
        high = [*_usual(self.high, 90), self.high[-1], *targets]
        low, high = ([x for x in each if np.isfinite(x)] or [0.0] for each in (low, high))
        least, most = float(min(low)), float(max(high))
        room = EDGE * (most - least) or 1.0
        return least - room, most + room

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
    spreads, low, high = [], np.empty(count), np.empty(count)
    deviation, missing = np.empty((ensemble.members, count)), np.empty(count, np.int64)
    for place, predictions in enumerate(ensemble):
        mean, sd = moments(predictions.grid)
        finite = np.isfinite(predictions.grid)
        missing[place] = (~finite.all(axis=1)).sum()
        with np.errstate(invalid="ignore", over="ignore"):
            deviation[:, place] = (predictions.grid - mean).mean(axis=1, dtype=np.float64)
        low[place], high[place] = _quantiles(predictions.grid[finite])
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
        low=low,
        high=high,
        scores=scores,
        contraction=contraction(last, first),
        noise=assumed,
    )


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


def _quantiles(values: Floats) -> tuple[float, float]:
    return tuple(np.quantile(values, SEEN)) if values.size else (np.nan, np.nan)


def _usual(values: Floats, percentile: float) -> list[float]:
    finite = values[np.isfinite(values)]
    return [float(np.percentile(finite, percentile))] if finite.size else []
