"""A first estimate of all voices' frequencies: each from what the others leave.

After RELAX (J. Li and P. Stoica, "Efficient mixed-spectrum estimation with
applications to target feature extraction", IEEE Trans. Signal Processing 44,
1996): in turn, each voice's peak is looked for in its register of the spectrum
from which the other voices' sines have been subtracted; a few rounds of it.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy import fft

from epochord.renderers.audio.decoding.sums import dirichlet

__all__ = ["first_frequencies", "refined_peak", "register_bins"]

ROUNDS = 6
OVERSAMPLING = 4  # points a bin of the spectrum

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
Values = TypeVar("Values", Floats, Complex)


def first_frequencies(holds: Floats, bands: Floats, sides: Floats) -> Floats:
    """Estimate frequencies well enough for `joint.fit` to go on from.

    Parameters
    ----------
    holds : np.ndarray [shape=(frames, channels, length)]
        Samples.
    bands : np.ndarray [shape=(voices, 2)]
        Registers in radians a sample.
    sides : np.ndarray [shape=(channels, voices)]
        Gains of the channels.

    Returns
    -------
    np.ndarray [shape=(frames, voices)]
        Radians a sample.
    """
    length = holds.shape[2]
    grids, spectra = _spectra(holds, bands, sides)
    alike = sides.T @ sides
    frequency = np.tile(bands.mean(axis=1), (len(holds), 1))
    amplitude = np.zeros(frequency.shape, np.complex128)
    for _ in range(ROUNDS):
        for voice, (grid, spectrum) in enumerate(zip(grids, spectra, strict=True)):
            left = spectrum.copy()
            for other in range(len(grids)):
                if other != voice and amplitude[:, other].any():
                    weighted = amplitude[:, other] * alike[voice, other]
                    left -= _line(grid, frequency[:, other], weighted, length)
            place, peak = refined_peak(np.abs(left), left)
            frequency[:, voice] = grid[0] + place * (grid[1] - grid[0])
            amplitude[:, voice] = peak * (2 / (length * alike[voice, voice]))
    return frequency


def register_bins(band: Floats, size: int) -> npt.NDArray[np.int64]:
    """Return a register's points in a spectrum of so many, and one beyond either end.

    Parameters
    ----------
    band : np.ndarray [shape=(2,)]
        Radians a sample.
    size : int
        Of the transform.
    """
    low, high = band * (size / (2 * np.pi))
    return np.arange(max(1, int(low) - 1), min(size // 2, int(np.ceil(high)) + 1) + 1)


def refined_peak(height: Floats, values: Values) -> tuple[Floats, Values]:
    """Find each row's highest point, by a parabola through it and its neighbours.

    Parameters
    ----------
    height : np.ndarray [shape=(frames, points)]
        At least one point.
    values : np.ndarray [shape=(frames, points)]
        What is wanted there.

    Returns
    -------
    place : np.ndarray [shape=(frames,)]
        In points from the first; a peak at an end is left where it is.
    value : np.ndarray [shape=(frames,)]
        At the point itself.
    """
    frames = np.arange(len(height))
    top = np.argmax(height, axis=1)
    inside = np.clip(top, 1, max(1, height.shape[1] - 2))
    if height.shape[1] < 3:
        return top.astype(np.float64), values[frames, top]
    before, at, after = (height[frames, inside + step] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    shift = np.where(bend < 0, (before - after) / (2 * np.where(bend < 0, bend, 1.0)), 0.0)
    place = np.where(top == inside, inside + np.clip(shift, -0.5, 0.5), top)
    return place, values[frames, top]


def _spectra(holds: Floats, bands: Floats, sides: Floats) -> tuple[list[Floats], list[Complex]]:
    """Return each register's frequencies, and the holds' spectra at them."""
    length = holds.shape[2]
    size = int(fft.next_fast_len(OVERSAMPLING * length, real=True))
    whole = fft.rfft(holds, size, axis=2)
    grids: list[Floats] = []
    spectra: list[Complex] = []
    for voice, band in enumerate(bands):
        bins = register_bins(band, size)
        grid = np.asarray(bins * (2 * np.pi / size))
        heard = np.einsum("fcg,c->fg", whole[:, :, bins], sides[:, voice])
        grids.append(grid)
        spectra.append(heard * np.exp(0.5j * (length - 1) * grid))  # time 0 in the middle
    return grids, spectra


def _line(grid: Floats, frequency: Floats, amplitude: Complex, length: int) -> Complex:
    """Return the spectrum at `grid` of the real part of amplitude · e^(iωt)."""
    minus = dirichlet(grid - frequency[:, None], length)
    plus = dirichlet(grid + frequency[:, None], length)
    return (amplitude[:, None] * minus + amplitude.conj()[:, None] * plus) / 2
