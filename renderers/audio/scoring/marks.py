"""From the states of a score to its earcons: at the onset, softly while it lasts, at the end."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.events import Event, Kind
from epochord.renderers.audio.scoring.score import Score, State
from epochord.renderers.findings import Finding, What
from epochord.renderers.timeline.reduction import Frames

__all__ = ["epoch_events", "finding_events", "held_events", "running_events", "state_events"]

KINDS = {
    State.NAN: Kind.NAN,
    State.POSITIVE_INFINITY: Kind.POSITIVE_INFINITY,
    State.NEGATIVE_INFINITY: Kind.NEGATIVE_INFINITY,
}
FRAME_SHARE = 0.9
LONGEST, SHORTEST = 0.12, 0.03  # s
KNELL = 0.6  # s
BREATH = 0.5  # s
PULSE_EVERY = 0.6  # s
HELD_APART = 1.0  # s between marks of one voice that leaves its range again and again

# RMS in dBFS, in a sound of -23 LUFS. `benchmarks/listening.py` shows how far each is above what
# the voices mask at their worst.
ONSET_DB = -23.0
PULSE_DB = -25.0
END_DB = -29.0
HELD_DB = -34.0
KNELL_DB = -26.0
EPOCH_DB = -36.0
BREATH_DB = -41.0

States = npt.NDArray[np.int8]


def state_events(state: States, frame_length: int, sample_rate: int) -> tuple[Event, ...]:
    """Mark what is not finite.

    Parameters
    ----------
    state : np.ndarray [shape=(voices, frames), int8]
        `State` of each value.
    frame_length : int
        Samples.
    sample_rate : int
        Hz.

    Returns
    -------
    tuple of Event
        In the order of time.
    """
    length = _length(frame_length, sample_rate)
    pulse = max(1, round(PULSE_EVERY * sample_rate / frame_length))
    events: list[Event] = []

    def mark(frame: int, kind: Kind, voice: int, decibels: float, first: bool = True) -> None:
        events.append(_event(frame * frame_length, kind, voice, length, decibels, first))

    for voice, row in enumerate(state):
        for begin, end, value in _stretches(row):
            if value in KINDS:
                kind = KINDS[State(value)]
                mark(begin, kind, voice, ONSET_DB)
                for frame in range(begin + pulse, end, pulse):
                    mark(frame, kind, voice, PULSE_DB, first=False)
                if end < len(row) and row[end] not in (*KINDS, State.MISSING):
                    mark(end, Kind.END, voice, END_DB)
    return _together(events)


def held_events(score: Score, polarity: int = 1) -> tuple[Event, ...]:
    """Mark where values leave a voice's register, whose end they are held at.

    Parameters
    ----------
    score : Score
        With registers.
    polarity : {1, -1}
        Whether more sounds higher or lower.

    Returns
    -------
    tuple of Event
        At most one a second for each voice, in the order of time.
    """
    if score.registers is None:
        return ()
    length = _length(score.frame_length, score.sample_rate)
    apart = HELD_APART * score.sample_rate / score.frame_length
    events = []
    for voice, row in enumerate(score.state):
        last = -np.inf
        middle = float(np.sqrt(score.registers[voice].prod()))
        for begin, end, value in _stretches(row):
            if value != State.HELD:
                continue
            if begin - last >= apart:
                higher = polarity * (score.pitch[voice, begin] - middle) > 0
                kind = Kind.ABOVE if higher else Kind.BELOW
                sample = begin * score.frame_length
                events.append(_event(sample, kind, voice, length, HELD_DB))
            last = end
    return _together(events)


def finding_events(
    findings: Sequence[Finding], frames: Frames, frame_length: int, sample_rate: int
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

    Returns
    -------
    tuple of Event
        In the order of time.
    """
    length = round(KNELL * sample_rate)
    events = [
        _event(frames.at(found.step) * frame_length, Kind.DEAD, voice, length, KNELL_DB)
        for found in findings
        if found.what is What.DEAD
        for voice in map(frames.names.index, found.voices)
    ]
    return _together(events)


def epoch_events(ends: Iterable[int], frame_length: int, sample_rate: int) -> tuple[Event, ...]:
    """Tick at the ends of epochs, given the frames in which they lie."""
    length = round(SHORTEST * sample_rate)
    return tuple(_event(end * frame_length, Kind.EPOCH, -1, length, EPOCH_DB) for end in ends)


def running_events(score: Score) -> tuple[Event, ...]:
    """Breathe softly where no voice sounds though the run goes on.

    Parameters
    ----------
    score : Score
        With all its frames.

    Returns
    -------
    tuple of Event
        One behind the other in each silence of half a second and more, up to the last
        frame in which anything was measured.
    """
    there = np.flatnonzero((score.state != State.MISSING).any(axis=0))
    last = int(there[-1]) + 1 if len(there) else 0
    silent = (score.gain[:, :last] <= 0).all(axis=0)
    length = round(BREATH * score.sample_rate)
    events: list[Event] = []
    for begin, end, still in _stretches(np.asarray(silent, np.int8)):
        if still:
            samples = range(begin * score.frame_length, end * score.frame_length, length)
            events += [
                _event(sample, Kind.RUNNING, -1, length, BREATH_DB, first=False)
                for sample in samples
                if sample + length <= end * score.frame_length
            ]
    return tuple(events)


def _event(
    sample: int, kind: Kind, voice: int, length: int, decibels: float, first: bool = True
) -> Event:
    return Event(sample, kind, voice, length, 10 ** (decibels / 20), first)


def _together(events: Sequence[Event]) -> tuple[Event, ...]:
    """Sort events; those at once, which add up in phase, are together as loud as two others."""
    crowd = Counter((event.sample, event.kind) for event in events)

    def shared(event: Event) -> Event:
        together = crowd[event.sample, event.kind]
        return replace(event, level=event.level * min(2, together) ** 0.5 / together)

    return tuple(sorted(map(shared, events), key=lambda event: event.sample))


def _length(frame_length: int, sample_rate: int) -> int:
    shortest, longest = (round(seconds * sample_rate) for seconds in (SHORTEST, LONGEST))
    return int(np.clip(round(FRAME_SHARE * frame_length), shortest, longest))


def _stretches(row: States) -> Iterator[tuple[int, int, int]]:
    """Yield where each stretch of equal states begins and ends, and its state."""
    edges = np.unique([0, *(np.flatnonzero(np.diff(row)) + 1), len(row)]).tolist()
    for begin, end in pairwise(edges):
        yield begin, end, int(row[begin])
