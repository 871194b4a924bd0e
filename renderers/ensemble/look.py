"""How each layer of the picture looks: colours that the colour-blind tell apart, and widths."""

from typing import NamedTuple

__all__ = [
    "DATA_COLOUR",
    "DENSITY_COLOURS",
    "DENSITY_MEMBERS",
    "HEIGHT",
    "INK",
    "RUN_COLOURS",
    "SIZE_DPI",
    "STROKES",
    "WIDTH",
    "Stroke",
]

WIDTH, HEIGHT = 1280, 720  # pixels
SIZE_DPI = 100  # pixels an inch, so that points are 100/72 pixels
DENSITY_MEMBERS = 200  # with more of them, lines would be one dark surface


class Stroke(NamedTuple):
    """A line or a surface.

    Parameters
    ----------
    colour : str
        From Okabe and Ito, Color Universal Design (2008), or grey.
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


STROKES = {
    "p": Stroke("#E69F00", 0.45, 1.0, "prior βp"),
    "f": Stroke("#009E73", 0.45, 1.0, "trained part f"),
    "members": Stroke("#56B4E9", 0.60, 1.0, "members"),
    "predictive": Stroke("#0072B2", 0.09, 0.0, "±2 sd with noise"),
    "sd": Stroke("#0072B2", 0.14, 0.0, "±1 and ±2 sd"),
    "quantiles": Stroke("#CC79A7", 0.20, 0.0, "5–95 % and 25–75 %"),
    "mean": Stroke("#0072B2", 1.0, 2.5, "mean"),
    "hop": Stroke("#000000", 1.0, 1.8, "one member after the other"),
    "member": Stroke("#D55E00", 1.0, 1.8, "member {}"),
}
DATA_COLOUR = "#D55E00"
DENSITY_COLOURS = ("#FFFFFF", "#56B4E9", "#0072B2", "#001F33")  # from none to many members
INK = "#333333"
RUN_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
