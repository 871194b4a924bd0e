"""Troubles that end, or almost end, a training: values that are no numbers, and divergence."""

from collections.abc import Iterator

import numpy as np

from epochord.renderers.findings.diagnosis.signs import Curve, Signs
from epochord.renderers.findings.diagnosis.trouble import Diagnosis, Trouble
from epochord.renderers.findings.finding import What, shown
from epochord.renderers.findings.stretches import stretches

__all__ = ["broken_batch", "exploding", "no_warm_up", "overflow", "rate_too_high", "undefined"]

SEVERAL = 2  # overflows; one may be the first probe of a loss scale
BURST = 30.0  # times the level before; gradients of healthy runs leap by up to 16
EXPLODED = 100.0  # times the least level before, as of an explosion among the findings
ORDINARY = 10  # steps before it; what is wrong from the start has another cause
CALM = 3.0  # times; what the loss does meanwhile where only the gradients explode
BEFORE = 30  # steps whose median is the level before
FEWEST = 5  # steps before there is such a level
DIVERGED = 2.0  # times the loss at first, at the end
JUMP = 2.0  # times the first loss, near the start; healthy runs of ours stay below 1.8
NEAR_START = 0.1  # of the run
RECOVERED = 0.5  # of the first loss
LEAP = 10.0  # times the level; gradients this far above it are no ordinary ones
ALONE = 2  # spikes of the loss at most, for one to come from a single batch
WITHIN = 2  # steps
SUDDEN = 3.0  # times the level; what was there before shows that it did not come from a batch


def overflow(signs: Signs) -> Iterator[Diagnosis]:
    """Gradients that are infinite, or NaN, in single steps again and again, with a finite loss."""
    broken = ~np.isfinite(signs.total.values)
    times = [one for one in stretches(broken) if one[1] < len(broken)]
    ordinary = np.isfinite(_at(signs.loss, signs.total.steps[broken])).all()
    if len(times) >= SEVERAL and ordinary and broken.mean() < 0.5:
        first, last = (int(signs.total.steps[one[0]]) for one in (times[0], times[-1]))
        yield Diagnosis(
            Trouble.OVERFLOW,
            f"gradients are not finite {len(times)} times between steps {first} and {last}, "
            "ordinary in between, and the loss is finite throughout",
        )


def undefined(signs: Signs) -> Iterator[Diagnosis]:
    """A NaN to the end that comes out of ordinary values."""
    curve = signs.loss if len(signs.loss) else signs.total
    lost = np.isnan(curve.values)
    if not (lost.any() and lost[-1]):
        return
    step = int(curve.steps[np.flatnonzero(~lost)[-1] + 1 if not lost.all() else 0])
    loss, total = (_factor_before(each, step) for each in (signs.loss, signs.total))
    if loss < CALM and total < LEAP:
        yield Diagnosis(
            Trouble.UNDEFINED,
            f"NaN from step {step} to the end, out of ordinary values: in the steps before, "
            f"the loss is at most ×{shown(loss)} of its level and the gradients ×{shown(total)}",
        )


def exploding(signs: Signs) -> Iterator[Diagnosis]:
    """Gradients that burst while the loss is calm, or leave an ordinary course for good."""
    total, level = _levels(signs.total)
    factor = total.values / level
    loss, loss_level = _levels(signs.loss)
    calm = _at(Curve(loss.steps, loss.values / loss_level), total.steps) < CALM
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


def _left_for_good(signs: Signs, total: Curve, level: np.ndarray) -> tuple[int, float] | None:
    """Return after which step the gradients left an ordinary course, and how far."""
    far = np.flatnonzero(total.values > EXPLODED * np.fmin.accumulate(level))
    if not len(far) or far[0] < ORDINARY:
        return None
    reference = float(np.fmin.accumulate(level)[far[0]])
    step = int(total.steps[far[0]])
    before = signs.loss.finite
    before = Curve(before.steps, before.values)
    early = before.values[before.steps < step - FEWEST]
    ordinary = len(early) >= ORDINARY and early.max() < DIVERGED * early[0]
    lost = not np.isfinite(signs.total.values[-1]) or total.values[-1] > BURST * reference
    return (step, float(total.values.max()) / reference) if ordinary and lost else None


