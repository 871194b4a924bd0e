"""Where the steps of runs lie in the time of their sounds."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.score import Score

__all__ = ["Axis"]

Floats = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """The steps that sound, in frames of equal length; none for audio files.

    Parameters
    ----------
    frame : float
        Length of a frame in seconds.
    steps : np.ndarray [shape=(frames,), int64]
        First step of each frame, ascending; a frame may be there several times.
    """

    frame: float = 1.0
    steps: Steps = field(default_factory=lambda: np.empty(0, np.int64))

    @classmethod
    def of(cls, score: Score) -> "Axis":
        """Return the axis of a score."""
        return cls(score.frame_length / score.sample_rate, score.frames.steps)

    def __bool__(self) -> bool:
        return len(self.steps) > 0

    def at(self, times: npt.ArrayLike) -> Steps:
        """Return the steps that sound at times in seconds; at the ends, the first and the last."""
        # A time that rounding has put just before a frame belongs to it.
        place = np.floor(np.asarray(times, np.float64) / self.frame + 1e-9).astype(np.int64)
        return np.asarray(self.steps[np.clip(place, 0, len(self.steps) - 1)])

    def times(self, steps: npt.ArrayLike) -> Floats:
        """Return when steps first sound, in seconds; within a frame of several in proportion."""
        known, first = np.unique(self.steps, return_index=True)
        return np.asarray(np.interp(np.asarray(steps, np.float64), known, first * self.frame))
