"""How far earcons stand out from the voices, and what small loudspeakers leave of these.

Masked thresholds are Moore, Glasberg and Baer's (1997): K times the masker's excitation,
over what is heard in quiet.  Short sounds need more: an ear adds up power for about 200 ms
(R. Plomp and M. A. Bouman, J. Acoust. Soc. Am. 31 (1959) 749-758).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.events import Event
from epochord.renderers.audio.scoring.score import Score
from epochord.runlog import Run
from tests.listening.auditory import MASKING, THRESHOLD
from tests.listening.components import EARCON, Components, components
from tests.listening.excitation import summed
from tests.listening.hearing import excite
from tests.listening.loudness import sones, specific_loudness
from tests.listening.troubles import STEPS, Norms

__all__ = ["Margin", "SmallSpeaker", "margins", "small_speaker", "worst_margins"]

Floats = npt.NDArray[np.floating]

INTEGRATION = 0.2  # s, Plomp & Bouman 1959
SMALL_HZ, SMALL_ORDER = 300.0, 4  # a small loudspeaker: 24 dB an octave below


class Margin(NamedTuple):
    """How far an event stands out, in dB over its masked threshold.

    Parameters
    ----------
    event : Event
    steady : float
        In its loudest frame and the better ear, as if that went on.
    short : float
        Less what it loses by being short.
    """

    event: Event
    steady: float
    short: float


class SmallSpeaker(NamedTuple):
    """Loudness in sones of each voice alone, with all frequencies and behind a high-pass."""

    whole: Floats
    small: Floats


def margins(score: Score, *, worst: bool = True) -> list[Margin]:
    """Measure how far the earcons of a score stand out from its voices.

    Parameters
    ----------
    score : Score
        With events.
    worst : bool
        Whether the voices mask as in that moment of the whole score in which they leave
        least of the earcon; by default they do, so that nothing depends on where they
        happen to be.

    Returns
    -------
    list of Margin
        One an event that is heard at all, in their order.
    """
    parts = components(score)
    excited = excite(parts)
    masked = MASKING * _masker(parts, excited) + THRESHOLD
    found = []
    for number, event in enumerate(score.events):
        own = parts.event == number
        if not own.any():
            continue
        signal = np.stack([summed(each[own], parts.moment[own]) for each in excited])
        if worst:
            loudest = signal.max(axis=1)[:, None]
            ratio = (loudest / masked).max(axis=(0, 2)).min()
        else:
            ratio = (signal / masked[:, np.unique(parts.moment[own])]).max()
        steady = float(10 * np.log10(ratio))
        seconds = event.length / score.sample_rate
        short = 10 * np.log10(1 - np.exp(-seconds / INTEGRATION))
        found.append(Margin(event, steady, steady + float(short)))
    return found


def worst_margins(hear: Callable[[Run], Score], layers: int) -> dict[str, Margin]:
    """Find the least margin of each earcon, whichever layer has it.

    Parameters
    ----------
    hear : callable
        From a run to a score.
    layers : int
        Of the run.

    Returns
    -------
    dict of str to Margin
        By kind; those that only go on (`Event.mark` is false) apart, as in ``nan, on``.
    """
    found: dict[str, Margin] = {}
    for layer in range(layers):
        for margin in margins(hear(_broken(layers, layer))):
            kind = str(margin.event.kind) + ("" if margin.event.mark else ", on")
            if kind not in found or margin.steady < found[kind].steady:
                found[kind] = margin
    return found


def _broken(layers: int, layer: int) -> Run:
    """Make a run that goes through all registers, and a layer that is not finite, then dies."""
    high, low = 2 * np.pi * np.arange(STEPS) / STEPS, np.linspace(0, 2 * np.pi, layers)
    values = np.exp(3 * np.sin(7 * high + low[:, None]))
    for turn, value in enumerate((np.nan, np.inf, -np.inf, 0.0), start=1):
        begin = turn * STEPS // 5
        values[layer, begin : begin + STEPS // 8 if value else STEPS] = value
    return Norms(values, (layer,)).run()


def _masker(parts: Components, excited: Floats) -> Floats:
    """Return what the voices excite [shape=(2, moments, filters)]."""
    voices = parts.voice != EARCON
    masker = np.zeros((2, len(parts.share), excited.shape[2]), np.float32)
    moment = parts.moment[voices]
    masker[:, np.unique(moment)] = np.stack([summed(each[voices], moment) for each in excited])
    return masker


def small_speaker(score: Score) -> SmallSpeaker:
    """Measure what a small loudspeaker leaves of each voice.

    Parameters
    ----------
    score : Score
        Any.

    Returns
    -------
    SmallSpeaker
        Each [shape=(voices,)], the median of the frames in which the voice sounds, alone
        and in both ears; 0 for one that never does.
    """
    parts = components(score)
    parts = parts.only(parts.voice != EARCON)
    lost = 10 * np.log10(1 + (SMALL_HZ / parts.frequency) ** (2 * SMALL_ORDER))
    return SmallSpeaker(_sones(parts, np.zeros_like(lost)), _sones(parts, lost))


def _sones(parts: Components, lost: Floats) -> Floats:
    excited = excite(replace(parts, level=parts.level - lost))
    found = np.zeros(parts.voices)
    for voice in range(parts.voices):
        own = parts.voice == voice
        if own.any():
            alone = np.stack([summed(each[own], parts.moment[own]) for each in excited])
            found[voice] = np.median(sones(specific_loudness(alone)).sum(axis=0))
    return found