def rate_too_high(signs: Signs) -> Iterator[Diagnosis]:
    """A loss that leaves upwards for good."""
    loss = signs.loss.finite
    if len(loss) < FEWEST or loss.values[0] <= 0:
        return
    first, end = float(np.median(loss.values[:3])), float(loss.course(10)[-1])
    if max(first, loss.values[0]) * DIVERGED < end:
        step = int(loss.steps[(loss.values > DIVERGED * first).argmax()])
        lost = "" if len(loss) == len(signs.loss) else ", and then is no number"
        yield Diagnosis(
            Trouble.RATE_TOO_HIGH,
            f"the loss rises above ×{DIVERGED:g} of its beginning at step {step} and ends at "
            f"{end:.3g} instead of {first:.3g}{lost}",
        )


def no_warm_up(signs: Signs) -> Iterator[Diagnosis]:
    """A loss that jumps up in the first steps and falls afterwards, at no lower rate."""
    loss = signs.loss.finite
    few = int(NEAR_START * len(loss))
    if few < FEWEST or loss.values[0] <= 0:
        return
    first, place = loss.values[0], int(loss.values[:few].argmax())
    end, factor = loss.course(10)[-1], loss.values[place] / loss.values[0]
    rate = _at(signs.rate, loss.steps)
    steady = not np.isfinite(rate).all() or rate[few:].min() > 0.5 * rate[place]
    if factor > JUMP and end < RECOVERED * first and steady:
        yield Diagnosis(
            Trouble.NO_WARM_UP,
            f"the loss jumps to ×{shown(factor)} of its first value by step "
            f"{loss.steps[place]}, and then falls to {end:.3g} without a lower rate",
        )


def broken_batch(signs: Signs) -> Iterator[Diagnosis]:
    """A spike of the loss and of most gradients at once, out of ordinary steps."""
    spikes = [one for one in signs.losses if one.what is What.SPIKE]
    if not spikes or len(spikes) > ALONE or signs.layers is None:
        return
    one = max(spikes, key=lambda each: each.factor or 0)
    together = {
        name for each in signs.gradients for name in each.voices
        if each.what is What.SPIKE and abs((each.peak or each.step) - (one.peak or one.step)) <= WITHIN
    }  # fmt: skip
    loss = signs.loss.finite
    place = int(np.searchsorted(loss.steps, one.peak or one.step))
    lead = loss.values[max(0, place - 6) : max(0, place - 1)]
    level = np.median(loss.values[max(0, place - BEFORE) : place]) if place else np.nan
    if 2 * len(together) >= len(signs.layers.names) and lead.max(initial=0) < SUDDEN * level:
        yield Diagnosis(
            Trouble.BROKEN_BATCH,
            f"at step {one.peak} the loss is ×{shown(one.factor or 1)} of its level, with "
            f"{len(together)} of {len(signs.layers.names)} layers, out of ordinary steps",
        )


def _levels(curve: Curve) -> tuple[Curve, np.ndarray]:
    """Return the positive values of a curve, and the median of those before each."""
    finite = curve.finite
    positive = finite.values > 0
    curve = Curve(finite.steps[positive], finite.values[positive])
    if len(curve) <= BEFORE:
        before = [curve.values[max(0, place - BEFORE) : place] for place in range(len(curve))]
        level = [np.median(each) if len(each) >= FEWEST else np.nan for each in before]
        return curve, np.array(level)
    padded = np.concatenate([np.full(BEFORE, np.nan), curve.values[:-1]])
    windows = np.lib.stride_tricks.sliding_window_view(padded, BEFORE)
    level = np.full(len(curve), np.nan)
    level[FEWEST:] = np.nanmedian(windows[FEWEST:], axis=1)
    return curve, level


def _factor_before(curve: Curve, step: int) -> float:
    """Return how far above its level a curve is in the last steps before one."""
    known = curve.finite
    values = known.values[known.steps < step][-BEFORE - FEWEST :]
    if len(values) < 2:
        return 1.0
    level = np.median(values[:-FEWEST]) if len(values) > FEWEST else values[0]
    return float(values[-FEWEST:].max() / level) if level > 0 else 1.0


def _at(curve: Curve, steps: np.ndarray) -> np.ndarray:
    """Return a curve's value at each step, held from the one before; NaN where there is none."""
    if not len(curve):
        return np.full(len(steps), np.nan)
    place = np.searchsorted(curve.steps, steps, side="right") - 1
    return np.where(place >= 0, curve.values[np.maximum(place, 0)], np.nan)
