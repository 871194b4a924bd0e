"""The compiled part of the rasteriser: outlines of strokes, coverage of pixels, blending.

Each edge of a shape adds the area below it, as the difference from each row to the
next, to a plane of sums as large as the rectangle; summing down the columns gives
the coverage.  See `epochord.renderers.ensemble.raster` for what the public functions promise.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["Plane", "paint_area", "paint_counts", "paint_strokes"]

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]
Function = TypeVar("Function", bound=Callable[..., Any])

# Pixels; edges and segments narrower or shorter than this have no area to speak of.
TINY = 1e-9
# Pixels; a line that rises within less than this is shown as wide as this in a density.
SLIVER = 1e-6
# Added to what is divided by and may be zero.
NOTHING = 1e-99
# Lines in a pixel; less is rounding.
FAINT = 1e-3
# Cosine of 5°: in a smaller turn a mitre is no longer than a round join (Agg's rule).
NEARLY_STRAIGHT = 0.9962
# Pixels by which a chord may miss a round join (Agg's rule).
ARC_TOLERANCE = 0.125


class Plane(NamedTuple):
    """What is gathered of one shape before it is painted; all zero between two shapes.

    Parameters
    ----------
    left, top : int
        Where in the picture it lies.
    sums : np.ndarray [shape=(height + 1, width), float32]
        Each row's coverage less that of the row above; a further row takes what
        leaves at the bottom.
    first, last : np.ndarray [shape=(width,), int32]
        Between which rows of each column `sums` is not zero.
    """

    left: int
    top: int
    sums: Floats32
    first: Rows
    last: Rows


def compiled(function: Function) -> Function:
    """Return a function that numba compiles when it is first called, and keeps on disk."""
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


@compiled
def paint_strokes(
    picture: Picture,
    plane: Plane,
    x: Floats,
    rows: Floats,
    colours: Floats32,
    radius: float,
    alpha: np.float32,
) -> None:
    """Stroke functions, each over those before it; `rows` are pixels [shape=(n, grid)]."""
    margin = 2 * radius + 2  # what a cap out there paints is not seen
    xs, ys = np.empty_like(x), np.empty_like(x)
    most = 2 * len(x) * (4 + int(math.pi / _chord(radius)))
    out_x, out_y = np.empty(most), np.empty(most)
    for line in range(len(rows)):
        node = 0
        while node < len(x) - 1:
            count, node = _run(plane, x, rows[line], node, margin, xs, ys)
            if count > 1:
                begin, end = _outline(xs, ys, count, radius, out_x, out_y)
                _fill(plane, out_x, out_y, begin, end, False)
        _blend_touched(picture, plane, colours[line], alpha)


@compiled
def paint_area(
    picture: Picture, plane: Plane, x: Floats, y: Floats, colour: Floats32, alpha: np.float32
) -> None:
    """Fill what lies between edges that lead forward and edges that lead back."""
    _fill(plane, x, y, 0, len(x), False)
    _blend_rows(picture, plane, colour, alpha)


@compiled
def paint_counts(picture: Picture, plane: Plane, x: Floats, rows: Floats, table: Picture) -> None:
    """Count the functions in each pixel; `table` has a colour for each 16 bits of a count."""
    xs, ys = np.empty_like(x), np.empty_like(x)
    for line in range(len(rows)):
        node = 0
        while node < len(x) - 1:
            count, node = _run(plane, x, rows[line], node, 2.0, xs, ys)
            # The brush covers what is below its upper edge and not below its lower edge, one
            # pixel further down: exactly the differences from row to row.  A row is added so that
            # what is above the rectangle has one of its own.
            for k in range(count):
                ys[k] += 0.5
                xs[k] = max(xs[k], xs[max(k - 1, 0)] + SLIVER * min(k, 1))
            _fill(plane, xs, ys, 0, count, True)
    _blend_counts(picture, plane, table)


@compiled
def _run(
    plane: Plane, x: Floats, y: Floats, node: int, margin: float, xs: Floats, ys: Floats
) -> tuple[int, int]:
    """Find the next polyline that may be seen.

    Parameters
    ----------
    plane : Plane
    x, y : np.ndarray [shape=(grid,)]
    node : int
        Where to begin.
    margin : float
        How far outside of the rectangle a line is still followed.
    xs, ys : np.ndarray [shape=(grid,)]
        The polyline is written to their beginning.

    Returns
    -------
    count, node : int
        How many points it has, and where to go on.
    """
    low, right, bottom = -margin, len(plane.first) + margin, len(plane.sums) + margin
    count = 0
    for k in range(node, len(x) - 1):
        seen, x0, y0, x1, y1 = _clipped(x[k], y[k], x[k + 1], y[k + 1], low, right, bottom)
        if count and not (seen and x0 == x[k] and y0 == y[k]):
            return count, k
        if not seen:
            continue
        if count == 0:
            xs[0], ys[0], count = x0, y0, 1
        if abs(x1 - xs[count - 1]) + abs(y1 - ys[count - 1]) > TINY:
            xs[count], ys[count] = x1, y1
            count += 1
    return count, len(x) - 1


@compiled
def _clipped(
    x0: float, y0: float, x1: float, y1: float, low: float, right: float, bottom: float
) -> tuple[bool, float, float, float, float]:
    """Return whether a segment is seen between `low` and `right`, `bottom`, and its ends there."""
    if y0 != y0 or y1 != y1 or not (min(y0, y1) < bottom and max(y0, y1) > low):
        return False, x0, y0, x1, y1
    x0, y0, x1, y1 = _cut(x0, y0, x1, y1, low, bottom)
    if not (x0 < right and x1 > low):
        return False, x0, y0, x1, y1
    y0, x0, y1, x1 = _cut(y0, x0, y1, x1, low, right)
    return True, x0, y0, x1, y1


@compiled
def _cut(
    a0: float, b0: float, a1: float, b1: float, low: float, high: float
) -> tuple[float, float, float, float]:
    """Return a segment cut to b from `low` to `high`; some of it lies between."""
    begin, end = min(max(b0, low), high), min(max(b1, low), high)
    if begin != b0 or end != b1:
        a0, a1 = _at(a0, b0, a1, b1, begin), _at(a0, b0, a1, b1, end)
    return a0, begin, a1, end


@compiled
def _at(a0: float, b0: float, a1: float, b1: float, b: float) -> float:
    """Return a where a segment is at b, from the nearer end: the other may be at 1e30."""
    if abs(b - b0) <= abs(b - b1):
        return a0 if b == b0 else a0 + (b - b0) / (b1 - b0) * (a1 - a0)
    return a1 if b == b1 else a1 + (b - b1) / (b1 - b0) * (a1 - a0)


@compiled
def _chord(radius: float) -> float:
    """Return the angle of a chord of a round join."""
    return 2 * math.acos(radius / (radius + ARC_TOLERANCE))


@compiled
def _outline(
    xs: Floats, ys: Floats, count: int, radius: float, out_x: Floats, out_y: Floats
) -> tuple[int, int]:
    """Write the outline of a stroked polyline into the middle of two arrays.

    The upper side goes forward from the middle, the lower side back from it, so
    together they are a closed polygon.

    Returns
    -------
    begin, end : int
        Where in the arrays it lies.
    """
    end = len(out_x) // 2
    begin = end - 1
    # From the line to its lower side.
    nx, ny, length = _normal(xs[0], ys[0], xs[1], ys[1], radius)
    x, y = xs[0] - ny, ys[0] + nx
    out_x[begin], out_y[begin], out_x[end], out_y[end] = x + nx, y + ny, x - nx, y - ny
    for k in range(1, count - 1):
        mx, my, following = _normal(xs[k], ys[k], xs[k + 1], ys[k + 1], radius)
        if nx * mx + ny * my > NEARLY_STRAIGHT * radius * radius:
            x, y = _mitre(nx, ny, mx, my)
            begin, end = begin - 1, end + 1
            out_x[begin], out_y[begin] = xs[k] + x, ys[k] + y
            out_x[end], out_y[end] = xs[k] - x, ys[k] - y
        else:
            room = min(length, following)
            begin, end = _corner(
                out_x, out_y, begin, end, xs[k], ys[k], nx, ny, mx, my, radius, room
            )
        nx, ny, length = mx, my, following
    x, y = xs[count - 1] + ny, ys[count - 1] - nx
    begin, end = begin - 1, end + 1
    out_x[begin], out_y[begin], out_x[end], out_y[end] = x + nx, y + ny, x - nx, y - ny
    out_x[end + 1], out_y[end + 1] = x + nx, y + ny
    return begin, end + 2


@compiled
def _normal(
    x0: float, y0: float, x1: float, y1: float, radius: float
) -> tuple[float, float, float]:
    """Return a vector across a segment, `radius` long and downwards, and the segment's length."""
    length = math.hypot(x1 - x0, y1 - y0)
    return (y0 - y1) / length * radius, (x1 - x0) / length * radius, length


