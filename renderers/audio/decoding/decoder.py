"""From a sound and its layout to pitch and gain."""

from typing import Literal, NamedTuple, get_args

import numpy as np

from epochord.renderers.audio.decoding.estimation import Progress, fit_all
from epochord.renderers.audio.decoding.holds import checked
from epochord.renderers.audio.decoding.joint import Fit
from epochord.renderers.audio.decoding.layout import Floats, Layout, Sound
from epochord.renderers.audio.decoding.peaks import Peaks, find_peaks
from epochord.renderers.audio.decoding.silence import silent_voices

__all__ = ["Decoded", "Method", "decode"]

Method = Literal["joint", "fft"]


class Decoded(NamedTuple):
    """What was heard.

    Parameters
    ----------
    pitch : np.ndarray [shape=(voices, frames)]
        Hz; NaN where the voice is silent.
    gain : np.ndarray [shape=(voices, frames)]
        Amplitude, before panning; 0 where the voice is silent.
    """

    pitch: Floats
    gain: Floats


def decode(
    samples: Sound,
    layout: Layout,
    *,
    method: Method = "joint",
    progress: Progress | None = None,
) -> Decoded:
    """Read the pitches out of a sound of voices that hold and glide.

    Parameters
    ----------
    samples : np.ndarray [shape=(n, 2) or (n,)]
        Stereo, or the mean of its channels, from the first frame's first sample
        on (see `find_offset`); of any loudness, but never limited.
    layout : Layout
        Where its voices can be.
    method : {"joint", "fft"}
        Least squares over all voices at once; or each voice's peak in the
        spectrum of a windowed hold, which is quicker, but less exact, and fails
        where neighbours are less than some six cycles apart over a hold.
    progress : callable, optional
        Called with the frames done and the frames in all.

    Returns
    -------
    Decoded
        A voice far below the others' amplitude is silent.  Earcons above
        2.5 kHz do no harm.

    Raises
    ------
    ValueError
        If the sound has another shape, ends too early or is not finite.
    """
    sound = checked(samples, layout)
    if method not in get_args(Method):
        raise ValueError(f"method is {method!r}; expected one of {', '.join(get_args(Method))}")
    estimate = fit_all if method == "joint" else find_peaks
    found: Fit | Peaks = estimate(sound, layout, progress)
    silent = silent_voices(found.amplitude)
    hertz = found.frequency * (layout.sample_rate / (2 * np.pi))
    return Decoded(
        np.where(silent, np.nan, hertz).T.copy(), np.where(silent, 0.0, found.amplitude).T.copy()
    )
