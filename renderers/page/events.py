"""What is listed and marked in a page: what happened in a run, and where its epochs end."""

import math
from dataclasses import replace
from typing import Any

from epochord.renderers.audio.scoring.events import Kind
from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.findings import Finding
from epochord.renderers.page.document import isolated
from epochord.renderers.page.pace import Pace
from epochord.renderers.timeline.timeline import Timeline

__all__ = ["MOST_TOLD", "listed_events"]

MOST_EVENTS = 1000  # of a run
MOST_TOLD = 20  # of a run are told while it plays; more could not be followed


def listed_events(score: Score, line: Timeline) -> dict[str, Any]:
    """Return what happened in a run, as plain JSON values, in the order of time.

    What the earcons of a score say of single values, NaN and the like, the findings say
    of stretches: of the earcons, only those for the ends of epochs are listed.

    Parameters
    ----------
    score : Score
        Of any voicing.
    line : Timeline
        What it was made of.

    Returns
    -------
    dict
        ``events``, each with ``time`` (s: where to hear it from), ``step``, ``last``, ``at``
        (the step of its mark), ``kind``, ``voices`` (numbers), whether these are ``all_voices``,
        ``factor``, ``sentence``, and whether it is ``told``; and how many ``more_events``
        there are.
    """
    pace = Pace.of(score)
    told = {id(found) for found in _strongest(score.findings)}
    found = [_happened(each, pace, line, told=id(each) in told) for each in score.findings]
    every = [*found, *_epochs(score)]
    return {
        "events": sorted(every[:MOST_EVENTS], key=lambda event: event["time"]),
        "more_events": max(0, len(every) - MOST_EVENTS),
    }


def _happened(found: Finding, pace: Pace, line: Timeline, *, told: bool) -> dict[str, Any]:
    return {
        "time": pace.time(found.step),
        "step": found.step,
        "last": found.last,
        "at": found.step if found.peak is None else found.peak,
        "kind": str(found.what),
        "voices": [line.names.index(name) for name in found.voices if name in line.names],
        "all_voices": found.all_voices,
        "factor": found.factor,
        "sentence": replace(found, voices=tuple(map(isolated, found.voices))).sentence,
        "told": told,
    }


def _epochs(score: Score) -> list[dict[str, Any]]:
    return [
        {
            "time": event.sample / score.sample_rate,
            "step": int(score.frames.steps[event.sample // score.frame_length]),
            "last": None,
            "at": None,
            "kind": str(event.kind),
            "voices": [],
            "all_voices": False,
            "factor": None,
            "sentence": "end of an epoch",
            "told": False,
        }
        for event in score.events
        if event.mark and event.kind == Kind.EPOCH
    ]


def _strongest(findings: tuple[Finding, ...]) -> list[Finding]:
    return sorted(findings, key=_strength, reverse=True)[:MOST_TOLD]


def _strength(found: Finding) -> float:
    """Return how far a finding is from the usual; what is no number, or zero, is farthest."""
    return abs(math.log(found.factor)) if found.factor else math.inf
