"""The still picture of an ensemble's scores: over the epochs, and of the last one."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from epochord.renderers.ensemble.captions import lost
from epochord.renderers.ensemble.figure import headed, scale, whole_epochs
from epochord.renderers.ensemble.look import RUN_COLOURS, ink
from epochord.renderers.ensemble.map_cell import INPUTS, Lattice
from epochord.renderers.ensemble.overview import Overview
from epochord.renderers.ensemble.scores import PERCENTS, RANK_BINS
from epochord.renderers.ensemble.statistics import LEAST_MEMBERS
from epochord.renderers.ensemble.view import Lines

__all__ = ["scores_still"]

Floats = npt.NDArray[np.floating[Any]]
Panel = Callable[[Axes], None]

COLUMNS = 3
KINDS = {"held_out": "held out", "out_of_bag": "out of bag"}
SERIES = {"nll": "NLL, nats", "crps": "CRPS", "spread_skill": "spread / skill"}
STYLES = dict(zip(PERCENTS, (":", "--", "-"), strict=True))
LEAST_RANGE = 1.5  # of the contraction's axis, as a factor to either side of 1


def scores_still(overview: Overview) -> Figure:
    """Draw how good the predictions were; what cannot be said is said in words.

    Parameters
    ----------
    overview : Overview
        The run.
    """
    figure = headed(overview.ensemble, _findings(overview))
    panels, reasons = _panels(overview)
    if not panels:
        figure.text(0.5, 0.5, "\n".join(reasons), ha="center", va="center", color=ink())
    elif reasons:
        figure.supxlabel("; ".join(reasons), fontsize="medium", color=ink())
    if panels:
        columns = min(COLUMNS, len(panels))
        grid = figure.subplots(-(-len(panels) // columns), columns, squeeze=False).ravel()
        for unused in grid[len(panels) :]:
            unused.remove()
        for axes, draw in zip(grid, panels, strict=False):
            axes.spines[["top", "right"]].set_visible(False)
            draw(axes)
        if overview.scores and grid[0].get_legend_handles_labels()[0]:
            grid[0].legend(frameon=False)
    return figure


def _findings(overview: Overview) -> str:
    inside, outside, around = (
        float(each[-1]) for each in (overview.inside, overview.outside, overview.spread)
    )
    said = [f"sd {around:.3g}"] if np.isfinite(around) else []
    if np.isfinite([inside, outside]).all():
        said = [f"sd {inside:.3g} inside the data, {outside:.3g} outside"]
    gone = lost(int(overview.missing[-1]), overview.ensemble.members)
    said += [f"{gone} at the end"] if gone else []
    return ", ".join(said) or "scores"


def _panels(overview: Overview) -> tuple[list[Panel], list[str]]:
    """Return what draws each panel that has something to show, and why others have nothing."""
    panels: list[Panel] = []
    for name, label in SERIES.items():
        curves = {kind: _column(overview, kind, name) for kind in overview.scores}
        if any(np.isfinite(curve).any() for curve in curves.values()):
            panels.append(partial(_draw_series, overview, curves, label))
    if any(np.isfinite(_column(overview, kind, "coverage")).any() for kind in overview.scores):
        panels.append(partial(_draw_coverage, overview))
    if any(np.isfinite(rows[-1].ranks).any() for rows in overview.scores.values()):
        panels.append(partial(_draw_ranks, overview))
    reasons = [] if panels else [_why_no_scores(overview)]
    if why := _why_no_contraction(overview):
        reasons.append(why)
    else:
        panels.append(partial(_draw_contraction, overview))
    return panels, reasons


def _column(overview: Overview, kind: str, name: str) -> Floats:
    return np.array([getattr(row, name) for row in overview.scores[kind]], np.float64)


def _why_no_scores(overview: Overview) -> str:
    if not overview.scores:
        return "no scores: the log has neither held-out points nor a bootstrap"
    if overview.ensemble.members < LEAST_MEMBERS:
        return "no scores: they take two members or more, and this ensemble has one"
    return "no scores: at no held-out or out-of-bag point are two predictions finite"


def _why_no_contraction(overview: Overview) -> str:
    epochs = len(overview.ensemble.epochs)
    if epochs == 1:
        return "no contraction: only one epoch is recorded"
    if not _positive(overview.contraction).any():
        return "no contraction: no spread in the first epoch or in the last"
    return ""


def _positive(values: Floats) -> npt.NDArray[np.bool_]:
    positive: npt.NDArray[np.bool_] = np.isfinite(values) & (values > 0)
    return positive


def _draw_series(overview: Overview, curves: dict[str, Floats], label: str, axes: Axes) -> None:
    for kind, values in curves.items():
        if np.isfinite(values).any():
            _plot(axes, overview, values, "-", kind, label=KINDS[kind])
    if label == SERIES["spread_skill"]:
        axes.axhline(1, color=ink(), linewidth=0.8, linestyle=":")
    axes.set_title(label)
    whole_epochs(axes)


def _plot(
    axes: Axes, overview: Overview, values: Floats, style: str, kind: str, label: str = ""
) -> None:
    dot = "o" if np.isfinite(values).sum() == 1 else ""  # a line needs two points
    axes.plot(overview.ensemble.epochs, values, dot + style, color=_colour(kind), label=label)


def _draw_coverage(overview: Overview, axes: Axes) -> None:
    """Draw the shares in the style of their nominal levels, which are labelled at the right."""
    for kind in overview.scores:
        for values, style in zip(
            _column(overview, kind, "coverage").T, STYLES.values(), strict=True
        ):
            if np.isfinite(values).any():
                _plot(axes, overview, values, style, kind)
    for percent, style in STYLES.items():
        axes.axhline(percent / 100, color=ink(), linewidth=1.0, linestyle=style, alpha=0.6)
        axes.text(
            1.01, percent / 100, f"{percent} %", transform=axes.get_yaxis_transform(),
            va="center", fontsize="small", color=ink(),
        )  # fmt: skip
    axes.set(title="coverage of 50, 68, 95 %", ylim=(0, 1.02))
    whole_epochs(axes)


def _draw_ranks(overview: Overview, axes: Axes) -> None:
    last = {kind: rows[-1] for kind, rows in overview.scores.items()}
    last = {kind: scores for kind, scores in last.items() if np.isfinite(scores.ranks).any()}
    width = 0.8 / len(last)
    for place, (kind, scores) in enumerate(last.items()):
        at = np.arange(RANK_BINS) + (place + 0.5) * width + 0.1
        axes.bar(at, np.nan_to_num(scores.ranks), width, color=_colour(kind))
    axes.axhline(1 / RANK_BINS, color=ink(), linewidth=0.8, linestyle=":")
    axes.set(xlabel="rank among the members, tenths", title="rank histogram", xlim=(0, RANK_BINS))


def _draw_contraction(overview: Overview, axes: Axes) -> None:
    ensemble, found = overview.ensemble, overview.contraction
    what = f"sd at epoch {ensemble.epochs[-1]} / at epoch {ensemble.epochs[0]}"
    known = np.where(_positive(found), found, np.nan)
    axes.set_title(f"contraction: {what}", fontsize="medium")
    least = min(np.nanmin(known), 1 / LEAST_RANGE)
    greatest = max(np.nanmax(known), LEAST_RANGE)
    if ensemble.setup.grid.shape[1] == 2:
        _draw_map(axes, Lattice(ensemble), known, LogNorm(least, greatest))
        return
    lines = Lines(ensemble)
    axes.plot(lines.x, known[lines.order], color=ink())
    axes.axhline(1, color=ink(), linewidth=0.8, linestyle=":")
    axes.set_xlabel("x")
    axes.set_yscale("log")
    axes.set_ylim(least / 1.1, greatest * 1.1)
    scale(axes, np.array([least, greatest]), logarithmic=True)


def _draw_map(axes: Axes, lattice: Lattice, values: Floats, norm: LogNorm) -> None:
    image = axes.imshow(
        np.ma.masked_invalid(lattice.map(values)), extent=lattice.extent, origin="lower",
        aspect="auto", cmap="magma", norm=norm,
    )  # fmt: skip
    axes.set(xlabel=INPUTS[0], ylabel=INPUTS[1])
    figure = axes.get_figure()
    assert figure is not None
    figure.colorbar(image, ax=axes)


def _colour(kind: str) -> str:
    return RUN_COLOURS[list(KINDS).index(kind)]
