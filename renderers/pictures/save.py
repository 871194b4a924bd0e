"""Figures to PNG and SVG: equal bytes for equal figures."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from epochord.renderers.results.output import writing

__all__ = ["save_picture"]


def save_picture(figure: Figure, stem: Path, *, svg: bool = True) -> list[Path]:
    """Write a figure as PNG, and as SVG too, without dates and versions.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        At its own resolution.
    stem : Path
        Without a suffix.
    svg : bool
        Whether to write the SVG.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    made = [stem.with_name(f"{stem.name}.png")]
    with writing(made[0]) as temporary:
        # Figure.savefig would draw all of it twice, to find a layout that there is already.
        FigureCanvasAgg(figure).print_png(  # type: ignore[no-untyped-call]
            temporary, metadata={"Software": None}
        )
    if svg:
        made.append(stem.with_name(f"{stem.name}.svg"))
        with mpl.rc_context({"svg.hashsalt": "epochord"}), writing(made[1]) as temporary:
            figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": None})
    return made
