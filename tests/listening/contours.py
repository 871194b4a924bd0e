"""From partials to what an ear follows: five contours, and the loudness of each voice."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests.listening.auditory import CAMS
from tests.listening.components import EARCON, Components
from tests.listening.excitation import summed
from tests.listening.hearing import heard
from tests.listening.loudness import sones
from tests.listening.roughness import roughness

__all__ = ["CONTOURS", "Contours", "Voices", "contours"]

Floats = npt.NDArray[np.floating]

CONTOURS = ("loudness", "centroid", "pitch", "onsets", "roughness")
FAINTEST = 1e-2  # sones: what is below says nothing
# Of simultaneous tones the highest is heard out best (L. J. Trainor et al., Hearing
# Research 308 (2014) 60-70): so many dB an octave.
HIGH_VOICE_DB = 1.0
SMOOTH = 0.05  # of onsets, relative to the whole: below that none is noticed
ROUGH = 0.02  # the same of roughness


@dataclass(frozen=True, eq=False)
class Contours:
    """What is followed, frame by frame.

    Parameters
    ----------
    rows : np.ndarray [shape=(5, frames)]
        In the order of `CONTOURS`: loudness in phons (10 log2 of sones), centroid of
        specific loudness in Cams, the most prominent pitch in cents over 100 Hz, natural
        logarithms of how much sets in and of roughness.
    voices : Voices or None
        Of each voice.
    """

    rows: Floats
    voices: "Voices | None"


@dataclass(frozen=True, eq=False)
class Voices:
    """Voices as heard among the others.

    Parameters
    ----------
    loudness : np.ndarray [shape=(voices, frames)]
        Sones.
    pitch : np.ndarray [shape=(voices, frames)]
        Cents over 100 Hz; while a voice is silent, what it was.
    pan : np.ndarray [shape=(voices,)]
        Where each usually is.
    """

    loudness: Floats
    pitch: Floats
    pan: Floats


def contours(parts: Components, *, each: bool = False) -> Contours:
    """Follow a table of partials.

    Parameters
    ----------
    parts : Components
        From a score.
    each : bool
        Whether to follow each voice too.
    """
    ear = heard(parts, each=each)
    loud = np.maximum(sones(ear.specific), FAINTEST)
    centroid = (ear.specific * CAMS).sum(axis=1) / np.maximum(ear.specific.sum(axis=1), 1e-3)
    grown = np.maximum(np.diff(ear.specific, axis=0, prepend=ear.specific[:1]), 0)
    onsets = sones(grown) / max(float(np.median(loud)), FAINTEST)
    rough = _frames(parts, roughness(parts))
    rows = [
        10 * np.log2(loud), centroid, _prominent(parts),
        np.log(onsets + SMOOTH), np.log(rough + ROUGH),
    ]  # fmt: skip
    return Contours(np.stack(rows), _voices(parts, ear.voices) if each else None)


def _voices(parts: Components, loudness: Floats) -> Voices:
    pitch = np.stack([_pitch(parts, parts.voice == voice) for voice in range(parts.voices)])
    count = np.bincount(np.maximum(parts.voice, 0), parts.voice >= 0, minlength=parts.voices)
    total = np.bincount(
        np.maximum(parts.voice, 0), parts.pan * (parts.voice >= 0), minlength=parts.voices
    )
    return Voices(loudness.T, pitch, total / np.maximum(count, 1))


def _prominent(parts: Components) -> Floats:
    return _pitch(parts, parts.voice != EARCON)


def _pitch(parts: Components, chosen: npt.NDArray[np.bool_]) -> Floats:
    """Return the most prominent of the chosen fundamentals in each frame; held where none is."""
    own = np.flatnonzero(chosen & parts.fundamental)
    out = np.full(parts.frames, np.nan)
    frame = parts.frame[parts.moment[own]]
    cents = 1200 * np.log2(np.maximum(parts.frequency[own], 1) / 100)
    weight = parts.level[own] + HIGH_VOICE_DB * cents / 1200
    order = np.lexsort((weight, frame))
    out[frame[order]] = cents[order]  # the last of a frame, the most prominent, stays
    known = np.flatnonzero(~np.isnan(out))
    if not len(known):
        return np.zeros(parts.frames)
    place = np.searchsorted(known, np.arange(parts.frames), side="right") - 1
    return np.asarray(out[known[np.maximum(place, 0)]])


def _frames(parts: Components, values: Floats) -> Floats:
    return values if len(values) == parts.frames else summed(values * parts.share, parts.frame)
