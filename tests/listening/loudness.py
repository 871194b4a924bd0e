"""From excitation to loudness in sones, of all together or of one among others.

ANSI S3.4-2007 without its branch above 100 dB SPL; partial loudness after Moore, Glasberg
and Baer, J. Audio Eng. Soc. 45 (1997) 224–240, eq. 17 and 18.
"""

import numpy as np
import numpy.typing as npt

from tests.listening.auditory import ALPHA, GAIN, MASKING, OFFSET, SPACING, THRESHOLD

__all__ = ["partial_loudness", "phons", "sones", "specific_loudness"]

Floats = npt.NDArray[np.floating]

F4 = np.float32
SCALE = F4(0.046871)  # C: the loudness of 40 dB SPL at 1 kHz in both ears is one sone
_alpha, _gain, _offset = ALPHA.astype(F4), GAIN.astype(F4), OFFSET.astype(F4)
_quiet, _masking = THRESHOLD.astype(F4), MASKING.astype(F4)
_rest = _offset**_alpha
_just = (_quiet * _gain + _offset) ** _alpha
SHY = F4(1e-9)  # nothing is divided by nothing


def _compressed(excitation: Floats, every: int = 1) -> Floats:
    """Return (G·E + A)^α."""
    scaled = _gain[::every] * excitation
    scaled += _offset[::every]
    np.log(scaled, out=scaled)
    scaled *= _alpha[::every]
    return np.asarray(np.exp(scaled, out=scaled))


def specific_loudness(excitation: Floats) -> Floats:
    """Return loudness by filter and ear.

    Parameters
    ----------
    excitation : np.ndarray [shape=(..., filters), float32]
        Power, over that of 0 dB SPL at 1 kHz.

    Returns
    -------
    np.ndarray [same shape]
        Sones a Cam.
    """
    faint = np.minimum(1, 2 * excitation / (excitation + _quiet))
    return np.asarray(SCALE * faint * np.sqrt(faint) * (_compressed(excitation) - _rest))


def partial_loudness(signal: Floats, others: Floats, *, every: int = 1) -> Floats:
    """Return the loudness of one sound in the presence of others, by filter and ear.

    Parameters
    ----------
    signal, others : np.ndarray [shape=(..., filters), float32]
        Excitation, as power over that of 0 dB SPL at 1 kHz.
    every : int
        Of which filters: each, every second, …

    Returns
    -------
    np.ndarray [same shape]
        Sones a Cam.
    """
    quiet, rest, just = _quiet[::every], _rest[::every], _just[::every]
    masked = _masking[::every] * others + quiet
    together = _compressed(signal + others, every)
    at_threshold = _compressed(others + masked, every)
    ratio = masked / (signal + SHY)
    heard = np.exp(F4(0.3) * np.log(np.minimum(1, ratio)))
    heard *= just - at_threshold
    heard += together - rest
    faint = 2 * signal / (signal + masked)
    alone = _compressed(others, every)
    lost = faint * np.sqrt(faint) * (together - alone)
    lost *= (just - rest) / np.maximum(at_threshold - alone, SHY)
    return np.asarray(SCALE * np.where(ratio <= 1, heard, lost))


def sones(specific: Floats) -> Floats:
    """Add up the filters [last axis]: the loudness in one ear, in sones."""
    return np.asarray(specific.sum(axis=-1) * SPACING)


def phons(loudness: npt.ArrayLike) -> Floats:
    """Return the loudness level: 40 at one sone, 10 more for every doubling."""
    return np.asarray(40 + 10 * np.log2(np.maximum(loudness, 1e-3)))
