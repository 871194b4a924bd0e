"""What happens in a score beside its voices: an event for each thing that is no ordinary value."""

from dataclasses import dataclass
from enum import StrEnum

from epochord.renderers.audio.speech import Clip

__all__ = ["Event", "Kind", "Utterance"]


class Kind(StrEnum):
    """What an earcon says."""

    NAN = "nan"
    POSITIVE_INFINITY = "+inf"
    NEGATIVE_INFINITY = "-inf"
    END = "end"
    ABOVE = "above"
    BELOW = "below"
    DEAD = "dead"
    EPOCH = "epoch"
    RUNNING = "running"


@dataclass(frozen=True)
class Event:
    """One earcon in a score.

    Parameters
    ----------
    sample : int
        Where it begins.
    kind : Kind
        What it says.
    voice : int
        About which voice; -1 for all.
    length : int
        Samples.
    level : float
        RMS amplitude in a sound of -23 LUFS, before panning; full scale is 1.  It does
        not depend on how loud the voices are.
    mark : bool
        Whether it is the first of its kind in a row: what a cue point is set for.
    """

    sample: int
    kind: Kind
    voice: int
    length: int
    level: float
    mark: bool = True


@dataclass(frozen=True, eq=False)
class Utterance:
    """A sentence that is spoken in a score, in the middle.

    Parameters
    ----------
    sample : int
        Where it begins.
    clip : Clip
        What is said, at its level in a sound of -23 LUFS.
    """

    sample: int
    clip: Clip
