"""Voices that sound all at once: pitch held in each frame, gliding into it at its beginning.

In its first `glide_length` samples a frame's frequency goes from the previous
frame's to its own along the smoothstep 3x² - 2x³, in Hz, and so does its gain;
then both are held.  The phase is the closed-form integral of that, so it never
drifts, however long the sound is.
"""

from collections.abc import Iterator
from math import prod

import numpy as np
import numpy.typing as npt

__all__ = ["glide_blocks", "held_tones", "pan_gains", "phases"]

# A batch of frames with all its intermediate arrays fits into the cache: so many of 8 voices.
SAMPLES_A_BATCH = 1 << 16
VOICES_A_BATCH = 8

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]
Rows = slice | npt.NDArray[np.intp]


def pan_gains(pan: npt.ArrayLike) -> Samples:
    """Return the gains of left and right at places in the stereo field.

    Parameters
    ----------
    pan : array-like [any shape]
        -1 left, 0 middle, 1 right.

    Returns
    -------
    np.ndarray [shape=(2, *that of pan), float32]
        Of constant power: their squares add up to one.
    """
    angle = (np.asarray(pan, np.float64) + 1) * (np.pi / 4)
    return np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)


def glide_blocks(
    pitch: npt.ArrayLike,
    gain: npt.ArrayLike,
    pan: npt.ArrayLike,
    *,
    frame_length: int,
    glide_length: int,
    release_length: int = 0,
    sample_rate: int,
    phase: npt.ArrayLike = 0.0,
) -> Iterator[Samples]:
    """Synthesise sines that hold and glide.

    Parameters
    ----------
    pitch : array-like [shape=(voices, frames)]
        Hz, finite and positive, below half the sampling rate.
    gain : array-like [shape=(voices, frames)]
        Amplitude; before the first frame it is zero.
    pan : array-like [shape=(voices,)]
        -1 left, 0 middle, 1 right.
    frame_length, glide_length : int
        Samples; the glide is shorter than the frame.
    release_length : int
        Samples behind the last frame in which its tones fade away.
    sample_rate : int
        Hz.
    phase : array-like [shape=(voices,)]
        Where each voice begins, in cycles.

    Yields
    ------
    np.ndarray [shape=(n, 2), float32]
        Whole frames, in order, and the release.  Equal to a sum of float64 sines
        up to about -130 dB.
    """
    cycles = np.asarray(pitch, np.float64) / sample_rate  # a sample
    before = _shifted(cycles)
    level = np.asarray(gain, np.float32)
    level_before = np.concatenate([np.zeros_like(level[:, :1]), level[:, :-1]], axis=1)
    start, hold_start = _phases(cycles, phase, frame_length, glide_length)
    sides = pan_gains(pan)
    crowd = max(1.0, len(cycles) / VOICES_A_BATCH)
    batch = max(1, int(SAMPLES_A_BATCH / (frame_length * crowd)))
    for first in range(0, cycles.shape[1], batch):
        span = slice(first, min(first + batch, cycles.shape[1]))
        out = np.empty((span.stop - first, frame_length, 2), np.float32)
        sounding = (level[:, span] != 0).any(axis=1) | (level_before[:, first] != 0)
        heard = slice(None) if sounding.all() else np.flatnonzero(sounding)
        part = heard, span
        glide = _glide(start[part], before[part], cycles[part], glide_length)
        glide *= _fade(level_before[part], level[part], glide_length)
        out[:, :glide_length] = _placed(glide, sides[:, heard])
        length = frame_length - glide_length
        out[:, glide_length:] = _hold(
            hold_start[:, span], cycles[:, span], level[:, span], sides, length, heard
        )
        yield out.reshape(-1, 2)
    last = cycles[:, -1:]
    end = (hold_start[:, -1:] + last * (frame_length - glide_length)) % 1.0
    release = _glide(end, last, last, release_length)
    release *= _fade(level[:, -1:], np.zeros_like(level[:, -1:]), release_length)
    yield _placed(release, sides)[0]


def phases(
    pitch: npt.ArrayLike,
    *,
    frame_length: int,
    glide_length: int,
    sample_rate: int,
    phase: npt.ArrayLike = 0.0,
) -> Floats:
    """Return the phase where each frame of `glide_blocks` begins.

    Parameters
    ----------
    pitch, frame_length, glide_length, sample_rate, phase
        As there.

    Returns
    -------
    np.ndarray [shape=(voices, frames)]
        Cycles, from 0 to 1.
    """
    cycles = np.asarray(pitch, np.float64) / sample_rate
    return _phases(cycles, phase, frame_length, glide_length)[0]


def _phases(
    cycles: Floats, phase: npt.ArrayLike, frame_length: int, glide_length: int
) -> tuple[Floats, Floats]:
    """Return the phase, in cycles, where each frame and where each hold begins."""
    # The smoothstep's integral over the whole glide is half of its length.
    gliding = (_shifted(cycles) + cycles) * (glide_length / 2)
    whole = np.cumsum(gliding + cycles * (frame_length - glide_length), axis=1)
    first = np.broadcast_to(np.asarray(phase, np.float64), len(cycles))[:, None]
    start = np.concatenate([first, first + whole[:, :-1]], axis=1) % 1.0
    return start, (start + gliding) % 1.0


