"""Voicings: functions from frames to a score, one a file."""

import sys
from collections.abc import Callable

from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.audio.scoring.style import Style
from epochord.renderers.audio.scoring.voicings.lanes import lanes
from epochord.renderers.audio.scoring.voicings.original import original
from epochord.renderers.audio.scoring.voicings.sequence import sequence
from epochord.renderers.timeline.reduction import Frames

__all__ = ["VOICINGS", "Voicing", "explain", "lanes", "original", "sequence"]

Voicing = Callable[[Frames, Style], Score]

VOICINGS: dict[str, Voicing] = {"lanes": lanes, "sequence": sequence, "original": original}


def explain(name: str) -> str:
    """Return what a voicing is, in one sentence: the first of its module's documentation."""
    module = sys.modules[VOICINGS[name].__module__]
    return (module.__doc__ or "").partition("\n")[0]
