"""What a picture of classifiers says of them in words."""

import numpy as np

from epochord.renderers.ensemble.captions import lost, plural, shortened
from epochord.renderers.ensemble.classes.overview import ClassOverview
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["KINDS", "about", "certainty", "quality"]

KINDS = {"held_out": "held-out points", "out_of_bag": "out of bag", "data": "training data"}


def about(overview: ClassOverview) -> str:
    """Say what ensemble this is, at which epoch, and who is missing."""
    ensemble = overview.ensemble
    said = [
        shortened(ensemble.run.name),
        plural(ensemble.members, "member"),
        f"{ensemble.outputs} classes",
        f"epoch {ensemble.epochs[-1]} of {ensemble.epochs[-1]}",
    ]
    gone = lost(int(overview.columns["missing_members"][-1]), ensemble.members)
    return ", ".join(filter(None, [*said, gone]))


def quality(overview: ClassOverview) -> str:
    """Say how good the ensemble is at the end, in one sentence."""
    for kind, scores in overview.scores.items():
        if np.isfinite(scores[-1].accuracy):
            right, wrong = scores[-1].accuracy, scores[-1].ece
            said = f"{right:.1%} of the {KINDS[kind]} are classified right".replace("%", " %")
            return f"{said}, with confidence off by {100 * wrong:.1f} points"
    return "No points with known classes: entropies alone"


def certainty(ensemble: Ensemble, disagreement: float) -> str:
    """Say how far members disagree on the grid, in one sentence."""
    share = disagreement / np.log(min(max(ensemble.members, 2), ensemble.outputs))
    how = "hardly disagree" if share < 0.02 else "disagree here and there"
    how = "disagree in many places" if share > 0.15 else how
    return f"{plural(ensemble.members, 'member').capitalize()} {how}"
