"""The training of an ensemble of classifiers in a few numbers an epoch: one pass over its log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.ensemble.asked import Asked, asked_of
from epochord.renderers.ensemble.classes.scores import (
    ClassScores,
    Reliability,
    auroc,
    mean_probabilities,
    reliability,
    score_classes,
    uncertainty,
)
from epochord.renderers.ensemble.statistics import finite_mean
from epochord.runlog.ensemble import Predictions
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["ClassOverview", "class_overview"]

Floats = npt.NDArray[np.floating[Any]]
Progress = Callable[[int, int], None]

OTHER_PLACES = ("grid", "ood")  # which have no targets


@dataclass(frozen=True)
class ClassOverview:
    """What became of an ensemble of classifiers, epoch by epoch.

    Parameters
    ----------
    ensemble : Ensemble
        Of which.
    scored : dict of str to Asked
        By kind of points: ``held_out`` and ``out_of_bag``, else ``data``.
    scores : dict of str to list of ClassScores
        By kind of points: one an epoch.
    columns : dict of str to np.ndarray [shape=(epochs,)]
        All numbers by names that can be tags; also entropies at other places, and
        ``ood/auroc_entropy`` and ``ood/auroc_mutual_information``: how well inputs out of
        distribution are told from those of the first kind.
    last : dict of str to Reliability
        By kind of points, of the last epoch.
    confidences : dict of str to np.ndarray [shape=(points,)]
        The greatest p̄ at each point in the last epoch, by kind of points and ``ood``.
    """

    ensemble: Ensemble
    scored: dict[str, Asked]
    scores: dict[str, list[ClassScores]]
    columns: dict[str, Floats]
    last: dict[str, Reliability]
    confidences: dict[str, Floats]


def class_overview(ensemble: Ensemble, *, progress: Progress | None = None) -> ClassOverview:
    """Go through the log of an ensemble of classifiers once.

    Parameters
    ----------
    ensemble : Ensemble
        Whose task is classification.
    progress : callable, optional
        Called with the epochs done and the epochs in all.
    """
    scored = _scored(ensemble)
    scores: dict[str, list[ClassScores]] = {kind: [] for kind in scored}
    rows: list[dict[str, float]] = []
    for place, predictions in enumerate(ensemble):
        row = {"missing_members": float(_missing(ensemble, predictions, place))}
        row |= _around(ensemble, predictions, scored)
        for kind, points in scored.items():
            found = score_classes(points.of(predictions), points.targets, points.counts)
            scores[kind].append(found)
            row |= {f"{kind}/{name}": value for name, value in found.to_dict().items()}
        rows.append(row)
        if progress:
            progress(place + 1, len(ensemble.epochs))
    means = {
        kind: mean_probabilities(points.of(predictions), points.counts)
        for kind, points in scored.items()
    }
    last = {kind: reliability(mean, scored[kind].targets) for kind, mean in means.items()}
    if "ood" in ensemble.setup.places:
        means["ood"] = mean_probabilities(predictions.ood)
    return ClassOverview(
        ensemble,
        scored,
        scores,
        {name: np.array([row[name] for row in rows]) for name in rows[0]},
        last,
        {kind: mean.max(axis=1) for kind, mean in means.items()},
    )


def _scored(ensemble: Ensemble) -> dict[str, Asked]:
    """Say where classes are known: where nobody was trained, if there is such a place."""
    setup = ensemble.setup
    known = {"data": Asked("data", setup.targets)} if len(setup.data) else {}
    return asked_of(ensemble) or known


def _around(
    ensemble: Ensemble, predictions: Predictions, scored: dict[str, Asked]
) -> dict[str, float]:
    """Say how unsure the members are where no classes are known."""
    row: dict[str, float] = {}
    unsure = {
        name: uncertainty(getattr(predictions, name))
        for name in OTHER_PLACES
        if name in ensemble.setup.places
    }
    for name, each in unsure.items():
        row[f"{name}/entropy"] = finite_mean(each.total)
        row[f"{name}/mutual_information"] = finite_mean(each.mutual_information)
    if "ood" in unsure and scored:
        first = next(iter(scored.values()))
        inside, outside = uncertainty(first.of(predictions), first.counts), unsure["ood"]
        row["ood/auroc_entropy"] = auroc(inside.total, outside.total)
        row["ood/auroc_mutual_information"] = auroc(
            inside.mutual_information, outside.mutual_information
        )
    return row


def _missing(ensemble: Ensemble, predictions: Predictions, place: int) -> int:
    """Count the members that are there, but not finite at the first place."""
    first = getattr(predictions, ensemble.setup.first_place)
    return int((~np.isfinite(first).all(axis=(1, 2)) & ensemble.present[place]).sum())
