"""How loud a score is played: at the level that the product brings every sound to.

Its integrated loudness (ITU-R BS.1770-4) is taken from the powers of its partials; the
product's own meter, of samples, agrees within a tenth of an LU (tested).
"""

from functools import cache

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
    known, added = _response(sample_rate)
    return np.asarray(np.interp(frequency, known, added))


@cache
def _response(sample_rate: int) -> tuple[Floats, Floats]:
    known = np.geomspace(10, sample_rate / 2, 1000)
    turn = np.exp(-2j * np.pi * known / sample_rate)
    response = np.ones_like(turn)
    for section in k_weighting(sample_rate):
        response *= np.polyval(section[2::-1], turn) / np.polyval(section[:2:-1], turn)
    return known, 20 * np.log10(np.abs(response) + 1e-12)


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
