"""How the picture looks: sizes, two themes, and how each layer is drawn.

One colour has one meaning.  Members, their mean and their bands are blue, the training data red;
what tells several runs apart has hues that no layer has, and dashes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl

from epochord.renderers.ensemble.settings import SIZES, EnsembleSettings
from epochord.renderers.pictures.typeface import families

__all__ = [
    "DARK",
    "DATA_COLOUR",
    "DENSITY_MEMBERS",
    "INK",
    "LIGHT",
    "RUN_COLOURS",
    "RUN_DASHES",
    "STROKES",
    "UNITS_AN_INCH",
    "Size",
    "Stroke",
    "Theme",
    "current",
    "ink",
    "size_of",
    "styled",
    "theme_of",
]

UNITS = 720  # of the shorter side of what lies; what is laid out is laid out in these
UPRIGHT_UNITS = 580  # of what stands or is square: it is watched on phones
UNITS_AN_INCH = 100  # so that a point is 100/72 units
DENSITY_MEMBERS = 200  # with more of them, lines would be one dark surface


class Size(NamedTuple):
    """Pixels of a picture, which is the same drawing at any resolution."""

    width: int
    height: int

    @property
    def dpi(self) -> float:
        """Pixels an inch."""
        units = UNITS if self.width > self.height else UPRIGHT_UNITS
        return UNITS_AN_INCH * min(self) / units

    @property
    def inches(self) -> tuple[float, float]:
        """Width and height as matplotlib wants them."""
        return self.width / self.dpi, self.height / self.dpi


class Stroke(NamedTuple):
    """A line or a surface.

    Parameters
    ----------
    colour : str
        On a light ground, after Okabe and Ito, Color Universal Design (2008).
    alpha : float
        Of each line, or each band.
    width : float
        Points; 0 for a surface.
    label : str
        In the legend.
    """

    colour: str
    alpha: float
    width: float
    label: str


INK = "#22262B"
DATA_COLOUR = "#D55E00"
STROKES = {
    "p": Stroke("#E69F00", 0.45, 1.0, "prior βp"),
    "f": Stroke("#009E73", 0.45, 1.0, "trained part f"),
    "members": Stroke("#56B4E9", 0.60, 1.0, "members"),
    "predictive": Stroke("#0072B2", 0.09, 0.0, "±2 sd with noise"),
    "sd": Stroke("#0072B2", 0.14, 0.0, "±1 and ±2 sd"),
    "quantiles": Stroke("#4B56C0", 0.18, 0.0, "5–95 % and 25–75 %"),
    "mean": Stroke("#0072B2", 1.0, 2.5, "mean"),
    "hop": Stroke("#B5179E", 1.0, 1.8, "one member after the other"),
    "member": Stroke(INK, 1.0, 1.8, "member {}"),
}
RUN_COLOURS = ("#6A3FB5", "#6E7D00", "#5B6168")  # purple, olive and none: no layer's hue
RUN_DASHES = ("-", (0, (5, 2)), (0, (1, 1.6)), (0, (6, 2, 1, 2)))  # for each of them


class Theme(NamedTuple):
    """The colours of a picture.

    Parameters
    ----------
    ground, ink, faint, grid : str
        Behind everything; of text and axes; of text that says how; of lines behind the functions.
    data : str
        Of the training data.
    runs : tuple of str
        That tell runs apart.
    density : tuple of str
        From none to many members.
    layers : dict of str to (str, float)
        Colour and opacity of layers that differ from `STROKES`.
    """

    ground: str
    ink: str
    faint: str
    grid: str
    data: str
    runs: tuple[str, ...]
    density: tuple[str, ...]
    layers: dict[str, tuple[str, float]]

    def stroke(self, layer: str) -> Stroke:
        """Return how a layer is drawn."""
        stroke = STROKES[layer]
        colour, alpha = self.layers.get(layer, (stroke.colour, stroke.alpha))
        return stroke._replace(colour=colour, alpha=alpha)


LIGHT = Theme(
    ground="#FFFFFF",
    ink=INK,
    faint="#6B7178",
    grid="#ECEEF0",
    data=DATA_COLOUR,
    runs=RUN_COLOURS,
    density=("#FFFFFF", "#56B4E9", "#0072B2", "#001F33"),
    layers={},
)
DARK = Theme(
    ground="#101318",
    ink="#ECEEF0",
    faint="#9AA1AA",
    grid="#22272F",
    data="#FF8A3D",
    runs=("#B493FF", "#C7CB3A", "#AEB4BC"),
    density=("#101318", "#0F5F94", "#56B4E9", "#E6F5FF"),
    layers={
        "p": ("#F2B53A", 0.50),
        "f": ("#2CCB9D", 0.50),
        "members": ("#4FA8DE", 0.55),
        "predictive": ("#3F9FDC", 0.12),
        "sd": ("#3F9FDC", 0.20),
        "quantiles": ("#7F89FF", 0.22),
        "mean": ("#9ED8FF", 1.0),
        "hop": ("#FF6FD8", 1.0),
        "member": ("#FFFFFF", 1.0),
    },
)


def theme_of(settings: EnsembleSettings) -> Theme:
    """Return the colours that were chosen."""
    return DARK if settings.theme == "dark" else LIGHT


def size_of(settings: EnsembleSettings) -> Size:
    """Return the pixels that were chosen."""
    return Size(*SIZES[settings.size])


def ink() -> str:
    """Return the colour of text while a picture is `styled`."""
    return str(mpl.rcParams["text.color"])


def current() -> Theme:
    """Return the colours while a picture is `styled`."""
    return DARK if ink() == DARK.ink else LIGHT


@contextmanager
def styled(settings: EnsembleSettings) -> Iterator[Theme]:
    """Let matplotlib draw with the typeface and the colours that were chosen."""
    theme = theme_of(settings)
    ink = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    ground = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    style: dict[Any, Any] = dict.fromkeys(ink, theme.ink) | dict.fromkeys(ground, theme.ground)
    with mpl.rc_context(style | {"font.family": list(families()), "grid.color": theme.grid}):
        yield theme
