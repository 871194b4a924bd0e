"""Inner products of sines in closed form, over samples centred on zero.

For t = -(L-1)/2 … (L-1)/2 the sum of cos(x·t) is the Dirichlet kernel
D(x) = sin(L·x/2) / sin(x/2); the sums with t and t² are its derivatives.  So the
normal equations of sines need no samples but those that were heard.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Products", "Sums", "dirichlet", "kernels", "products"]

Floats = npt.NDArray[np.float64]

SMALL = 1e-3  # of x·L: below it the quotients lose digits, and the first terms are exact to 1e-7


class Sums(NamedTuple):
    """Sums over t of cos(x·t), t·sin(x·t) and t²·cos(x·t), each of x's shape."""

    cos: Floats
    t_sin: Floats
    tt_cos: Floats


class Products(NamedTuple):
    """Sums over t of products of two sines, one at u (rows), one at v (columns).

    Each [shape=(..., voices, voices)]; cos·sin, t·cos·cos, t·sin·sin and
    t²·cos·sin add up to zero.
    """

    cos_cos: Floats
    sin_sin: Floats
    cos_t_sin: Floats
    t_cos_t_cos: Floats
    t_sin_t_sin: Floats


def dirichlet(x: Floats, length: int) -> Floats:
    """Return the sum of cos(x·t) over so many centred samples t; x in radians a sample."""
    small = np.abs(x) * length < SMALL
    half = np.where(small, 1.0, x / 2)
    return np.where(small, float(length), np.sin(length * half) / np.sin(half))


def kernels(x: Floats, length: int) -> Sums:
    """Return the sums at differences or sums of frequencies.

    Parameters
    ----------
    x : np.ndarray [shape=(...)]
        Radians a sample.
    length : int
        Samples.

    Returns
    -------
    Sums
        D, -D' and -D''.  With h = x/2 these follow from D·sin h = sin(L·h) by
        differentiating it once and twice.
    """
    small = np.abs(x) * length < SMALL
    half = np.where(small, 1.0, x / 2)
    sin, cos = np.sin(half), np.cos(half)
    plain = np.sin(length * half) / sin
    first = (length * np.cos(length * half) - plain * cos) / (2 * sin)
    second = (plain - length**2 * plain) / 4 - first * cos / sin
    squares = length * (length**2 - 1) / 12  # the sum of t²
    return Sums(
        np.where(small, float(length), plain),
        np.where(small, squares * x, -first),
        np.where(small, squares, -second),
    )


def products(frequency: Floats, length: int) -> Products:
    """Return the inner products of the voices' sines.

    Parameters
    ----------
    frequency : np.ndarray [shape=(..., voices)]
        Radians a sample.
    length : int
        Samples.

    Returns
    -------
    Products
        See there.
    """
    one, other = frequency[..., :, None], frequency[..., None, :]
    minus, plus = kernels(one - other, length), kernels(one + other, length)
    return Products(
        (minus.cos + plus.cos) / 2,
        (minus.cos - plus.cos) / 2,
        (plus.t_sin - minus.t_sin) / 2,
        (minus.tt_cos + plus.tt_cos) / 2,
        (minus.tt_cos - plus.tt_cos) / 2,
    )