@compiled
def _mitre(nx: float, ny: float, mx: float, my: float) -> tuple[float, float]:
    """Return where two sides meet: those `n` and `m` away from segments with a common end."""
    square = nx * nx + ny * ny
    share = square / (square + nx * mx + ny * my)
    return (nx + mx) * share, (ny + my) * share


@compiled
def _corner(
    out_x: Floats,
    out_y: Floats,
    begin: int,
    end: int,
    node_x: float,
    node_y: float,
    nx: float,
    ny: float,
    mx: float,
    my: float,
    radius: float,
    room: float,
) -> tuple[int, int]:
    """Write both sides of a sharp turn; `room` is the length of the shorter segment."""
    angle = math.atan2(nx * my - ny * mx, nx * mx + ny * my)
    # The inner side is the lower one, written backwards, or the upper one.
    side = 1 if angle > 0 else -1
    inner, outer = (begin, end) if angle > 0 else (end, begin)
    x, y = _mitre(nx, ny, mx, my)
    if math.hypot(x, y) <= max(1.01 * radius, room):
        inner -= side
        out_x[inner], out_y[inner] = node_x + side * x, node_y + side * y
    else:  # by way of the node, so that no area counts as negative
        for across_x, across_y in ((nx, ny), (0.0, 0.0), (mx, my)):
            inner -= side
            out_x[inner], out_y[inner] = node_x + side * across_x, node_y + side * across_y
    chords = 1 + int(abs(angle) / _chord(radius))
    cosine, sine = math.cos(angle / chords), math.sin(angle / chords)
    for _ in range(chords + 1):
        outer += side
        out_x[outer], out_y[outer] = node_x - side * nx, node_y - side * ny
        nx, ny = nx * cosine - ny * sine, nx * sine + ny * cosine
    return (inner, outer) if angle > 0 else (outer, inner)


