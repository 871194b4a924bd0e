"""Troubles that show in the course of the losses."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from epochord.renderers.findings.diagnosis.signs import Signs
from epochord.renderers.findings.diagnosis.trouble import Diagnosis, Trouble
from epochord.renderers.findings.finding import shown

__all__ = ["overfitting", "plateau", "rate_too_low", "wrong_labels"]

PARTS = 30  # of which medians are taken: a course
FEWEST = 5  # validations
# The loss on held-out data, against its least.
RISEN = 1.15
LEARNING = 0.7  # what is left, at the end, of the loss of the training at that time
EARLY = 0.6  # of the run; what has its least later has not risen for long
ABOVE = 1.5  # times the loss on held-out data
STAYED = 0.4  # of the loss at first
FLAT = 0.01  # of the level
LONG = 1 / 3  # of the run
ESCAPED = 0.2  # of the level
GROWN = 12.0  # times the least gradients on it
TENTHS = 10
LATE = 0.4  # of the whole fall, in the last third of the run
SOME, MOST = 0.03, 0.7  # of the loss at first: how far it falls


def overfitting(signs: Signs) -> Iterator[Diagnosis]:
    """Look for a loss on held-out data that rises again while that of the training falls."""
    held, loss = signs.validation.finite, signs.loss.finite
    if len(held) < FEWEST or len(loss) < FEWEST:
        return
    place = int(held.values.argmin())
    least, end = held.values[place], float(np.median(held.values[-3:]))
    there = min(int(np.searchsorted(loss.steps, held.steps[place])), len(loss) - 1)
    then = loss.smooth(1 / PARTS)[there]
    now = loss.course(PARTS)[-1]
    if 0 < least * RISEN < end and place < EARLY * len(held) and now < LEARNING * then:
        yield Diagnosis(
            Trouble.OVERFITTING,
            f"the loss on held-out data rises from {least:.3g} at step {held.steps[place]} to "
            f"{end:.3g}, while that of the training falls from {then:.3g} to {now:.3g}",
        )


def wrong_labels(signs: Signs) -> Iterator[Diagnosis]:
    """Look for a loss of the training that stays high, far above that on held-out data."""
    held, loss = signs.validation.finite, signs.loss.finite
    if len(held) < FEWEST or len(loss) < PARTS:
        return
    train, val = float(loss.course(3)[-1]), float(held.course(3)[-1])
    first = float(loss.course(PARTS)[0])
    if 0 < ABOVE * val < train and train > STAYED * first:
        yield Diagnosis(
            Trouble.WRONG_LABELS,
            f"in the last third the loss of the training is {train:.3g}, ×{shown(train / val)} "
            f"that on held-out data ({val:.3g})",
        )


def plateau(signs: Signs) -> Iterator[Diagnosis]:
    """Look for a loss that hardly moves for long, and then falls."""
    loss = signs.loss.finite
    if len(loss) < 2 * PARTS:
        return
    course = loss.course(PARTS)
    steps = [int(part[0]) for part in np.array_split(loss.steps, PARTS)]
    begin, length = _flat(course)
    level = float(np.median(course[begin : begin + length]))
    end = float(course[-3:].mean())
    if length > LONG * PARTS and end < (1 - ESCAPED) * level and _grows(signs, begin + length):
        last = steps[min(begin + length, PARTS - 1)]
        yield Diagnosis(
            Trouble.PLATEAU,
            f"the loss stays within {FLAT:.0%} of {level:.3g} in steps {steps[begin]}…{last}, "
            f"and then falls to {end:.3g}",
        )


def _grows(signs: Signs, part: int) -> bool:
    """Tell whether gradients are far larger after a part than at their least before it.

    They leave a saddle that way; where the rate is low they grow little.
    """
    total = signs.total.finite
    if len(total) < 2 * PARTS or not 0 < part < PARTS:
        return part < PARTS
    course = total.course(PARTS)
    return bool(course[part:].max() > GROWN * course[:part].min())


def rate_too_low(signs: Signs) -> Iterator[Diagnosis]:
    """Look for a loss that falls all the time, and at the end still as fast as before."""
    loss = signs.loss.finite
    if len(loss) < 2 * PARTS:
        return
    tenths, course = loss.course(TENTHS), loss.course(PARTS)
    first, end = float(course[0]), float(course[-1])
    late = float(course[2 * PARTS // 3] - end)
    steady = bool((np.diff(tenths) < 0).all()) and not any(plateau(signs))
    if steady and SOME * first < first - end < MOST * first and late > LATE * (first - end):
        yield Diagnosis(
            Trouble.RATE_TOO_LOW,
            f"the loss falls in every tenth of the run, from {first:.3g} to {end:.3g}, "
            f"{late / (first - end):.0%} of it in the last third: it has not arrived anywhere",
        )


def _flat(course: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Return where the longest stretch begins that stays within a share of its level; its length.

    Within, that is: its least and its greatest value lie at most two such shares apart.
    """
    best = (0, 0)
    for begin in range(len(course)):
        low = np.minimum.accumulate(course[begin:])
        high = np.maximum.accumulate(course[begin:])
        length = int((high - low <= 2 * FLAT * np.abs(course[begin])).sum())
        if length > best[1]:
            best = (begin, length)
    return best
