"""How much of each frequency is in a hold: its sums with e^(-iωt) and t·e^(-iωt)."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Correlations", "correlate"]

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]


class Correlations(NamedTuple):
    """Sums over t of y·e^(-iωt) and t·y·e^(-iωt), each [shape=(frames, voices)]."""

    plain: Complex
    t: Complex


def correlate(holds: Floats, frequency: Floats, sides: Floats) -> Correlations:
    """Correlate each voice's frequency with what its pan lets it hear.

    Parameters
    ----------
    holds : np.ndarray [shape=(frames, channels, length)]
        Samples y; their times t are centred on zero.
    frequency : np.ndarray [shape=(frames, voices)]
        ω in radians a sample.
    sides : np.ndarray [shape=(channels, voices)]
        Gains of the channels; y is the channels' sum, each times its gain.

    Returns
    -------
    Correlations
        A hold of J·B samples takes J coarse and B fine rotations and one matrix
        product, as in `epochord.renderers.audio.synthesis.glide`.
    """
    frames, channels, length = holds.shape
    voices = frequency.shape[1]
    fine = int(np.ceil(np.sqrt(length)))
    coarse = -(-length // fine)
    padded = np.zeros((frames, channels, coarse * fine))
    padded[..., :length] = holds
    within = np.arange(fine)
    turn = np.exp(-1j * frequency[:, None] * within[:, None])  # frames, fine, voices
    turns = np.concatenate([turn, turn * within[:, None]], axis=2)
    inner = np.ascontiguousarray(turns).view(np.float64)
    product = padded.reshape(frames, channels * coarse, fine) @ inner
    part = product.view(np.complex128).reshape(frames, channels, coarse, 2, voices)
    heard = np.einsum("fcjkv,cv->fjkv", part, sides, optimize=True)
    begin = fine * np.arange(coarse) - (length - 1) / 2
    outer = np.exp(-1j * frequency[:, None] * begin[:, None])  # frames, coarse, voices
    plain = np.einsum("fjv,fjv->fv", heard[:, :, 0], outer)
    t = np.einsum("fjv,fjv->fv", heard[:, :, 1] + begin[:, None] * heard[:, :, 0], outer)
    return Correlations(plain, t)
