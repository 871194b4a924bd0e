"""Scores to MP3, all at one gain: one track a run, or one a voice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.files.write import write_audio
from epochord.renderers.audio.level.measure import Level
from epochord.renderers.audio.mixing import mixed
from epochord.renderers.audio.scoring.score import Score

__all__ = ["MARKS", "MIX", "Track", "sound", "tracks"]

MP3_KBITS = 128  # a page of a minute of sound shall stay small
MIX = "mix"
MARKS = "marks"  # the earcons, which belong to no single voice's track

Samples = npt.NDArray[np.float32]
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Track:
    """A sound of a page.

    Parameters
    ----------
    name : str
        `MIX`, a voice, or `MARKS`.
    mp3 : bytes
        The file.
    """

    name: str
    mp3: bytes


def tracks(score: Score, level: Level, *, stems: bool, progress: Progress) -> Iterator[Track]:
    """Encode a score.

    Parameters
    ----------
    score : Score
        Of any voicing.
    level : Level
        With the gains.
    stems : bool
        One track a voice and one of the marks, which together are the whole,
        instead of that.
    progress : callable
        Called with the number of samples that were made.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, "track.mp3")
        for name, part in _stems(score) if stems else [(MIX, score)]:
            write_audio(
                path,
                sound(part, level, progress),
                samples=part.samples,
                sample_rate=part.sample_rate,
                channels=part.channels,
                format="mp3",
                mp3_kbits=MP3_KBITS,
            )
            yield Track(name, path.read_bytes())


def sound(score: Score, level: Level, progress: Progress) -> Iterator[Samples]:
    """Synthesise a score at its level."""
    for block in mixed([score], level):
        yield block
        progress(len(block))


def _stems(score: Score) -> Iterator[tuple[str, Score]]:
    for voice, name in enumerate(score.frames.names):
        alone = np.zeros_like(score.gain)
        alone[voice] = score.gain[voice]
        yield name, replace(score, gain=alone, events=())
    if score.events:
        yield MARKS, replace(score, gain=np.zeros_like(score.gain))
