"""The still pictures of an ensemble: uncertainty, members, priors, scores, and each member's part.

The first three are the pictures of Perone's post "Randomized prior functions in PyTorch" (2019).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from epochord.renderers.ensemble.captions import lost
from epochord.renderers.ensemble.figure import ensemble_figure
from epochord.renderers.ensemble.limits import seen_data, widened
from epochord.renderers.ensemble.look import Stroke, current, ink
from epochord.renderers.ensemble.member_maps import member_maps, spread_out
from epochord.renderers.ensemble.overview import Overview
from epochord.renderers.ensemble.score_still import scores_still
from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.renderers.ensemble.sheet import panels, plain, sheet
from epochord.renderers.ensemble.view import Lines, View
from epochord.runlog.ensemble.setup import UNKNOWN
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["still_names", "stills"]

Floats = npt.NDArray[np.floating[Any]]

ROWS, COLUMNS = 3, 4  # of members
KEYS_AT = (0.5, 0.022)  # of width and height: off the border
LINE_WIDTH = 1.6  # points, of a member by itself


def still_names(ensemble: Ensemble) -> list[str]:
    """Return which stills an ensemble has, the most telling one first."""
    several = ["by_member"] if ensemble.setup.grid.shape[1] == 1 else []
    priors = ["priors"] if ensemble.setup.prior is not None else []
    return ["uncertainty", "members", *priors, "scores", *several]


def stills(
    overview: Overview, settings: EnsembleSettings, limits: tuple[float, float]
) -> Iterator[tuple[str, Figure]]:
    """Yield the stills that a run has, by name.

    Parameters
    ----------
    overview : Overview
        The run.
    settings : EnsembleSettings
        Which layers.
    limits : (float, float)
        Lowest and highest prediction.
    """
    ensemble = overview.ensemble
    last = ensemble_figure([overview], settings, limits, epochs=slice(-1, None))
    last.draw([len(ensemble.epochs) - 1])
    yield "uncertainty", last.figure
    if ensemble.setup.grid.shape[1] == 2:
        yield "members", _member_maps(overview, limits)
        if ensemble.setup.prior is not None:
            yield "priors", _prior_maps(ensemble)
        yield "scores", scores_still(overview)
        return
    lines = Lines(ensemble)
    view = lines.at(len(ensemble.epochs) - 1, quantiles=False)
    yield "members", _members(overview, lines, view, limits)
    if view.p is not None:
        yield "priors", _priors(ensemble, lines, view.p)
    yield "scores", scores_still(overview)
    yield "by_member", _by_member(overview, lines, view, limits, fixed=settings.limits is not None)


def _ended(overview: Overview) -> str:
    """Say at which epoch this is, and how many members are lost by then."""
    ensemble = overview.ensemble
    gone = lost(int(overview.missing[-1]), ensemble.members)
    return ", ".join(filter(None, [f"epoch {ensemble.epochs[-1]}", gone]))


def _members(overview: Overview, lines: Lines, view: View, limits: tuple[float, float]) -> Figure:
    """Draw the predictions of all members, and nothing but the data over them."""
    ensemble = overview.ensemble
    figure = sheet(ensemble, f"what each member predicts, {_ended(overview)}")
    (axes,) = panels(figure, 1, 1)
    _draw_lines(axes, lines, view.members, current().stroke("members"))
    axes.set(ylim=limits, ylabel="prediction")
    seen = seen_data(ensemble.setup, limits)
    axes.plot(
        ensemble.setup.data[seen, 0], ensemble.setup.targets[seen], "o", color=current().data,
        markersize=8, markeredgecolor=current().ground, zorder=3, clip_on=False,
        label="training data" if seen.any() else None,
    )  # fmt: skip
    axes.legend(frameon=False, loc="lower left", ncols=2, bbox_to_anchor=(0, 1), borderaxespad=0)
    return figure


def _priors(ensemble: Ensemble, lines: Lines, scaled: Floats) -> Figure:
    """Draw the priors alone, as they add to the predictions."""
    finite = scaled[np.isfinite(scaled).all(axis=1)]
    alike = len(finite) > 1 and bool((finite == finite[0]).all())
    whose = "the prior, the same of all members" if alike else "the priors alone"
    figure = sheet(ensemble, f"{whose}, never trained")
    (axes,) = panels(figure, 1, 1)
    _draw_lines(axes, lines, scaled, current().stroke("p"))
    axes.autoscale_view(scalex=False)
    axes.set_ylabel(current().stroke("p").label)
    return figure


def _draw_lines(axes: Axes, lines: Lines, values: Floats, stroke: Stroke) -> None:
    """Draw functions of x in one go; what is not finite is left out."""
    x = np.broadcast_to(lines.x, values.shape)
    segments = np.stack([x, np.where(np.isfinite(values), values, np.nan)], axis=2)
    axes.add_collection(
        LineCollection(
            list(segments),
            colors=stroke.colour,
            alpha=stroke.alpha,
            linewidths=stroke.width,
            label=stroke.label,
        )
    )
    axes.set(xlim=(lines.x[0], lines.x[-1]), xlabel="x")
    plain(axes)


def _by_member(
    overview: Overview, lines: Lines, view: View, limits: tuple[float, float], *, fixed: bool
) -> Figure:
    """Draw some members at the last epoch, each with its parts and the data it was trained on.

    Unless the limits are fixed, they are widened to hold all of these.
    """
    ensemble = overview.ensemble
    figure = sheet(ensemble, f"some members by themselves, {_ended(overview)}")
    chosen = spread_out(ensemble.members, ROWS * COLUMNS)
    named = (("members", view.members), ("f", view.f), ("p", view.p))
    parts = {name: values for name, values in named if values is not None}
    if not fixed:
        drawn = [values[chosen] for values in parts.values()]
        limits = widened(limits, np.concatenate(drawn))
    keys: dict[str, Any] = {}
    grid = panels(figure, len(chosen), COLUMNS, shared=True, below=True)
    grid[0].set(xlim=(lines.x[0], lines.x[-1]), ylim=limits)
    for axes, member in zip(grid, chosen, strict=True):
        plain(axes)
        axes.set_title(f"member {member}", loc="left", fontsize="small", color=ink())
        _draw_parts(axes, lines, parts, member)
        _draw_own_data(axes, ensemble, member)
        keys |= {str(h.get_label()): h for h in axes.get_legend_handles_labels()[0]}
    if keys:
        figure.legend(
            handles=list(keys.values()), loc="lower center", bbox_to_anchor=KEYS_AT,
            ncols=len(keys), frameon=False,
        )  # fmt: skip
    figure.text(0.512, 0.075, "x", ha="center", color=ink())
    figure.text(0.024, 0.52, "prediction", va="center", rotation=90, color=ink())
    return figure


def _draw_parts(axes: Axes, lines: Lines, parts: dict[str, Floats], member: int) -> None:
    """Draw what a member predicts, and the parts that it is the sum of."""
    for name, values in parts.items():
        label = current().stroke(name).label
        if name == "members":
            label = "prediction f + βp" if len(parts) > 1 else "prediction"
        if np.isfinite(values[member]).any():
            axes.plot(
                lines.x, values[member], color=current().stroke(name).colour, linewidth=LINE_WIDTH,
                label=label,
            )  # fmt: skip
    if not np.isfinite(parts["members"][member]).any():
        axes.text(0.5, 0.9, "not finite", transform=axes.transAxes, ha="center", color=ink())


def _draw_own_data(axes: Axes, ensemble: Ensemble, member: int) -> None:
    """Draw the data; larger where the member drew them more than once, hollow where never."""
    setup, label = ensemble.setup, "training data"
    times = np.ones(len(setup.data), np.int64)
    if setup.indices is not None and (setup.indices[member] != UNKNOWN).all():
        times = np.bincount(setup.indices[member], minlength=len(setup.data))
        label = "training data, larger if drawn more than once"
    seen = seen_data(setup, axes.get_ylim())
    drawn, spared = seen & (times > 0), seen & (times == 0)
    x, y = setup.data[:, 0], setup.targets
    if drawn.any():
        axes.scatter(
            x[drawn], y[drawn], s=18.0 * times[drawn], color=current().data, linewidth=0, zorder=3,
            clip_on=False, label=label,
        )  # fmt: skip
    if spared.any():
        axes.scatter(
            x[spared], y[spared], s=18.0, facecolor="none", edgecolor=current().data, zorder=3,
            clip_on=False, label="not drawn by this member",
        )  # fmt: skip


def _member_maps(overview: Overview, limits: tuple[float, float]) -> Figure:
    ensemble = overview.ensemble
    figure = sheet(ensemble, f"what some members predict, {_ended(overview)}")
    member_maps(figure, ensemble, ensemble.at(-1).grid, limits, "prediction")
    return figure


def _prior_maps(ensemble: Ensemble) -> Figure:
    figure = sheet(ensemble, "some priors alone, never trained")
    prior = ensemble.setup.prior
    assert prior is not None
    scaled = ensemble.setup.prior_scale * prior.grid
    finite = scaled[np.isfinite(scaled)]
    limits = (float(finite.min(initial=0)), float(finite.max(initial=0)) or 1.0)
    member_maps(figure, ensemble, scaled, limits, current().stroke("p").label)
    return figure
