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

# 16 bits behind the point.  Y goes from 16 to 235, Cb and Cr from 16 to 240 around 128.
ONE = 1 << 16
HALF = ONE >> 1
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
    for row in range(top, bottom, 2):
        for column in range(left, right, 2):
            reds, greens, blues = np.int32(0), np.int32(0), np.int32(0)
            for i in range(2):
                for j in range(2):
                    red = np.int32(picture[row + i, column + j, 0])
                    green = np.int32(picture[row + i, column + j, 1])
                    blue = np.int32(picture[row + i, column + j, 2])
                    light = Y_RED * red + Y_GREEN * green + Y_BLUE * blue + HALF
                    y[row + i, column + j] = np.uint8((light >> 16) + 16)
                    reds += red
                    greens += green
                    blues += blue
            at_b = B_RED * reds + B_GREEN * greens + B_BLUE * blues + 4 * HALF
            at_r = R_RED * reds + R_GREEN * greens + R_BLUE * blues + 4 * HALF
            b[row >> 1, column >> 1] = np.uint8((at_b >> 18) + 128)
            r[row >> 1, column >> 1] = np.uint8((at_r >> 18) + 128)


@numba.njit(cache=True, nogil=True)
def _mix(one: Bytes, other: Bytes, out: Bytes, share: int) -> None:
    for row in range(one.shape[0]):
        for column in range(one.shape[1]):
            a, b = np.int32(one[row, column]), np.int32(other[row, column])
            out[row, column] = np.uint8((a * (256 - share) + b * share + 128) >> 8)
