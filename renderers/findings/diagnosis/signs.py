"""From a run to what a diagnosis looks at: gradients, losses and the rate, on axes of their own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from epochord.renderers.findings.diagnosis.curves import EMPTY, Curve
from epochord.renderers.findings.find import find
from epochord.renderers.findings.finding import Finding
from epochord.renderers.timeline.choice import Choice, Voice
from epochord.renderers.timeline.timeline import (
    StepRange,
    Timeline,
    root_sum_of_squares,
    timeline,
)
from epochord.runlog import LogError, Run
from epochord.runlog.run.layers import module_of

__all__ = ["Signs", "signs"]

VALIDATION = ("val", "valid", "validation", "eval", "test", "dev")
SEPARATORS = str.maketrans("/.-", "___")


@dataclass(frozen=True)
class Signs:
    """What a diagnosis looks at.

    Parameters
    ----------
    layers : Timeline or None
        Gradient norms by layer, in registration order; None where none was logged.
    total : Curve
        The norm of all gradients together.
    loss, validation, rate : Curve
        Of the training, of held-out data, and of the optimizer; empty where not logged.
    silent : tuple of str
        Registered layers of which no gradient was ever measured, while most others' were.
    """

    layers: Timeline | None
    total: Curve
    loss: Curve
    validation: Curve
    rate: Curve
    silent: tuple[str, ...]

    @cached_property
    def gradients(self) -> list[Finding]:
        """What happened to the gradients."""
        return find(self.layers) if self.layers else []

    @cached_property
    def losses(self) -> list[Finding]:
        """What happened to the loss of the training."""
        curve = self.loss
        if not len(curve):
            return []
        row = curve.values[None]
        return find(
            Timeline(curve.steps, ("loss",), row, np.ones(row.shape, bool), quantities=("loss",))
        )


def signs(run: Run, choice: Choice | None = None, *, steps: StepRange = (None, None)) -> Signs:
    """Gather what a diagnosis looks at.

    Parameters
    ----------
    run : Run
        Any run with measurements.
    choice : Choice, optional
        Of what is to be looked at, which tags and layers; by default all.
    steps : (int or None, int or None)
        First step, and the step before which to stop.
    """
    choice = choice or Choice()
    tags = [tag for _, tag in choice.voices] or run.matching(choice.tags)
    by_kind: dict[str, list[str]] = {"gradient": [], "loss": [], "rate": []}
    for tag in tags:
        by_kind.setdefault(Voice(tag, (run[tag],)).quantity, []).append(tag)
    norms = _only(run, by_kind["gradient"])
    layers = _line(norms, replace(choice, tags=(), voices=()), steps)
    training, validation = _losses(run, by_kind["loss"])
    curves = _curves(run, [*training, *validation, *by_kind["rate"][:1]], steps)
    curves = curves or _curves(run, training, steps)

    def curve(tags: Sequence[str]) -> Curve:
        return curves.get(tags[0], EMPTY) if tags else EMPTY

    return Signs(
        layers, _total(norms, steps), curve(training), curve(validation), curve(by_kind["rate"]),
        silent=_silent(run) if layers else (),
    )  # fmt: skip


def _only(run: Run, tags: Sequence[str]) -> Run:
    return replace(run, series={tag: run[tag] for tag in tags})


def _line(run: Run, choice: Choice, steps: StepRange) -> Timeline | None:
    try:
        return timeline(run, choice, steps=steps)
    except LogError:  # nothing of the kind, or nothing in these steps
        return None


def _total(norms: Run, steps: StepRange) -> Curve:
    line = _line(norms, Choice(parameters="all"), steps)
    if line is None:
        return EMPTY
    known = line.measured.any(axis=0)
    whole = root_sum_of_squares([*np.where(line.measured, line.values, 0)])
    return Curve(line.steps[known], whole[known].astype(np.float64))


def _losses(run: Run, tags: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the loss of the training, that with the most points, and the one of held-out data."""
    held = [
        tag for tag in tags if set(tag.lower().translate(SEPARATORS).split("_")) & {*VALIDATION}
    ]
    own = [tag for tag in tags if tag not in held]
    return [max(own, key=lambda tag: len(run[tag]))] if own else [], held[:1]


def _curves(run: Run, tags: Sequence[str], steps: StepRange) -> dict[str, Curve]:
    """Return series where they were logged, in steps of the longest; none if that cannot be."""
    line = _line(_only(run, tags), Choice(voices=tuple((tag, tag) for tag in tags)), steps)
    if line is None or not tags:
        return {}
    logged = line.measured if line.logged is None else line.logged
    return {
        tag: Curve(line.steps[known], values[known].astype(np.float64))
        for tag, values, known in zip(line.names, line.values, logged, strict=True)
    }


def _silent(run: Run) -> tuple[str, ...]:
    measured = {module_of(tag.partition("/")[2]) for tag in run.series}
    layers = [layer for layer in run.metadata.layers if layer.parameters]
    silent = [one.name for one in layers if module_of(one.parameters[0].name) not in measured]
    # Where most are, that is how somebody wants it: a large model that is tuned a little.
    return tuple(silent) if 2 * len(silent) < len(layers) else ()
