"""When each step of an axis sounds: evenly, or with times at which a step is held."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.score import Score

__all__ = ["Pace"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pace:
    """How steps go by in a sound, whose score may hold a frame for longer than the others.

    Steps of one frame go by evenly; where the frame is held, as for a call or in a gap
    of the log, they do so in its usual length, and the last of them is held.

    Parameters
    ----------
    places : np.ndarray [shape=(n,), float64]
        So many steps are over …
    times : np.ndarray [shape=(n,), float64]
        … after so many seconds; both ascend from zero to all of the axis.
    axis : np.ndarray [shape=(steps,), int64]
        All steps.
    """

    places: Floats
    times: Floats
    axis: npt.NDArray[np.int64]

    @classmethod
    def of(cls, score: Score) -> "Pace":
        """Return the pace of a score."""
        axis = score.frames.axis
        steps, begins = np.unique(score.frames.steps, return_index=True)
        places = np.searchsorted(axis, steps)
        after, ends = np.append(places[1:], len(axis)), np.append(begins[1:], score.frames.count)
        several = (ends > begins + 1) & (after > places + 1)
        knots = np.concatenate([places, after[several] - 1, [len(axis)]])
        ticks = np.concatenate([begins, begins[several] + 1, [score.frames.count]])
        order = np.argsort(ticks)
        seconds = ticks[order] * (score.frame_length / score.sample_rate)
        return cls(knots[order].astype(np.float64), seconds, axis)

    def time(self, step: int) -> float:
        """Return when a step sounds first, in seconds."""
        return float(np.interp(np.searchsorted(self.axis, step), self.places, self.times))