@compiled
def _fill(plane: Plane, x: Floats, y: Floats, begin: int, end: int, inked: bool) -> None:
    """Add the area below the edges of a polyline; those that go left take it away.

    With `inked`, each edge adds as much as it is long.  (All in one function:
    passing arrays on costs more than the arithmetic, since numba counts references.)
    """
    sums, first, last = plane.sums, plane.first, plane.last
    rows, width = len(sums) - 1, len(first)
    for k in range(begin, end - 1):
        across = x[k + 1] - x[k]
        left, right = max(min(x[k], x[k + 1]), 0.0), min(max(x[k], x[k + 1]), float(width))
        if not (left < right and abs(across) > TINY):  # NaN too
            continue
        slope = (y[k + 1] - y[k]) / across
        weight = math.sqrt(1 + slope * slope) if inked else math.copysign(1.0, across)
        at, column = y[k] + (left - x[k]) * slope, int(left)
        while left < right:
            to = min(column + 1.0, right)
            to_at = y[k] + (to - x[k]) * slope
            high, low = min(at, to_at), max(at, to_at)
            if high >= rows:
                last[column] = rows  # what is above it goes on to the bottom
            else:
                area, row = weight * (to - left), int(max(high, 0.0))
                first[column] = min(first[column], row)
                if high >= 0 and low <= row + 2 <= rows:
                    # Two rows at most, as nearly always: without a branch for where they meet.
                    beyond = max(low - (row + 1), 0.0)
                    beyond *= beyond / (2 * (low - high) + NOTHING)
                    above = row + 1 - (high + low) / 2 + beyond
                    sums[row, column] += area * above
                    sums[row + 1, column] += area * (1 - above - beyond)
                    sums[row + 2, column] += area * beyond
                    row += 2
                else:
                    done = 0.0
                    while row < low and row < rows:
                        here = area * _below(high, low, row)
                        sums[row, column] += here - done
                        done = here
                        row += 1
                    sums[row, column] += area - done
                last[column] = max(last[column], row)
            left, at, column = to, to_at, column + 1


