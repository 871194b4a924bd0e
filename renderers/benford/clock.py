"""Which step is shown in which frame of a video: one clock for all panels of a picture."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["FPS", "clock", "shown"]

FPS = 30  # frames a second
FRAMES_AN_EPOCH = 2
LONGEST = 60.0  # s
HOLD = 2.0  # s; time to look at the end, and for a loop to be seen to begin anew

Ints = npt.NDArray[np.int64]


def clock(epochs: Sequence[Ints], duration: float | None = None) -> Ints:
    """Say which epoch it is in each frame.

    Parameters
    ----------
    epochs : sequence of np.ndarray [int64]
        The recorded epochs of each run, ascending.
    duration : float, optional
        Of the training, s; by default two frames an epoch, but at most 60 s.

    Returns
    -------
    np.ndarray [shape=(frames,), int64]
        Epochs that at least one of the runs has; the last one is held.
    """
    every = np.unique(np.concatenate(list(epochs)))
    by_default = min(len(every) * FRAMES_AN_EPOCH, round(LONGEST * FPS))
    frames = by_default if duration is None else max(1, round(duration * FPS))
    moving = every[np.arange(frames) * len(every) // frames]
    return np.concatenate([moving, np.full(round(HOLD * FPS), every[-1])])


def shown(time: Ints, epochs: Ints) -> Ints:
    """Say which of a run's recorded epochs is seen in each frame.

    Parameters
    ----------
    time : np.ndarray [shape=(frames,), int64]
        See `clock`.
    epochs : np.ndarray [int64]
        Those of the run, ascending.

    Returns
    -------
    np.ndarray [shape=(frames,), int64]
        Places in `epochs`: the last one recorded by then, or the first one.
    """
    return np.maximum(np.searchsorted(epochs, time, side="right") - 1, 0)
