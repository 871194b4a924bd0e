"""The film of classifiers over two inputs: classes and uncertainty, moving between the epochs."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.ensemble.classes.class_map import ClassMap
from epochord.renderers.ensemble.classes.overview import ClassOverview
from epochord.renderers.ensemble.classes.scores import mean_probabilities, uncertainty
from epochord.renderers.ensemble.look import size_of
from epochord.renderers.ensemble.pacing import FPS, timed
from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.renderers.pictures.overlay import Overlay, background
from epochord.renderers.pictures.video import write_video

__all__ = ["class_film"]

Floats = npt.NDArray[np.floating[Any]]
Picture = npt.NDArray[np.uint8]

MOVED = 0.002  # of a probability, in a frame, on the mean over the grid
LABELS = 64  # that come again


def class_film(
    overview: ClassOverview,
    path: Path,
    settings: EnsembleSettings,
    *,
    animation: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the film; return how many frames it has.

    Time goes to movement, that of the probabilities, or to each epoch alike (see `pacing`).

    Parameters
    ----------
    overview : ClassOverview
        Of an ensemble whose grid is a lattice.
    path : Path
        An MP4.
    settings : EnsembleSettings
        Its size, its clock, and how long the training takes.
    animation : Path, optional
        A small WebP or GIF beside it.
    progress : callable, optional
        Called with the frames done and the frames in all.

    Raises
    ------
    VideoUnavailableError
        If there is no ffmpeg.
    OutputError
        If a file cannot be written.
    """
    moved, most = _movement(overview)
    epochs, size = overview.ensemble.epochs, size_of(settings)
    edges = epochs.astype(np.float64)
    paced = timed(edges, moved / np.diff(edges), len(edges), settings, most=MOVED)
    places = paced.places(epochs)
    write_video(
        path,
        _frames(ClassMap(overview, size, most), places, paced.shares),
        size=size,
        fps=FPS,
        animation=animation,
        progress=(lambda done: progress(done, len(places))) if progress else None,
    )
    return len(places)


def _movement(overview: ClassOverview) -> tuple[Floats, tuple[float, float]]:
    """Return how far p̄ moves on the grid, and the greatest of both parts of the uncertainty."""
    before: Floats | None = None
    moved, most = [], np.zeros(2)
    for predictions in overview.ensemble:
        mean, unsure = mean_probabilities(predictions.grid), uncertainty(predictions.grid)
        for place, part in enumerate((unsure.aleatoric, unsure.mutual_information)):
            most[place] = max(most[place], np.max(part, where=np.isfinite(part), initial=0))
        if before is not None:
            change = np.abs(mean - before)
            known = change[np.isfinite(change)]
            moved.append(float(known.mean()) if known.size else 0.0)
        before = mean
    return np.array(moved), (float(most[0]), float(most[1]))


def _frames(drawn: ClassMap, places: Floats, fading: Floats) -> Iterator[Picture]:
    """Yield frames, of which the first ones fade from the end to the beginning."""
    painted = lru_cache(maxsize=1)(_painter(drawn))  # what stands still is painted once
    if len(fading):
        end, begin = (painted(places[k]).astype(np.float32) for k in (-1, 0))
        for share in fading.tolist():
            yield np.rint(end + share * (begin - end)).astype(np.uint8)
    for place in places[len(fading) :].tolist():
        yield painted(place)


def _painter(drawn: ClassMap) -> Callable[[float], Picture]:
    """Return what paints a moment over what does not move."""
    figure = drawn.figure
    still = background(figure, [drawn.dots, drawn.boundary, drawn.clock])
    dots = Overlay.of(figure, [drawn.dots])
    label = lru_cache(maxsize=LABELS)(lambda _: Overlay.of(figure, [drawn.clock]))

    def painted(place: float) -> Picture:
        picture = still.copy()
        drawn.paint(picture, place)
        Overlay.of(figure, [drawn.boundary]).put_onto(picture)
        dots.put_onto(picture)
        label(drawn.clock.get_text()).put_onto(picture)
        return picture

    return painted
