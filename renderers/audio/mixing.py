"""Scores to sounds at their level: the voices as loud as asked, the earcons as they always are.

An earcon that came louder where the voices are few or silent would say more than it
means: so the voices alone are measured, and the earcons have one level to the loudness
that is asked for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

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
from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.audio.synthesis.blocks import blocks

__all__ = ["levels", "mixed"]

Samples = npt.NDArray[np.float32]
Count = Callable[[int], None]
Track = Sequence[Score]
"""What sounds one after the other: a legend, if there is one, and a score."""


def levels(tracks: Sequence[Track], lufs: float, progress: Count | None = None) -> list[Level]:
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
    """
    count = progress or _nothing
    alone = [_of_voices(track, lufs, count) for track in tracks]
    together = common_level(alone)
    whole = [
        _with_marks(track, level, lufs, count)
        for track, level in zip(tracks, together, strict=True)
    ]
    peaks = [level.true_peak_dbtp for level in whole if level.true_peak_dbtp is not None]
    decibels = min(0.0, CEILING_DBTP - max(peaks, default=CEILING_DBTP))
    return [_softer(level, decibels) for level in whole]


def mixed(track: Track, level: Level) -> Iterator[Samples]:
    """Synthesise a track at its level.

    Yields
    ------
    np.ndarray [shape=(n,) or (n, 2), float32]
        In bounded memory, as of hours.
    """
    gain = np.float32(level.gain)
    for score in track:
        for block in blocks(score, marks=level.marks / level.gain):
            yield block if gain == 1 else block * gain


def _of_voices(track: Track, lufs: float, count: Count) -> Level:
    if track[-1].voicing == "original":
        return UNTOUCHED
    silenced = [replace(score, events=()) for score in track]
    return measure(
        _counted(mixed(silenced, UNTOUCHED), count),
        sample_rate=track[0].sample_rate,
        channels=track[0].channels,
        target_lufs=lufs,
    )


def _with_marks(track: Track, level: Level, lufs: float, count: Count) -> Level:
    """Add earcons at their own level, and measure the whole."""
    if not any(score.events for score in track) or level is UNTOUCHED:
        return level
    level = replace(level, marks=10 ** ((lufs - TARGET_LUFS) / 20))
    loudness, peak = metered(
        _counted(mixed(track, level), count),
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


def _nothing(_: int) -> None:
    pass


def _counted(sound: Iterator[Samples], count: Count) -> Iterator[Samples]:
    for block in sound:
        yield block
        count(len(block))
