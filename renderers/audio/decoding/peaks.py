"""Each voice by itself: its peak in the spectrum of a windowed hold."""

from typing import NamedTuple

import numpy as np
from scipy import fft
from scipy.signal import windows

from epochord.renderers.audio.decoding.estimation import Progress, spans
from epochord.renderers.audio.decoding.holds import cut
from epochord.renderers.audio.decoding.layout import Floats, Layout, Sound
from epochord.renderers.audio.decoding.start import refined_peak, register_bins

__all__ = ["Peaks", "find_peaks"]

OVERSAMPLING = 8  # points a bin of the spectrum, at least
TINY = np.finfo(np.float64).tiny


class Peaks(NamedTuple):
    """Radians a sample, and amplitude before panning, each [shape=(frames, voices)]."""

    frequency: Floats
    amplitude: Floats


def find_peaks(sound: Sound, layout: Layout, progress: Progress | None = None) -> Peaks:
    """Estimate all frames.

    Parameters
    ----------
    sound : np.ndarray [shape=(n, channels)]
        As long as the layout, or longer.
    layout : Layout
        Where its voices can be.
    progress : callable, optional
        Called with the frames done and the frames in all.

    Returns
    -------
    Peaks
        The top of the parabola through the highest three points, in decibels,
        of each register, heard as the voice is panned.
    """
    shape = (layout.frames, layout.voices)
    found = Peaks(np.empty(shape), np.empty(shape))
    window = windows.blackman(layout.hold_length, sym=False)
    size = 1 << int(np.ceil(np.log2(OVERSAMPLING * layout.hold_length)))
    sides, point = layout.sides(sound.shape[1]), 2 * np.pi / size
    for span in spans(layout.frames, layout):
        holds = cut(sound, layout, np.arange(span.start, span.stop))
        spectrum = fft.rfft(holds * window, size, axis=2)
        for voice, band in enumerate(layout.bands()):
            bins = register_bins(band, size)
            heard = np.abs(np.einsum("fcg,c->fg", spectrum[:, :, bins], sides[:, voice]))
            place, height = refined_peak(np.log(heard + TINY), heard)
            found.frequency[span, voice] = (bins[0] + place) * point
            alike = np.square(sides[:, voice]).sum()
            found.amplitude[span, voice] = height * 2 / (window.sum() * alike)
        if progress:
            progress(span.stop, layout.frames)
    return found
