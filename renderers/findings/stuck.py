"""Gradients that stay at one value to the last digit: nothing that is measured does."""

from collections.abc import Iterator, Sequence

import numpy as np

from epochord.renderers.findings.finding import Finding, What
from epochord.renderers.findings.stretches import stretches
from epochord.renderers.timeline.timeline import Timeline

__all__ = ["stuck"]

FEWEST = 10  # equal values, each logged anew
LONG = 0.1  # of the run, for what does not last to its end


def stuck(line: Timeline, quantities: Sequence[str]) -> Iterator[Finding]:
    """Find gradients that moved, and then keep exactly one value other than zero.

    Parameters
    ----------
    line : Timeline
        All steps.
    quantities : sequence of str
        What each voice is.
    """
    fresh = line.measured if line.logged is None else line.measured & line.logged
    for voice, name in enumerate(line.names):
        if quantities[voice] != "gradient":
            continue
        places = np.flatnonzero(fresh[voice] & np.isfinite(line.values[voice]))
        values = line.values[voice][places]
        equal = (values[1:] == values[:-1]) & (values[1:] != 0)
        long = max(FEWEST, LONG * len(values))
        for begin, end in stretches(equal):
            lasting = end == len(equal)
            if end - begin < (FEWEST if lasting else long):
                continue
            # One that never moved is another thing; a ceiling that it comes back to, clipping.
            before = values[:begin]
            moved = (before != values[begin]).any() and values[begin] != before.max()
            if moved:
                last = None if lasting else int(line.steps[places[end]])
                yield Finding(What.STUCK, (name,), int(line.steps[places[begin]]), last)
