"""What a voicing takes beside the frames: pace, scales, polarity, timbre."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.timeline.reduction import Frames
from epochord.renderers.timeline.timeline import Timeline

__all__ = ["TIMBRES", "Style", "groups"]

# Amplitudes of the harmonics. What would lie above 0.45 of the sampling rate is left out.
TIMBRES: dict[str, tuple[float, ...]] = {
    "sine": (1.0,),
    "warm": (1.0, 0.4, 0.2, 0.1, 0.05),
}


@dataclass(frozen=True)
class Style:
    """How frames become a score.

    Parameters
    ----------
    frame, tone, silence : float
        Lengths in seconds: of a frame; and for voices in turn, of a tone and of
        the pause after all of them.
    scales : mapping of str to Scale
        By group (see `groups`).
    polarity : {1, -1}
        Whether more sounds higher or lower.
    timbre : str
        A key of `TIMBRES`.
    asked : frozenset of str
        The groups whose scale was asked for, not found in the values.
    """

    frame: float = 0.06
    tone: float = 0.01
    silence: float = 0.02
    scales: Mapping[str, Scale] = field(default_factory=dict)
    polarity: int = 1
    timbre: str = "sine"
    asked: frozenset[str] = frozenset()


def groups(frames: Frames | Timeline) -> tuple[str, ...]:
    """Return the scale that each voice goes by: one for the norms of all layers, else one a tag."""
    if not frames.unit:
        return frames.names
    kinds = frames.quantities or ("",) * len(frames.names)
    named = zip(frames.names, kinds, strict=True)
    return tuple(name if kind == "total" else frames.unit for name, kind in named)