@compiled
def _below(high: float, low: float, row: int) -> float:
    """Return how much of a row lies below an edge that goes from `high` to `low`."""
    if row <= high and low <= row + 1:
        return row + 1 - (high + low) / 2
    begin, end = max(float(row), high), min(row + 1.0, low)
    return (end - begin) * ((begin + end) / 2 - high) / (low - high) + (row + 1 - end)


@compiled
def _mixed(byte: np.uint8, paint: float, part: np.float32) -> np.uint8:
    """Return a byte after paint covered part of it: rounded, so that many layers do not darken."""
    before = np.float32(byte)
    return np.uint8(before + (np.float32(paint) - before) * part + np.float32(0.5))


@compiled
def _blend_touched(picture: Picture, plane: Plane, colour: Floats32, alpha: np.float32) -> None:
    """Paint and clear column by column, only where edges are: for thin shapes."""
    left, top, sums, first, last = plane
    one, zero = np.float32(1), np.float32(0)
    for column in range(len(first)):
        cover = zero
        for row in range(first[column], min(last[column] + 1, len(sums) - 1)):
            cover += sums[row, column]
            sums[row, column] = zero
            part = min(max(cover, zero), one) * alpha
            for k in range(3):
                byte = picture[top + row, left + column, k]
                picture[top + row, left + column, k] = _mixed(byte, colour[k], part)
        first[column], last[column] = len(sums), -1
    sums[-1] = zero


@compiled
def _blend_rows(picture: Picture, plane: Plane, colour: Floats32, alpha: np.float32) -> None:
    """Paint and clear row by row, many bytes at once: for thick shapes."""
    left, top, sums, first, last = plane
    one, zero, width = np.float32(1), np.float32(0), len(first)
    cover = np.zeros(width, np.float32)
    parts, paint = np.empty(3 * width, np.float32), np.empty(3 * width, np.float32)
    for i in range(3 * width):
        paint[i] = colour[i % 3]
    for row in range(first.min(), min(last.max() + 1, len(sums) - 1)):
        for column in range(width):
            cover[column] += sums[row, column]
            part = min(max(cover[column], zero), one) * alpha
            parts[3 * column] = part
            parts[3 * column + 1] = part
            parts[3 * column + 2] = part
        sums[row] = zero
        line = picture[top + row].reshape(-1)[3 * left : 3 * (left + width)]
        for i in range(len(line)):
            line[i] = _mixed(line[i], paint[i], parts[i])
    sums[-1] = zero
    first[:], last[:] = len(sums), -1


@compiled
def _blend_counts(picture: Picture, plane: Plane, table: Picture) -> None:
    """Paint and clear the ink, which begins a row too low."""
    left, top, sums, first, last = plane
    bits = sums.view(np.uint32)
    for row in range(1, len(sums) - 2):
        for column in range(len(first)):
            count = sums[row, column]
            if count > FAINT:
                colour, part = bits[row, column] >> 16, min(count, np.float32(1))
                for k in range(3):
                    byte = picture[top + row - 1, left + column, k]
                    mixed = _mixed(byte, table[colour, k], part)
                    picture[top + row - 1, left + column, k] = mixed
    sums[:] = 0
    first[:], last[:] = len(sums), -1
