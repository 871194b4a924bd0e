"""How fast an ensemble's film goes: which moment of the training is seen in which frame.

A film begins with the end, which is what players show of it before it is played, fades to the
beginning, rests, shows the training, and rests at the end, where it begins anew.

The clock of movement gives each stretch of the training as many frames as its fastest member
needs to stay below `MOST` of the picture's height a frame.  Between two recorded epochs members
move linearly, so it is known when each of them is within the picture at each point of the grid:
a member that explodes needs time while it leaves the picture, and none when it is gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.ensemble.coverage import compiled
from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["FADE", "FPS", "MOST", "REST", "Timing", "linear", "paced", "timed", "timing"]

Floats = npt.NDArray[np.floating[Any]]

FPS = 60  # frames a second
REST = 1.0  # s, at both ends
FADE = 0.5  # s, from the end to the beginning
MOST = 0.01  # of the picture's height: how far a member moves from one frame to the next
ROUNDING = 1.001  # what is not worth a word
LONGEST = 30.0  # s, of movement; what would take longer is compressed evenly
LONGEST_LINEAR = 60.0  # s
A_SECOND = 15  # epochs, if nothing moves much, and by the linear clock
STILLEST = 4.0  # s, that a training takes at most though nothing moves much

# Where an interval between two epochs is divided: finely at its ends, where a member that comes
# from far off, or goes there, is within the picture.
FINEST = 10
_HALVES = 0.5 ** np.arange(FINEST, 0, -1)
EDGES = np.unique(np.concatenate([[0.0], _HALVES, 1 - _HALVES, [1.0]]))
FASTEST = 2.0**FINEST  # heights an interval; what is faster is not seen on its way


@dataclass(frozen=True)
class Timing:
    """Which moment is seen in which frame.

    Parameters
    ----------
    moments : np.ndarray [shape=(frames,)]
        Epochs, also between whole ones, ascending but for the frames that fade.
    fading : int
        How many frames at the beginning fade from the end: the first of them is the
        last frame, what comes after them the first moment.
    movement : float
        How far a member moves from one frame to the next at most, as a share of the height.
    wanted : float
        How long the training would have to take for `MOST`, s.
    """

    moments: Floats
    fading: int
    movement: float
    wanted: float

    def places(self, epochs: npt.NDArray[np.int64]) -> Floats:
        """Return the places of an ensemble's recorded epochs [shape=(frames,)].

        1.5 is halfway between the second and the third; before its first epoch an
        ensemble is as it was then, and after its last one too.
        """
        places: Floats = np.interp(self.moments, epochs, np.arange(len(epochs)))
        return places

    @property
    def notes(self) -> list[str]:
        """Say if members move faster than they should, and how long it would take else."""
        if self.movement <= MOST * ROUNDING:
            return []
        return [
            f"members move up to {100 * self.movement:.1f} % of the height a frame; at "
            f"{100 * MOST:g} % the training would take {self.wanted:.0f} s (--duration)"
        ]

    @property
    def shares(self) -> Floats:
        """How much of the beginning is seen while it fades [shape=(fading,)], from 0."""
        shares: Floats = np.arange(self.fading) / max(self.fading, 1)
        return shares


def timing(
    ensembles: Sequence[Ensemble],
    limits: Sequence[tuple[float, float]],
    settings: EnsembleSettings,
) -> Timing:
    """Say which moment is seen in which frame.

    Parameters
    ----------
    ensembles : sequence of Ensemble
        All that are in the picture.
    limits : sequence of (float, float)
        Lowest and highest prediction that is seen of each.
    settings : EnsembleSettings
        Its clock, and how long the training takes.
    """
    epochs = len(np.unique(np.concatenate([one.epochs for one in ensembles])))
    return timed(*paced(ensembles, limits), epochs, settings)


def timed(
    edges: Floats, speeds: Floats, epochs: int, settings: EnsembleSettings, *, most: float = MOST
) -> Timing:
    """Say the same of whatever moves.

    Parameters
    ----------
    edges, speeds : np.ndarray [shape=(stretches + 1,)] and [shape=(stretches,)]
        See `paced`.
    epochs : int
        How many are recorded.
    settings : EnsembleSettings
        Its clock, and how long the training takes.
    most : float
        How far it moves from one frame to the next, in the unit of the speeds.
    """
    wanted = float(speeds @ np.diff(edges)) / most / FPS
    if settings.clock == "linear" or len(edges) < 2:
        times, movement = linear(edges, epochs, settings.duration), 0.0
        if len(times):
            movement = float(speeds.max(initial=0) * (edges[-1] - edges[0]) / len(times))
    else:
        floor = min((epochs - 1) / A_SECOND, STILLEST) * FPS / (edges[-1] - edges[0])
        needed = np.maximum(speeds / most, floor) * np.diff(edges)
        times = _by_movement(edges, needed, settings.duration)
        movement = most * float(needed.sum()) / len(times) if speeds.max(initial=0) > 0 else 0.0
    rest, fading = round(REST * FPS), round(FADE * FPS)
    first, last = float(edges[0]), float(edges[-1])
    moments = np.concatenate([np.full(fading + rest, first), times, np.full(rest, last)])
    return Timing(moments, fading, movement, wanted)


def linear(edges: Floats, epochs: int, duration: float | None) -> Floats:
    """Return moments that are evenly spaced, without the first one."""
    if len(edges) < 2:
        return np.empty(0)
    seconds = min(epochs / A_SECOND, LONGEST_LINEAR) if duration is None else duration
    frames = max(1, round(seconds * FPS))
    return np.linspace(edges[0], edges[-1], frames + 1)[1:]


def _by_movement(edges: Floats, needed: Floats, duration: float | None) -> Floats:
    """Return moments between which all moves alike, of the frames that each stretch needs."""
    total = float(needed.sum())
    count = max(1, min(ceil(total), round(LONGEST * FPS)))
    if duration is not None:
        count = max(1, round(duration * FPS))
    passed = np.concatenate([[0.0], np.cumsum(needed)])
    moments: Floats = np.interp(np.linspace(0, total, count + 1)[1:], passed, edges)
    moments[-1] = edges[-1]
    return moments


def paced(
    ensembles: Sequence[Ensemble], limits: Sequence[tuple[float, float]]
) -> tuple[Floats, Floats]:
    """Return how fast the fastest member of several ensembles moves where it is seen.

    Returns
    -------
    edges : np.ndarray [shape=(stretches + 1,)]
        Epochs, ascending; a single one where there is no other.
    speeds : np.ndarray [shape=(stretches,)]
        Heights of the picture an epoch.
    """
    each = [_paces(one, shown) for one, shown in zip(ensembles, limits, strict=True)]
    edges = np.unique(np.concatenate([own for own, _ in each]))
    middles = (edges[1:] + edges[:-1]) / 2
    speeds = np.zeros(len(middles))
    for own, paces in each:
        if not len(paces):
            continue
        at = np.searchsorted(own, middles) - 1
        inside = (at >= 0) & (at < len(paces))
        speeds[inside] = np.maximum(speeds[inside], paces[at[inside]])
    return edges, speeds


def _paces(ensemble: Ensemble, limits: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return the same of one ensemble: one pass over its log, with two epochs in memory."""
    epochs = ensemble.epochs.astype(np.float64)
    if len(epochs) < 2:
        return epochs, np.empty(0)
    paces = np.zeros((len(epochs) - 1, len(EDGES) - 1))
    before = ensemble.at(0).grid
    for place in range(1, len(epochs)):
        after = ensemble.at(place).grid
        _fastest(before.ravel(), after.ravel(), limits[0], limits[1], EDGES, paces[place - 1])
        before = after
    lengths = np.diff(epochs)[:, None]
    edges = (epochs[:-1, None] + lengths * EDGES[:-1]).ravel()
    return np.append(edges, epochs[-1]), (paces / lengths).ravel()


@compiled
def _fastest(
    before: Floats, after: Floats, low: float, high: float, edges: Floats, found: Floats
) -> None:
    """Find the fastest movement, in heights an interval, in each part of an interval."""
    height, always = high - low, 0.0
    for k in range(len(before)):
        a, b = (before[k] - low) / height, (after[k] - low) / height
        speed = abs(b - a)
        if not (0 < speed < FASTEST):  # NaN too
            continue
        if 0 <= a <= 1 and 0 <= b <= 1:
            always = max(always, speed)
            continue
        begin, end = -a / (b - a), (1 - a) / (b - a)
        begin, end = max(min(begin, end), 0.0), min(max(begin, end), 1.0)
        if begin <= end:
            for part in range(len(found)):
                if edges[part] <= end and edges[part + 1] >= begin:
                    found[part] = max(found[part], speed)
    for part in range(len(found)):
        found[part] = max(found[part], always)
