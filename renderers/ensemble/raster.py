"""Functions of x as anti-aliased lines, bands and densities, painted into an RGB picture.

Matplotlib draws the axes once; what moves is painted over a copy of that, a
hundred times as fast.  The coverage of a pixel is the exact area of the shape
within it: each edge adds the area below it to a plane as large as the rectangle,
as the differences from row to row, and summing down the columns gives the
coverage.  Lines are stroked as matplotlib strokes them: round joins, projecting
caps, nothing beside a value that is not finite.

Colours are red, green and blue from 0 to 1, lengths are pixels, y points down.
"""

import math
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from epochord.renderers.ensemble.coverage import Plane, paint_area, paint_counts, paint_strokes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Viewport", "paint_band", "paint_density", "paint_lines"]

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]

# Pixels; beyond it float64 would overflow on the way.
FARTHEST = 1e200


class Viewport:
    """A rectangle of a picture with its axes, and the grid all functions are given on.

    It owns the memory in which shapes are gathered: use one in each thread.

    Parameters
    ----------
    left, top, right, bottom : float
        Pixels from the picture's upper left corner.  What is painted is clipped
        to the nearest whole pixels, as matplotlib clips.
    x_limits, y_limits : tuple of float
        Data at left and right, ascending, and at bottom and top; linear scales.
    grid : array-like [shape=(grid,)]
        x of all functions, in data units, ascending.

    Raises
    ------
    ValueError
        If the rectangle is empty, limits are equal, or the grid does not ascend.
    """

    def __init__(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        *,
        x_limits: tuple[float, float],
        y_limits: tuple[float, float],
        grid: npt.ArrayLike,
    ) -> None:
        nodes = np.asarray(grid, np.float64)
        if nodes.ndim != 1 or len(nodes) < 2 or not np.isfinite(nodes).all():
            raise ValueError(f"The grid must be two finite numbers or more, not {grid!r}")
        if not (np.diff(nodes) > 0).all():
            raise ValueError(f"The grid must ascend: {grid!r}")
        if not (x_limits[0] < x_limits[1] and y_limits[0] != y_limits[1]):
            raise ValueError(f"The limits span nothing: {x_limits=}, {y_limits=}")
        self.left, self.top = math.floor(left + 0.5), math.floor(top + 0.5)
        self.right, self.bottom = math.floor(right + 0.5), math.floor(bottom + 0.5)
        if not (0 <= self.left < self.right and 0 <= self.top < self.bottom):
            raise ValueError(f"No rectangle in a picture: {left=}, {top=}, {right=}, {bottom=}")
        across = (nodes - x_limits[0]) / (x_limits[1] - x_limits[0])
        # Both from the corner of the clipped rectangle.
        self._x = np.clip(left - self.left + across * (right - left), -FARTHEST, FARTHEST)
        self._scale = (top - bottom) / (y_limits[1] - y_limits[0])
        self._origin = bottom - self.top - y_limits[0] * self._scale
        # A density begins a row lower and ends a row later than a shape.
        self._sums = np.zeros((self.bottom - self.top + 3, self.right - self.left), np.float32)
        self._first = np.full(self._sums.shape[1], len(self._sums), np.int32)
        self._last = np.full(self._sums.shape[1], -1, np.int32)

    @classmethod
    def of_axes(cls, axes: "Axes", grid: npt.ArrayLike) -> Self:
        """Return the rectangle of matplotlib axes, as their figure is laid out now.

        Raises
        ------
        ValueError
            If a scale is not linear.
        """
        if (axes.get_xscale(), axes.get_yscale()) != ("linear", "linear"):
            raise ValueError(f"Not linear: {axes.get_xscale()=}, {axes.get_yscale()=}")
        box, height = axes.bbox, axes.figure.canvas.figure.bbox.height
        return cls(
            box.x0,
            height - box.y1,
            box.x1,
            height - box.y0,
            x_limits=axes.get_xlim(),
            y_limits=axes.get_ylim(),
            grid=grid,
        )

    def _pixels(self, y: npt.ArrayLike, dimensions: int) -> Floats:
        """Return functions in pixels below the rectangle's top; NaN where they are not finite."""
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.ascontiguousarray(y, np.float64)
            rows = np.clip(self._origin + self._scale * values, -FARTHEST, FARTHEST)
        if values.ndim != dimensions or values.shape[-1] != len(self._x):
            raise ValueError(f"Shape {values.shape} does not fit a grid of {len(self._x)}")
        rows[~np.isfinite(values)] = np.nan
        return rows

    def _plane(self, picture: Picture, extra_rows: int = 0) -> Plane:
        """Return where to gather shapes, if the rectangle lies in an RGB picture."""
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(f"Not height × width × 3 bytes: {picture.dtype} {picture.shape}")
        if not (picture.flags.c_contiguous and picture.flags.writeable):
            raise ValueError("The picture must be C-contiguous and writeable")
        if self.bottom > picture.shape[0] or self.right > picture.shape[1]:
            raise ValueError(
                f"The rectangle ends at {(self.bottom, self.right)}, the picture at "
                f"{picture.shape[:2]}"
            )
        sums = self._sums[: self.bottom - self.top + 1 + extra_rows]
        return Plane(self.left, self.top, sums, self._first, self._last)


