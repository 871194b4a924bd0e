"""Gradients that stay at zero, or next to it beside what they were."""

from bisect import insort
from collections.abc import Iterator, Sequence

import numpy as np

from epochord.renderers.findings.finding import Finding, What
from epochord.renderers.findings.stretches import Bools, Floats, stretches
from epochord.renderers.timeline.reduction import Frames
from epochord.renderers.timeline.timeline import Timeline

__all__ = ["deaths"]

DEAD = 1e-4  # of the median before
REVIVED = 1e-3
FEWEST = 3  # steps
LONG = 0.1  # of the run, for what does not last to its end


def deaths(line: Timeline, frames: Frames, quantities: Sequence[str]) -> Iterator[Finding]:
    """Find dead gradients; nothing else can be dead, since a loss may well be zero.

    Parameters
    ----------
    line : Timeline
        All steps.
    frames : Frames
        The same in few frames.
    quantities : sequence of str
        What each voice is.
    """
    long = max(FEWEST, LONG * line.frames)
    for voice, name in enumerate(line.names):
        if quantities[voice] != "gradient" or (frames.low[voice] < 0).any():
            continue
        values, known = line.values[voice], line.measured[voice]
        level = _levels(frames.values[voice])
        before = np.repeat(level, np.diff(_starts(frames), append=line.frames))
        dead: Bools = known & np.isfinite(values) & (values <= DEAD * before)
        # What is not measured, or next to dead, between dead steps is dead with them.
        alive = known & ~(values <= REVIVED * before)
        for begin, end in stretches(~alive):
            own = np.flatnonzero(dead[begin:end]) + begin
            if len(own) < FEWEST:
                continue
            lasting = not known[end:].any()
            if not lasting and len(own) < long:
                continue
            reference = before[own[0]]
            share = float(np.max(values[own]) / reference) if reference > 0 else 0.0
            last = None if lasting else int(line.steps[own[-1]])
            yield Finding(What.DEAD, (name,), int(line.steps[own[0]]), last, share)


def _starts(frames: Frames) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.searchsorted(frames.axis, frames.steps)


def _levels(values: Floats) -> Floats:
    """Return, for each frame, the median of the live ones before it; zero where there is none."""
    before: list[float] = []
    levels = np.zeros(len(values))
    for place, value in enumerate(values.tolist()):
        level = before[len(before) // 2] if before else 0.0
        levels[place] = level
        if value > DEAD * level:
            insort(before, value)
    return levels
