"""From the states of a score to its earcons: at the onset, softly while it lasts, at the end."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.events import Event, Kind
from epochord.renderers.audio.scoring.score import State
from epochord.renderers.findings import Finding, What
from epochord.renderers.timeline.reduction import Frames

__all__ = ["epoch_events", "finding_events", "state_events"]

KINDS = {
    State.NAN: Kind.NAN,
    State.POSITIVE_INFINITY: Kind.POSITIVE_INFINITY,
    State.NEGATIVE_INFINITY: Kind.NEGATIVE_INFINITY,
}
FRAME_SHARE = 0.9
LONGEST, SHORTEST = 0.12, 0.03  # s
PULSE_EVERY = 0.6  # s
ONSET_DB = -12.0  # to the voices' RMS; detectors still work at -18 dB, ears like it louder
PULSE_DB = -24.0
END_DB = -16.0
EPOCH_DB = -26.0


def state_events(
    state: npt.NDArray[np.int8], frame_length: int, sample_rate: int, level: float
) -> tuple[Event, ...]:
    """Mark what is not finite.

    Parameters
    ----------
    state : np.ndarray [shape=(voices, frames), int8]
        `State` of each value.
    frame_length : int
        Samples.
    sample_rate : int
        Hz.
    level : float
        RMS amplitude of all voices together.

    Returns
    -------
    tuple of Event
        In the order of time.
    """
    length = _length(frame_length, sample_rate)
    pulse = max(1, round(PULSE_EVERY * sample_rate / frame_length))
    events: list[Event] = []

    def mark(frame: int, kind: Kind, voice: int, decibels: float, first: bool = True) -> None:
        loud = level * 10 ** (decibels / 20)
        events.append(Event(frame * frame_length, kind, voice, length, loud, first))

    for voice, row in enumerate(state):
        for begin, end, value in _stretches(row):
            if value in KINDS:
                kind = KINDS[State(value)]
                mark(begin, kind, voice, ONSET_DB)
                for frame in range(begin + pulse, end, pulse):
                    mark(frame, kind, voice, PULSE_DB, first=False)
                if end < len(row) and row[end] not in KINDS:
                    mark(end, Kind.END, voice, END_DB)
    return _as_independent(events)


def finding_events(
    findings: Sequence[Finding], frames: Frames, frame_length: int, sample_rate: int, level: float
) -> tuple[Event, ...]:
    """Mark the deaths among what was found.

    Parameters
    ----------
    findings : sequence of Finding
        What happened in the run.
    frames : Frames
        Its frames.
    frame_length : int
        Samples.
    sample_rate : int
        Hz.
    level : float
        RMS amplitude of all voices together.

    Returns
    -------
    tuple of Event
        In the order of time.
    """
    length, loud = _length(frame_length, sample_rate), level * 10 ** (END_DB / 20)
    events = [
        Event(frames.at(found.step) * frame_length, Kind.DEAD, voice, length, loud)
        for found in findings
        if found.what is What.DEAD
        for voice in map(frames.names.index, found.voices)
    ]
    return _as_independent(events)


def _as_independent(events: Sequence[Event]) -> tuple[Event, ...]:
    """Sort events; those at once add up in phase, and get as loud as independent sounds."""
    crowd = Counter((event.sample, event.kind) for event in events)
    shared = [
        replace(event, level=event.level / crowd[event.sample, event.kind] ** 0.5)
        for event in events
    ]
    return tuple(sorted(shared, key=lambda event: event.sample))


def epoch_events(
    ends: Sequence[int], frame_length: int, sample_rate: int, level: float
) -> tuple[Event, ...]:
    """Tick at the ends of epochs, given the frames in which they lie."""
    length = round(SHORTEST * sample_rate)
    loud = level * 10 ** (EPOCH_DB / 20)
    return tuple(Event(end * frame_length, Kind.EPOCH, -1, length, loud) for end in ends)


def _length(frame_length: int, sample_rate: int) -> int:
    shortest, longest = (round(seconds * sample_rate) for seconds in (SHORTEST, LONGEST))
    return int(np.clip(round(FRAME_SHARE * frame_length), shortest, longest))


def _stretches(row: npt.NDArray[np.int8]) -> Iterator[tuple[int, int, int]]:
    """Yield where each stretch of equal states begins and ends, and its state."""
    edges = [0, *(np.flatnonzero(np.diff(row)) + 1).tolist(), len(row)]
    for begin, end in pairwise(edges):
        yield begin, end, int(row[begin])
