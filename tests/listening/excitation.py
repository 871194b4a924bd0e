"""From partials to excitation: how strongly each auditory filter responds to each of them.

Filters are rounded exponentials whose lower skirt is flatter the louder it is (Glasberg &
Moore 1990; as in ANSI S3.4-2007, but for the level that the skirt goes by: it is here that
behind the filter of medium level at the partial's place, not that within a rectangle of
one ERB, which differs by less than 1 dB for single partials and needs no pairs).
"""

import numpy as np
import numpy.typing as npt

from tests.listening.auditory import CAMS, CENTRES, SPACING, cams, erb

__all__ = ["excitation", "summed"]

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

F4 = np.float32
CENTRE = CENTRES.astype(F4)
SLOPE = (4 * CENTRES / erb(CENTRES)).astype(F4)  # p at 51 dB an ERB
SLOPE_AT_1_KHZ = 4 * 1000 / float(erb(1000.0))
FLATTER = (0.35 * SLOPE / SLOPE_AT_1_KHZ).astype(F4)  # a dB above 51
MEDIUM_DB = F4(51)
LEAST_SLOPE = F4(0.1)
SILENCE = F4(1e-12)


def excitation(frequency: npt.ArrayLike, power: npt.ArrayLike, row: Rows) -> Floats:
    """Return what each partial excites.

    Parameters
    ----------
    frequency : array-like [shape=(n,)]
        Hz.
    power : array-like [shape=(n, ears)]
        At the cochlea, over that of 0 dB SPL at 1 kHz.
    row : np.ndarray [shape=(n,), int64]
        In which moment each sounds, ascending.

    Returns
    -------
    np.ndarray [shape=(ears, n, filters), float32]
        Power, over that of 0 dB SPL at 1 kHz.
    """
    pitch, powers = np.asarray(frequency, F4), np.asarray(power, F4)
    away = (pitch[:, None] - CENTRE) / CENTRE
    usual = _rounded(np.abs(away) * SLOPE)
    below = away < 0
    place = np.clip((cams(pitch) - CAMS[0]) / SPACING, 0, len(CAMS) - 1.001)
    left = place.astype(np.int64)
    share = (place - left).astype(F4)
    out = np.empty((powers.shape[1], *usual.shape), F4)
    for ear, own in enumerate(powers.T):
        medium = 10 * np.log10(summed(usual * own[:, None], row) + SILENCE)
        moment = np.cumsum(np.diff(row, prepend=row[:1]) != 0) if len(row) else row
        level = medium[moment, left] * (1 - share) + medium[moment, left + 1] * share
        slope = SLOPE - FLATTER * (level[:, None] - MEDIUM_DB)
        skirt = _rounded(-away * np.maximum(slope, LEAST_SLOPE), where=below)
        np.multiply(np.where(below, skirt, usual), own[:, None], out=out[ear])
    return out


def summed(values: npt.NDArray[np.floating], row: Rows) -> npt.NDArray[np.floating]:
    """Sum rows of values that belong to one moment (ascending); one row a moment there is."""
    if not len(row):
        return values[:0]
    starts = np.flatnonzero(np.diff(row, prepend=row[0] - 1))
    return np.asarray(np.add.reduceat(values, starts, axis=0))


def _rounded(argument: Floats, where: npt.NDArray[np.bool_] | None = None) -> Floats:
    """Return (1 + q)·exp(-q); where it is not wanted, anything."""
    if where is not None:
        argument = np.where(where, argument, F4(0))
    return np.asarray((1 + argument) * np.exp(-argument))
