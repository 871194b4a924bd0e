"""From a seed to clips: which trainings, what is right of each, and its sound as MP3."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.mixing import levels
from epochord.renderers.audio.scoring.compose import audio_score
from epochord.renderers.audio.scoring.legend import legend
from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.listening.trainings import HEALTHY, LAYER, TROUBLES, training
from epochord.renderers.page.sounds import tracks

__all__ = ["PRACTICE", "Clip", "Layers", "clips", "layers_of"]

PRACTICE = (HEALTHY, "drift")  # kinds of the clips whose answer is told
ID_LENGTH = 12  # hexadecimal digits


@dataclass(frozen=True)
class Clip:
    """A clip.

    Parameters
    ----------
    kind : str
        `HEALTHY` or a key of `TROUBLES`.
    layer : int or None
        Which layer is concerned, from 1; None if all are, or none.
    mp3 : bytes
        The sound.
    """

    kind: str
    layer: int | None
    mp3: bytes

    @property
    def id(self) -> str:
        """What it is called, which says nothing of what is right: a hash of its sound."""
        return hashlib.sha256(self.mp3).hexdigest()[:ID_LENGTH]


@dataclass(frozen=True)
class Layers:
    """The layers alone: what sounds one after the other, a low and a high tone each."""

    names: tuple[str, ...]
    mp3: bytes


def clips(count: int, layers: int, seed: int, settings: AudioSettings) -> Iterator[Clip]:
    """Make the clips of a test: those of `PRACTICE`, and then as many as are asked for.

    Parameters
    ----------
    count : int
        How many are to be answered, an even number: one half is healthy, in the
        other no kind of trouble comes oftener than another by more than one.
    layers : int
        Of each training.
    seed : int
        What they are drawn from.
    settings : AudioSettings
        How they are to be heard.

    Yields
    ------
    Clip
        In an order that tells what is right.
    """
    shuffled = np.random.default_rng(seed).permutation(list(TROUBLES))
    ill = [str(shuffled[n % len(shuffled)]) for n in range(count // 2)]
    for number, kind in enumerate([*PRACTICE, *[HEALTHY] * (count // 2), *ill]):
        made = training(kind, layers, np.random.default_rng([seed, number]))
        yield Clip(kind, made.layer, _mp3(audio_score(made.run, settings)[0], settings))


def layers_of(layers: int, seed: int, settings: AudioSettings) -> Layers:
    """Make the sound that says which layer is which."""
    made = training(HEALTHY, layers, np.random.default_rng([seed]))
    score = legend(audio_score(made.run, settings)[0])
    names = (_words(name) for name in score.frames.names)
    return Layers(tuple(names), _mp3(score, settings))


def _words(voice: str) -> str:
    return voice.replace(LAYER, f"{LAYER} ") if voice.startswith(LAYER) else "all together"


def _mp3(score: Score, settings: AudioSettings) -> bytes:
    (level,) = levels([[score]], settings.lufs)
    (track,) = tracks(score, level, stems=False, progress=lambda _: None)
    return track.mp3
