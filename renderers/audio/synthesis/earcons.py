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
        sound = _chirp(time, low, high)
    sound = sound * (_hann(length) if low == high else _tapered(length, 0.4))
    rms = np.sqrt(np.mean(np.square(sound)))
    return np.asarray(sound / max(float(rms), 1e-9), np.float32)


def _chirp(time: npt.NDArray[np.float64], low: float, high: float) -> npt.NDArray[np.float64]:
    """Return a sine whose frequency goes evenly from one to another (`scipy.signal.chirp`)."""
    rise = (high - low) / max(float(time[-1]), 1e-9)
    phase = 2 * np.pi * (low * time + 0.5 * rise * time * time)
    return np.asarray(np.cos(phase + np.deg2rad(-90)))


def _tapered(length: int, share: float) -> npt.NDArray[np.float64]:
    """Return a window that rises and falls as half cosines (`scipy.signal.windows.tukey`).

    So large a share of it is rise and fall, below 1; `_hann` is that of 1.
    """
    window = np.ones(length)
    if length > 1:
        width = int(share * (length - 1) / 2) + 1
        first, last = np.arange(width), np.arange(length - width, length)
        window[:width] = 0.5 * (1 + np.cos(np.pi * (-1 + 2.0 * first / share / (length - 1))))
        end = np.pi * (-2 / share + 1 + 2.0 * last / share / (length - 1))
        window[length - width :] = 0.5 * (1 + np.cos(end))
    return window


def _hann(length: int) -> npt.NDArray[np.float64]:
    """Return a window of one cosine (`scipy.signal.windows.hann`)."""
    return 0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, length)) if length > 1 else np.ones(length)


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
