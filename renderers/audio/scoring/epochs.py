"""Where epochs end, for logs that know it."""

import numpy as np

from epochord.renderers.timeline.reduction import Frames
from epochord.runlog import Run

__all__ = ["epoch_frames"]

EPOCH_TAGS = ("epoch", "train/epoch")
# More ticks than this share of the frames would be a rattle.
MOST = 0.25


def epoch_frames(run: Run, frames: Frames) -> list[int]:
    """Return the frames in which an epoch ends.

    Parameters
    ----------
    run : Run
        An epoch ends where a series `epoch` reaches the next whole number.
    frames : Frames
        What is heard of it.
    """
    for tag in EPOCH_TAGS:
        if tag not in run.series:
            continue
        series = run[tag][np.isfinite(run[tag].values)]
        whole = np.floor(np.asarray(series.values, np.float64))
        ends = series.steps[1:][np.diff(whole) > 0]
        ends = ends[(ends >= frames.axis[0]) & (ends <= frames.axis[-1])]
        ticks = sorted({frames.at(end) for end in ends.tolist()})
        return ticks if len(ticks) <= MOST * frames.count else []
    return []
