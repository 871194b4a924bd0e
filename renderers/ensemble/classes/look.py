"""How classes look: a colour each, mixed with the ground as far as they are not sure."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from epochord.renderers.ensemble.look import current, ink
from epochord.renderers.pictures.typeface import STRONG, families

__all__ = [
    "EDGE",
    "SIZE",
    "SMALL",
    "class_colours",
    "mixed",
    "sheet",
]

Floats = npt.NDArray[np.floating[Any]]

SMALL = 9.0  # points
SIZE = 1280, 720  # pixels
DPI = 100
EDGE = 0.03  # of the width, left of everything
UNKNOWN = 0.8  # of white
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

    The ground where all classes are equally likely; so of two classes it is a diverging scale
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
    colours: Floats = np.where(
        known[..., None], ground + STRONGEST * sure * (best - ground), UNKNOWN
    )
    return colours


def sheet(title: str, below: str) -> Figure:
    """Return an empty figure with a sentence at its head and a line that says how it was made."""
    figure = Figure(figsize=(SIZE[0] / DPI, SIZE[1] / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    figure.text(
        EDGE, 0.955, title, fontsize=15, color=ink(), family=list(families(STRONG)), va="center"
    )
    figure.text(EDGE, 0.912, below, fontsize=SMALL + 1, color=current().faint, va="center")
    return figure