def paint_lines(
    picture: Picture,
    viewport: Viewport,
    y: npt.ArrayLike,
    colours: npt.ArrayLike,
    *,
    width: float,
    alpha: float = 1.0,
) -> None:
    """Paint functions as lines, each over those before it.

    Parameters
    ----------
    picture : np.ndarray [shape=(height, width, 3), uint8]
        Changed in place.
    viewport : Viewport
    y : array-like [shape=(n, grid)]
        In data units; beside NaN and the infinities there is no line.
    colours : array-like [shape=(n, 3) or (3,)]
    width : float
        Pixels: points × dpi / 72.
    alpha : float
        Opacity, 0 to 1.

    Raises
    ------
    ValueError
        If something does not fit the rest or its range.
    """
    plane, rows = viewport._plane(picture), viewport._pixels(y, 2)
    if not width > 0:
        raise ValueError(f"A line must have some width, not {width}")
    paint = np.array(np.broadcast_to(_bytes(colours), (len(rows), 3)), order="C")
    paint_strokes(picture, plane, viewport._x, rows, paint, width / 2, _opacity(alpha))


def paint_band(
    picture: Picture,
    viewport: Viewport,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    colour: npt.ArrayLike,
    *,
    alpha: float = 1.0,
) -> None:
    """Paint what lies between two functions.

    Parameters
    ----------
    picture : np.ndarray [shape=(height, width, 3), uint8]
        Changed in place.
    viewport : Viewport
    low, high : array-like [shape=(grid,)]
        In data units; where they cross, both sides are painted, and beside NaN
        and the infinities nothing is.
    colour : array-like [shape=(3,)]
    alpha : float
        Opacity, 0 to 1.

    Raises
    ------
    ValueError
        If something does not fit the rest or its range.
    """
    plane = viewport._plane(picture)
    x, y = _band_edges(viewport._x, viewport._pixels(low, 1), viewport._pixels(high, 1))
    paint = np.array(np.broadcast_to(_bytes(colour), 3))
    paint_area(picture, plane, x, y, paint, _opacity(alpha))


def paint_density(
    picture: Picture,
    viewport: Viewport,
    y: npt.ArrayLike,
    lookup: npt.ArrayLike,
    *,
    peak: float | None = None,
) -> None:
    """Paint how many functions pass through each pixel.

    Each is drawn with a brush one pixel high that leaves as much ink as a line
    one pixel wide.  A pixel with the ink of c lines has the colour
    log(1 + c) / log(1 + peak) of the way from the first to the last; that does
    not depend on other pixels or frames, so a film does not flicker.  Less than
    one line lets the picture through.

    Parameters
    ----------
    picture : np.ndarray [shape=(height, width, 3), uint8]
        Changed in place.
    viewport : Viewport
    y : array-like [shape=(n, grid)]
        In data units; beside NaN and the infinities there is no line.
    lookup : array-like [shape=(256, 3), uint8]
        Colours in bytes, from none to `peak` lines.
    peak : float, optional
        Lines in a pixel that get the last colour; by default all n.

    Raises
    ------
    ValueError
        If something does not fit the rest or its range.
    """
    plane, rows = viewport._plane(picture, 2), viewport._pixels(y, 2)
    colours, most = np.asarray(lookup, np.uint8), max(1, len(rows)) if peak is None else peak
    if colours.shape != (256, 3) or not most > 0:
        raise ValueError(f"Needs 256 colours and a peak above 0: {colours.shape=}, {peak=}")
    paint_counts(picture, plane, viewport._x, rows, _colours_of_counts(colours, most))


def _bytes(colours: npt.ArrayLike) -> Floats32:
    """Return colours of 0 to 1 as whole numbers of 0 to 255."""
    shares = np.asarray(colours, np.float64)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"Colours go from 0 to 1: {colours!r}")
    return np.rint(shares * 255).astype(np.float32)


def _opacity(alpha: float) -> np.float32:
    if not 0 <= alpha <= 1:
        raise ValueError(f"Opacity goes from 0 to 1: {alpha}")
    return np.float32(alpha)


def _colours_of_counts(lookup: Picture, peak: float) -> Picture:
    """Return the colour for the upper 16 bits of each positive float32 [shape=(32768, 3)].

    They are the count to within 0.4 %: a logarithm without computing one.
    """
    bits = (np.arange(1 << 15, dtype=np.uint32) << 16) + (1 << 15)
    with np.errstate(invalid="ignore"):  # the last of them are NaN
        share = np.log1p(bits.view(np.float32).astype(np.float64)) / np.log1p(peak)
    shades = np.rint(np.clip(np.nan_to_num(share), 0, 1) * 255).astype(np.uint8)
    colours: Picture = lookup[shades]
    return colours


def _band_edges(x: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Return a band's upper edge forward and its lower edge back, with nodes where they cross."""
    gap = low - high
    at = np.flatnonzero(gap[:-1] * np.sign(gap[1:]) < 0)
    share = gap[at] / (gap[at] - gap[at + 1])

    def with_crossings(y: Floats) -> Floats:
        return np.insert(y, at + 1, y[at] + share * (y[at + 1] - y[at]))

    x, low, high = with_crossings(x), with_crossings(low), with_crossings(high)
    upper, lower = np.minimum(low, high), np.maximum(low, high)
    # Between them a gap, so that no edge leads from one to the other.
    return np.concatenate([x, [np.nan], x[::-1]]), np.concatenate([upper, [np.nan], lower[::-1]])
