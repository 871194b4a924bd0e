"""Scores to sounds at their level: the voices as loud as asked, the rest as it always is.

An earcon, or speech, that came louder where the voices are few or silent would say more than it
means: so the voices alone are measured, and the rest has one level to the loudness
that is asked for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, chain

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.level.loudness import CEILING_DBTP, TARGET_LUFS
from epochord.renderers.audio.level.measure import (
    UNTOUCHED,
    Level,
    common_level,
    level_at,
    measure,
    metered,
)
from epochord.renderers.audio.scoring.events import Event, Utterance
from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.audio.synthesis.blocks import blocks
from epochord.renderers.audio.synthesis.earcons import overlay
from epochord.renderers.audio.synthesis.glide import pan_gains
from epochord.renderers.audio.synthesis.speech import spoken_over

__all__ = ["levels", "mixed"]

# Of what was made to be measured, so that it need not be made again: 95 s of stereo at 44.1 kHz.
KEPT_BYTES = 1 << 25

Samples = npt.NDArray[np.float32]
Count = Callable[[int], None]
Track = Sequence[Score]
"""What sounds one after the other: a legend, if there is one, and a score."""


def levels(
    tracks: Sequence[Track],
    lufs: float,
    progress: Count | None = None,
    *,
    keep: list[Samples] | None = None,
) -> list[Level]:
    """Measure sounds, and give all voices the gain at which the loudest are as loud as asked.

    Parameters
    ----------
    tracks : sequence of sequence of Score
        One a sound.
    lufs : float
        Loudness in LUFS; the true peak of all stays below -1 dBTP, for which all get
        softer alike.  The voicing `original` is left as it is.
    progress : callable, optional
        Called with each number of samples that were made.
    keep : list, optional
        Of a single track, if it is short: gets what its voices sound like, for `mixed`.
    """
    count = progress or _nothing
    alone = [_of_voices(track, lufs, count, keep) for track in tracks]
    together = common_level(alone)
    pairs = zip(tracks, together, strict=True)
    whole = [_with_marks(track, level, lufs, count, keep) for track, level in pairs]
    peaks = [level.true_peak_dbtp for level in whole if level.true_peak_dbtp is not None]
    decibels = min(0.0, CEILING_DBTP - max(peaks, default=CEILING_DBTP))
    return [_softer(level, decibels) for level in whole]


def mixed(track: Track, level: Level, voices: Sequence[Samples] = ()) -> Iterator[Samples]:
    """Synthesise a track at its level.

    Parameters
    ----------
    track : sequence of Score
        What sounds one after the other.
    level : Level
        With the gains of voices and earcons.
    voices : sequence of np.ndarray
        What `levels` kept, if it did.

    Yields
    ------
    np.ndarray [shape=(n,) or (n, 2), float32]
        In bounded memory, as of hours.
    """
    gain = np.float32(level.gain)
    events, sides = _events(track, level.marks)
    speech = _speech(track)
    as_it_is = gain == 1 and not events and not speech
    sound: Iterator[Samples] = (
        block if as_it_is else np.asarray(block * gain) for block in voices or _voices(track)
    )
    if events:
        sound = overlay(sound, events, sides, track[0].sample_rate)
    return spoken_over(sound, speech, level.marks) if speech else sound


def _voices(track: Track) -> Iterator[Samples]:
    return chain.from_iterable(blocks(replace(score, events=())) for score in track)


def _events(track: Track, marks: float) -> tuple[list[Event], Samples]:
    """Return the earcons of a track at their level, and the gains of its voices' sides."""
    events: list[Event] = []
    before = 0
    for score in track:
        events += [
            replace(event, sample=event.sample + before, level=event.level * marks)
            for event in score.events
        ]
        before += score.samples
    return events, pan_gains(track[-1].places.mean(axis=1))


def _speech(track: Track) -> list[Utterance]:
    starts = accumulate((score.samples for score in track), initial=0)
    return [
        replace(each, sample=each.sample + before)
        for score, before in zip(track, starts, strict=False)
        for each in score.speech
    ]


def _of_voices(track: Track, lufs: float, count: Count, keep: list[Samples] | None) -> Level:
    if track[-1].voicing == "original":
        return UNTOUCHED
    made: list[Samples] = []
    size = sum(score.samples * score.channels for score in track)
    short = size * np.dtype(np.float32).itemsize <= KEPT_BYTES
    level = measure(
        _counted(_voices(track), count, made if short and keep is not None else None),
        sample_rate=track[0].sample_rate,
        channels=track[0].channels,
        target_lufs=lufs,
    )
    if keep is not None:
        keep[:] = made  # all of it or nothing
    return level


def _with_marks(
    track: Track, level: Level, lufs: float, count: Count, keep: list[Samples] | None
) -> Level:
    """Add earcons and speech at their own level, and measure the whole."""
    if not any(score.events or score.speech for score in track) or level is UNTOUCHED:
        return level
    level = replace(level, marks=10 ** ((lufs - TARGET_LUFS) / 20))
    loudness, peak = metered(
        _counted(mixed(track, level, keep or ()), count),
        sample_rate=track[0].sample_rate,
        channels=track[0].channels,
    )
    return replace(level_at(1.0, loudness, peak), gain=level.gain, marks=level.marks)


def _softer(level: Level, decibels: float) -> Level:
    factor = 10 ** (decibels / 20)
    if factor == 1 or level == UNTOUCHED:
        return level
    return Level(
        level.gain * factor,
        None if level.lufs is None else level.lufs + decibels,
        None if level.true_peak_dbtp is None else level.true_peak_dbtp + decibels,
        level.marks * factor,
    )


def _counted(
    sound: Iterator[Samples], count: Count, kept: list[Samples] | None = None
) -> Iterator[Samples]:
    for block in sound:
        if kept is not None:
            kept.append(block)
        yield block
        count(len(block))


def _nothing(_: int) -> None:
    pass
