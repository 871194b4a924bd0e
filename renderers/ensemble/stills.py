"""The still pictures of an ensemble: its uncertainty, its members, its priors, its scores."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from epochord.renderers.ensemble.captions import lost
from epochord.renderers.ensemble.figure import ensemble_figure, headed
from epochord.renderers.ensemble.limits import seen_data, widened
from epochord.renderers.ensemble.look import DATA_COLOUR, STROKES, ink
from epochord.renderers.ensemble.map_cell import INPUTS, Lattice
from epochord.renderers.ensemble.overview import Overview
from epochord.renderers.ensemble.score_still import scores_still
from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.renderers.ensemble.view import Lines
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["stills"]

Floats = npt.NDArray[np.floating[Any]]

ROWS, COLUMNS = 3, 4  # of members
BORDER = 2.0  # below the legend, in heights of its text


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
    yield "members", _members(overview, limits, fixed=settings.limits is not None)
    if ensemble.setup.prior is not None:
        yield "priors", _priors(ensemble)
    yield "scores", scores_still(overview)


def _members(overview: Overview, limits: tuple[float, float], *, fixed: bool) -> Figure:
    """Draw some members at the last epoch, each with its parts and the data it was trained on.

    Unless the limits are fixed, they are widened to hold all of these.
    """
    ensemble = overview.ensemble
    gone = lost(int(overview.missing[-1]), ensemble.members)
    figure = headed(ensemble, ", ".join(filter(None, [f"epoch {ensemble.epochs[-1]}", gone])))
    chosen = _spread_out(ensemble.members, ROWS * COLUMNS)
    if ensemble.setup.grid.shape[1] == 2:
        _maps(figure, ensemble, ensemble.at(-1).grid, chosen, limits, "prediction Q")
        return figure
    lines = Lines(ensemble)
    view = lines.at(len(ensemble.epochs) - 1, quantiles=False)
    parts = {"members": view.members, "f": view.f, "p": view.p}
    if not fixed:
        drawn = [values[chosen] for values in parts.values() if values is not None]
        limits = widened(limits, np.concatenate(drawn))
    keys: dict[str, Any] = {}
    for axes, member in zip(_panels(figure, len(chosen)), chosen, strict=True):
        axes.set(xlim=(lines.x[0], lines.x[-1]), ylim=limits)
        axes.set_title(f"member {member}", loc="left", fontsize="small", color=ink())
        for name, values in parts.items():
            if values is not None:
                stroke = STROKES[name]
                label = "prediction Q" if name == "members" else stroke.label
                if np.isfinite(values[member]).any():
                    axes.plot(
                        lines.x, values[member], color=stroke.colour, linewidth=1.6, label=label
                    )
        if not np.isfinite(view.members[member]).any():
            axes.text(0.5, 0.9, "not finite", transform=axes.transAxes, ha="center", color=ink())
        _draw_own_data(axes, ensemble, member)
        keys |= {str(h.get_label()): h for h in axes.get_legend_handles_labels()[0]}
    if keys:
        figure.legend(
            handles=list(keys.values()),
            loc="outside lower center",
            ncols=len(keys),
            frameon=False,
            borderaxespad=BORDER,
        )
    return figure


def _draw_own_data(axes: Axes, ensemble: Ensemble, member: int) -> None:
    """Draw the data; larger where the member drew them more than once, hollow where never."""
    setup = ensemble.setup
    times = np.ones(len(setup.data), np.int64)
    if setup.indices is not None:
        times = np.bincount(setup.indices[member], minlength=len(setup.data))
    seen = seen_data(setup, axes.get_ylim())
    drawn, spared = seen & (times > 0), seen & (times == 0)
    x, y = setup.data[:, 0], setup.targets
    if drawn.any():
        axes.scatter(
            x[drawn], y[drawn], s=18.0 * times[drawn], color=DATA_COLOUR, linewidth=0, zorder=3,
            clip_on=False, label="its training data",
        )  # fmt: skip
    if spared.any():
        axes.scatter(
            x[spared], y[spared], s=18.0, facecolor="none", edgecolor=DATA_COLOUR, zorder=3,
            clip_on=False, label="not drawn by it",
        )  # fmt: skip


def _priors(ensemble: Ensemble) -> Figure:
    """Draw the priors alone, as they add to the predictions."""
    figure = headed(ensemble, "the priors alone")
    prior = ensemble.setup.prior
    assert prior is not None
    scaled = ensemble.setup.prior_scale * prior.grid
    if ensemble.setup.grid.shape[1] == 2:
        finite = scaled[np.isfinite(scaled)]
        limits = (float(finite.min(initial=0)), float(finite.max(initial=0)) or 1.0)
        chosen = _spread_out(ensemble.members, ROWS * COLUMNS)
        _maps(figure, ensemble, scaled, chosen, limits, STROKES["p"].label)
        return figure
    lines = Lines(ensemble)
    axes = figure.add_subplot()
    colour, alpha, width, label = STROKES["p"]
    axes.plot(lines.x, scaled[:, lines.order].T, color=colour, alpha=alpha, linewidth=width)
    axes.set(xlim=(lines.x[0], lines.x[-1]), xlabel="x", ylabel=label)
    _plain(axes)
    return figure


def _panels(figure: Figure, count: int) -> list[Axes]:
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for unused in grid[count:]:
        unused.remove()
    for axes in grid[:count]:
        _plain(axes)
    return list(grid[:count])


def _maps(
    figure: Figure,
    ensemble: Ensemble,
    values: Floats,
    chosen: Sequence[int],
    limits: tuple[float, float],
    label: str,
) -> None:
    lattice = Lattice(ensemble)
    panels = _panels(figure, len(chosen))
    for axes, member in zip(panels, chosen, strict=True):
        axes.set_title(f"member {member}", loc="left", fontsize="small", color=ink())
        axes.set(xlabel=INPUTS[0], ylabel=INPUTS[1])
        axes.label_outer()
        image = axes.imshow(
            np.ma.masked_invalid(lattice.map(values[member])), extent=lattice.extent,
            origin="lower", aspect="auto", cmap="cividis", vmin=limits[0], vmax=limits[1],
        )  # fmt: skip
    figure.colorbar(image, ax=panels, label=label)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)


def _spread_out(members: int, most: int) -> list[int]:
    """Return numbers of at most so many members, evenly from the first to the last."""
    return sorted(set(np.linspace(0, members - 1, min(members, most)).round().astype(int).tolist()))
