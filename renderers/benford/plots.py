"""Bars of first digits beside Benford's law, one panel a subject."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from epochord.renderers.benford.distributions import benford
from epochord.renderers.benford.subjects import DIGITS, Subject

__all__ = ["digits_figure"]

# Okabe and Ito, Color Universal Design (2008).
BARS, LAW, INK = "#56B4E9", "#D55E00", "#333333"
MARKS = (("#000000", "x"), ("#009E73", "s"), ("#CC79A7", "^"), ("#E69F00", "v"))
COLUMNS = 3
PANEL = (4.6, 3.9)  # inches
DPI = 100


def digits_figure(subjects: Sequence[Subject], heading: str) -> Figure:
    """Draw the shares of first digits of each subject.

    Parameters
    ----------
    subjects : sequence of Subject
        One or more.
    heading : str
        Above all of them.
    """
    columns = min(COLUMNS, len(subjects))
    rows = -(-len(subjects) // columns)
    figure = Figure(
        figsize=(PANEL[0] * columns, PANEL[1] * rows + 0.8), dpi=DPI, layout="constrained"
    )
    FigureCanvasAgg(figure)
    figure.suptitle(heading, x=0.01, ha="left", fontsize=13, color=INK)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in grid[len(subjects) :]:
        unused.remove()
    for axes, subject in zip(grid, subjects, strict=False):
        _draw(axes, subject)
    drawn = [h for axes in grid[: len(subjects)] for h in axes.get_legend_handles_labels()[0]]
    keys = list({str(handle.get_label()): handle for handle in drawn}.values())
    figure.legend(handles=keys, loc="outside lower center", ncols=min(5, len(keys)), frameon=False)
    return figure


def _draw(axes: Axes, subject: Subject) -> None:
    axes.bar(DIGITS, np.nan_to_num(subject.shares), color=BARS, width=0.8, label="observed")
    axes.plot(DIGITS, benford(), "o-", color=LAW, markersize=4, label="Benford's law")
    for (name, shares), (colour, marker) in zip(subject.baselines.items(), MARKS, strict=False):
        axes.plot(DIGITS, shares, marker, color=colour, markersize=5, label=name, fillstyle="none")
    axes.set_xticks(DIGITS)
    axes.set_ylim(bottom=0)
    axes.set_title(_wrapped(subject.name, 44), loc="left", fontsize=10, color=INK)
    caption = f"{subject.caption}\n{subject.statistics.sentence}"
    lines = [line for part in caption.splitlines() for line in textwrap.wrap(part, 66)]
    axes.set_xlabel("\n".join(lines), fontsize=8, loc="left")
    axes.spines[["top", "right"]].set_visible(False)


def _wrapped(text: str, width: int) -> str:
    # What comes from a log is text, never mathematics.
    return "\n".join(textwrap.wrap(text.replace("$", r"\$"), width)) or " "
