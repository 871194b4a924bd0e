"""How loud a score is played: at the level that the product brings every sound to.

Its integrated loudness (ITU-R BS.1770-4) is taken from the powers of its partials; the
product's own meter, of samples, agrees within a tenth of an LU (tested).
"""

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.level.loudness import (
    ABSOLUTE_GATE_LUFS,
    OFFSET_LUFS,
    RELATIVE_GATE_LU,
    k_weighting,
)

__all__ = ["MIX_DB", "k_weighted", "loudness_lufs"]

Floats = npt.NDArray[np.float64]

MIX_DB = 70.0  # dB SPL: listening to speech or music at home
BLOCK, HOP = 0.4, 0.1  # s, BS.1770-4


def k_weighted(frequency: Floats, sample_rate: int) -> Floats:
    """Return what BS.1770-4's filter adds at frequencies in Hz, in dB."""
    turn = np.exp(-2j * np.pi * np.asarray(frequency) / sample_rate)
    powers = np.stack([np.ones_like(turn), turn, turn**2])
    response = np.prod([(s[:3] @ powers) / (s[3:] @ powers) for s in k_weighting(sample_rate)], 0)
    return np.asarray(20 * np.log10(np.abs(response) + 1e-12))


def loudness_lufs(
    frequency: Floats,
    level: Floats,
    moment: npt.NDArray[np.int64],
    share: Floats,
    *,
    seconds: float,
    sample_rate: int,
) -> float:
    """Return the integrated loudness of partials.

    Parameters
    ----------
    frequency, level : np.ndarray [shape=(n,)]
        Hz; dB, 0 for a mean square of one in both channels together.
    moment : np.ndarray [shape=(n,), int64]
        In which each sounds.
    share : np.ndarray [shape=(moments,)]
        Length of each moment, in frames.
    seconds : float
        Length of a frame.
    sample_rate : int
        Hz.

    Returns
    -------
    float
        LUFS; -70, the absolute gate, for silence.
    """
    weighted = 10 ** ((level + k_weighted(frequency, sample_rate)) / 10)
    power = np.bincount(moment, weighted, minlength=len(share))
    ends = np.cumsum(share) * seconds
    energy = np.concatenate([[0.0], np.cumsum(power * share * seconds)])
    starts = np.arange(0, max(ends[-1] - BLOCK, 0) + 1e-9, HOP)
    times = np.concatenate([[0.0], ends])
    blocks = np.interp(starts + BLOCK, times, energy) - np.interp(starts, times, energy)
    blocks /= min(BLOCK, ends[-1])
    loud = OFFSET_LUFS + 10 * np.log10(blocks + 1e-30)
    kept = loud > ABSOLUTE_GATE_LUFS
    if not kept.any():
        return ABSOLUTE_GATE_LUFS
    gate = OFFSET_LUFS + 10 * np.log10(blocks[kept].mean()) + RELATIVE_GATE_LU
    return float(OFFSET_LUFS + 10 * np.log10(blocks[kept & (loud > gate)].mean()))
