"""Voicings: functions from a Timeline to a Score, one a file."""

from collections.abc import Callable

from renderers.audio.score import Score
from renderers.audio.voicings.original import original
from renderers.timeline import Timeline

__all__ = ["VOICINGS", "Voicing", "original"]

Voicing = Callable[[Timeline, float, float], Score]
"""Takes the timeline, the length of a tone and of the silence after a step (s)."""

VOICINGS: dict[str, Voicing] = {"original": original}
