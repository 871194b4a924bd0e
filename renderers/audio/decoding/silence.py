"""Which voices are silent, told by their amplitudes alone."""

import numpy as np
import numpy.typing as npt

__all__ = ["silent_voices", "usual_amplitude"]

SILENT_SHARE = 0.1  # of the usual amplitude: -20 dB


def usual_amplitude(amplitude: npt.NDArray[np.float64]) -> float:
    """Return the amplitude that half of the energy lies above.

    It is that of a voice which sounds, however many are silent, and however
    wrong a few of them are.

    Parameters
    ----------
    amplitude : np.ndarray [shape=(...)]
        Of all voices in all frames.
    """
    rising = np.sort(amplitude, axis=None)
    energy = np.cumsum(np.square(rising))
    return float(rising[np.searchsorted(energy, energy[-1] / 2)]) if rising.size else 0.0


def silent_voices(amplitude: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Tell silence from sound.

    Parameters
    ----------
    amplitude : np.ndarray [shape=(...)]
        Of all voices in all frames.

    Returns
    -------
    np.ndarray [shape=(...)]
        Whether an amplitude is far below the usual one.
    """
    return np.asarray(amplitude <= SILENT_SHARE * usual_amplitude(amplitude))
