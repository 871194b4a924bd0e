"""From a sound to its holds, and those of them free of earcons."""

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import fft, signal

from epochord.renderers.audio.decoding.layout import Floats, Layout, Sound

__all__ = ["checked", "cut", "low_pass", "low_passed", "marked", "response"]

# The earcons' band in Hz: from its lower edge a low-pass has to stop all.
MARKS_HZ = (2500.0, 6200.0)
LEAST_SHARE = 1e-5  # of a hold's energy: what is less in the band harms nobody
LEAST_CONTRAST = 4.0  # of the band's density to that above it: less is white noise, not an earcon

STOP_DB = 60.0  # what the low-pass takes away
LONGEST_SHARE = 5  # the low-pass is at most this part of a hold


def checked(samples: Sound, layout: Layout) -> Sound:
    """Return a sound with an axis of channels [shape=(n, channels)].

    Raises
    ------
    ValueError
        If it is no sound, shorter than the layout, or not finite.
    """
    sound = samples[:, None] if samples.ndim == 1 else samples
    if sound.ndim != 2 or sound.shape[1] not in (1, 2):
        raise ValueError(f"samples have shape {samples.shape}; expected (n,) or (n, 2)")
    if len(sound) < layout.samples:
        raise ValueError(
            f"the sound has {len(sound)} samples; "
            f"expected {layout.samples}: {layout.frames} frames of {layout.frame_length}"
        )
    if not np.isfinite(sound).all():
        raise ValueError("the sound has samples that are NaN or infinite; expected finite ones")
    return sound


def cut(sound: Sound, layout: Layout, frames: npt.NDArray[np.int64]) -> Floats:
    """Return some frames' holds [shape=(frames, channels, hold_length)]."""
    begin = frames * layout.frame_length + layout.glide_length
    holds = sound[begin[:, None] + np.arange(layout.hold_length)]
    return np.ascontiguousarray(holds.transpose(0, 2, 1), dtype=np.float64)


def marked(holds: Floats, layout: Layout) -> npt.NDArray[np.bool_]:
    """Tell in which holds an earcon sounds [shape=(frames,)].

    None does if voices have its band.
    """
    length = holds.shape[2]
    if np.max(layout.registers) >= MARKS_HZ[0]:
        return np.zeros(len(holds), np.bool_)
    power = np.square(np.abs(fft.rfft(holds * signal.windows.hann(length, sym=False)))).sum(axis=1)
    hertz = fft.rfftfreq(length, 1 / layout.sample_rate)
    inside, above = (hertz >= MARKS_HZ[0]) & (hertz <= MARKS_HZ[1]), hertz > MARKS_HZ[1]
    energy = power[:, inside].sum(axis=1)
    contrast = energy * max(1, above.sum()), power[:, above].sum(axis=1) * max(1, inside.sum())
    loud = energy > LEAST_SHARE * power.sum(axis=1)
    return np.asarray(loud & (contrast[0] > LEAST_CONTRAST * contrast[1]))


@cache
def low_pass(length: int, sample_rate: int) -> Floats:
    """Return a symmetrical filter against earcons, for holds of this length.

    Its transition, by Kaiser's formula, is as wide as its length makes it, and
    ends where the earcons' band begins: `response` tells what it does below.
    """
    beta = signal.kaiser_beta(STOP_DB)
    taps = (length // LONGEST_SHARE) | 1
    width = (STOP_DB - 7.95) / (2.285 * 2 * np.pi * taps) * sample_rate
    cutoff = max(MARKS_HZ[0] - width / 2, MARKS_HZ[0] / 2)
    return np.asarray(signal.firwin(taps, cutoff, window=("kaiser", beta), fs=sample_rate))


def low_passed(holds: Floats, taps: Floats) -> Floats:
    """Filter holds; what is near their ends, and would need more of them, is left out."""
    return np.asarray(signal.oaconvolve(holds, taps[None, None], mode="valid", axes=2))


def response(taps: Floats, frequency: Floats) -> Floats:
    """Return a symmetrical filter's gain at frequencies in radians a sample."""
    time = np.arange(len(taps)) - (len(taps) - 1) / 2
    return np.asarray(np.cos(frequency[..., None] * time) @ taps)
