"""A score as MIDI: a channel a voice, with bends, so that any instrument plays its very pitches.

The file is one of format 1: a track for tempo and markers, and one for each voice.  A tick
is a millisecond.  What glides is held here; a voice's harmonics are the instrument's.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.calls import calls
from epochord.renderers.audio.scoring.score import Score, Tones
from epochord.renderers.audio.scoring.settings import CALLING
from epochord.renderers.findings.finding import listed
from epochord.runlog.extras import needing

__all__ = ["CHANNELS", "require_mido", "write_midi"]

Floats = npt.NDArray[np.float64]
Timed = tuple[int, Any]
"""A tick, and a message."""

TICKS_A_SECOND = 1000
TICKS_A_BEAT, TEMPO = 500, 500_000  # µs a beat: 120 beats a minute, as where no tempo is given
CHANNELS = tuple(channel for channel in range(16) if channel != 9)  # the tenth is percussion
ORGAN = 16  # General MIDI's "Drawbar Organ": sines that sound for as long as they are held
VELOCITY = 100
A4_HZ, A4_NOTE = 440.0, 69
TOP_NOTE, TOP = 127, 127
SILENT = -1  # in place of a note
LEAST_RANGE, MOST_RANGE = 2, 24  # semitones of bend, each way: more is not obeyed everywhere
BENDS = 8192  # steps each way
# Numbers of controllers (MIDI 1.0, table 3; GM level 1).
DATA, VOLUME, PAN, EXPRESSION, FINE_DATA, FINE_RPN, RPN = 6, 7, 10, 11, 38, 100, 101


def require_mido() -> None:
    """Import mido.

    Raises
    ------
    MissingPackageError
        If it is not installed.
    """
    with needing("MIDI", "midi"):
        import mido  # noqa: F401


def write_midi(score: Score, path: Path, *, name: str = "", offset: int = 0) -> None:
    """Write a score as a MIDI file.

    Parameters
    ----------
    score : Score
        Of at most 15 voices.  What lies below the lowest note, at 8.2 Hz, is silent.
    path : Path
        The file.
    name : str
        Of the run.
    offset : int
        Samples before the score begins, as in a sound with a legend.

    Raises
    ------
    MissingPackageError
        If mido is not installed.
    OSError
        If the file cannot be written.
    """
    require_mido()
    import mido

    end = _tick(score, score.samples + offset)
    loudest = float(score.gain.max(initial=0.0)) or 1.0
    tracks = [_markers(score, name, offset)]
    tracks += [
        chain(_opening(score, voice, channel, loudest), _notes(score, voice, channel, offset))
        for voice, channel in zip(range(len(score.pitch)), CHANNELS, strict=False)
    ]
    made = mido.MidiFile(type=1, ticks_per_beat=TICKS_A_BEAT, charset="utf-8")
    made.tracks += [_track(each, end) for each in tracks]
    made.save(path)


def _tick(score: Score, sample: int) -> int:
    return round(sample * TICKS_A_SECOND / score.sample_rate)


def _track(messages: Iterator[Timed], end: int) -> Any:
    """Put messages into a track, each at the time since the one before."""
    import mido

    track, now = mido.MidiTrack(), 0
    for tick, message in chain(messages, [(end, mido.MetaMessage("end_of_track"))]):
        track.append(message.copy(time=max(0, tick - now)))
        now = max(now, tick)
    return track


def _markers(score: Score, name: str, offset: int) -> Iterator[Timed]:
    """Yield the tempo, and what happened and is called, in words."""
    import mido

    yield 0, mido.MetaMessage("track_name", name=_text(name))
    yield 0, mido.MetaMessage("set_tempo", tempo=TEMPO)
    said = [(found.step, found.sentence) for found in score.findings]
    if score.voicing in CALLING:
        said += [(call.step, f"call: {listed(call.voices)}") for call in calls(score.findings)]
    places = [(score.frames.at(step) * score.frame_length + offset, text) for step, text in said]
    for sample, text in sorted(places, key=lambda place: place[0]):
        yield _tick(score, sample), mido.MetaMessage("marker", text=_text(text))


def _text(text: str) -> str:
    """Replace what UTF-8 cannot hold: parts of names that are no text."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _opening(score: Score, voice: int, channel: int, loudest: float) -> Iterator[Timed]:
    """Yield a voice's name, instrument, range of bends and volume."""
    import mido

    coarse = _bend_range(_numbers(score.pitch[voice]))
    volume = int(_control(float(score.gain[voice].max(initial=0.0)) / loudest))
    yield 0, mido.MetaMessage("track_name", name=_text(score.frames.names[voice]))
    yield 0, mido.Message("program_change", channel=channel, program=ORGAN)
    # RPN 0, then none, so that nothing else that comes in changes it.
    settings = (RPN, 0), (FINE_RPN, 0), (DATA, coarse), (FINE_DATA, 0), (RPN, TOP), (FINE_RPN, TOP)
    for control, value in (*settings, (VOLUME, volume)):
        yield 0, mido.Message("control_change", channel=channel, control=control, value=value)


