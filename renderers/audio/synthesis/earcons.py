"""Sounds for what is not a number: one for each kind, in a band of their own above the voices.

The band from 2.5 to 4.5 kHz is divided between the kinds, so that those of
several layers at once stay apart: NaN is a burst of noise, +inf a rising chirp,
-inf a falling one; a high ping says that it is over, a low one that a layer is
dead.  A tick at 6 kHz marks epochs.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.signal import chirp
from scipy.signal.windows import tukey

from epochord.renderers.audio.scoring.events import Event, Kind

__all__ = ["BANDS", "earcon", "overlay"]

Samples = npt.NDArray[np.float32]


# Hz, from where to where; a falling chirp begins at the high end.
BANDS: dict[Kind, tuple[float, float]] = {
    Kind.NAN: (2550.0, 3000.0),
    Kind.POSITIVE_INFINITY: (3100.0, 3550.0),
    Kind.NEGATIVE_INFINITY: (4100.0, 3650.0),
    Kind.DEAD: (4250.0, 4250.0),
    Kind.END: (4430.0, 4430.0),
    Kind.EPOCH: (6000.0, 6000.0),
}
MIDDLE = np.full(2, 0.5**0.5, np.float32)
NOISE_SPACING = 12.5  # Hz between the sines that make the noise


@cache
def earcon(kind: Kind, length: int, sample_rate: int) -> Samples:
    """Synthesise one earcon.

    Parameters
    ----------
    kind : Kind
        What it says.
    length : int
        Samples.
    sample_rate : int
        Hz.

    Returns
    -------
    np.ndarray [shape=(length,), float32]
        With an RMS of one, within its band, and without a click at either end;
        the same at each call.
    """
    time = np.arange(length) / sample_rate
    low, high = BANDS[kind]
    if kind == Kind.NAN:
        tones = np.arange(low, high, NOISE_SPACING)[:, None]
        phases = np.random.default_rng(0).random((len(tones), 1))
        sound = np.sin(2 * np.pi * (tones * time + phases)).sum(axis=0)
    else:
        sound = chirp(time, low, max(float(time[-1]), 1e-9), high, phi=-90)
    sound = sound * tukey(length, 1.0 if low == high else 0.4)
    rms = np.sqrt(np.mean(np.square(sound)))
    return np.asarray(sound / max(float(rms), 1e-9), np.float32)


def overlay(
    blocks: Iterable[Samples], events: Sequence[Event], sides: Samples, sample_rate: int
) -> Iterator[Samples]:
    """Add earcons to a sound.

    Parameters
    ----------
    blocks : iterable of np.ndarray [shape=(n, 2), float32]
        The sound, in order; it is changed in place.
    events : sequence of Event
        In the order of time.
    sides : np.ndarray [shape=(2, voices)]
        Gains of left and right of each voice; an earcon sounds at its voice's
        place, or in the middle.
    sample_rate : int
        Hz.

    Yields
    ------
    np.ndarray [shape=(n, 2), float32]
        An earcon that reaches beyond the end is cut off there.
    """
    begin = 0
    waiting = deque(events)
    sounding: list[Event] = []
    for block in blocks:
        end = begin + len(block)
        while waiting and waiting[0].sample < end:
            sounding.append(waiting.popleft())
        for event in sounding:
            _add(event, block, begin, sides, sample_rate)
        sounding = [event for event in sounding if event.sample + event.length > end]
        yield block
        begin = end


def _add(event: Event, block: Samples, begin: int, sides: Samples, sample_rate: int) -> None:
    """Add the part of an earcon that lies in a block beginning at sample `begin`."""
    first = max(begin, event.sample)
    last = min(begin + len(block), event.sample + event.length)
    sound = earcon(event.kind, event.length, sample_rate)
    part = sound[first - event.sample : last - event.sample, None] * np.float32(event.level)
    place = sides[:, event.voice] if event.voice >= 0 else MIDDLE
    block[first - begin : last - begin] += part * place
