"""Who decides: a trained listener, a novice, and who is asked which layer it was.

The trained one has heard other runs with the same trouble and without, and weighs what is
remembered by a linear discriminant.  The novice goes by one cue, fixed beforehand for each
trouble.  How well they tell trouble from health is the area under their ROC curve, with
the standard error of J. A. Hanley and B. J. McNeil, Radiology 143 (1982) 29-36.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from tests.listening.features import DIP, LATE, LIVELIER, MEMORY, MOMENT, PEAK, TREND

__all__ = ["area", "discriminant", "novice", "standard_error", "trained", "who"]

Floats = npt.NDArray[np.floating]

LOUDNESS, CENTROID, PITCH, ONSETS, ROUGHNESS = range(5)
SHRINKAGE = 0.8  # of the covariance towards its diagonal; there are few runs, and many features
FOLDS = 4


def area(healthy: Floats, trouble: Floats) -> float:
    """Return the area under the ROC curve: how often trouble scores above health, ties half."""
    above = trouble[:, None] - healthy[None]
    return float((above > 0).mean() + 0.5 * (above == 0).mean())


def standard_error(auc: float, healthy: int, trouble: int) -> float:
    """Return the standard error of an area, given how many runs there were of each."""
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc)
    variance += (trouble - 1) * (first - auc**2) + (healthy - 1) * (second - auc**2)
    return float(np.sqrt(max(variance, 0.0) / (healthy * trouble)))


def discriminant(no: Floats, yes: Floats) -> Callable[[Floats], Floats]:
    """Learn to tell two kinds apart.

    Parameters
    ----------
    no, yes : np.ndarray [shape=(n, features)]
        Examples.

    Returns
    -------
    callable
        From examples to scores, greater for `yes`.
    """
    every = np.concatenate([no, yes])
    middle, spread = every.mean(axis=0), every.std(axis=0) + 1e-9
    low, high = (no - middle) / spread, (yes - middle) / spread
    apart = high.mean(axis=0) - low.mean(axis=0)
    within = np.concatenate([low - low.mean(axis=0), high - high.mean(axis=0)])
    covariance = np.cov(within.T)
    shrunk = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.eye(len(apart))
    weights = np.linalg.solve(shrunk, apart)
    return lambda examples: np.asarray((examples - middle) / spread @ weights)


def trained(healthy: Floats, trouble: Floats) -> float:
    """Return the area of a listener trained on the other runs, for each quarter of them.

    Parameters
    ----------
    healthy, trouble : np.ndarray [shape=(runs, draws, 5, 7)]
        What is remembered of runs.
    """
    areas = []
    for fold in range(FOLDS):
        own, others = _parted(healthy, fold), _parted(trouble, fold)
        score = discriminant(_flat(own[0]), _flat(others[0]))
        areas.append(area(score(_flat(own[1])), score(_flat(others[1]))))
    return float(np.mean(areas))


def _parted(runs: Floats, fold: int) -> tuple[Floats, Floats]:
    """Split runs into those to learn from and those to be asked about."""
    asked = np.arange(len(runs)) % FOLDS == fold
    return runs[~asked], runs[asked]


def _flat(runs: Floats) -> Floats:
    return runs.reshape(-1, int(np.prod(runs.shape[2:])))


def novice(kind: str, healthy: Floats, trouble: Floats) -> float:
    """Return the area of a listener who goes by the one cue for a kind of trouble."""
    cue = CUES[kind]
    every = (runs.reshape(-1, *runs.shape[2:]) for runs in (healthy, trouble))
    without, having = (cue(runs) for runs in every)
    return area(without, having)


def _falls(runs: Floats) -> Floats:
    """Say how much softer, duller and lower it gets."""
    return -(runs[:, :3, TREND] / MEMORY[:3]).sum(axis=1)


def _rises_at_last(runs: Floats) -> Floats:
    return np.asarray((runs[:, :3, LATE] / MEMORY[:3]).sum(axis=1))


def _stands_out(runs: Floats) -> Floats:
    """Say how far something stands out for a moment."""
    return np.asarray((runs[:, :, (PEAK, DIP)] / MOMENT[:, None]).max(axis=(1, 2)))


def _moves(runs: Floats) -> Floats:
    """Say how much more it moves at last than at first."""
    return np.asarray(runs[:, :, LIVELIER].sum(axis=1))


def _calm(runs: Floats) -> Floats:
    """Say how much less."""
    return -_moves(runs)


def _colour_changes(runs: Floats) -> Floats:
    """Say how much its colour changes: brightness, pitch, or roughness."""
    some = (CENTROID, PITCH, ROUGHNESS)
    return np.asarray(np.abs(runs[:, some, TREND] / MEMORY[list(some)]).max(axis=1))


CUES: dict[str, Callable[[Floats], Floats]] = {
    "vanish100": _falls,
    "fall3": _falls,
    "rate_drop": _falls,
    "explode1000": _rises_at_last,
    "die": _stands_out,
    "near_dead": _stands_out,
    "spike_all": _stands_out,
    "spike_one": _stands_out,
    "plateau": _calm,
    "stuck": _stands_out,  # of twelve layers, one that is calm is heard by nobody
    "oscillate": _moves,
    "oscillation_grows": _moves,
    "drift10_one": _colour_changes,
    "late_drift": _stands_out,
    "two_at_once": _colour_changes,
}


def who(voices: Sequence[Floats], concerned: Sequence[tuple[int, ...]]) -> float:
    """Return how often the layer that stands out is one that is concerned.

    Parameters
    ----------
    voices : sequence of np.ndarray [shape=(voices, features)]
        What is remembered of each voice, run by run.
    concerned : sequence of tuple of int
        Which layers are, run by run.
    """
    labels = [np.isin(np.arange(len(v)), c) for v, c in zip(voices, concerned, strict=True)]
    right = []
    for fold in range(FOLDS):
        learnt = [n for n in range(len(voices)) if n % FOLDS != fold]
        every = np.concatenate([voices[n] for n in learnt])
        label = np.concatenate([labels[n] for n in learnt])
        score = discriminant(every[~label], every[label])
        asked = range(fold, len(voices), FOLDS)
        right += [labels[n][int(np.argmax(score(voices[n])))] for n in asked]
    return float(np.mean(right))
