"""What happens in a score beside its voices: an event for each thing that is not a number."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Event", "Kind"]


class Kind(StrEnum):
    """What an earcon says."""

    NAN = "nan"
    POSITIVE_INFINITY = "+inf"
    NEGATIVE_INFINITY = "-inf"
    END = "end"
    DEAD = "dead"
    EPOCH = "epoch"


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
        RMS amplitude, before panning.
    mark : bool
        Whether it is the first of its kind in a row: what a cue point is set for.
    """

    sample: int
    kind: Kind
    voice: int
    length: int
    level: float
    mark: bool = True
