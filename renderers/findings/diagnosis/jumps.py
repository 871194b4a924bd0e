"""Troubles of a few steps, from which a training comes back: at its start, or later."""

from collections.abc import Iterator

import numpy as np

from epochord.renderers.findings.diagnosis.curves import BEFORE, FEWEST, held
from epochord.renderers.findings.diagnosis.signs import Signs
from epochord.renderers.findings.diagnosis.trouble import Diagnosis, Trouble
from epochord.renderers.findings.finding import What, shown

__all__ = ["broken_batch", "no_warm_up"]

JUMP = 2.0  # times the first loss, near the start; noise of single examples reaches 1.7
UNIQUE = 1.5  # times the greatest loss later; in noise, the start is like the rest
NEAR_START = 0.1  # of the run
RECOVERED = 0.5  # of the first loss
ALONE = 2  # spikes of the loss at most, for one to come from a single batch
WITHIN = 2  # steps from the spike of the loss to that of a layer
SUDDEN = 3.0  # times the level; what rose higher before the spike built up, as of a rate too high
LEAD = (6, 1)  # steps ahead of the peak, which are looked at for that


def no_warm_up(signs: Signs) -> Iterator[Diagnosis]:
    """Look for a loss that jumps up in the first steps and falls afterwards, at no lower rate."""
    loss = signs.loss.finite
    few = int(NEAR_START * len(loss))
    if few < FEWEST or loss.values[0] <= 0:
        return
    first, place = loss.values[0], int(loss.values[:few].argmax())
    peak, end = loss.values[place], loss.course(10)[-1]
    jumps = peak > JUMP * first and peak > UNIQUE * loss.values[few:].max()
    rate = held(signs.rate, loss.steps)
    steady = not np.isfinite(rate).all() or rate[few:].min() > 0.5 * rate[place]
    if jumps and end < RECOVERED * first and steady:
        yield Diagnosis(
            Trouble.NO_WARM_UP,
            f"the loss jumps to ×{shown(peak / first)} of its first value by step "
            f"{loss.steps[place]}, and then falls to {end:.3g} without a lower rate",
        )


def broken_batch(signs: Signs) -> Iterator[Diagnosis]:
    """Look for a spike of the loss and of most gradients at once, out of ordinary steps."""
    spikes = [one for one in signs.losses if one.what is What.SPIKE and one.peak is not None]
    if not 0 < len(spikes) <= ALONE or signs.layers is None:
        return
    one = max(spikes, key=lambda each: each.factor or 0.0)
    peak = one.peak or 0
    together = _spiking(signs, peak)
    if 2 * len(together) >= len(signs.layers.names) and _sudden(signs, peak):
        yield Diagnosis(
            Trouble.BROKEN_BATCH,
            f"at step {peak} the loss is ×{shown(one.factor or 1.0)} of its level, with "
            f"{len(together)} of {len(signs.layers.names)} layers, out of ordinary steps",
        )


def _spiking(signs: Signs, step: int) -> set[str]:
    """Return the layers whose gradients spike with a step."""
    spikes = [one for one in signs.gradients if one.what is What.SPIKE]
    near = [one for one in spikes if abs((one.peak or one.step) - step) <= WITHIN]
    return {name for one in near for name in one.voices}


def _sudden(signs: Signs, step: int) -> bool:
    """Tell whether the loss was ordinary until next to a step."""
    loss = signs.loss.finite
    place = int(np.searchsorted(loss.steps, step))
    before = loss.values[max(0, place - BEFORE) : place]
    lead = before[-LEAD[0] : -LEAD[1]]
    return bool(len(lead) and lead.max() < SUDDEN * np.median(before))
