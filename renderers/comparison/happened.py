"""What happened in each run that is compared: in what is heard, and in its other tags."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from epochord.renderers.comparison.series import Logged
from epochord.renderers.findings import Finding, What, findings
from epochord.renderers.timeline.choice import Choice
from epochord.runlog import Run
from epochord.runlog.run.run import GRAD_NORM

__all__ = ["happened"]

# Of tags that are looked at one by one, nobody leaves the others.
TOGETHER = (What.RISE, What.FALL)


def happened(log: Logged, choice: Choice) -> list[Finding]:
    """Find what happened in a run, on its own steps and not on those that all share.

    Parameters
    ----------
    log : Logged
        The run.
    choice : Choice
        What was asked for.

    Returns
    -------
    list of Finding
        In the order of steps; of one step, what is heard first.  What is heard is called
        by its voice, any other tag by itself.
    """
    own = findings(_only(log.run, log.heard), choice) if log.heard else []
    others = [tag for tag in log.wanted if tag not in log.heard]
    return sorted([*own, *_joined(_of_tags(log.run, others))], key=lambda found: found.step)


def _only(run: Run, tags: Iterable[str]) -> Run:
    return replace(run, series={tag: run[tag] for tag in tags})


def _of_tags(run: Run, tags: Iterable[str]) -> Iterator[Finding]:
    for tag in tags:
        if len(run[tag]):
            alone = Choice(voices=((tag.removeprefix(GRAD_NORM), tag),))
            yield from findings(_only(run, [tag]), alone)


def _joined(several: Iterable[Finding]) -> list[Finding]:
    """Join what is of one kind, at the same steps, in several tags; the strongest says how far."""
    joined: dict[tuple[object, ...], Finding] = {}
    for one in several:
        if one.what in TOGETHER:
            continue
        key = one.what, one.step, one.last
        before = joined.get(key)
        stronger = one if before is None or _size(one) > _size(before) else before
        voices = one.voices if before is None else before.voices + one.voices
        joined[key] = replace(stronger, voices=voices)
    return list(joined.values())


def _size(found: Finding) -> float:
    factor = found.factor or 1.0
    return max(factor, 1 / factor)
