"""What rises far above its level: for a moment, or more and more."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from epochord.renderers.findings.finding import Finding, What
from epochord.renderers.findings.levels import logarithms, running_median
from epochord.renderers.findings.stretches import Bools, Floats, stretches
from epochord.renderers.timeline.reduction import Frames

__all__ = ["excursions"]

# Natural logarithms of ratios to the level.
SPIKE = np.log(10**0.5)  # at least about three times
EXPLOSION = np.log(100.0)
DEVIATIONS = 8.0  # of a spike, at least, in standard deviations from the level
JITTER = 0.02  # that is taken for granted
BEFORE = 0.2  # of the run, whose median an explosion leaves
FEWEST = 4  # frames before it; gradients often begin with one or two that are next to nothing
MOMENT = 2  # frames; what takes longer is no spike


def excursions(frames: Frames, quantities: Sequence[str]) -> Iterator[Finding]:
    """Find spikes and explosions of positive values.

    Parameters
    ----------
    frames : Frames
        The run in few frames.
    quantities : sequence of str
        What each voice is; a rate does as it is told.
    """
    for voice, quantity in enumerate(quantities):
        if quantity != "rate" and not (frames.low[voice] < 0).any():
            usual, high = logarithms(frames.values[voice]), logarithms(frames.high[voice])
            level = _level_before(usual, high)
            exploding = _exploding(usual, high - level)
            yield from _explosions(frames, voice, usual, high - level, exploding)
            yield from _spikes(frames, voice, usual, np.where(exploding, np.nan, high))


def _level_before(usual: Floats, high: Floats) -> Floats:
    """Return the median of the frames before each that had not exploded; NaN at first."""
    window = max(15, int(BEFORE * len(usual)))
    level = np.full(len(usual), np.nan)
    before: deque[float] = deque()
    ascending: list[float] = []
    for place in np.flatnonzero(np.isfinite(usual)).tolist():
        if (known := len(ascending)) >= FEWEST:
            level[place] = (ascending[(known - 1) // 2] + ascending[known // 2]) / 2
        if not high[place] > level[place] + EXPLOSION:
            before.append(float(usual[place]))
            insort(ascending, before[-1])
            if len(before) > window:
                del ascending[bisect_left(ascending, before.popleft())]
    return level


def _exploding(usual: Floats, above: Floats) -> Bools:
    """Tell where values are far above that level, and not just for a moment."""
    far = np.asarray(above > EXPLOSION)
    for begin, end in stretches(far, MOMENT):
        if end - begin <= MOMENT and np.isfinite(usual[end:]).any():
            far[begin:end] = False  # a spike
    return far


def _explosions(
    frames: Frames, voice: int, usual: Floats, above: Floats, far: Bools
) -> Iterator[Finding]:
    gap = max(MOMENT, frames.count // 20)
    for begin, end in stretches(far, gap):
        at = begin + int(np.nanargmax(above[begin:end]))
        lasting = not np.isfinite(usual[end:]).any()
        yield Finding(
            What.EXPLOSION,
            (frames.names[voice],),
            int(frames.steps[begin]),
            None if lasting else int(frames.steps[end - 1]),
            float(np.exp(min(above[at], 700.0))),
            int(frames.high_step[voice, at]),
        )


def _spikes(frames: Frames, voice: int, usual: Floats, high: Floats) -> Iterator[Finding]:
    level = running_median(usual)
    distance = np.nan_to_num(high - level)
    if not np.isfinite(level).any():
        return
    jitter = 1.4826 * np.nanmedian(np.abs(usual - level)) + JITTER
    # Where one frame in twenty leaves its level as far, that is the run's way.
    limit = max(SPIKE, DEVIATIONS * jitter, 2 * float(np.quantile(distance, 0.95)))
    for begin, end in stretches(distance > limit, MOMENT):
        if end - begin > MOMENT + 1:
            continue
        at = begin + int(np.argmax(distance[begin:end]))
        peak = int(frames.high_step[voice, at])
        first, last = (peak, peak) if end - begin == 1 else frames.steps[[begin, end - 1]].tolist()
        factor = float(np.exp(min(distance[at], 700.0)))
        yield Finding(What.SPIKE, (frames.names[voice],), first, max(last, peak), factor, peak)
