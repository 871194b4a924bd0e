"""Where an ensemble can be scored fairly, and under which noise."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from epochord.renderers.ensemble.noise import OWN, Noise, most_likely_sd
from epochord.renderers.ensemble.predictive import Mixtures, mixtures
from epochord.renderers.ensemble.scores import out_of_bag
from epochord.runlog.ensemble import Predictions
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["Asked", "asked_of", "noise_of"]

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Asked:
    """Points where the members' predictions are compared with what was observed.

    Parameters
    ----------
    place : {"data", "held_out"}
        Of which predictions.
    targets : np.ndarray [shape=(points,)]
        What was observed.
    counts : np.ndarray of bool [shape=(members, points)], optional
        Which members count where.
    """

    place: Literal["data", "held_out"]
    targets: Floats
    counts: npt.NDArray[np.bool_] | None = None

    def of(self, predictions: Predictions) -> Floats:
        """Return what the members say at these points."""
        values: Floats = getattr(predictions, self.place)
        return values

    def mixtures(
        self, predictions: Predictions, noise: Noise, variances: Predictions | None
    ) -> Mixtures:
        """Return the predictive distributions of an epoch at these points."""
        return mixtures(
            self.of(predictions),
            self.targets,
            counts=self.counts,
            noise_sd=noise.sd,
            variances=None if variances is None else self.of(variances),
        )

    def most_likely_sd(self, predictions: Predictions) -> float | None:
        """Return the noise under which what was observed at these points is most likely."""
        return most_likely_sd(self.of(predictions), self.targets, self.counts)


def asked_of(ensemble: Ensemble) -> dict[str, Asked]:
    """Say on which points the members can be scored fairly: nobody was trained on them."""
    setup = ensemble.setup
    asked: dict[str, Asked] = {}
    if len(setup.held_out):
        asked["held_out"] = Asked("held_out", setup.held_out_targets)
    if setup.indices is not None:
        unseen = out_of_bag(setup.indices, len(setup.data))
        if unseen.any():
            asked["out_of_bag"] = Asked("data", setup.targets, unseen)
    return asked


def noise_of(ensemble: Ensemble, given: float | None) -> Noise:
    """Return the observations' noise: as given, as logged, the members' own, or estimated."""
    if given is not None:
        return Noise(given, "given")
    logged = ensemble.run.metadata.dataset.get("noise_sd")
    if isinstance(logged, int | float) and logged > 0:
        return Noise(float(logged), "from the log")
    if ensemble.variances(-1) is not None:
        return Noise(None, OWN)
    last = ensemble.at(-1)
    for source, points in _sources(ensemble):
        if sd := points.most_likely_sd(last):
            return Noise(sd, f"estimated {source}")
    return Noise(1.0, "assumed, as there is nothing to estimate it from", known=False)


def _sources(ensemble: Ensemble) -> Iterator[tuple[str, Asked]]:
    """Yield the points that noise can be estimated from, the best ones first."""
    asked = asked_of(ensemble)
    words = {"out_of_bag": "out of bag", "held_out": "from held-out points"}
    for kind, said in words.items():
        if kind in asked:
            yield said, asked[kind]
    yield "from training residuals", Asked("data", ensemble.setup.targets)
