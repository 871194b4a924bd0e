"""Where epochs end, for logs that know it."""

import numpy as np
import numpy.typing as npt

from runlog import Run

__all__ = ["epoch_frames"]

EPOCH_TAGS = ("epoch", "train/epoch")
# More ticks than this share of the frames would be a rattle.
MOST = 0.25


def epoch_frames(run: Run, steps: npt.NDArray[np.int64]) -> list[int]:
    """Return the frames in which an epoch ends.

    Parameters
    ----------
    run : Run
        An epoch ends where a series `epoch` reaches the next whole number.
    steps : np.ndarray [shape=(frames,), int64]
        First step of each frame.
    """
    for tag in EPOCH_TAGS:
        if tag not in run.series:
            continue
        series = run[tag]
        whole = np.floor(np.nan_to_num(np.asarray(series.values, np.float64)))
        ends = series.steps[1:][np.diff(whole) > 0]
        frames = np.unique(np.searchsorted(steps, ends, side="right") - 1)
        frames = frames[frames >= 0]
        return frames.tolist() if len(frames) <= MOST * len(steps) else []
    return []
