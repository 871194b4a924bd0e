"""When each step of an axis sounds: evenly, or with stretches where time stands still."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.score import Score

__all__ = ["Pace"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pace:
    """How steps go by in a sound, whose score may hold a frame for longer than the others.

    Parameters
    ----------
    frame : float
        Seconds of one frame.
    steps : np.ndarray [shape=(frames,), int64]
        First step of each frame; of those that are repeated, once.
    places : np.ndarray [shape=(frames + 1,), float64]
        How many steps there are before each; the last one is all of them.
    times : np.ndarray [shape=(frames + 1,), float64]
        When it begins to sound, in seconds; the last one is the end.
    """

    frame: float
    steps: npt.NDArray[np.int64]
    places: Floats
    times: Floats

    @classmethod
    def of(cls, score: Score) -> "Pace":
        """Return the pace of a score."""
        frames, each = score.frames, score.frame_length / score.sample_rate
        steps, begins = np.unique(frames.steps, return_index=True)
        places = np.append(np.searchsorted(frames.axis, steps), frames.total)
        return cls(each, steps, places.astype(np.float64), np.append(begins, frames.count) * each)

    def time(self, step: int, axis: npt.NDArray[np.int64]) -> float:
        """Return when a step is to be heard from, in seconds.

        Parameters
        ----------
        step : int
            Any.
        axis : np.ndarray [shape=(steps,), int64]
            All steps.

        Returns
        -------
        float
            Within a frame of several steps in proportion; but of a frame that is held,
            such as for a call, its beginning, so that all of it is heard.
        """
        frame = max(0, int(np.searchsorted(self.steps, step, side="right")) - 1)
        begin, end = self.times[frame : frame + 2]
        if end - begin > 1.5 * self.frame:
            return float(begin)
        return float(np.interp(np.searchsorted(axis, step), self.places, self.times))
