"""RGB pictures to the planes that H.264 stores: BT.709, limited range, colours at half size.

What ffmpeg's scaler would do for the whole picture, done for the part of it that changed.
Rec. ITU-R BT.709-6, table 3; Y = 0.2126 R + 0.7152 G + 0.0722 B.
"""

from typing import Self

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["Planes"]

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]

# 16 bits behind the point.  Y goes from 16 to 235, Cb and Cr from 16 to 240 around 128.
ONE = 1 << 16
Y_RED, Y_GREEN, Y_BLUE = (round(219 / 255 * k * ONE) for k in (0.2126, 0.7152, 0.0722))
B_RED, B_GREEN, B_BLUE = (
    round(224 / 255 * k / 1.8556 * ONE) for k in (-0.2126, -0.7152, 1 - 0.0722)
)
R_RED, R_GREEN, R_BLUE = (
    round(224 / 255 * k / 1.5748 * ONE) for k in (1 - 0.2126, -0.7152, -0.0722)
)


class Planes:
    """A picture as yuv420p.

    Parameters
    ----------
    height, width : int
        Pixels, both even.

    Attributes
    ----------
    data : np.ndarray [shape=(height * 3 / 2, width), uint8]
        Y, then Cb and Cr at half the height and half the width.
    """

    def __init__(self, height: int, width: int) -> None:
        if height % 2 or width % 2:
            raise ValueError(f"{height} × {width} pixels; expected even numbers")
        self.data = np.empty((height * 3 // 2, width), np.uint8)
        flat, pixels = self.data.reshape(-1), height * width
        half = height // 2, width // 2
        self._y = flat[:pixels].reshape(height, width)
        self._b = flat[pixels : pixels * 5 // 4].reshape(half)
        self._r = flat[pixels * 5 // 4 :].reshape(half)

    @classmethod
    def of(cls, picture: Bytes) -> Self:
        """Return the planes of a picture [shape=(height, width, 3), uint8]."""
        made = cls(*picture.shape[:2])
        made.take(picture)
        return made

    def take(self, picture: Bytes, rows: slice = slice(None), columns: slice = slice(None)) -> None:
        """Take a picture over, or the part of it that changed; even numbers of pixels."""
        height, width = picture.shape[:2]
        top, bottom, _ = rows.indices(height)
        left, right, _ = columns.indices(width)
        _convert(picture, self._y, self._b, self._r, top, bottom, left, right)

    def mix(self, one: "Planes", other: "Planes", share: float) -> None:
        """Become a mixture of two pictures: of the first at 0, of the second at 1."""
        _mix(one.data, other.data, self.data, round(share * 256))


@numba.njit(cache=True, nogil=True)
def _convert(
    picture: Bytes, y: Bytes, b: Bytes, r: Bytes, top: int, bottom: int, left: int, right: int
) -> None:
    # Loops over whole rows in flat memory: many pixels at once.
    reds = np.empty((2, right - left), np.int32)
    greens, blues = np.empty_like(reds), np.empty_like(reds)
    for row in range(top, bottom, 2):
        for i in range(2):
            source = picture[row + i, left:right].reshape(-1)
            red, green, blue = reds[i], greens[i], blues[i]
            for k in range(len(red)):
                red[k], green[k], blue[k] = source[3 * k], source[3 * k + 1], source[3 * k + 2]
            _weigh(red, green, blue, Y_RED, Y_GREEN, Y_BLUE, 16, 16, y[row + i, left:right])
        halves = slice(left >> 1, right >> 1)
        red, green, blue = _paired(reds), _paired(greens), _paired(blues)
        _weigh(red, green, blue, B_RED, B_GREEN, B_BLUE, 18, 128, b[row >> 1, halves])
        _weigh(red, green, blue, R_RED, R_GREEN, R_BLUE, 18, 128, r[row >> 1, halves])


@numba.njit(cache=True, nogil=True)
def _paired(two: Ints) -> Ints:
    """Return the sums over two rows and two columns each."""
    first, second = two[0], two[1]
    sums = np.empty(len(first) >> 1, np.int32)
    for k in range(len(sums)):
        sums[k] = first[2 * k] + first[2 * k + 1] + second[2 * k] + second[2 * k + 1]
    return sums


@numba.njit(cache=True, nogil=True)
def _weigh(
    red: Ints,
    green: Ints,
    blue: Ints,
    of_red: int,
    of_green: int,
    of_blue: int,
    bits: int,
    base: int,
    out: Bytes,
) -> None:
    """Write the weighted sums, rounded; the weights have so many bits behind the point."""
    half = np.int32((1 << bits) >> 1)
    for_red, for_green, for_blue = np.int32(of_red), np.int32(of_green), np.int32(of_blue)
    shift, low = np.int32(bits), np.int32(base)
    for k in range(len(red)):
        light = for_red * red[k] + for_green * green[k] + for_blue * blue[k] + half
        out[k] = np.uint8((light >> shift) + low)


@numba.njit(cache=True, nogil=True)
def _mix(one: Bytes, other: Bytes, out: Bytes, share: int) -> None:
    for row in range(one.shape[0]):
        for column in range(one.shape[1]):
            a, b = np.int32(one[row, column]), np.int32(other[row, column])
            out[row, column] = np.uint8((a * (256 - share) + b * share + 128) >> 8)
