"""From a run to the troubles that it looks like."""

from collections.abc import Callable, Iterator

from epochord.renderers.findings.diagnosis.divergence import (
    exploding,
    overflow,
    rate_too_high,
    undefined,
)
from epochord.renderers.findings.diagnosis.jumps import broken_batch, no_warm_up
from epochord.renderers.findings.diagnosis.layers import (
    clipped,
    dead_from_start,
    dying,
    frozen,
    vanishing,
)
from epochord.renderers.findings.diagnosis.progress import (
    overfitting,
    plateau,
    rate_too_low,
    wrong_labels,
)
from epochord.renderers.findings.diagnosis.signs import Signs, signs
from epochord.renderers.findings.diagnosis.texture import noisy, oscillation
from epochord.renderers.findings.diagnosis.trouble import Diagnosis
from epochord.renderers.timeline.choice import Choice
from epochord.renderers.timeline.timeline import StepRange
from epochord.runlog import Run

__all__ = ["diagnose"]

Rule = Callable[[Signs], Iterator[Diagnosis]]

# What stops a training comes first, and alone: all else that one sees then follows from it.
FATAL: tuple[Rule, ...] = (
    undefined, dead_from_start, dying, exploding, rate_too_high,
)  # fmt: skip
OTHERS: tuple[Rule, ...] = (
    overflow, frozen, clipped, broken_batch, no_warm_up, vanishing, oscillation, wrong_labels,
    overfitting, plateau, rate_too_low, noisy,
)  # fmt: skip


def diagnose(
    run: Run, choice: Choice | None = None, *, steps: StepRange = (None, None)
) -> tuple[Diagnosis, ...]:
    """Say which troubles a run looks like.

    Parameters
    ----------
    run : Run
        Any run with measurements; the more of gradient norms by layer, loss, loss on
        held-out data and learning rate it has, the more can be said.
    choice : Choice, optional
        Which tags and layers to look at; by default all.
    steps : (int or None, int or None)
        First step, and the step before which to stop.

    Returns
    -------
    tuple of Diagnosis
        Most serious first; none where nothing was found.
    """
    seen = signs(run, choice, steps=steps)
    for rule in FATAL:
        if found := tuple(rule(seen)):
            return found
    return tuple(one for rule in OTHERS for one in rule(seen))
