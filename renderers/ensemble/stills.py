"""The still pictures of an ensemble: its uncertainty, its members, its priors, its scores."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from renderers.ensemble.figure import ensemble_figure, new_figure, title
from renderers.ensemble.look import DATA_COLOUR, INK, RUN_COLOURS, STROKES
from renderers.ensemble.map_cell import Lattice
from renderers.ensemble.overview import Overview
from renderers.ensemble.scores import PERCENTS, RANK_BINS, Scores
from renderers.ensemble.settings import EnsembleSettings
from renderers.ensemble.view import Lines
from runlog.ensemble import Ensemble

__all__ = ["stills"]

Floats = npt.NDArray[np.floating[Any]]

ROWS, COLUMNS = 3, 4  # of members
KINDS = {"held_out": "held out", "out_of_bag": "out of bag"}


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
    last = ensemble_figure([overview], settings, limits)
    last.draw([len(ensemble.epochs) - 1])
    yield "uncertainty", last.figure
    yield "members", _members(ensemble, limits)
    if ensemble.setup.prior is not None:
        yield "priors", _priors(ensemble)
    yield "scores", _scores(overview)


def _members(ensemble: Ensemble, limits: tuple[float, float]) -> Figure:
    """Draw some members at the last epoch, each with its parts and the data it was trained on."""
    figure = _headed(ensemble, f"epoch {ensemble.epochs[-1]}")
    chosen = _spread_out(ensemble.members, ROWS * COLUMNS)
    if ensemble.setup.grid.shape[1] == 2:
        _maps(figure, ensemble, ensemble.at(-1).grid, chosen, limits)
        return figure
    lines = Lines(ensemble)
    view = lines.at(len(ensemble.epochs) - 1, quantiles=False)
    parts = {"members": view.members, "f": view.f, "p": view.p}
    keys: dict[str, Any] = {}
    for axes, member in zip(_panels(figure, len(chosen)), chosen, strict=True):
        axes.set(xlim=(lines.x[0], lines.x[-1]), ylim=limits)
        axes.set_title(f"member {member}", loc="left", fontsize="small", color=INK)
        for name, values in parts.items():
            if values is not None:
                stroke = STROKES[name]
                label = "prediction Q" if name == "members" else stroke.label
                axes.plot(lines.x, values[member], color=stroke.colour, linewidth=1.6, label=label)
        _draw_own_data(axes, ensemble, member)
        keys |= {str(h.get_label()): h for h in axes.get_legend_handles_labels()[0]}
    figure.legend(
        handles=list(keys.values()), loc="outside lower center", ncols=len(keys), frameon=False
    )
    return figure


def _draw_own_data(axes: Axes, ensemble: Ensemble, member: int) -> None:
    """Draw the data; larger where the member drew them more than once, hollow where never."""
    setup = ensemble.setup
    if not len(setup.data):
        return
    times = np.ones(len(setup.data), np.int64)
    if setup.indices is not None:
        times = np.bincount(setup.indices[member], minlength=len(setup.data))
    x, y = setup.data[:, 0], setup.targets
    drawn = times > 0
    axes.scatter(
        x[drawn], y[drawn], s=18.0 * times[drawn], color=DATA_COLOUR, linewidth=0, zorder=3,
        label="its training data",
    )  # fmt: skip
    if not drawn.all():
        axes.scatter(
            x[~drawn], y[~drawn], s=18.0, facecolor="none", edgecolor=DATA_COLOUR, zorder=3,
            label="not drawn by it",
        )  # fmt: skip


def _priors(ensemble: Ensemble) -> Figure:
    """Draw the priors alone, as they add to the predictions."""
    figure = _headed(ensemble, "the priors alone")
    prior = ensemble.setup.prior
    assert prior is not None
    scaled = ensemble.setup.prior_scale * prior.grid
    if ensemble.setup.grid.shape[1] == 2:
        finite = scaled[np.isfinite(scaled)]
        limits = (float(finite.min(initial=0)), float(finite.max(initial=0)) or 1.0)
        _maps(figure, ensemble, scaled, _spread_out(ensemble.members, ROWS * COLUMNS), limits)
        return figure
    lines = Lines(ensemble)
    axes = figure.add_subplot()
    colour, alpha, width, label = STROKES["p"]
    axes.plot(lines.x, scaled[:, lines.order].T, color=colour, alpha=alpha, linewidth=width)
    axes.set(xlim=(lines.x[0], lines.x[-1]), xlabel="x", ylabel=label)
    _plain(axes)
    return figure


def _scores(overview: Overview) -> Figure:
    """Draw how good the predictions were over the epochs, and at the end."""
    ensemble = overview.ensemble
    figure = _headed(ensemble, _findings(overview))
    panels = figure.subplots(2, 3).ravel()
    names = {"nll": "NLL, nats", "crps": "CRPS", "spread_skill": "spread / skill"}
    for axes, (name, label) in zip(panels, names.items(), strict=False):
        for kind, rows in overview.scores.items():
            values = [getattr(row, name) for row in rows]
            axes.plot(ensemble.epochs, values, color=_colour(kind), label=KINDS[kind])
        axes.set(xlabel="epoch", title=label)
    panels[2].axhline(1, color=INK, linewidth=0.8, linestyle=":")
    _draw_coverage(panels[3], overview)
    _draw_ranks(panels[4], overview)
    _draw_contraction(panels[5], figure, overview)
    for axes in panels:
        _plain(axes)
    if overview.scores:
        panels[0].legend(frameon=False)
    else:
        panels[0].text(0.5, 0.5, "neither held-out points\nnor a bootstrap", ha="center")
    return figure


def _findings(overview: Overview) -> str:
    inside, outside = overview.inside[-1], overview.outside[-1]
    if not np.isfinite([inside, outside]).all():
        return f"sd {overview.spread[-1]:.3g}"
    return f"sd {inside:.3g} inside the data, {outside:.3g} outside"


def _draw_coverage(axes: Axes, overview: Overview) -> None:
    for kind, rows in overview.scores.items():
        for place, style in enumerate((":", "--", "-")):
            values = [row.coverage[place] for row in rows]
            axes.plot(overview.ensemble.epochs, values, style, color=_colour(kind))
    for percent in PERCENTS:
        axes.axhline(percent / 100, color=INK, linewidth=0.8, linestyle=":")
    axes.set(xlabel="epoch", title="coverage of 50, 68, 95 %", ylim=(0, 1))


def _draw_ranks(axes: Axes, overview: Overview) -> None:
    last: dict[str, Scores] = {kind: rows[-1] for kind, rows in overview.scores.items()}
    width = 0.8 / max(1, len(last))
    for place, (kind, scores) in enumerate(last.items()):
        at = np.arange(RANK_BINS) + (place + 0.5) * width + 0.1
        axes.bar(at, np.nan_to_num(scores.ranks), width, color=_colour(kind))
    axes.axhline(1 / RANK_BINS, color=INK, linewidth=0.8, linestyle=":")
    axes.set(xlabel="rank among the members, tenths", title="rank histogram", xlim=(0, RANK_BINS))


def _draw_contraction(axes: Axes, figure: Figure, overview: Overview) -> None:
    ensemble = overview.ensemble
    axes.set_title(f"sd, epoch {ensemble.epochs[-1]} over {ensemble.epochs[0]}")
    if ensemble.setup.grid.shape[1] == 2:
        lattice = Lattice(ensemble)
        image = axes.imshow(
            lattice.map(overview.contraction), extent=lattice.extent, origin="lower",
            aspect="auto", cmap="magma",
        )  # fmt: skip
        figure.colorbar(image, ax=axes)
        return
    lines = Lines(ensemble)
    axes.plot(lines.x, overview.contraction[lines.order], color=INK)
    axes.axhline(1, color=INK, linewidth=0.8, linestyle=":")
    axes.set(xlabel="x", ylim=(0, None))


def _colour(kind: str) -> str:
    return RUN_COLOURS[list(KINDS).index(kind)]


def _headed(ensemble: Ensemble, what: str) -> Figure:
    figure = new_figure()
    figure.suptitle(f"{title(ensemble.run)}: {what}", x=0.012, ha="left", color=INK)
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
) -> None:
    lattice = Lattice(ensemble)
    panels = _panels(figure, len(chosen))
    for axes, member in zip(panels, chosen, strict=True):
        axes.set_title(f"member {member}", loc="left", fontsize="small", color=INK)
        image = axes.imshow(
            np.ma.masked_invalid(lattice.map(values[member])), extent=lattice.extent,
            origin="lower", aspect="auto", cmap="cividis", vmin=limits[0], vmax=limits[1],
        )  # fmt: skip
    figure.colorbar(image, ax=panels)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)


def _spread_out(members: int, most: int) -> list[int]:
    """Return numbers of at most so many members, evenly from the first to the last."""
    return sorted(set(np.linspace(0, members - 1, min(members, most)).round().astype(int).tolist()))
