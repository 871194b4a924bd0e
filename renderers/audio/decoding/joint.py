"""All voices of a hold at once, by least squares over frequency, amplitude and phase.

Given the frequencies, amplitudes and phases are a linear problem; what is left
is a function of the frequencies alone (variable projection: G. Golub and
V. Pereyra, SIAM J. Numer. Anal. 10, 1973).  Its Gauss–Newton steps, damped
(Levenberg–Marquardt), need only small systems: `normal` has them.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.decoding.layout import Floats
from epochord.renderers.audio.decoding.normal import Normal, normal_equations

__all__ = ["Fit", "Problem", "fit"]

STEPS = 40  # at most; usually about six
LONGEST_STEP = 0.3  # cycles over the hold
ENOUGH = 1e-9  # of the error: a step that promises less is not taken
ROUNDING = 1e-15  # of the energy: errors closer than that are equal
FIRST_DAMPING, LEAST_DAMPING = 1e-3, 1e-12
EASE, STRENGTHEN = 1 / 30, 10.0  # the damping, after a good and after a bad step

Mask = npt.NDArray[np.bool_]


class Fit(NamedTuple):
    """Estimates of each hold.

    Parameters
    ----------
    frequency : np.ndarray [shape=(frames, voices)]
        Radians a sample.
    amplitude : np.ndarray [shape=(frames, voices)]
        Of the sines, before panning.
    left : np.ndarray [shape=(frames,)]
        What no voice explains: mean square a sample, all channels together.
    """

    frequency: Floats
    amplitude: Floats
    left: Floats


@dataclass(frozen=True, eq=False)
class Problem:
    """Holds, and what is known of them.

    Parameters
    ----------
    holds : np.ndarray [shape=(frames, channels, length)]
        Samples.
    active : np.ndarray [shape=(frames, voices)]
        Voices that sound; the others get amplitude zero.
    limits : np.ndarray [shape=(2, voices)]
        Least and greatest frequency in radians a sample.
    sides : np.ndarray [shape=(channels, voices)]
        Gains of the channels.
    """

    holds: Floats
    active: Mask
    limits: Floats
    sides: Floats

    @property
    def cycle(self) -> float:
        """One cycle over the hold, in radians a sample."""
        return float(2 * np.pi / self.holds.shape[2])

    def of(self, rows: Mask) -> "Problem":
        """Return some of the holds."""
        return replace(self, holds=self.holds[rows], active=self.active[rows])

    def at(self, frequency: Floats) -> Normal:
        """Return the equations at these frequencies."""
        return normal_equations(self.holds, frequency, self.active, self.sides)


def fit(problem: Problem, start: Floats) -> Fit:
    """Fit all voices' sines to holds.

    Parameters
    ----------
    problem : Problem
        The holds.
    start : np.ndarray [shape=(frames, voices)]
        Frequencies to begin with, in radians a sample, within about half a
        cycle over the hold.

    Returns
    -------
    Fit
        The least squares near the start.
    """
    done = Fit(np.empty(start.shape), np.empty(start.shape), np.empty(len(start)))
    rows, length = np.arange(len(start)), problem.holds.shape[2]
    best = problem.at(np.clip(start, *problem.limits))
    damping = np.full(len(start), FIRST_DAMPING)
    for _ in range(STEPS):
        tried, promise = _step(problem, best, damping)
        going = promise > ENOUGH * best.error
        if not going.all():
            _put(done, rows[~going], best.of(~going), length)
            problem, best, rows = problem.of(going), best.of(going), rows[going]
            tried, damping = tried[going], damping[going]
        if not len(rows):
            break
        there = problem.at(tried)
        better = there.error <= best.error + ROUNDING * best.energy
        best = best.where_better(better, there)
        damping = np.maximum(damping * np.where(better, EASE, STRENGTHEN), LEAST_DAMPING)
    _put(done, rows, best, length)
    return done


def _step(problem: Problem, best: Normal, damping: Floats) -> tuple[Floats, Floats]:
    """Return where to go, and by how much that should lower the error.

    A voice that stands at a limit and would cross it stays, and the others'
    step is found without it.
    """
    cycle = problem.cycle
    low, high = problem.limits
    slope, bend = best.slope * cycle, best.bend * cycle**2
    outward = ((best.frequency <= low) & (slope < 0)) | ((best.frequency >= high) & (slope > 0))
    slope = np.where(outward, 0.0, slope)
    diagonal = np.einsum("fvv->fv", bend)
    # Silent voices have neither slope nor bend; anything above zero keeps them in place.
    floor = 1e-14 * diagonal.max(axis=1, keepdims=True) + np.finfo(np.float64).tiny
    added = damping[:, None] * diagonal + floor
    free = ~outward[:, :, None] & ~outward[:, None]
    matrix = np.where(free, bend, 0.0) + added[:, :, None] * np.eye(slope.shape[1])
    step = np.linalg.solve(matrix, slope[..., None])[..., 0]
    step = np.clip(step, -LONGEST_STEP, LONGEST_STEP) * cycle
    tried = np.clip(best.frequency + step, low, high)
    taken = (tried - best.frequency) / cycle
    promise = 2 * np.einsum("fv,fv->f", slope, taken)
    promise -= np.einsum("fu,fuv,fv->f", taken, bend, taken)
    return tried, promise


def _put(done: Fit, rows: npt.NDArray[np.int64], best: Normal, length: int) -> None:
    done.frequency[rows] = best.frequency
    done.amplitude[rows] = np.hypot(best.cos, best.sin)
    done.left[rows] = best.error / length
