"""Sounds for what is no ordinary value: families two octaves and a shape apart.

Brewster, Wright and Edwards, "Experimentally derived guidelines for the creation of
earcons" (1995), ask for differences of two octaves and more, and for more than pitch
alone.  High, above the voices, from 3 to 5.5 kHz, is what leaves the numbers, each kind
in a band of its own: NaN is a burst of noise, +inf a rising chirp, -inf a falling one, a
ping says that it is over; two short pips, up or down, say that a value is held at an end
of its range.  Low is a death: a bell that falls, at 200 Hz.  In the middle and hardly there is a
breath of noise: the run goes on, though no voice sounds.  A tick at 6 kHz marks epochs.
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
    Kind.NAN: (3000.0, 3450.0),
    Kind.POSITIVE_INFINITY: (3550.0, 4000.0),
    Kind.NEGATIVE_INFINITY: (4550.0, 4100.0),
    Kind.END: (4700.0, 4700.0),
    Kind.ABOVE: (4900.0, 5400.0),
    Kind.BELOW: (5400.0, 4900.0),
    Kind.DEAD: (247.0, 165.0),
    Kind.RUNNING: (400.0, 700.0),
    Kind.EPOCH: (6000.0, 6000.0),
}
MIDDLE = np.full(2, 0.5**0.5, np.float32)
NOISE_SPACING = 12.5  # Hz between the sines that make the noise
# Frequencies and amplitudes of a bell's partials: hum, prime, tierce, quint, nominal, and the
# next two (Fletcher & Rossing, The Physics of Musical Instruments, 1998, table 21.1).
BELL = ((1.0, 1.0), (2.0, 0.9), (2.4, 0.7), (3.0, 0.5), (4.0, 0.8), (5.0, 0.4), (6.0, 0.4))
FADING = 1.5  # nepers in the time of a stroke, of the hum


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
        With an RMS of one, and without a click at either end; the same at each call.
    """
    time = np.arange(length) / sample_rate
    low, high = BANDS[kind]
    if kind in (Kind.NAN, Kind.RUNNING):
        sound = _noise(time, low, high) * _rise_and_fall(kind, length)
    elif kind == Kind.DEAD:
        sound = np.concatenate([_stroke(part, hertz) for part, hertz in _halves(time, low, high)])
    elif kind in (Kind.ABOVE, Kind.BELOW):
        parts = _halves(time, low, high)
        sound = np.concatenate([_hann(len(each)) * _chirp(each, hz, hz) for each, hz in parts])
    else:
        sound = _chirp(time, low, high) * _rise_and_fall(kind, length)
    rms = np.sqrt(np.mean(np.square(sound)))
    return np.asarray(sound / max(float(rms), 1e-9), np.float32)


def _rise_and_fall(kind: Kind, length: int) -> npt.NDArray[np.float64]:
    low, high = BANDS[kind]
    return _hann(length) if low == high or kind == Kind.RUNNING else _tapered(length, 0.4)


def _noise(time: npt.NDArray[np.float64], low: float, high: float) -> npt.NDArray[np.float64]:
    tones = np.arange(low, high, NOISE_SPACING)[:, None]
    phases = np.random.default_rng(0).random((len(tones), 1))
    return np.asarray(np.sin(2 * np.pi * (tones * time + phases)).sum(axis=0))


def _halves(
    time: npt.NDArray[np.float64], first: float, second: float
) -> list[tuple[npt.NDArray[np.float64], float]]:
    """Cut a time in two, and give each part its own, from zero, and its frequency."""
    half = len(time) // 2
    return [(time[:half], first), (time[: len(time) - half], second)]


def _stroke(time: npt.NDArray[np.float64], hum: float) -> npt.NDArray[np.float64]:
    """Return a stroke on a bell, which fades; its high partials faster."""
    share = np.linspace(0, 1, len(time))
    sound = np.zeros(len(time))
    for ratio, amplitude in BELL:
        fading = np.exp(-FADING * share * ratio**0.5)
        sound += amplitude * fading * np.sin(2 * np.pi * ratio * (hum * time + ratio / 8))
    attack = np.minimum(1, time / 0.01)
    return np.asarray(sound * attack * np.minimum(1, (1 - share) * 10))


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
