"""The frames of a video: what moves, painted over what matplotlib has drawn once."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.colors import to_rgb

from renderers.ensemble.figure import EnsembleFigure

__all__ = ["frames"]

Picture = npt.NDArray[np.uint8]


def frames(
    drawn: EnsembleFigure, shown: Sequence[npt.NDArray[np.int64]], *, moving: bool = False
) -> Iterator[Picture]:
    """Yield the frames of a video.

    Parameters
    ----------
    drawn : EnsembleFigure
        What does not move.
    shown : sequence of np.ndarray [shape=(frames,)]
        Of each ensemble: which of its recorded epochs is seen in each frame.
    moving : bool
        Whether something moves within an epoch too.

    Yields
    ------
    np.ndarray [shape=(height, width, 3), uint8]
        Always the same array.
    """
    moves = [*drawn.front, drawn.clock, drawn.now]
    background, front = _without(drawn, moves), _Overlay.of(drawn, drawn.front)
    picture = background.copy()
    before: tuple[int, ...] = ()

    @lru_cache(maxsize=1)
    def clock(text: str) -> _Overlay:
        drawn.clock.set_text(text)
        return _Overlay.of(drawn, [drawn.clock])

    for frame, places in enumerate(zip(*(each.tolist() for each in shown), strict=True)):
        if places != before or moving:
            np.copyto(picture, background)
            for cell, place in zip(drawn.cells, places, strict=True):
                cell.paint(picture, place, frame)
            front.put_onto(picture)
            epoch, text = drawn.at(places)
            clock(text).put_onto(picture)
            _paint_now(picture, drawn, epoch)
        before = places
        yield picture


class _Overlay(NamedTuple):
    """The pixels that artists touch, what these add there, and how much is left of what was."""

    pixels: npt.NDArray[np.intp]
    colours: npt.NDArray[np.floating[Any]]
    left: npt.NDArray[np.floating[Any]]

    @classmethod
    def of(cls, drawn: EnsembleFigure, artists: Sequence[Artist]) -> "_Overlay":
        canvas: Any = drawn.figure.canvas
        renderer = canvas.get_renderer()
        renderer.clear()
        for artist in sorted(artists, key=lambda each: each.get_zorder()):
            artist.draw(renderer)
        pixels = np.asarray(renderer.buffer_rgba()).reshape(-1, 4)
        touched = np.flatnonzero(pixels[:, 3])
        cover = pixels[touched, 3:] / np.float32(255)
        return cls(touched, pixels[touched, :3] * cover, 1 - cover)

    def put_onto(self, picture: Picture) -> None:
        flat = picture.reshape(-1, 3)
        below = flat[self.pixels] * self.left
        flat[self.pixels] = np.rint(below + self.colours).astype(np.uint8)


def _without(drawn: EnsembleFigure, artists: Sequence[Artist]) -> Picture:
    """Draw the figure without some artists."""
    for artist in artists:
        artist.set_visible(False)
    canvas: Any = drawn.figure.canvas
    canvas.draw()
    for artist in artists:
        artist.set_visible(True)
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[:, :, :3])


def _paint_now(picture: Picture, drawn: EnsembleFigure, epoch: int) -> None:
    """Paint the line that says where we are, over the height of the strip."""
    box = drawn.strip.bbox
    x, _ = drawn.strip.transData.transform((epoch, 1.0))
    left = round(float(x) - 1)
    height = picture.shape[0]
    colour = np.rint(255 * np.array(to_rgb(drawn.now.get_color())))
    picture[round(height - box.y1) : round(height - box.y0), left : left + 2] = colour
