"""A register of its own for each voice: bands of pitch that never overlap."""

import numpy as np
import numpy.typing as npt

__all__ = ["BOTTOM_HZ", "TOP_HZ", "registers"]

BOTTOM_HZ = 220.0  # which small loudspeakers still give
TOP_HZ = 2800.0  # below the band of the earcons

# Width of each register in octaves by the number of voices; what is left between
# bottom and top is spread between them, so that neighbours stay apart: by 6 Hz at least.
OCTAVES = (3.0, 1.5, 1.05, 0.8, 0.66, 0.56, 0.48, 0.42, 0.37, 0.33, 0.295, 0.27)


def registers(voices: int) -> npt.NDArray[np.float64]:
    """Divide the range of pitch.

    Parameters
    ----------
    voices : int
        How many, from low to high; 1 to 12.

    Returns
    -------
    np.ndarray [shape=(voices, 2)]
        Lowest and highest pitch of each register, in Hz.

    Raises
    ------
    ValueError
        If there are too many voices.
    """
    if not 1 <= voices <= len(OCTAVES):
        raise ValueError(f"{voices} voices; there are registers for 1 to {len(OCTAVES)}")
    width = OCTAVES[voices - 1]
    free = np.log2(TOP_HZ / BOTTOM_HZ) - voices * width
    # One voice alone lies in the middle.
    guard = free / (voices - 1) if voices > 1 else 0.0
    first = np.log2(BOTTOM_HZ) + (free / 2 if voices == 1 else 0.0)
    low = first + np.arange(voices) * (width + guard)
    return np.asarray(2.0 ** np.stack([low, low + width], axis=1))
