"""Troubles that end a training: values that are no numbers, and losses that leave for good."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from epochord.renderers.findings.diagnosis.curves import BEFORE, FEWEST, Curve, held, levels
from epochord.renderers.findings.diagnosis.signs import Signs
from epochord.renderers.findings.diagnosis.trouble import Diagnosis, Trouble
from epochord.renderers.findings.finding import shown
from epochord.renderers.findings.stretches import stretches

__all__ = ["exploding", "overflow", "rate_too_high", "undefined"]

SEVERAL = 2  # overflows; one may be the first probe of a loss scale
BURST = 30.0  # times the level before; gradients of healthy runs leap by up to 16
CALM = 3.0  # times; what the loss does meanwhile where only the gradients explode
LEAP = 10.0  # times the level; gradients this far above it are no ordinary ones
EXPLODED = 100.0  # times the least level before, as of an explosion among the findings
ORDINARY = 10  # steps before it; what is wrong from the start has another cause
DIVERGED = 2.0  # times the loss at first, at the end
SOON = 1 / 3  # of the run


def overflow(signs: Signs) -> Iterator[Diagnosis]:
    """Look for gradients that are not finite in single steps, with a loss that is."""
    broken = ~np.isfinite(signs.total.values)
    times = [one for one in stretches(broken) if one[1] < len(broken)]
    ordinary = np.isfinite(held(signs.loss, signs.total.steps[broken])).all()
    if len(times) >= SEVERAL and ordinary and broken.mean() < 0.5:
        first, last = (int(signs.total.steps[one[0]]) for one in (times[0], times[-1]))
        yield Diagnosis(
            Trouble.OVERFLOW,
            f"gradients are not finite {len(times)} times between steps {first} and {last}, "
            "and finite in between; the loss is finite at these steps",
        )


def undefined(signs: Signs) -> Iterator[Diagnosis]:
    """Look for a NaN to the end that comes out of ordinary values."""
    curve = signs.loss if len(signs.loss) else signs.total
    lost = np.isnan(curve.values)
    if not (lost.any() and lost[-1]):
        return
    before = np.flatnonzero(~lost)
    if len(before) < FEWEST:
        return
    step = int(curve.steps[before[-1] + 1])
    loss, total = (_factor_before(each, step) for each in (signs.loss, signs.total))
    if loss < CALM and total < LEAP:
        yield Diagnosis(
            Trouble.UNDEFINED,
            f"NaN from step {step} to the end, out of ordinary values: in the steps before, "
            f"the loss is at most ×{shown(loss)} of its level and the gradients ×{shown(total)}",
        )


def exploding(signs: Signs) -> Iterator[Diagnosis]:
    """Look for gradients that burst under a calm loss, or leave their course for good."""
    total, level = levels(signs.total)
    factor = total.values / level
    loss, loss_level = levels(signs.loss)
    calm = held(Curve(loss.steps, loss.values / loss_level), total.steps) < CALM
    bursts = (factor > BURST) & calm
    if bursts.any():
        place = int(np.where(bursts, factor, 0).argmax())
        times = len(stretches(bursts, FEWEST))
        yield Diagnosis(
            Trouble.EXPLODING,
            f"{'once' if times == 1 else f'{times} times'} the norm of all gradients is above "
            f"×{BURST:g} of its level, up to ×{shown(factor[place])} at step "
            f"{total.steps[place]}, while the loss is below ×{CALM:g} of its own",
        )
    elif (end := _left_for_good(signs, total, level)) is not None:
        step, most = end
        yield Diagnosis(
            Trouble.EXPLODING,
            f"after {step} ordinary steps the norm of all gradients leaves its level, ×"
            f"{shown(most)} in the end, and does not come back",
        )


def _left_for_good(
    signs: Signs, total: Curve, level: npt.NDArray[np.float64]
) -> tuple[int, float] | None:
    """Return at which step the gradients left an ordinary course, and how far.

    Only where the loss is lost with them: leaving a plateau, gradients grow as far.
    """
    least = np.fmin.accumulate(level)
    far = np.flatnonzero(total.values > EXPLODED * least)
    loss = signs.loss.finite
    if not len(far) or far[0] < ORDINARY or not len(loss):
        return None
    step = int(total.steps[far[0]])
    before = loss.values[loss.steps < step - FEWEST]
    ordinary = len(before) >= ORDINARY and before.max() < DIVERGED * before[0]
    lost = not np.isfinite(signs.loss.values[-1]) or loss.course(10)[-1] > DIVERGED * before[0]
    return (step, float(total.values.max() / least[far[0]])) if ordinary and lost else None


def rate_too_high(signs: Signs) -> Iterator[Diagnosis]:
    """Look for a loss that leaves upwards for good, and soon; later there may be other reasons."""
    loss = signs.loss.finite
    if len(loss) < FEWEST or loss.values[0] <= 0:
        return
    first, end = float(np.median(loss.values[:3])), float(loss.course(10)[-1])
    place = int((loss.values > DIVERGED * first).argmax())
    if max(first, loss.values[0]) * DIVERGED < end and place < SOON * len(signs.loss):
        step = int(loss.steps[place])
        lost = "" if len(loss) == len(signs.loss) else ", and then is no number"
        yield Diagnosis(
            Trouble.RATE_TOO_HIGH,
            f"the loss rises above ×{DIVERGED:g} of its beginning at step {step} and ends at "
            f"{end:.3g} instead of {first:.3g}{lost}",
        )


def _factor_before(curve: Curve, step: int) -> float:
    """Return how far above its level a curve is in the last steps before one."""
    known = curve.finite
    values = known.values[known.steps < step][-BEFORE - FEWEST :]
    if not len(values):
        return 1.0
    level = np.median(values[:-FEWEST]) if len(values) > FEWEST else values[0]
    return float(values[-FEWEST:].max() / level) if level > 0 else 1.0
