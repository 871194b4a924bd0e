"""Troubles that show in which layers have gradients, and how large they are beside each other."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from epochord.renderers.findings.diagnosis.curves import Values
from epochord.renderers.findings.diagnosis.signs import Signs
from epochord.renderers.findings.diagnosis.trouble import Diagnosis, Trouble
from epochord.renderers.findings.finding import Finding, What, listed, shown
from epochord.renderers.findings.levels import logarithms

__all__ = ["clipped", "dead_from_start", "dying", "frozen", "vanishing"]

DEEP = 5  # layers; of fewer, nobody knows a trend
VANISHED = 50.0  # times less than the last layer; a healthy transformer's embedding has 15
ORDERED = 0.8  # correlation of the logarithms with depth
EQUAL = 1e-3  # of the limit; float32 norms that were clipped agree to 1e-6
OFTEN = 0.2  # of the steps
FEWEST = 10


def frozen(signs: Signs) -> Iterator[Diagnosis]:
    """Look for a layer without a gradient, or one at zero that lets gradients through."""
    if signs.silent:
        yield Diagnosis(
            Trouble.FROZEN,
            f"{listed(signs.silent)} never had a gradient, while other layers have",
        )
    passing = [one for one in _dead(signs) if _from_start(signs, one) and _passes(signs, one)]
    if passing:
        names = tuple(name for one in passing for name in one.voices)
        yield Diagnosis(
            Trouble.FROZEN,
            f"the gradient of {listed(names)} is zero from the first step on, while layers "
            "before it have one",
        )


def dead_from_start(signs: Signs) -> Iterator[Diagnosis]:
    """Look for layers at zero from the first step, and none alive before them."""
    names = [
        name for one in _dead(signs) if _from_start(signs, one) and not _passes(signs, one)
        for name in one.voices
    ]  # fmt: skip
    if names:
        yield Diagnosis(
            Trouble.DEAD_FROM_START,
            f"the gradient of {listed(tuple(names))} is zero from the first step to the end",
        )


def dying(signs: Signs) -> Iterator[Diagnosis]:
    """Look for layers whose gradients were alive, and are zero to the end."""
    dead = [one for one in _dead(signs) if not _from_start(signs, one)]
    if dead:
        names = tuple(dict.fromkeys(name for one in dead for name in one.voices))
        yield Diagnosis(
            Trouble.DYING,
            f"the gradient of {listed(names)} was alive and is zero, or next to it, from step "
            f"{min(one.step for one in dead)} to the end",
        )


def clipped(signs: Signs) -> Iterator[Diagnosis]:
    """Look for a norm of all gradients that is never above a limit, and often at it."""
    total = signs.total.finite.values
    if len(total) < FEWEST or total.max() <= 0:
        return
    held = total > (1 - EQUAL) * total.max()
    share = float(held.mean())
    if share > OFTEN and held.sum() >= FEWEST and _moves(signs, total, held):
        yield Diagnosis(
            Trouble.CLIPPED,
            f"the norm of all gradients is at {total.max():.4g} in {share:.0%} of the steps, and "
            "never above",
        )


def _moves(signs: Signs, total: Values, held: npt.NDArray[np.bool_]) -> bool:
    """Tell whether anything moves but for the limit: layers at it, or the norm below it."""
    rows = [total[~held]]
    if signs.layers is not None and signs.layers.frames == len(total):
        rows += [row[held] for row in signs.layers.values]
    return any(len(row) >= FEWEST and 2 * len(np.unique(row)) > len(row) for row in rows)


def vanishing(signs: Signs) -> Iterator[Diagnosis]:
    """Look for gradients that fall from layer to layer, from the last one towards the first."""
    if signs.layers is None or len(signs.layers.names) < DEEP:
        return
    logs = logarithms(np.where(signs.layers.measured, signs.layers.values, np.nan))
    if not np.isfinite(logs).any(axis=1).all():
        return
    levels = np.nanmedian(logs, axis=1)
    least, factor = int(levels.argmin()), float(np.exp(levels[-1] - levels.min()))
    order = float(np.corrcoef(levels, np.arange(len(levels)))[0, 1])
    if factor > VANISHED and order > ORDERED and least < len(levels) // 2:
        names = signs.layers.names
        yield Diagnosis(
            Trouble.VANISHING,
            f"gradients fall towards the first layers: {names[least]} has 1/{shown(factor)} of "
            f"what {names[-1]} has, as a median of all steps",
        )


def _dead(signs: Signs) -> list[Finding]:
    return [one for one in signs.gradients if one.what is What.DEAD and one.last is None]


def _from_start(signs: Signs, one: Finding) -> bool:
    assert signs.layers is not None
    rows = [signs.layers.names.index(name) for name in one.voices]
    values = signs.layers.values[rows]
    return not bool((values[signs.layers.measured[rows]] != 0).any())


def _passes(signs: Signs, one: Finding) -> bool:
    """Tell whether a layer before a dead one, nearer to the input, has a gradient."""
    assert signs.layers is not None
    first = min(signs.layers.names.index(name) for name in one.voices)
    before = signs.layers.values[:first]
    return bool((before[signs.layers.measured[:first]] > 0).any())
