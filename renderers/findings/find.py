"""From a run's timeline to what happened in it."""

from dataclasses import replace

from epochord.renderers.findings.broken import broken
from epochord.renderers.findings.deaths import deaths
from epochord.renderers.findings.departures import departures
from epochord.renderers.findings.excursions import excursions
from epochord.renderers.findings.finding import Finding, What
from epochord.renderers.findings.stuck import stuck
from epochord.renderers.timeline.reduction import reduce
from epochord.renderers.timeline.timeline import Timeline

__all__ = ["find"]

FRAMES = 2000  # in which long runs are looked at
SPREADING = 20  # of the run, as a fraction: until all layers have exploded


def find(line: Timeline) -> list[Finding]:
    """Find what happened.

    Parameters
    ----------
    line : Timeline
        A run's voices at all steps, not reduced.

    Returns
    -------
    list of Finding
        In the order of steps; what happens to several voices at once is one finding.
    """
    quantities = line.quantities or ("",) * len(line.names)
    frames = reduce(line, FRAMES)
    found = [
        *broken(line),
        *deaths(line, frames, quantities),
        *excursions(frames, quantities),
        *departures(frames, quantities),
        *stuck(line, quantities),
    ]
    dying = {name for each in found if each.what is What.DEAD for name in each.voices}
    found = [each for each in found if not (each.what is What.FALL and each.voices[0] in dying)]
    found.sort(key=lambda each: each.step)
    return _joined(found, len(line.names), line.frames)


def _joined(found: list[Finding], voices: int, steps: int) -> list[Finding]:
    """Join what is of one kind and begins at the same step; explosions take a while to spread."""
    joined: list[Finding] = []
    for one in found:
        near = steps // (SPREADING if one.what is What.EXPLOSION else FRAMES)
        for place, other in enumerate(joined):
            same = other.what is one.what and (other.last is None) == (one.last is None)
            if same and one.step - other.step <= near and one.voices[0] not in other.voices:
                joined[place] = _both(other, one, voices)
                break
        else:
            joined.append(one)
    return joined


def _both(a: Finding, b: Finding, voices: int) -> Finding:
    names = a.voices + b.voices
    stronger = max(a, b, key=lambda each: abs((each.factor or 1.0) - 1.0))
    last = None if a.last is None or b.last is None else max(a.last, b.last)
    return replace(
        stronger, voices=names, step=min(a.step, b.step), last=last,
        all_voices=len(names) == voices > 1,
    )  # fmt: skip