def _numbers(pitch: npt.NDArray[np.floating[Any]]) -> Floats:
    """Return pitches in Hz as numbers of notes, which count semitones; -inf for 0 Hz."""
    with np.errstate(divide="ignore"):
        octaves = np.log2(np.abs(pitch.astype(np.float64)) / A4_HZ)
    return np.asarray(A4_NOTE + 12 * octaves)


def _bend_range(numbers: Floats) -> int:
    """Return by how many semitones a voice is to be bent each way: over its movement."""
    there = numbers[numbers >= 0]
    if not len(there):
        return LEAST_RANGE
    movement = np.ceil(there.max() - there.min()) + 1
    beyond = np.ceil(there.max() - TOP_NOTE)  # the highest note is at 12.5 kHz
    return int(np.clip(max(movement, beyond), LEAST_RANGE, MOST_RANGE))


def _control(amplitude: npt.ArrayLike) -> Floats:
    """Return a controller's value for amplitudes up to 1: 40 dB for a tenth of it (GM level 2)."""
    return np.asarray(np.maximum(1.0, np.rint(TOP * np.sqrt(np.minimum(1.0, amplitude)))))


def _notes(score: Score, voice: int, channel: int, offset: int) -> Iterator[Timed]:
    """Yield a voice's notes, and its places, loudness and bends where they change."""
    import mido

    numbers, gains = _numbers(score.pitch[voice]), score.gain[voice].astype(np.float64)
    tones = score.articulation if isinstance(score.articulation, Tones) else None
    within = _bend_range(numbers)
    notes = _chosen(numbers, (gains > 0) & (numbers >= 0), within, held=tones is None)
    settings = _settings(score, voice, notes, within, channel)
    begin = offset + (tones.onsets[voice] if tones else 0)
    release = score.frame_length if tones is None else tones.length
    sounding: int | None = None
    for frame, note in enumerate(notes.tolist()):
        start = begin + frame * score.frame_length
        tick = _tick(score, start)
        if sounding is not None and note != sounding:
            yield tick, mido.Message("note_off", channel=channel, note=sounding)
            sounding = None
        if note == SILENT:
            continue
        yield from ((tick, message) for message in settings.get(frame, ()))
        if sounding is None:
            yield tick, mido.Message("note_on", channel=channel, note=note, velocity=VELOCITY)
            sounding = note
        if tones or frame == len(notes) - 1:
            yield (
                _tick(score, start + release),
                mido.Message("note_off", channel=channel, note=note),
            )
            sounding = None


def _chosen(
    numbers: Floats, sounding: npt.NDArray[np.bool_], within: int, *, held: bool
) -> npt.NDArray[np.int64]:
    """Choose a note for each frame: the one before, if it is held and can be bent so far."""
    notes = np.full(len(numbers), SILENT)
    nearest = np.rint(np.clip(numbers, 0, TOP_NOTE)).astype(np.int64)
    note = SILENT
    for frame in np.flatnonzero(sounding).tolist():
        silent_before = frame == 0 or not sounding[frame - 1]
        if not held or silent_before or abs(numbers[frame] - note) > within:
            note = int(nearest[frame])
        notes[frame] = note
    return notes


def _settings(
    score: Score, voice: int, notes: npt.NDArray[np.int64], within: int, channel: int
) -> dict[int, list[Any]]:
    """Return, by frame, the messages that change place, loudness and bend before its note."""
    import mido

    there = np.flatnonzero(notes != SILENT)
    gains = score.gain[voice, there].astype(np.float64)
    bent = (_numbers(score.pitch[voice, there]) - notes[there]) * BENDS / within
    rows: tuple[tuple[dict[str, int], str, npt.NDArray[Any]], ...] = (
        ({"control": PAN}, "value", np.clip(64 + 63 * score.places[voice, there], 0, TOP)),
        ({"control": EXPRESSION}, "value", _control(gains / gains.max(initial=1e-30))),
        ({}, "pitch", np.clip(bent, -BENDS, BENDS - 1)),
    )
    made: dict[int, list[Any]] = {}
    for fixed, key, row in rows:
        values = np.rint(row).astype(np.int64)
        for place in np.flatnonzero(np.diff(values, prepend=values[:1] - 1)).tolist():
            kind = "control_change" if fixed else "pitchwheel"
            message = mido.Message(kind, channel=channel, **fixed, **{key: int(values[place])})
            made.setdefault(int(there[place]), []).append(message)
    return made
