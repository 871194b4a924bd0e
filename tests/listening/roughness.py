"""From partials to roughness: how strongly pairs of them beat.

P. N. Vassilakis, "Perceptual and physical properties of amplitude fluctuation and their
musical significance" (PhD thesis, UCLA, 2001), eq. 6.23: for amplitudes A1 >= A2 and
frequencies f1 <= f2, X^0.1 · 0.5 · Y^3.11 · Z with X = A1 A2, Y = 2 A2 / (A1 + A2) and
Z = exp(-3.5 s (f2 - f1)) - exp(-5.75 s (f2 - f1)), s = 0.24 / (0.0207 f1 + 18.96).
"""

import numpy as np
import numpy.typing as npt

from tests.listening.components import Components
from tests.listening.playback import MIX_DB

__all__ = ["pair_roughness", "roughness"]

Floats = npt.NDArray[np.floating]

MOST = 24  # of the strongest partials of a moment; those below them hardly beat


def pair_roughness(first: Floats, second: Floats, high: Floats, low: Floats) -> Floats:
    """Return the roughness of pairs.

    Parameters
    ----------
    first, second : np.ndarray [any shape]
        Frequencies in Hz.
    high, low : np.ndarray [same shape]
        Amplitudes of the two, 1 for the whole mix.
    """
    strong, weak = np.maximum(high, low), np.minimum(high, low)
    below, apart = np.minimum(first, second), np.abs(first - second)
    scaled = 0.24 / (0.0207 * below + 18.96) * apart
    depth = 2 * weak / np.maximum(strong + weak, 1e-9)
    beats = np.exp(-3.5 * scaled) - np.exp(-5.75 * scaled)
    return np.asarray((strong * weak) ** 0.1 * 0.5 * depth**3.11 * beats)


def roughness(parts: Components) -> Floats:
    """Return the roughness of each moment [shape=(moments,)], both channels together."""
    order = np.lexsort((-parts.level, parts.moment))
    moment = parts.moment[order]
    starts = np.searchsorted(moment, np.arange(len(parts.share)))
    rank = np.arange(len(moment)) - starts[moment]
    kept = rank < MOST
    many = int(rank[kept].max(initial=0)) + 1
    frequency = np.full((many, len(parts.share)), 1e3, np.float32)
    amplitude = np.zeros((many, len(parts.share)), np.float32)
    place = rank[kept], moment[kept]
    frequency[place] = parts.frequency[order][kept]
    amplitude[place] = 10 ** ((parts.level[order][kept] - MIX_DB) / 20)
    first, second = np.triu_indices(many, 1)
    pairs = pair_roughness(frequency[first], frequency[second], amplitude[first], amplitude[second])
    return np.asarray(pairs.sum(axis=0))