def _shifted(cycles: Floats) -> Floats:
    """Return what each frame glides from."""
    return np.concatenate([cycles[:, :1], cycles[:, :-1]], axis=1)


def _glide(start: Floats, before: Floats, cycles: Floats, length: int) -> Samples:
    """Return the glides' sines [shape=(voices, frames, length)]."""
    time = np.arange(length)
    x = time / max(1, length)
    risen = length * (x**3 - x**4 / 2)  # the smoothstep's integral
    phase = before[..., None] * time
    phase += start[..., None]
    phase += (cycles - before)[..., None] * risen
    return np.sin(_angle(phase))


def _fade(before: Samples, level: Samples, length: int) -> Samples:
    """Return the gain in each glide [shape=(voices, frames, length)]."""
    x = np.arange(length) / max(1, length)
    rise = (x * x * (3 - 2 * x)).astype(np.float32)
    return before[..., None] + (level - before)[..., None] * rise


def _placed(voices: Samples, sides: Samples) -> Samples:
    """Return the sum of voices, each at its place [shape=(frames, length, 2)]."""
    mixed: Samples = voices.reshape(len(voices), prod(voices.shape[1:])).T @ sides.T
    return mixed.reshape(*voices.shape[1:], 2)


def _hold(
    start: Floats, cycles: Floats, level: Samples, sides: Samples, length: int, heard: Rows
) -> Samples:
    """Return the sum of the holds [shape=(frames, length, 2)].

    A hold of J·B samples is the product of J coarse and B fine rotations,
    sin(p + q) = sin p · cos q + cos p · sin q, so few sines and one matrix
    product make all samples of all voices.  What is not heard has no sines and is
    zero in the product, so that this adds the others in the same order, to the bit.
    """
    fine = int(np.ceil(np.sqrt(length)))
    coarse = -(-length // fine)
    p = start[heard, :, None] + cycles[heard, :, None] * (fine * np.arange(coarse))
    q = cycles[heard, :, None] * np.arange(fine)
    amplitude = level[heard, :, None]
    steps, places = _angle(p), _angle(q)
    outer = _beside(np.sin(steps) * amplitude, np.cos(steps) * amplitude, heard, len(level))
    inner = _beside(np.cos(places), np.sin(places), heard, len(level))
    panned = inner[..., None] * np.concatenate([sides, sides], axis=1).T[:, None, None]
    left = outer.transpose(1, 2, 0)
    right = panned.reshape(*inner.shape[:2], 2 * fine).transpose(1, 0, 2)
    product: Samples = np.matmul(left, right)  # left, right, left, …
    return product.reshape(-1, coarse * fine, 2)[:, :length]


def _beside(first: Samples, second: Samples, heard: Rows, voices: int) -> Samples:
    """Return two arrays of the heard voices as one of all of them twice, the others zero."""
    if len(first) == voices:
        return np.concatenate([first, second])
    both = np.zeros((2, voices, *first.shape[1:]), np.float32)
    both[0, heard], both[1, heard] = first, second
    return both.reshape(-1, *first.shape[1:])


def held_tones(cycles: Floats, level: Samples, pan: Samples, envelope: Samples) -> Samples:
    """Synthesise tones whose phase begins at zero, each of one pitch.

    Parameters
    ----------
    cycles : np.ndarray [shape=(frames, voices)]
        Frequency, in cycles a sample.
    level : np.ndarray [shape=(frames, voices), float32]
        Amplitude.
    pan : np.ndarray [shape=(voices,), float32]
        -1 left, 0 middle, 1 right.
    envelope : np.ndarray [shape=(length,), float32]
        Rise and fall of every tone.

    Returns
    -------
    np.ndarray [shape=(frames, voices, length, 2), float32]
    """
    length = len(envelope)
    fine = int(np.ceil(np.sqrt(length)))
    coarse = -(-length // fine)
    p = cycles[..., None] * (fine * np.arange(coarse))
    q = cycles[..., None] * np.arange(fine)
    sides = pan_gains(pan).T[:, None]
    shape = np.pad(envelope, (0, coarse * fine - length)).repeat(2).reshape(coarse, 2 * fine)

    def panned(part: Samples) -> Samples:
        return (part[..., None] * sides).reshape(*q.shape[:2], 1, 2 * fine)

    steps, places = _angle(p), _angle(q)
    tone = (np.sin(steps) * level[..., None])[..., None] * panned(np.cos(places))
    tone += (np.cos(steps) * level[..., None])[..., None] * panned(np.sin(places))
    tone *= shape
    return tone.reshape(*q.shape[:2], coarse * fine, 2)[:, :, :length]


def _angle(cycles: Floats) -> Samples:
    """Return radians of one turn."""
    # Wrapped in float64 first: float32 would lose the phase of later samples.
    wrapped = np.floor(cycles)
    np.subtract(cycles, wrapped, out=wrapped)
    wrapped *= 2 * np.pi
    return wrapped.astype(np.float32)
