"""The still picture of an ensemble's scores: over the epochs, and of the last one."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from epochord.renderers.ensemble.captions import lost
from epochord.renderers.ensemble.contraction_panel import draw_contraction, why_no_contraction
from epochord.renderers.ensemble.figure import whole_epochs
from epochord.renderers.ensemble.look import current, ink
from epochord.renderers.ensemble.overview import Overview
from epochord.renderers.ensemble.scores import LEVELS, PERCENTS, PIT_BINS, Scores
from epochord.renderers.ensemble.sheet import panels, plain, sheet
from epochord.renderers.ensemble.statistics import LEAST_MEMBERS

__all__ = ["scores_still"]

Floats = npt.NDArray[np.floating[Any]]
Panel = Callable[[Axes], None]

COLUMNS = 4
KINDS = {"held_out": "held-out points", "out_of_bag": "out of bag"}
COVERAGE_STYLES = dict(zip(PERCENTS, (":", "--", "-"), strict=True))
SD_STYLES = {
    "sharpness": ("-", "predictive sd"),
    "epistemic": ("--", "epistemic sd"),
    "aleatoric": (":", "aleatoric sd"),
}
DOTS = {"-": "o", "--": "D", ":": "s"}  # of a single epoch
ROOM = 1.15  # above and below what is seen of a curve
OVER = 0.06  # of the range, so that nothing is cut by its top
BEFORE = 0.9  # of the epochs: the last ones, whose values a score's axis holds
SHORT_OF = 0.03  # of nominal: a coverage that so many members cannot show is no reference
SMALL = 9.0  # points


def scores_still(overview: Overview) -> Figure:
    """Draw how good the predictions were; what cannot be said is said in words.

    Parameters
    ----------
    overview : Overview
        The run.
    """
    figure = sheet(overview.ensemble, _findings(overview))
    drawn, reasons = _panels(overview)
    if not drawn:
        figure.text(0.5, 0.5, "\n".join(reasons), ha="center", va="center", color=ink())
        return figure
    for axes, draw in zip(panels(figure, len(drawn), COLUMNS, below=True), drawn, strict=True):
        plain(axes)
        axes.tick_params(labelsize=SMALL - 1)
        draw(axes)
        axes.xaxis.label.set_fontsize(SMALL)
        axes.yaxis.label.set_fontsize(SMALL)
    _explain(figure, overview, reasons)
    return figure


def _explain(figure: Figure, overview: Overview, reasons: list[str]) -> None:
    """Say below the panels which colour is which, and what the noise is."""
    scored = [kind for kind in overview.scores if _scored(overview, kind)]
    said = "; ".join([*([str(overview.noise)] if scored else []), *reasons])
    figure.text(0.985, 0.035, said, ha="right", va="center", fontsize=SMALL, color=ink())
    if not scored:
        return
    keys = [Line2D([], [], color=_colour(kind), label=KINDS[kind]) for kind in scored]
    alone = len(overview.ensemble.epochs) == 1
    keys += [
        Line2D([], [], color=ink(), ls=style, marker=DOTS[style] if alone else "", label=label)
        for style, label in SD_STYLES.values()
    ]
    figure.legend(
        handles=keys, loc="center left", bbox_to_anchor=(0.055, 0.035), ncols=len(keys),
        frameon=False, fontsize=SMALL,
    )  # fmt: skip


def _findings(overview: Overview) -> str:
    inside, outside, around = (
        float(each[-1]) for each in (overview.inside, overview.outside, overview.spread)
    )
    said = [f"sd {around:.3g}"] if np.isfinite(around) else []
    if np.isfinite([inside, outside]).all():
        said = [f"members' sd {inside:.3g} inside the data, {outside:.3g} outside"]
    gone = lost(int(overview.missing[-1]), overview.ensemble.members)
    said += [f"{gone} at the end"] if gone else []
    return ", ".join(said) or "scores"


def _panels(overview: Overview) -> tuple[list[Panel], list[str]]:
    """Return what draws each panel that has something to show, and why others have nothing."""
    found: list[Panel] = []
    if any(_scored(overview, kind) for kind in overview.scores):
        over_epochs = (_draw_nll, _draw_crps, _draw_spread_skill, _draw_coverage, _draw_sds)
        found += [partial(draw, overview) for draw in over_epochs]
    last = {kind: rows[-1] for kind, rows in overview.scores.items() if np.isfinite(rows[-1].crps)}
    if last:
        found += [partial(draw, overview, last) for draw in (_draw_calibration, _draw_pit)]
    reasons = [] if found else [_why_no_scores(overview)]
    if why := why_no_contraction(overview):
        reasons.append(why)
    else:
        found.append(partial(draw_contraction, overview))
    return found, reasons


def _scored(overview: Overview, kind: str) -> bool:
    return any(np.isfinite(row.crps) for row in overview.scores[kind])


def _column(overview: Overview, kind: str, name: str) -> Floats:
    return np.array([getattr(row, name) for row in overview.scores[kind]], np.float64)


def _why_no_scores(overview: Overview) -> str:
    if not overview.scores:
        return "no scores: the log has neither held-out points nor a bootstrap"
    if overview.ensemble.members < LEAST_MEMBERS:
        return "no scores: they take two members or more, and this ensemble has one"
    return "no scores: at no held-out or out-of-bag point are two predictions finite"


def _draw_series(
    overview: Overview, axes: Axes, name: str, style: str = "-", width: float = 1.5
) -> list[Floats]:
    """Draw a score over the epochs for each kind of points; return what was drawn."""
    drawn = []
    for kind in overview.scores:
        values = _column(overview, kind, name)
        if np.isfinite(values).any():
            _plot(axes, overview, values, style, kind, width)
            drawn.append(values)
    whole_epochs(axes)
    return drawn


def _plot(
    axes: Axes, overview: Overview, values: Floats, style: str, kind: str, width: float = 1.5
) -> None:
    dot = DOTS[style] if np.isfinite(values).sum() == 1 else ""  # a line needs two points
    axes.plot(
        overview.ensemble.epochs, values, style, marker=dot, color=_colour(kind), linewidth=width
    )


def _title(axes: Axes, title: str, y: str, x: str = "") -> None:
    axes.set_title(title, loc="left", fontsize=SMALL + 1, color=ink())
    axes.set_ylabel(y)
    if x:
        axes.set_xlabel(x)


def _settle(axes: Axes, drawn: list[Floats], *, least: float | None = None) -> None:
    """Choose a range that holds what curves become; a bad beginning may leave it at the top."""
    late = np.concatenate([values[-max(round(BEFORE * len(values)), 1) :] for values in drawn])
    late = late[np.isfinite(late)]
    low, high = float(late.min()), float(late.max())
    room = (ROOM - 1) * (high - low) or 0.1
    bottom = low - room if least is None else least
    axes.set_ylim(bottom, high + max(room, OVER * (high - bottom)))


def _draw_nll(overview: Overview, axes: Axes) -> None:
    _settle(axes, _draw_series(overview, axes, "nll"))
    _title(axes, "Negative log-likelihood", "nats (lower is better)")


def _draw_crps(overview: Overview, axes: Axes) -> None:
    """Draw the fair score; points out of bag have fewer members, which the plain one punishes."""
    drawn = _draw_series(overview, axes, "fair_crps")
    drawn += _draw_series(overview, axes, "crps", ":", 1.0)
    _settle(axes, drawn, least=min(0.0, min(float(np.nanmin(each)) for each in drawn)))
    _title(axes, "CRPS, fair (plain: dotted)", "unit of y (lower is better)")


def _draw_spread_skill(overview: Overview, axes: Axes) -> None:
    drawn = _draw_series(overview, axes, "spread_skill")
    _settle(axes, [*drawn, np.ones(1)], least=0.0)
    axes.axhline(1, color=ink(), linewidth=0.8, linestyle=":")
    _title(axes, "Spread over error of the mean", "ratio (below 1: too sure)")


def _draw_sds(overview: Overview, axes: Axes) -> None:
    drawn = [
        each
        for name, (style, _) in SD_STYLES.items()
        for each in _draw_series(overview, axes, name, style)
    ]
    _settle(axes, drawn, least=0.0)
    _title(axes, "Sharpness: predicted sd", "unit of y")


def _draw_coverage(overview: Overview, axes: Axes) -> None:
    """Draw the shares in the style of their nominal levels, which are labelled at the right."""
    for kind in overview.scores:
        curves = _column(overview, kind, "coverage").T
        for values, style in zip(curves, COVERAGE_STYLES.values(), strict=True):
            if np.isfinite(values).any():
                _plot(axes, overview, values, style, kind)
    for percent, style in COVERAGE_STYLES.items():
        reached = _reached(overview, percent)
        if reached is None:
            axes.axhline(percent / 100, color=ink(), linewidth=1.0, linestyle=style, alpha=0.6)
        label = f"{percent} %" if reached is None else f"{percent} %:\n≤ {100 * reached:.0f}"
        axes.text(
            1.01, percent / 100, label, transform=axes.get_yaxis_transform(),
            va="center", fontsize=SMALL - 2, color=ink(),
        )  # fmt: skip
    axes.set_ylim(0, 1.02)
    _title(axes, "Coverage of central intervals", "share of targets inside")
    whole_epochs(axes)


def _reached(overview: Overview, percent: int) -> float | None:
    """Return what coverage these members could show at most, if that is less than nominal."""
    place = PERCENTS.index(percent)
    shares = [reach[place] for reach in overview.reach.values() if np.isfinite(reach[place])]
    most = max(shares, default=1.0)
    return most if most < percent / 100 - SHORT_OF else None


def _draw_calibration(overview: Overview, last: dict[str, Scores], axes: Axes) -> None:
    nominal = [0, *LEVELS, 100]
    for kind, scores in last.items():
        observed = [0, *(100 * share for share in scores.calibration), 100]
        axes.plot(nominal, observed, "-", marker=".", color=_colour(kind), linewidth=1.5)
    end = max((p for p in PERCENTS if _reached(overview, p) is None), default=0)
    if end:  # as far as so many members can show it
        end = 100 if end == max(PERCENTS) else end
        axes.plot([0, end], [0, end], color=ink(), linewidth=0.8, linestyle=":")
    axes.set(xlim=(0, 100), ylim=(0, 102))
    _title(axes, "Calibration (below line: too sure)", "observed coverage, %",
           "nominal coverage, %")  # fmt: skip


def _draw_pit(overview: Overview, last: dict[str, Scores], axes: Axes) -> None:
    width = 0.8 / len(last) / PIT_BINS
    for place, (kind, scores) in enumerate(last.items()):
        at = np.arange(PIT_BINS) / PIT_BINS + (place + 0.5) * width + 0.1 / PIT_BINS
        axes.bar(at, scores.pit, width, color=_colour(kind))
    if _reached(overview, max(PERCENTS)) is None:
        axes.axhline(1 / PIT_BINS, color=ink(), linewidth=0.8, linestyle=":")
    axes.set_xlim(0, 1)
    _title(axes, "PIT histogram (flat if calibrated)", "share of targets",
           "probability predicted below the target")  # fmt: skip


def _colour(kind: str) -> str:
    return current().runs[list(KINDS).index(kind)]
