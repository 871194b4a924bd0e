"""From partials to what both ears receive: excitation of each voice, and of all."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.synthesis.glide import pan_gains
from tests.listening.auditory import CENTRES, transferred
from tests.listening.components import EARCON, Components
from tests.listening.excitation import excitation, summed
from tests.listening.loudness import partial_loudness, sones, specific_loudness

__all__ = ["Heard", "cochlear", "excite", "heard"]

Floats = npt.NDArray[np.floating]
Whole = npt.NDArray[np.int64]

EVERY = 2  # filters: enough to tell voices apart


@dataclass(frozen=True, eq=False)
class Heard:
    """What reaches both ears.

    Parameters
    ----------
    specific : np.ndarray [shape=(frames, filters), float32]
        Loudness of all, in sones a Cam, both ears together.
    voices : np.ndarray [shape=(frames, voices), float32]
        Loudness of each voice among all others, in sones.
    """

    specific: Floats
    voices: Floats


def cochlear(parts: Components) -> Floats:
    """Return the power of each partial at the cochlea of each ear [shape=(n, 2)]."""
    power = 10 ** ((parts.level + transferred(parts.frequency)) / 10)
    return np.asarray(power[:, None] * pan_gains(parts.pan).T.astype(np.float64) ** 2)


def excite(parts: Components) -> Floats:
    """Return what each partial excites [shape=(2, n, filters), float32]."""
    return excitation(parts.frequency, cochlear(parts), parts.moment)


def heard(parts: Components, *, each: bool = True) -> Heard:
    """Hear a table of partials.

    Parameters
    ----------
    parts : Components
        From a score.
    each : bool
        Whether to tell voices apart too; without, they are nought.

    Returns
    -------
    Heard
        Moments of one frame are averaged: an ear adds up some 50 ms or more (B. R.
        Glasberg and B. C. J. Moore, J. Audio Eng. Soc. 50 (2002) 331-342).
    """
    cells = _cells(parts)
    alone = np.stack([summed(each_ear[cells.order], cells.cell) for each_ear in excite(parts)])
    total = np.zeros((2, len(parts.share), len(CENTRES)), np.float32)
    total[:, np.unique(cells.moment)] = np.stack([summed(ear, cells.moment) for ear in alone])
    specific = specific_loudness(total).sum(axis=0)
    voices = np.zeros((len(parts.share), parts.voices), np.float32)
    if each:
        own = cells.voice < parts.voices
        signal, moment = alone[:, own, ::EVERY], cells.moment[own]
        others = np.maximum(total[:, moment, ::EVERY] - signal, 0)
        loud = sones(partial_loudness(signal, others, every=EVERY)) * EVERY
        voices[moment, cells.voice[own]] = loud.sum(axis=0)
    return Heard(_frames(parts, specific), _frames(parts, voices))


class _Cells(NamedTuple):
    """Voices that sound in a moment: how to sort partials by them, and what each is."""

    order: Whole
    cell: Whole
    moment: Whole
    voice: Whole


def _cells(parts: Components) -> _Cells:
    many = parts.voices + 1
    voice = np.where(parts.voice == EARCON, parts.voices, parts.voice)  # earcons are the last
    cell = parts.moment * many + voice
    order = np.argsort(cell, kind="stable")
    each = np.unique(cell)
    return _Cells(order, cell[order], each // many, each % many)


def _frames(parts: Components, values: Floats) -> Floats:
    """Average what the moments of each frame hold."""
    if len(values) == parts.frames:
        return values
    return summed(values * parts.share.astype(np.float32)[:, None], parts.frame)
