"""How pictures of digits look: colours that the colour-blind tell apart, sizes, and frames.

The colours are Okabe and Ito's (Color Universal Design, 2008): what was observed is blue, the law
is vermilion, what has learned nothing is grey or green.
"""

from contextlib import AbstractContextManager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from epochord.renderers.pictures.typeface import families

__all__ = [
    "BASELINES",
    "CHANCE",
    "DPI",
    "FAINT",
    "INK",
    "LAW",
    "OBSERVED",
    "QUIET",
    "SMALL",
    "as_text",
    "bare",
    "new_figure",
    "shortened",
    "styled",
]

OBSERVED, LAW, CHANCE = "#56B4E9", "#D55E00", "#D55E00"
FAINT = "#C4E2F5"  # observed, but resting on little
INK, QUIET = "#22262B", "#6B7178"
BASELINES = ("#009E73", "#555555", "#CC79A7", "#E69F00")
DPI = 100
SMALL = 1000  # numbers: by chance alone fewer are 0.7 points or more from the law on average


def styled() -> AbstractContextManager[None]:
    """Let matplotlib draw with the typeface of all pictures."""
    return mpl.rc_context({"font.family": list(families())})


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches."""
    figure = Figure(figsize=(width, height), dpi=DPI)
    FigureCanvasAgg(figure)
    return figure


def bare(axes: Axes) -> None:
    """Leave a frame at the left and the bottom only, and say shares in percent."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8, colors=INK)
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g} %")


def as_text(text: str) -> str:
    """Return what comes from a log as text, never as mathematics."""
    return text.replace("$", r"\$")


def shortened(text: str, longest: int) -> str:
    """Return a text without its middle if it is longer than so many characters."""
    if len(text) <= longest:
        return text
    before = (longest - 1) // 2
    return f"{text[:before]}…{text[len(text) - (longest - 1 - before) :]}"
