"""The ear's scales and tables: from Hz to Cams, to the cochlea, and to what is just heard.

After Moore and Glasberg: B. R. Glasberg and B. C. J. Moore, "Derivation of auditory
filter shapes from notched-noise data", Hearing Research 47 (1990) 103–138 (ERB); B. C. J.
Moore, B. R. Glasberg and T. Baer, "A model for the prediction of thresholds, loudness and
partial loudness", J. Audio Eng. Soc. 45 (1997) 224–240 (K); ANSI S3.4-2007 (all others).
"""

import numpy as np
import numpy.typing as npt

__all__ = [
    "ALPHA", "CAMS", "CENTRES", "GAIN", "MASKING", "OFFSET", "SPACING", "THRESHOLD", "cams",
    "erb", "hertz", "transferred",
]  # fmt: skip

Floats = npt.NDArray[np.float64]

SPACING = 0.5  # Cams between filters; their sum errs by less than 1 % of one of 0.1


def erb(frequency: npt.ArrayLike) -> Floats:
    """Return the equivalent rectangular bandwidth in Hz (Glasberg & Moore 1990, eq. 3)."""
    return np.asarray(24.7 * (4.37 * np.asarray(frequency, np.float64) / 1000 + 1))


def cams(frequency: npt.ArrayLike) -> Floats:
    """Return the number of ERBs below a frequency in Hz (Glasberg & Moore 1990, eq. 4)."""
    return np.asarray(21.4 * np.log10(4.37 * np.asarray(frequency, np.float64) / 1000 + 1))


def hertz(number: npt.ArrayLike) -> Floats:
    """Return the frequency in Hz that lies so many Cams up: the inverse of `cams`."""
    return np.asarray((10 ** (np.asarray(number, np.float64) / 21.4) - 1) * 1000 / 4.37)


CAMS = np.arange(1.75, 39, SPACING)  # 50 Hz to 15 kHz, as in ANSI S3.4-2007
CENTRES = hertz(CAMS)

# ANSI S3.4-2007: from the free field to the eardrum, from there to the cochlea, in dB.
HZ = (
    20, 25, 31.5, 40, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 750, 800, 1000,
    1250, 1500, 1600, 2000, 2500, 3000, 3150, 4000, 5000, 6000, 6300, 8000, 9000, 10000, 11200,
    12500, 14000, 15000, 16000, 20000,
)  # fmt: skip
OUTER_DB = (
    0, 0, 0, 0, 0, 0, 0, 0, 0.1, 0.3, 0.5, 0.9, 1.4, 1.6, 1.7, 2.5, 2.7, 2.6, 2.6,
    3.2, 5.2, 6.6, 12, 16.8, 15.3, 15.2, 14.2, 10.7, 7.1, 6.4, 1.8, -0.9, -1.6, 1.9,
    4.9, 2, -2, 2.5, 2.5,
)  # fmt: skip
MIDDLE_DB = (
    -39.6, -32, -25.85, -21.4, -18.5, -15.9, -14.1, -12.4, -11, -9.6, -8.3, -7.4, -6.2, -4.8,
    -3.8, -3.3, -2.9, -2.6, -2.6, -4.5, -5.4, -6.1, -8.5, -10.4, -7.3, -7, -6.6, -7, -9.2, -10.2,
    -12.2, -10.8, -10.1, -12.7, -15, -18.2, -23.8, -32.3, -50,
)  # fmt: skip

# ANSI S3.4-2007: excitation at threshold in dB, and what follows from the gain that the
# cochlea lacks at low frequencies, `THRESHOLD` at 500 Hz over that at the centre.
QUIET_HZ = (50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500)
QUIET_DB = (28.18, 23.90, 19.20, 15.68, 12.67, 10.09, 8.08, 6.30, 5.30, 4.50, 3.73)
LACKING_DB = (-25, -20, -15, -10, -5, 0)
ALPHAS = (0.26692, 0.25016, 0.23679, 0.22228, 0.21055, 0.2)
OFFSETS = (8.8, 7.65, 6.72, 5.91, 5.25, 4.72)

# Moore, Glasberg & Baer 1997, fig. 9: signal to noise at threshold, in dB, behind the filter.
MASKING_HZ = (50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000)
MASKING_DB = (13.5, 10.0, 7.1, 4.9, 3.1, 1.5, 0.4, -0.5, -1.3, -1.9, -2.3, -2.7, -2.9, -3.0)


def _along(frequency: npt.ArrayLike, points: npt.ArrayLike, decibels: npt.ArrayLike) -> Floats:
    """Interpolate a table over the logarithm of frequency; its ends go on."""
    return np.asarray(np.interp(np.log(frequency), np.log(points), decibels))


def transferred(frequency: npt.ArrayLike) -> Floats:
    """Return what the outer and the middle ear add, in dB; nothing at 1 kHz.

    Parameters
    ----------
    frequency : array-like
        Hz.
    """
    points = _along(frequency, HZ, np.add(OUTER_DB, MIDDLE_DB))
    return np.asarray(points)


_quiet = _along(CENTRES, QUIET_HZ, QUIET_DB)
THRESHOLD = 10 ** (_quiet / 10)
"""Excitation at absolute threshold, by filter, as power over that of 0 dB SPL at 1 kHz."""

_lacking = QUIET_DB[-1] - _quiet
GAIN = 10 ** (_lacking / 10)
ALPHA = np.interp(_lacking, LACKING_DB, ALPHAS)
OFFSET = np.interp(_lacking, LACKING_DB, OFFSETS)
MASKING = 10 ** (_along(CENTRES, MASKING_HZ, MASKING_DB) / 10)
"""K, by filter: power of a signal over that of its masker where it is just heard."""
