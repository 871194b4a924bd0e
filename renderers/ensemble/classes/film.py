"""The film of classifiers over two inputs: classes and uncertainty, moving between the epochs.

Time goes to movement: an epoch in which the probabilities move twice as far has twice the
frames.  A second of rest at both ends.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.ensemble.classes.class_map import ClassMap
from epochord.renderers.ensemble.classes.look import SIZE
from epochord.renderers.ensemble.classes.overview import ClassOverview
from epochord.renderers.ensemble.classes.scores import mean_probabilities, uncertainty
from epochord.renderers.pictures.overlay import Overlay, background
from epochord.renderers.pictures.video import write_video

__all__ = ["FPS", "class_film", "pace"]

Floats = npt.NDArray[np.floating[Any]]
Picture = npt.NDArray[np.uint8]

FPS = 60  # frames a second
REST = 1.0  # s, at both ends
MOVED = 0.002  # of a probability, in a frame, on the mean over the grid
SHORTEST, LONGEST = 3.0, 30.0  # s, between the rests
LABELS = 64  # that come again


def class_film(
    overview: ClassOverview,
    path: Path,
    *,
    duration: float | None = None,
    animation: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the film; return how many frames it has.

    Parameters
    ----------
    overview : ClassOverview
        Of an ensemble whose grid is a lattice.
    path : Path
        An MP4.
    duration : float, optional
        Of the training, s; by default as long as the movement needs, from 3 s to 30.
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
    places = pace(moved, duration)
    write_video(
        path,
        _frames(ClassMap(overview, most), places),
        size=SIZE,
        fps=FPS,
        animation=animation,
        progress=(lambda done: progress(done, len(places))) if progress else None,
    )
    return len(places)


def pace(moved: Floats, duration: float | None = None) -> Floats:
    """Say which place among the epochs is seen in each frame.

    Parameters
    ----------
    moved : np.ndarray [shape=(epochs - 1,)]
        How far the probabilities move from each epoch to the next, on the mean.
    duration : float, optional
        Of the training, s.

    Returns
    -------
    np.ndarray [shape=(frames,)]
        Ascending from 0 to the last epoch; 1.5 is halfway between the second and the third.
    """
    steps = len(moved)
    rest = np.ones(round(REST * FPS))
    if not steps:
        return 0 * np.concatenate([rest, rest])
    # What stands still takes a little time too, so that the epochs are seen to pass.
    share = np.maximum(moved, max(moved.max(), 1e-12) / 100)
    seconds = duration or float(np.clip(share.sum() / MOVED / FPS, SHORTEST, LONGEST))
    ends = np.concatenate([[0.0], np.cumsum(share)]) / share.sum()
    moments = np.linspace(0, 1, max(2, round(seconds * FPS)))
    moving = np.interp(moments, ends, np.arange(steps + 1))
    return np.concatenate([0 * rest, moving, steps * rest])


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


def _frames(drawn: ClassMap, places: Floats) -> Iterator[Picture]:
    """Paint what moves over what does not; what stands still is painted once."""
    figure = drawn.figure
    still = background(figure, [drawn.dots, drawn.boundary, drawn.clock])
    dots = Overlay.of(figure, [drawn.dots])
    label = lru_cache(maxsize=LABELS)(lambda _: Overlay.of(figure, [drawn.clock]))
    seen = np.nan
    picture = still.copy()
    for place in places.tolist():
        if place != seen:
            picture, seen = still.copy(), place
            drawn.paint(picture, place)
            Overlay.of(figure, [drawn.boundary]).put_onto(picture)
            dots.put_onto(picture)
            label(drawn.clock.get_text()).put_onto(picture)
        yield picture
