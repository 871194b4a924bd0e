"""Figures to PNG and SVG: equal bytes for equal figures."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from epochord.renderers.results.output import writing

__all__ = ["save_picture"]


def save_picture(figure: Figure, stem: Path) -> list[Path]:
    """Write a figure as PNG and SVG, without dates and versions.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        At its own resolution.
    stem : Path
        Without a suffix.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    png, svg = stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.svg")
    with mpl.rc_context({"svg.hashsalt": "epochord"}):
        with writing(png) as temporary:
            figure.savefig(temporary, format="png", metadata={"Software": None})
        with writing(svg) as temporary:
            figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": None})
    return [png, svg]
