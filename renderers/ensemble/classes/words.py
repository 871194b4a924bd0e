"""What a picture of classifiers says of them in words."""

from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.ensemble.captions import lost, shortened
from epochord.renderers.ensemble.classes.overview import ClassOverview
from epochord.renderers.ensemble.statistics import inside_outside
from epochord.runlog.reading.ensemble import Ensemble
from epochord.runlog.words import plural

__all__ = ["KINDS", "about", "certainty", "missing", "quality"]

Floats = npt.NDArray[np.floating[Any]]

HARDLY = 0.03  # of the greatest mutual information there can be
MUCH_MORE = 1.5  # times as much, on the mean
KINDS = {"held_out": "held-out points", "out_of_bag": "out of bag", "data": "training data"}


def about(overview: ClassOverview) -> str:
    """Say what ensemble this is, and who is missing at the end."""
    ensemble = overview.ensemble
    said = [
        shortened(ensemble.run.name),
        plural(ensemble.members, "member"),
        f"{ensemble.outputs} classes",
    ]
    return ", ".join(filter(None, [*said, missing(overview)]))


def missing(overview: ClassOverview) -> str:
    """Say how many members are not finite at the end; nothing if all are."""
    return lost(int(overview.columns["missing_members"][-1]), overview.ensemble.members)


def quality(overview: ClassOverview) -> str:
    """Say how good the ensemble is at the end, in one sentence."""
    for kind, scores in overview.scores.items():
        if np.isfinite(scores[-1].accuracy):
            right, wrong = scores[-1].accuracy, scores[-1].ece
            said = f"{right:.1%} of the {KINDS[kind]} are classified right".replace("%", " %")
            return f"{said}, with confidence off by {100 * wrong:.1f} points on average"
    return "No points with known classes: entropies alone"


def certainty(ensemble: Ensemble, disagreement: Floats) -> str:
    """Say where members disagree on the grid, in one sentence.

    Parameters
    ----------
    ensemble : Ensemble
        Of two inputs.
    disagreement : np.ndarray [shape=(grid,)]
        Mutual information, nats.
    """
    setup, who = ensemble.setup, plural(ensemble.members, "member")
    known = disagreement[np.isfinite(disagreement)]
    most = np.log(min(max(ensemble.members, 2), ensemble.outputs))
    if not known.size or known.max() < HARDLY * most:
        return f"{who} hardly disagree on the classes anywhere"
    inside, outside = inside_outside(disagreement, setup.grid, setup.data)
    if outside > MUCH_MORE * inside:
        return f"{who} disagree most on the classes where there are no data"
    if inside > MUCH_MORE * outside:
        return f"{who} disagree most on the classes among the data"
    return f"{who} disagree on the classes in some places"
