"""The course of each voice from its beginning to its end, and its extremes."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from epochord.renderers.timeline.reduction import Frames

__all__ = ["Course", "courses"]

ENDS = 0.05  # of the run: what is taken for its beginning and its end
STEADY = 1.25  # times; what changes less stays where it is


@dataclass(frozen=True)
class Course:
    """How one voice went.

    Parameters
    ----------
    voice : str
        Its name.
    begin, end : float
        Medians of its ordinary values at first and at last.
    low, high : float
        Its least and its greatest value.
    low_step, high_step : int
        At which step each is reached first.
    """

    voice: str
    begin: float
    end: float
    low: float
    low_step: int
    high: float
    high_step: int

    @property
    def sentence(self) -> str:
        """How it went, in words."""
        least, greatest = f"{self.low:.4g}", f"{self.high:.4g}"
        if least == greatest:
            return f"{self.voice}: {least} throughout"
        extremes = f"least {least} at step {self.low_step}, greatest {greatest} at {self.high_step}"
        return f"{self.voice}: {self._moves()} ({extremes})"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    def _moves(self) -> str:
        ends = f"from {self.begin:.3g} to {self.end:.3g}"
        if self.begin > 0 and self.end > 0:
            factor = self.end / self.begin
            if 1 / STEADY < factor < STEADY:
                return f"begins and ends near {self.begin:.3g}"
            return f"{'rises' if factor > 1 else 'falls'} {ends}"
        if self.end == self.begin:
            return f"begins and ends at {self.begin:.3g}"
        return f"{'rises' if self.end > self.begin else 'falls'} {ends}"


def courses(frames: Frames) -> list[Course]:
    """Return the course of each voice that has a number.

    Parameters
    ----------
    frames : Frames
        A run, in any number of frames: the extremes are those of all its steps.
    """
    found = []
    for voice, name in enumerate(frames.names):
        known = np.flatnonzero(np.isfinite(frames.values[voice]))
        if not len(known):
            continue
        values = frames.values[voice][known].astype(np.float64)
        few = max(1, round(ENDS * len(values)))
        low, high = frames.low[voice], frames.high[voice]
        lowest, highest = known[low[known].argmin()], known[high[known].argmax()]
        found.append(
            Course(
                name,
                float(np.median(values[:few])),
                float(np.median(values[-few:])),
                float(low[lowest]),
                int(frames.low_step[voice, lowest]),
                float(high[highest]),
                int(frames.high_step[voice, highest]),
            )
        )
    return found
