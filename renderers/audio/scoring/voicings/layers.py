"""Layers that keep their places, and come forward when they have left the others."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epochord.renderers.findings.departures import leaving, shares

__all__ = ["Layer", "decibels", "fading", "layers_in_place"]

Floats = npt.NDArray[np.float64]

LAYERS_DB = -14.0  # all layers together, to the summary
RISEN_DB = 1.5  # a layer that has risen, which is bright, too
FALLEN_DB = 3.0  # one that has fallen, a pure tone; of more than two each is softer
SHARE_DB = 8.0  # louder or softer where a gradient is ten times an ordinary layer's, within limits
LEAST_DB, MOST_DB = -18.0, 6.0
FORWARD_AT = 0.3  # factors of ten beyond leaving, from which it is all the way forward
BRIGHT_HZ = 880.0  # above which a layer may be less and less bright
LEAVING = np.log(2.0)  # from which a layer bends and comes forward
BEND = 3.0  # semitones for a factor of ten beyond that
FARTHEST = 2.0  # semitones, within its register
GONE = 1e-4  # of its level at first: a layer that is next to nothing is silent
FIRST = 0.2  # of the run


class Layer(NamedTuple):
    """Of one layer in each frame: Hz, dB to all of the summary (-inf is silence), brightness."""

    pitch: Floats
    level: Floats
    bright: Floats


def layers_in_place(values: npt.NDArray[np.floating], bands: Floats, polarity: int) -> list[Layer]:
    """Let each layer hold a tone in the middle of its register.

    Parameters
    ----------
    values : np.ndarray [shape=(layers, frames)]
        Gradient norms.
    bands : np.ndarray [shape=(layers, 2)]
        Registers in Hz.
    polarity : {1, -1}
        Whether one that rises bends up or down.

    Returns
    -------
    list of Layer
        One that has left the others' course by moving itself bends, and is louder: one
        that has risen bright, too.  Of more than two each is softer, and what is next to
        nothing is silent.  At rest it is the softer, the smaller it was at first.
    """
    if not len(values):
        return []
    numbers = values.astype(np.float64)
    away = _away(numbers)
    decades = np.maximum(0, np.abs(away) - LEAVING) / np.log(10)
    within = 6 * np.log2(bands[:, 1] / bands[:, 0])[:, None]
    bend = np.sign(away) * np.minimum(BEND * decades, np.minimum(FARTHEST, within))
    pitch = np.sqrt(bands.prod(axis=1))[:, None] * 2.0 ** (polarity * bend / 12)
    forward = np.minimum(1.0, decades / FORWARD_AT)
    crowd = np.maximum(1.0, forward.sum(axis=0))
    first = _at_first(numbers)
    rest = LAYERS_DB - decibels(len(values)) + _share(first)
    ahead = np.where(away > 0, RISEN_DB, FALLEN_DB)
    level = rest + forward * (ahead - decibels(crowd - 1) - rest)
    there = (numbers > 0) & (numbers >= GONE * first)
    bright = np.where(away > 0, forward, 0.0) / crowd**2 * fading(pitch, BRIGHT_HZ)
    return [Layer(*row) for row in zip(pitch, np.where(there, level, -np.inf), bright, strict=True)]


def decibels(voices: npt.ArrayLike) -> Floats:
    """Return by how much each of so many voices is softer than one alone."""
    return np.asarray(10 * np.log10(np.maximum(1.0, voices)))


def fading(pitch: Floats, from_hz: float) -> Floats:
    """Return how bright a tone may be that masks no earcon: above some pitch less and less."""
    return np.asarray(np.minimum(1.0, (from_hz / pitch) ** 2))


def _away(values: Floats) -> Floats:
    """Return how far each layer has left the others by moving itself, as natural logarithms."""
    share, moved = shares(values)
    if not len(share):
        return np.zeros(values.shape)
    return np.asarray(np.nan_to_num(leaving(share, moved)))


def _share(first: Floats) -> Floats:
    """Return by how many dB each layer is louder than an ordinary one, from its norm at first."""
    known = first[first > 0]
    if not len(known):
        return np.zeros(first.shape)
    decades = np.log10(np.maximum(first, known.min()) / np.median(known))
    return np.asarray(np.clip(SHARE_DB * decades, LEAST_DB, MOST_DB))


def _at_first(values: Floats) -> Floats:
    """Return the median of each layer's first values that are no zeros [shape=(layers, 1)]."""
    first = np.zeros((len(values), 1))
    for layer, row in enumerate(values):
        positive = row[row > 0]
        if len(positive):
            first[layer] = np.median(positive[: max(1, round(FIRST * len(row)))])
    return first
