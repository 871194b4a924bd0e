"""Voicings: functions from frames to a score, one a file, and those that others have written."""

from epochord.renderers.audio.scoring.voicings.lanes import lanes
from epochord.renderers.audio.scoring.voicings.original import original
from epochord.renderers.audio.scoring.voicings.registry import (
    SHIPPED,
    Voicing,
    VoicingError,
    explain,
    identity,
    register_voicing,
    require_known,
    voiced,
    voicing_names,
)
from epochord.renderers.audio.scoring.voicings.roll import roll
from epochord.renderers.audio.scoring.voicings.sequence import sequence

__all__ = [
    "SHIPPED",
    "Voicing",
    "VoicingError",
    "explain",
    "identity",
    "lanes",
    "original",
    "register_voicing",
    "require_known",
    "roll",
    "sequence",
    "voiced",
    "voicing_names",
]
