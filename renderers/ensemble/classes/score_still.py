"""The still of classifiers' scores: over the epochs, and reliability at the last one."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from epochord.renderers.ensemble.classes.overview import ClassOverview
from epochord.renderers.ensemble.classes.scores import BINS, Reliability
from epochord.renderers.ensemble.classes.words import KINDS, missing, quality
from epochord.renderers.ensemble.look import current
from epochord.renderers.ensemble.sheet import panels, plain, sheet
from epochord.renderers.ensemble.strip import whole_epochs

__all__ = ["class_scores_still"]

Floats = npt.NDArray[np.floating[Any]]
Panel = Callable[[Axes], None]

COLUMNS = 3
SMALL = 9.0  # points
DOTS = {"-": "o", "--": "D", ":": "s"}  # of a single epoch
HEADROOM = 1.25  # of a panel whose key stands above what it shows
NAMES = {**KINDS, "ood": "out of distribution"}
ENTROPIES = {"entropy": "-", "aleatoric": ":", "mutual_information": "--"}
ENTROPY_NAMES = {"entropy": "total", "aleatoric": "aleatoric", "mutual_information": "disagreement"}
AUROCS = {"ood/auroc_entropy": "-", "ood/auroc_mutual_information": "--"}


def class_scores_still(overview: ClassOverview) -> Figure:
    """Draw how good the probabilities were, and how sure.

    Parameters
    ----------
    overview : ClassOverview
        The run.
    """
    last = f"epoch {overview.ensemble.epochs[-1]}"
    said = ", ".join(filter(None, [quality(overview), last, missing(overview)]))
    figure = sheet(overview.ensemble, said)
    drawn = _panels(overview)
    if not drawn:
        words = "no epoch has probabilities that are finite"
        figure.text(0.5, 0.5, words, ha="center", color=current().ink)
        return figure
    for axes, draw in zip(panels(figure, len(drawn), COLUMNS), drawn, strict=True):
        plain(axes)
        axes.tick_params(labelsize=SMALL)
        draw(axes)
        axes.xaxis.label.set_fontsize(SMALL)
        axes.yaxis.label.set_fontsize(SMALL)
    return figure


def _colour(kind: str) -> str:
    """Return the colour of a kind of points; of the grid, that of text."""
    theme = current()
    colours = {"held_out": theme.runs[0], "data": theme.runs[0], "out_of_bag": theme.runs[1]}
    return (colours | {"ood": theme.stroke("hop").colour}).get(kind, theme.ink)


def _panels(overview: ClassOverview) -> list[Panel]:
    """Return what draws each panel that has something to show."""
    found: list[Panel] = []
    if any(table.counts.any() for table in overview.last.values()):
        found.append(partial(_draw_reliability, overview))
    if any(np.isfinite(each).any() for each in overview.confidences.values()):
        found.append(partial(_draw_confidence, overview))
    if _entropies(overview):
        found.append(partial(_draw_entropy, overview))
    if any(np.isfinite(values).any() for values in _series(overview, "nll").values()):
        found += [
            partial(
                _draw_series, overview, "nll", "Negative log-likelihood", "nats (lower is better)"
            ),
            partial(_draw_series, overview, "accuracy", "Accuracy", "share classified right"),
        ]
        last = partial(_draw_series, overview, "brier", "Brier score", "0 to 2 (lower is better)")
        found.append(partial(_draw_auroc, overview) if _told_apart(overview) else last)
    return found


def _series(overview: ClassOverview, name: str) -> dict[str, Floats]:
    return {kind: overview.columns[f"{kind}/{name}"] for kind in overview.scores}


def _draw_reliability(overview: ClassOverview, axes: Axes) -> None:
    """Draw accuracy over confidence, a dot a bin, as large as it has points."""
    axes.plot([0, 1], [0, 1], color=current().faint, linewidth=0.8, linestyle=":")
    for kind, table in overview.last.items():
        filled = table.counts > 0
        axes.plot(
            table.confidence[filled], table.accuracy[filled], color=_colour(kind), linewidth=1.2
        )
        sizes = 8 + 110 * table.counts[filled] / table.counts.sum()
        axes.scatter(
            table.confidence[filled], table.accuracy[filled], s=sizes, color=_colour(kind),
            label=f"{NAMES[kind]}, {table.counts.sum()}", linewidth=0,
        )  # fmt: skip
    _write_counts(axes, next(iter(overview.last.values())))
    axes.set(xlim=(0, 1.03), ylim=(-0.14, 1.05), xlabel="confidence")
    _title(axes, "Reliability (below line: too sure), with counts", "share right")
    _key(axes, "best")


def _write_counts(axes: Axes, table: Reliability) -> None:
    """Write below the dots how many points they stand for."""
    for count, confidence, accuracy in zip(
        table.counts, table.confidence, table.accuracy, strict=True
    ):
        if count:
            axes.annotate(
                str(count), (confidence, accuracy), (0, -14), textcoords="offset points",
                ha="center", fontsize=SMALL - 2, color=current().faint,
            )  # fmt: skip


def _draw_confidence(overview: ClassOverview, axes: Axes) -> None:
    """Draw how many points have which confidence."""
    edges = np.linspace(0, 1, BINS + 1)
    for kind, values in overview.confidences.items():
        known = values[np.isfinite(values)]
        if known.size:
            share = np.histogram(known, edges)[0] / known.size
            axes.stairs(share, edges, color=_colour(kind), linewidth=1.5, label=NAMES[kind])
    axes.set(xlim=(1 / overview.ensemble.outputs - 0.02, 1.02), xlabel="confidence")
    axes.set_ylim(0, HEADROOM * axes.get_ylim()[1])
    _title(axes, "How sure it is", "share of the points")
    _key(axes, "upper left")


def _entropies(overview: ClassOverview) -> dict[str, Floats]:
    """Return what is known of entropy over the epochs; of the grid only where nothing else is."""
    kinds = [*overview.scores, *(["ood"] if "ood/entropy" in overview.columns else [])]
    kinds = kinds or ["grid"]
    found = {f"{kind}/{name}": kind for kind in kinds for name in ENTROPIES}
    return {
        tag: overview.columns[tag]
        for tag in found
        if tag in overview.columns and np.isfinite(overview.columns[tag]).any()
    }


def _draw_entropy(overview: ClassOverview, axes: Axes) -> None:
    first = next(iter(_entropies(overview))).partition("/")[0]
    for tag, values in _entropies(overview).items():
        kind, _, name = tag.partition("/")
        label = ENTROPY_NAMES[name]
        if kind != first:
            label += f", {NAMES.get(kind, kind)}"
        _plot(axes, overview, values, ENTROPIES[name], _colour(kind), label)
    axes.set_ylim(bottom=0)
    _title(axes, "Uncertainty over training", "entropy, nats")
    _key(axes, "best")


def _draw_series(overview: ClassOverview, name: str, title: str, unit: str, axes: Axes) -> None:
    for kind, values in _series(overview, name).items():
        _plot(axes, overview, values, "-", _colour(kind), NAMES[kind])
    if name == "accuracy":
        low = axes.get_ylim()[0]
        axes.set_ylim(low, 1 + 0.03 * (1 - low))
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    else:
        axes.set_ylim(bottom=0)
    _title(axes, title, unit)
    if len(overview.scores) > 1:
        _key(axes, "best")


def _told_apart(overview: ClassOverview) -> bool:
    return any(np.isfinite(overview.columns.get(tag, np.nan)).any() for tag in AUROCS)


def _draw_auroc(overview: ClassOverview, axes: Axes) -> None:
    for tag, style in AUROCS.items():
        label = "by entropy" if tag.endswith("_entropy") else "by disagreement"
        _plot(axes, overview, overview.columns[tag], style, _colour("ood"), label)
    axes.axhline(0.5, color=current().faint, linewidth=0.8, linestyle=":")
    axes.set_ylim(min(0.45, axes.get_ylim()[0]), 1.02)
    _title(axes, "Out of distribution told apart", "AUROC")
    _key(axes, "best")


def _plot(
    axes: Axes, overview: ClassOverview, values: Floats, style: str, colour: str, label: str | None
) -> None:
    alone = np.isfinite(values).sum() == 1  # a line needs two points
    axes.plot(
        overview.ensemble.epochs, values, style, marker=DOTS[style] if alone else "",
        color=colour, linewidth=1.5, label=label,
    )  # fmt: skip
    if alone and label:
        place = int(np.flatnonzero(np.isfinite(values))[0])
        axes.annotate(
            f"{values[place]:.3g}", (overview.ensemble.epochs[place], values[place]), (8, 0),
            textcoords="offset points", va="center", fontsize=SMALL - 1, color=current().faint,
        )  # fmt: skip
    whole_epochs(axes)
    first, last = overview.ensemble.epochs[[0, -1]]
    axes.set_xlim(first - 0.5, last + 0.5)


def _title(axes: Axes, title: str, unit: str) -> None:
    axes.set_title(title, loc="left", fontsize=SMALL + 1, color=current().ink)
    axes.set_ylabel(unit)


def _key(axes: Axes, place: Literal["upper left", "best"]) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=SMALL - 1, loc=place)
