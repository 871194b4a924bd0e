"""The frames of a video: what moves, painted over what matplotlib has drawn once."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from epochord.renderers.ensemble.figure import EnsembleFigure
from epochord.renderers.ensemble.pacing import Timing
from epochord.renderers.pictures.glyphs import Glyphs
from epochord.renderers.pictures.overlay import Overlay, background
from epochord.renderers.pictures.planes import Planes

__all__ = ["Painter", "film", "frames"]

Picture = npt.NDArray[np.uint8]
Area = tuple[slice, slice]  # rows and columns

KEPT = 64  # labels, which come again
CLOCK_MARGIN = 4  # pixels around what the clock says


class Painter:
    """Paints what moves over what does not.

    Parameters
    ----------
    drawn : EnsembleFigure
        Laid out.

    Attributes
    ----------
    picture : np.ndarray [shape=(height, width, 3), uint8]
        What was painted last.
    areas : list of (slice, slice)
        Rows and columns of it that change.
    clock : Glyphs
        What says which epoch it is.
    """

    def __init__(self, drawn: EnsembleFigure) -> None:
        self._drawn = drawn
        moves = [*drawn.front, *drawn.notes, drawn.clock, drawn.now]
        self._still = background(drawn.figure, moves)
        self._front = Overlay.of(drawn.figure, drawn.front)
        # What is at an edge is partly outside of what is painted anew each time.
        self._front.put_onto(self._still)
        self.picture = self._still.copy()
        self.areas = [*self._axes_areas(), self._clock_area()]
        inside = np.zeros(self._still.shape[:2], bool)
        for area in self.areas:
            inside[area] = True
        self._front = self._front.within(inside)
        self.clock = Glyphs(drawn.figure, drawn.clock)
        self._written = lru_cache(maxsize=KEPT)(self._draw_text)

    def paint(self, places: Sequence[float], frame: int) -> None:
        """Paint a moment.

        Parameters
        ----------
        places : sequence of float
            Of each ensemble: which of its recorded epochs; 1.5 is halfway between the
            second and the third.
        frame : int
            Of the video, for what moves within an epoch.
        """
        drawn, picture = self._drawn, self.picture
        height = len(picture)
        for rows, columns in self.areas:
            bytes_of_row = slice(3 * columns.start, 3 * columns.stop)  # in one piece: faster
            still = self._still.reshape(height, -1)[rows, bytes_of_row]
            picture.reshape(height, -1)[rows, bytes_of_row] = still
        for cell, place in zip(drawn.cells, places, strict=True):
            cell.paint(picture, place, frame)
        self._front.put_onto(picture)
        epoch, text = drawn.at(places)
        self.clock.put_onto(picture, text)
        for cell, place in zip(drawn.cells, places, strict=True):
            for note, said in zip(cell.notes, cell.notes_at(place, frame), strict=True):
                if said:
                    self._written(note, said).put_onto(picture)
        _paint_now(picture, drawn, epoch)

    def _draw_text(self, place: Text, text: str) -> Overlay:
        place.set_text(text)
        return Overlay.of(self._drawn.figure, [place])

    def _axes_areas(self) -> Iterator[Area]:
        """Return where functions are, and the strip."""
        height, width = self._still.shape[:2]
        for axes in [*(a for cell in self._drawn.cells for a in cell.areas), self._drawn.strip]:
            box = axes.bbox
            yield _area(box.x0 - 2, height - box.y1, box.x1 + 2, height - box.y0, height, width)

    def _clock_area(self) -> Area:
        height, width = self._still.shape[:2]
        clock, last = (
            self._drawn.clock,
            [len(c.overview.ensemble.epochs) - 1 for c in self._drawn.cells],
        )
        clock.set_text("999 not finite   " + self._drawn.at(last)[1])
        box, pad = clock.get_window_extent(), CLOCK_MARGIN
        edges = box.x0 - pad, height - box.y1 - pad, box.x1 + pad, height - box.y0 + pad
        return _area(*edges, height, width)


def _area(left: float, top: float, right: float, bottom: float, height: int, width: int) -> Area:
    """Return whole pairs of pixels, as the colours of a video are stored."""
    rows = slice(max(0, int(top) // 2 * 2), min(height, -(-int(np.ceil(bottom)) // 2) * 2))
    return rows, slice(max(0, int(left) // 2 * 2), min(width, -(-int(np.ceil(right)) // 2) * 2))


def frames(
    drawn: EnsembleFigure, shown: Sequence[npt.NDArray[Any]], *, moving: bool = False
) -> Iterator[Picture]:
    """Yield the pictures of moments.

    Parameters
    ----------
    drawn : EnsembleFigure
        What does not move.
    shown : sequence of np.ndarray [shape=(frames,)]
        Of each ensemble: which of its recorded epochs is seen in each frame; 1.5 is
        halfway between the second and the third.
    moving : bool
        Whether something moves within a moment too.

    Yields
    ------
    np.ndarray [shape=(height, width, 3), uint8]
        Always the same array.
    """
    painter = Painter(drawn)
    for _ in _painted(painter, zip(*(each.tolist() for each in shown), strict=True), moving):
        yield painter.picture


def film(drawn: EnsembleFigure, timing: Timing, *, moving: bool = False) -> Iterator[Picture]:
    """Yield the frames of a whole film: the fade from its end, and the training.

    Parameters
    ----------
    drawn : EnsembleFigure
        What does not move.
    timing : Timing
        Which moment is seen in which frame.
    moving : bool
        Whether something moves within a moment too.

    Yields
    ------
    np.ndarray [shape=(height * 3 / 2, width), uint8]
        As H.264 has it: see `Planes`.  Always the same array.
    """
    painter = Painter(drawn)
    places = np.stack([timing.places(cell.overview.ensemble.epochs) for cell in drawn.cells]).T
    painter.paint(places[-1].tolist(), len(places) - 1)
    end, now = Planes.of(painter.picture), Planes.of(painter.picture)
    if timing.fading:
        painter.paint(places[0].tolist(), 0)
        begin = Planes.of(painter.picture)
        for share in timing.shares.tolist():
            now.mix(end, begin, share)
            yield now.data
    now = Planes.of(painter.picture)
    for changed in _painted(painter, map(tuple, places[timing.fading :].tolist()), moving):
        for area in painter.areas if changed else ():
            now.take(painter.picture, *area)
        yield now.data


def _painted(painter: Painter, places: Iterable[Sequence[float]], moving: bool) -> Iterator[bool]:
    """Paint one moment after the other; say whether it differs from the one before."""
    before: Sequence[float] = ()
    for frame, now in enumerate(places):
        changed = moving or now != before
        if changed:
            painter.paint(now, frame)
        before = now
        yield changed


def _paint_now(picture: Picture, drawn: EnsembleFigure, epoch: float) -> None:
    """Paint the line that says where we are, over the height of the strip."""
    box = drawn.strip.bbox
    x, _ = drawn.strip.transData.transform((epoch, 1.0))
    half = drawn.now.get_linewidth() * drawn.figure.dpi / 72 / 2
    height = picture.shape[0]
    columns = np.arange(int(x - half), int(x + half) + 1)
    cover = np.minimum(columns + 1, x + half) - np.maximum(columns, x - half)
    colour = 255 * np.array(to_rgb(drawn.now.get_color()))
    rows = slice(round(height - box.y1), round(height - box.y0))
    below = picture[rows, columns]
    picture[rows, columns] = np.rint(below + (colour - below) * cover[:, None])
