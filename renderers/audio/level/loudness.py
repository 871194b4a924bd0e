"""Blocks of samples to their loudness (LUFS), and the gain that brings it to a target."""

import math
from array import array
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.level.filters import bilinear, sosfilt
from epochord.renderers.audio.level.true_peak import Chunks, TruePeakMeter

__all__ = ["CEILING_DBTP", "TARGET_LUFS", "LoudnessMeter", "TruePeakMeter", "gain", "k_weighting"]

Values = npt.NDArray[np.float64]

# EBU R 128
TARGET_LUFS = -23.0
CEILING_DBTP = -1.0

# ITU-R BS.1770-4, Annex 1
OFFSET_LUFS = -0.691
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
STEPS_A_SECOND = 10  # blocks of 400 ms that overlap by 75 %
STEPS_A_BLOCK = 4

# The analogue filters behind BS.1770-4's tables 1 and 2, solved for by B. De Man (loudness.py) and
# in libebur128.
SHELF_HZ, SHELF_Q, SHELF_DB = 1681.974450955533, 0.7071752369554196, 3.999843853973347
SHELF_BEND = 0.4996667741545416  # share of the shelf's dB that its middle term has
HIGH_PASS_HZ, HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773
HIGH_PASS_GAIN = 1.0049948987146884  # of the table's (1, -2, 1)

LEAST_SAMPLE_RATE = 8000  # Hz; the shelf has to lie well below half of it


def k_weighting(sample_rate: int) -> Values:
    """Give the filter before loudness is measured: a head's shelf, then a high-pass.

    The analogue filters by the bilinear transform, each exact at its own
    frequency.  At 48 kHz these are the coefficients of ITU-R BS.1770-4, Annex 1,
    tables 1 and 2.

    Parameters
    ----------
    sample_rate : int
        Hz.

    Returns
    -------
    np.ndarray [shape=(2, 6), float64]
        Second-order sections.
    """
    shelf = 10 ** (SHELF_DB / 20)
    return np.array(
        [
            _biquad([shelf, shelf**SHELF_BEND / SHELF_Q, 1], SHELF_HZ, SHELF_Q, sample_rate),
            _biquad([HIGH_PASS_GAIN, 0, 0], HIGH_PASS_HZ, HIGH_PASS_Q, sample_rate),
        ]
    )


def _biquad(numerator: list[float], frequency: float, q: float, sample_rate: int) -> Values:
    """Transform numerator(s) / (s² + s/q + 1), s = jf/frequency; equal at the frequency itself."""
    rate = 0.5 / math.tan(math.pi * frequency / sample_rate)
    return bilinear(numerator, [1, 1 / q, 1], rate)


class LoudnessMeter:
    """The integrated loudness of a sound that comes in blocks, after ITU-R BS.1770-4.

    Kept are at most a second of samples and 8 bytes for each 100 ms: 288 kB an
    hour.  Both channels have the weight 1, so one channel reads 3.01 LU less than
    the same in two.

    Parameters
    ----------
    sample_rate : int
        Hz, at least 8000.
    channels : int
        1 or 2.

    Raises
    ------
    ValueError
        If the sample rate is too low, or there are other than 1 or 2 channels.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        if sample_rate < LEAST_SAMPLE_RATE:
            raise ValueError(f"sample_rate is {sample_rate} Hz; expected {LEAST_SAMPLE_RATE} Hz up")
        self._chunks = Chunks(sample_rate, channels)  # a second has whole steps at every rate
        self._borders = np.arange(STEPS_A_SECOND + 1) * sample_rate // STEPS_A_SECOND
        self._filter = k_weighting(sample_rate)
        self._state = np.zeros((len(self._filter), channels, 2))
        self._energies = array("d")  # sums of squares over the channels, one a step
        self._block_length = STEPS_A_BLOCK / STEPS_A_SECOND * sample_rate

    def add(self, block: npt.NDArray[np.floating[Any]]) -> None:
        """Take the next samples.

        Parameters
        ----------
        block : np.ndarray [shape=(n, channels)]
            Any number of samples, full scale 1; of one channel, also ``(n,)``.

        Raises
        ------
        ValueError
            If the block has another shape, or samples that float32 cannot hold.
        """
        for second in self._chunks.push(block):
            energies, self._state = self._measured(second)
            self._energies.extend(energies)

    def integrated(self) -> float:
        """Measure the loudness so far, as if the sound ended here.

        Returns
        -------
        float
            LUFS; -inf if no block of 400 ms is above -70 LUFS, NaN if there is no
            block yet.
        """
        energies = np.concatenate([self._energies, self._measured(self._chunks.rest)[0]])
        if len(energies) < STEPS_A_BLOCK:
            return math.nan
        power = np.convolve(energies, np.ones(STEPS_A_BLOCK), "valid") / self._block_length
        return _gated(power)

    def _measured(self, samples: Values) -> tuple[Values, Values]:
        """Energy of each whole step of up to a second, and the filter's state behind it all."""
        steps = int(np.searchsorted(self._borders, samples.shape[1], side="right")) - 1
        energies, state = np.empty(steps), self._state
        # Step by step, so that what is made of them stays in the cache.
        for step, (begin, end) in enumerate(pairwise(self._borders[: steps + 1])):
            weighted, state = sosfilt(self._filter, samples[:, begin:end], state)
            energies[step] = np.add.reduceat(np.square(weighted).sum(axis=0), [0])[0]
        return energies, state


def _gated(power: Values) -> float:
    """Loudness in LUFS of blocks with these mean squares (BS.1770-4, equations 4 to 7)."""
    heard = power[power > 10 ** ((ABSOLUTE_GATE_LUFS - OFFSET_LUFS) / 10)]
    if not heard.size:
        return -math.inf
    heard = heard[heard > heard.mean() * 10 ** (RELATIVE_GATE_LU / 10)]
    return OFFSET_LUFS + 10 * math.log10(heard.mean())


def gain(
    loudness: float,
    peak: float,
    *,
    target_lufs: float = TARGET_LUFS,
    ceiling_dbtp: float = CEILING_DBTP,
) -> float:
    """Give the gain that brings a sound to a loudness, or as near as its true peak allows.

    By gain alone, never a limiter.  Silence, which is what BS.1770-4 hears nothing
    of, stays as it is.  A sound too short for its loudness to be measured gets the
    true peak that a 1 kHz sine in both channels has at the target, which is as many
    dBTP as LUFS: a short tone is then not louder than a long one.

    Parameters
    ----------
    loudness : float
        Integrated loudness in LUFS, as of `LoudnessMeter`: -inf for silence, NaN
        for what is too short.
    peak : float
        Linear true peak, as of `TruePeakMeter`.
    target_lufs : float
        Loudness to reach, in LUFS.
    ceiling_dbtp : float
        True peak not to exceed, in dBTP.

    Returns
    -------
    float
        Linear factor, above 0; 1 for silence, unless a peak that is not heard, as
        of a slow wave, is above the ceiling.
    """
    if not peak > 0:
        return 1.0
    level = 20 * math.log10(peak) if math.isnan(loudness) else loudness
    wanted = 10 ** ((target_lufs - level) / 20) if level > ABSOLUTE_GATE_LUFS else 1.0
    return min(wanted, 10 ** (ceiling_dbtp / 20) / peak)
