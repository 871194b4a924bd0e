"""From a run to a score: what sounds when, how high, how loud and where.

What a voicing of one's own is written with (see `voicings.register_voicing`) stands here.
"""

from epochord.renderers.audio.scoring.events import Event, Kind
from epochord.renderers.audio.scoring.score import Glide, Score, State, Tones, states
from epochord.renderers.audio.scoring.style import TIMBRES, Style, groups
from epochord.renderers.timeline.reduction import Frames

__all__ = [
    "TIMBRES",
    "Event",
    "Frames",
    "Glide",
    "Kind",
    "Score",
    "State",
    "Style",
    "Tones",
    "groups",
    "states",
]
