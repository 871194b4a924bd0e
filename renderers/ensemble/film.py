"""The frames of a video: what moves, painted over what matplotlib has drawn once."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from epochord.renderers.ensemble.figure import EnsembleFigure
from epochord.renderers.pictures.overlay import Overlay, background

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
    moves = [*drawn.front, *drawn.captions, drawn.clock, drawn.now]
    still, front = background(drawn.figure, moves), Overlay.of(drawn.figure, drawn.front)
    picture = still.copy()
    before: tuple[int, ...] = ()

    @lru_cache(maxsize=1 + len(drawn.cells))
    def written(place: Text, text: str) -> Overlay:
        place.set_text(text)
        return Overlay.of(drawn.figure, [place])

    for frame, places in enumerate(zip(*(each.tolist() for each in shown), strict=True)):
        if places != before or moving:
            np.copyto(picture, still)
            for cell, place in zip(drawn.cells, places, strict=True):
                cell.paint(picture, place, frame)
            front.put_onto(picture)
            epoch, text = drawn.at(places)
            written(drawn.clock, text).put_onto(picture)
            for cell in drawn.cells:
                if cell.caption is not None:
                    written(cell.caption, cell.caption_at(frame)).put_onto(picture)
            _paint_now(picture, drawn, epoch)
        before = places
        yield picture


def _paint_now(picture: Picture, drawn: EnsembleFigure, epoch: int) -> None:
    """Paint the line that says where we are, over the height of the strip."""
    box = drawn.strip.bbox
    x, _ = drawn.strip.transData.transform((epoch, 1.0))
    left = round(float(x) - 1)
    height = picture.shape[0]
    colour = np.rint(255 * np.array(to_rgb(drawn.now.get_color())))
    picture[round(height - box.y1) : round(height - box.y0), left : left + 2] = colour
