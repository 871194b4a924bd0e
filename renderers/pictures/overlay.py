"""What matplotlib draws once for a video: the background, and what lies over all that moves."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.figure import Figure

__all__ = ["Overlay", "background"]

Picture = npt.NDArray[np.uint8]

ROOM = 16  # pixels around what artists say they fill: strokes, halos


class Overlay(NamedTuple):
    """The pixels that artists touch, what these add there, and how much is left of what was.

    Attributes
    ----------
    pixels : np.ndarray [shape=(touched,)]
        Places in the flat picture.
    colours : np.ndarray [shape=(touched, 3)]
        Times how much they cover.
    left : np.ndarray [shape=(touched, 1)]
        From 0 to 1.
    """

    pixels: npt.NDArray[np.intp]
    colours: npt.NDArray[np.floating[Any]]
    left: npt.NDArray[np.floating[Any]]

    @classmethod
    def of(cls, figure: Figure, artists: Sequence[Artist]) -> Self:
        """Draw artists of a figure alone.

        Parameters
        ----------
        figure : matplotlib.figure.Figure
            Laid out, with an Agg canvas.
        artists : sequence of Artist
            Some of its own.
        """
        canvas: Any = figure.canvas
        renderer = canvas.get_renderer()
        renderer.clear()
        for artist in sorted(artists, key=lambda each: each.get_zorder()):
            artist.draw(renderer)
        drawn = np.asarray(renderer.buffer_rgba())
        height, width = drawn.shape[:2]
        rows, columns = _around(artists, renderer, height, width)
        part = drawn[rows, columns].reshape(-1, 4)
        touched = np.flatnonzero(part[:, 3])
        cover = part[touched, 3:] / np.float32(255)
        across = columns.stop - columns.start
        places = (touched // across + rows.start) * width + touched % across + columns.start
        return cls(places, part[touched, :3] * cover, 1 - cover)

    def within(self, inside: npt.NDArray[np.bool_]) -> Self:
        """Return what lies where a picture [shape=(height, width)] is true."""
        return self.part(inside.reshape(-1)[self.pixels])

    def part(self, kept: npt.NDArray[np.bool_]) -> Self:
        """Return those of the pixels [shape=(touched,)]."""
        return type(self)(self.pixels[kept], self.colours[kept], self.left[kept])

    def put_onto(self, picture: Picture) -> None:
        """Put them over a picture [shape=(height, width, 3)], in place."""
        flat = picture.reshape(-1, 3)
        below = flat[self.pixels] * self.left
        flat[self.pixels] = np.rint(below + self.colours).astype(np.uint8)


def _around(
    artists: Sequence[Artist], renderer: Any, height: int, width: int
) -> tuple[slice, slice]:
    """Return the rows and columns that artists can touch."""
    boxes = [artist.get_window_extent(renderer) for artist in artists]
    if not boxes:
        return slice(0, 0), slice(0, 0)
    x0, x1 = min(b.x0 for b in boxes) - ROOM, max(b.x1 for b in boxes) + ROOM
    y0, y1 = min(b.y0 for b in boxes) - ROOM, max(b.y1 for b in boxes) + ROOM
    if not np.isfinite([x0, x1, y0, y1]).all():  # collections do not know where they are
        return slice(0, height), slice(0, width)
    rows = slice(max(0, int(height - y1)), max(0, min(height, int(height - y0))))
    return rows, slice(max(0, int(x0)), max(0, min(width, int(x1))))


def background(figure: Figure, without: Sequence[Artist]) -> Picture:
    """Draw a figure without some of its artists, which are visible otherwise.

    Returns
    -------
    np.ndarray [shape=(height, width, 3), uint8]
        C-contiguous.
    """
    for artist in without:
        artist.set_visible(False)
    canvas: Any = figure.canvas
    canvas.draw()
    for artist in without:
        artist.set_visible(True)
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[:, :, :3])
