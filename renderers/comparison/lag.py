"""By how much one sound lags behind another one: dynamic time warping, as a lag only.

Warping hides whatever it can: two sounds with one event moved have no distance
at all afterwards.  So what it says is where the same comes later, never how
different two sounds are.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.comparison.listening import HEARD_DB
from epochord.runlog.extras import needing

__all__ = ["MOST_CELLS", "Lag", "lag"]

MOST_CELLS = 4_000_000  # of the cost matrix: about 100 MB; 2000 frames of each sound

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Lag:
    """How much later the second sound has what the first one has.

    Parameters
    ----------
    median : float
        Of the first sound's frames, in seconds; positive if the second is later.
    largest : float
        The one that is farthest from zero.
    time : float
        Where in the first sound that is, in seconds.
    resolution : float
        Length of the frames that were compared, in seconds.
    """

    median: float
    largest: float
    time: float
    resolution: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def lag(one: Floats, other: Floats, hop: float, *, most_cells: int = MOST_CELLS) -> Lag:
    """Warp one spectrogram to another one.

    Parameters
    ----------
    one, other : np.ndarray [shape=(mels, frames), float32]
        In dB.
    hop : float
        Seconds from frame to frame.
    most_cells : int
        Frames of one times frames of the other; beyond that, frames are averaged.
    """
    with needing("warping one sound to another", "pictures"):
        from librosa.sequence import dtw

    group = math.ceil(math.sqrt(one.shape[1] * other.shape[1] / most_cells))
    first, second = (_grouped(each, group) for each in (one, other))
    _, path = dtw(X=first, Y=second, metric="euclidean")
    mine, yours = path[::-1].T
    # Where a frame has several partners, their mean.
    partners = np.bincount(mine, weights=yours) / np.bincount(mine)
    lags = (partners - np.arange(len(partners))) * group * hop
    farthest = int(np.abs(lags).argmax())
    return Lag(float(np.median(lags)), float(lags[farthest]), farthest * group * hop, group * hop)


def _grouped(decibels: Floats, group: int) -> Floats:
    """Average so many frames each; what cannot be heard is silence."""
    starts = np.arange(0, decibels.shape[1], group)
    sizes = np.diff(np.append(starts, decibels.shape[1]))
    heard = np.maximum(decibels, np.float32(HEARD_DB))
    return np.asarray(np.add.reduceat(heard, starts, axis=1) / sizes, np.float32)
