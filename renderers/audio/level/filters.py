"""The filters of the meters: what they need of scipy.signal, bit by bit, without importing it.

All of scipy.signal takes longer to import than a short sound takes to be made; most of that is
scipy.stats, which no filter here needs.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["bilinear", "kaiser_lowpass", "sosfilt"]

Values = npt.NDArray[np.float64]

# Chebyshev coefficients of exp(-x) I0(x) from 0 to 8, as in SciPy and NumPy (S. Moshier, Cephes).
BESSEL = (
    -4.4153416464793395e-18, 3.3307945188222384e-17, -2.431279846547955e-16, 1.715391285555133e-15,
    -1.1685332877993451e-14, 7.676185498604936e-14, -4.856446783111929e-13, 2.95505266312964e-12,
    -1.726826291441556e-11, 9.675809035373237e-11, -5.189795601635263e-10, 2.6598237246823866e-09,
    -1.300025009986248e-08, 6.046995022541919e-08, -2.670793853940612e-07, 1.1173875391201037e-06,
    -4.4167383584587505e-06, 1.6448448070728896e-05, -5.754195010082104e-05, 0.00018850288509584165,
    -0.0005763755745385824, 0.0016394756169413357, -0.004324309995050576, 0.010546460394594998,
    -0.02373741480589947, 0.04930528423967071, -0.09490109704804764, 0.17162090152220877,
    -0.3046826723431984, 0.6767952744094761,
)  # fmt: skip


def kaiser_lowpass(taps: int, cutoff: float, stopband_db: float) -> Values:
    """Design a low-pass filter: a sinc in a Kaiser window, as `scipy.signal.firwin` does.

    Parameters
    ----------
    taps : int
        Odd.
    cutoff : float
        As a share of half the sample rate.
    stopband_db : float
        Attenuation, from 50 to 80 dB (Kaiser's formula for his beta).

    Returns
    -------
    np.ndarray [shape=(taps,), float64]
        Their sum is 1.
    """
    middle = 0.5 * (taps - 1)
    place = np.arange(taps) - middle
    beta = 0.1102 * (stopband_db - 8.7)
    window = _bessel(beta * np.sqrt(1 - (place / middle) ** 2)) / _bessel(np.array([beta]))
    weights = cutoff * np.sinc(cutoff * place) * window
    return np.asarray(weights / weights.sum())


def _bessel(x: Values) -> Values:
    """Return I0(x), x from 0 to 8, by Clenshaw's recurrence.

    NumPy's own `i0` differs from SciPy's in the last bit, since its exponential does.
    """
    last, second, third = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    for coefficient in BESSEL:
        last, second, third = (x / 2 - 2) * last - second + coefficient, last, second
    return np.array([math.exp(each) for each in x]) * (0.5 * (last - third))


def bilinear(numerator: Sequence[float], denominator: Sequence[float], rate: float) -> Values:
    """Transform an analogue filter of second order into a digital one.

    Parameters
    ----------
    numerator, denominator : sequence of float
        Three coefficients each, of s², s and 1.
    rate : float
        Hz.

    Returns
    -------
    np.ndarray [shape=(6,), float64]
        A second-order section.
    """
    factor = math.sqrt(2 * rate)
    plus, minus = np.array([1.0, 1.0]) / factor, np.array([1.0, -1.0]) * factor

    def transformed(polynomial: Sequence[float]) -> Values:
        second, first, constant = polynomial
        low = constant * np.convolve(plus, plus) + np.convolve(first * plus, minus)
        return np.asarray(low + second * np.convolve(minus, minus))

    over, under = transformed(numerator), transformed(denominator)
    return np.concatenate([over / under[0], under / under[0]])


def sosfilt(sections: Values, samples: Values, state: Values) -> tuple[Values, Values]:
    """Filter signals by second-order sections, as `scipy.signal.sosfilt` does.

    Parameters
    ----------
    sections : np.ndarray [shape=(sections, 6), float64]
        With a leading 1 in each denominator.
    samples : np.ndarray [shape=(signals, n), float64]
        As it is after.
    state : np.ndarray [shape=(sections, signals, 2), float64]
        What the samples before have left; zeros before the first.

    Returns
    -------
    filtered : np.ndarray [shape=(signals, n), float64]
    state : np.ndarray [shape=(sections, signals, 2), float64]
    """
    compiled = _compiled()
    if compiled is None:
        from scipy import signal

        return signal.sosfilt(sections, samples, zi=state)
    filtered, after = samples.copy(order="C"), state.transpose(1, 0, 2).copy(order="C")
    compiled(sections, filtered, after)
    return filtered, after.transpose(1, 0, 2)


@cache
def _compiled() -> Callable[..., Any] | None:
    """Return the compiled heart of SciPy's `sosfilt`, alone; None where it lies elsewhere."""
    import scipy

    try:
        places = [f"{place}/signal" for place in scipy.__path__]
        spec = PathFinder.find_spec("scipy.signal._sosfilt", places)
        if spec is None or spec.loader is None:
            return None
        module: Any = module_from_spec(spec)
        spec.loader.exec_module(module)
        found: Callable[..., Any] = module._sosfilt
        # Once, in earnest: another version may take other arguments.
        found(np.array([[1.0, 0, 0, 1, 0, 0]]), np.ones((1, 1)), np.zeros((1, 1, 2)))
    except (ImportError, AttributeError, TypeError, ValueError):
        return None
    return found
