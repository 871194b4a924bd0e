"""Where values are not numbers."""

from collections.abc import Callable, Iterator

import numpy as np

from epochord.renderers.findings.finding import Finding, What
from epochord.renderers.findings.stretches import Bools, Floats, stretches
from epochord.renderers.timeline.timeline import Timeline

__all__ = ["broken"]

KINDS: dict[What, np.ufunc | Callable[[Floats], Bools]] = {
    What.NAN: np.isnan,
    What.POSITIVE_INFINITY: np.isposinf,
    What.NEGATIVE_INFINITY: np.isneginf,
}
# Stretches that lie nearer to each other than this share of the run are one.
TOGETHER = 0.05


def broken(line: Timeline) -> Iterator[Finding]:
    """Find NaN and the infinities.

    Parameters
    ----------
    line : Timeline
        All steps.
    """
    gap = max(1, int(TOGETHER * line.frames))
    for what, test in KINDS.items():
        for name, values, known in zip(line.names, line.values, line.measured, strict=True):
            places: Bools = test(values) & known
            for begin, end in stretches(places, gap):
                ends = not known[end:].any()
                last = None if ends and end - begin > 1 else int(line.steps[end - 1])
                yield Finding(what, (name,), int(line.steps[begin]), last)
