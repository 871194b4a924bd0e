"""How classes look: a colour each, mixed with the ground as far as they are not sure."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_rgb

from epochord.renderers.ensemble.look import current

__all__ = ["class_colours", "mixed"]

Floats = npt.NDArray[np.floating[Any]]

UNKNOWN = 0.2  # from the ground to a grey
STRONGEST = 0.62  # of a colour on a map: dots of the same class stand out from it

# After Okabe and Ito, Color Universal Design (2008); the first two are the ends of a diverging
# scale that the colour-blind can read.
_NAMED = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#6B7178")
_GOLDEN = 0.381966  # of the circle of hues: neighbours in a long list are far apart


def class_colours(classes: int) -> Floats:
    """Return a colour each [shape=(classes, 3)], from 0 to 1."""
    if classes <= len(_NAMED):
        return np.array([to_rgb(name) for name in _NAMED[:classes]])
    from matplotlib.colors import hsv_to_rgb

    hues = np.arange(classes) * _GOLDEN % 1
    found: Floats = hsv_to_rgb(
        np.stack([hues, np.full(classes, 0.75), np.full(classes, 0.75)], axis=-1)
    )
    return found


def mixed(probabilities: Floats) -> Floats:
    """Return the colour of the likeliest class, as strong as it is sure [shape=(..., 3)].

    As the ground where all classes are equally likely; so of two classes it is a diverging scale
    whose middle is their boundary.  Grey where nothing is known.

    Parameters
    ----------
    probabilities : np.ndarray [shape=(..., classes)]
        Of each class.
    """
    classes = probabilities.shape[-1]
    known = np.asarray(np.isfinite(probabilities).all(axis=-1))
    plain = np.where(known[..., None], probabilities, 1 / classes)
    best = class_colours(classes)[plain.argmax(axis=-1)]
    sure = ((plain.max(axis=-1) - 1 / classes) / (1 - 1 / classes))[..., None]
    ground = np.array(to_rgb(current().ground))
    grey = np.where(ground > 0.5, ground - UNKNOWN, ground + UNKNOWN)
    colours: Floats = np.where(known[..., None], ground + STRONGEST * sure * (best - ground), grey)
    return colours
