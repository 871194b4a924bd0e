"""Whole pictures: two sounds and their difference, features, several sounds, distances."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.comparison.listening import FEATURES, HEARD_DB, Heard
from epochord.renderers.comparison.matrix import Matrix
from epochord.renderers.comparison.pairs import Pair
from epochord.renderers.comparison.panels import (
    COLOURS,
    INK,
    NOTHING,
    draw_curve,
    draw_difference,
    draw_lines,
    draw_series,
    draw_spectrogram,
    is_signed,
    mark,
    plain,
    say_steps,
)
from epochord.renderers.comparison.series import FARTHEST, SeriesDifference

__all__ = [
    "Setting",
    "farthest",
    "features_figure",
    "matrix_figure",
    "overview_figure",
    "pair_figure",
]

DPI = 100
WIDTH = 12.0  # inches
SOUND, CURVE, ROW = 1.75, 1.1, 0.26  # inches: of a spectrogram, of lines, of a series
MOST_SERIES = 14
MOST_SOUNDS = 8
RANGE_DB = 80.0  # below the loudest band of all
FEW_FACTORS = [0.4, 0.6, 1.0, 1.6, 2.5]
NUMBERS = 12  # a larger matrix has colours only
LINE_CHARACTERS = 168
LEFT, RIGHT = 0.115, 0.925  # of the width
LINE, BETWEEN, BOTTOM, LEGEND, CAPTION = 0.165, 0.36, 0.75, 0.19, 0.25  # inches
MOST_SAID = 7  # sentences above a picture


@dataclass(frozen=True)
class Setting:
    """What all pictures of one comparison share.

    Parameters
    ----------
    axis : Axis
        Steps, if there are any.
    hop : float
        Seconds from frame to frame.
    end : float
        Of the longest sound, in seconds.
    limits : (float, float)
        dB of the darkest and the brightest colour.
    threshold : float
        In dB.
    caption : str
        How the sounds were made.
    """

    axis: Axis
    hop: float
    end: float
    limits: tuple[float, float]
    threshold: float
    caption: str

    @classmethod
    def of(
        cls, heard: Sequence[Heard], axis: Axis, hop: float, threshold: float, caption: str
    ) -> "Setting":
        """Choose limits that hold for all sounds."""
        top = float(np.ceil(max(each.decibels.max() for each in heard)))
        top = max(top, HEARD_DB + 40)
        limits = (max(top - RANGE_DB, HEARD_DB), top)
        end = max(each.duration for each in heard)
        return cls(axis, hop, max(end, hop), limits, threshold, caption)


def pair_figure(
    one: Heard, other: Heard, pair: Pair, setting: Setting, said: Sequence[str] = ()
) -> Figure:
    """Draw two sounds, their difference, and the ratios of what was logged."""
    series = farthest(pair.series)
    heights = [SOUND, SOUND, SOUND, CURVE] + ([ROW * max(2, len(series))] if series else [])
    title = f"{plain(one.name, 50)} and {plain(other.name, 50)}"
    legend = 2 if series else 0
    figure, panels, sides = _stacked(heights, title, said[:MOST_SAID], setting, legend=legend)
    first = draw_spectrogram(panels[0], one, setting.hop, setting.limits)
    draw_spectrogram(panels[1], other, setting.hop, setting.limits)
    _bar(figure, first, sides[0], "dB")
    second = draw_difference(panels[2], one, other, pair.sound, setting.hop)
    _bar(figure, second, sides[2], "dB")
    draw_curve(panels[3], pair.sound, setting.hop, setting.threshold)
    if series:
        heading = _heading(series, len(pair.series), plain(one.name, 32), plain(other.name, 32))
        colours = draw_series(panels[4], series, setting.axis, setting.end, heading)
        _ratio_bar(figure, colours, sides[4], signed=all(map(is_signed, series)))
        _legend(figure, panels[4], 3)
    for side in (sides[1], sides[3]):
        side.remove()
    if pair.sound.first is not None:
        for number, panel in enumerate(panels[:4]):
            mark(panel, pair.sound.first.time, dark=number < 2)
    return _finished(figure, panels, setting)


def farthest(series: Sequence[SeriesDifference], most: int = MOST_SERIES) -> list[SeriesDifference]:
    """Return at most so many series, those that are farthest apart, in their order."""

    def far(place: int) -> tuple[float, int]:
        each = series[place]
        unknown = FARTHEST if each.apart.any() else 0.0  # never finite in either
        return (unknown if each.distance is None else each.distance, int(each.apart.sum()))

    chosen = sorted(range(len(series)), key=far, reverse=True)[:most]
    return [series[place] for place in sorted(chosen)]


def _heading(shown: Sequence[SeriesDifference], total: int, a: str, b: str) -> str:
    what = "logged values"
    if len(shown) < total:
        what = f"{len(shown)} of {total} series, those that are farthest apart"
    if all(map(is_signed, shown)):
        return f"{what}: {b} minus {a} on an axis of sign(x) log10(1 + |x| / median |x|)"
    return f"{what}: {b} over {a}"


def features_figure(heard: Sequence[Heard], setting: Setting) -> Figure:
    """Draw the spectral features of up to seven sounds."""
    shown = heard[: len(COLOURS)]
    title = "Spectral features" + (
        "" if len(shown) == len(heard) else f" of the first {len(shown)}"
    )
    columns = _columns([each.name for each in shown])
    figure, panels, sides = _stacked(
        [CURVE * 1.3] * len(FEATURES), title, (), setting, legend=-(-len(shown) // columns)
    )
    for panel, side, (name, unit) in zip(panels, sides, FEATURES.items(), strict=True):
        side.remove()
        draw_lines(panel, [(each.name, each.feature(name)) for each in shown], setting.hop)
        panel.set_title(name.replace("_", " "), loc="left", fontsize=9.5, color=INK, pad=3)
        panel.set_ylabel(unit)
        if name == "flatness":
            panel.set_yscale("log")
    _legend(figure, panels[0], columns)
    return _finished(figure, panels, setting)


def overview_figure(
    heard: Sequence[Heard], pairs: Sequence[Pair], setting: Setting, said: Sequence[str] = ()
) -> Figure:
    """Draw several sounds below each other, and how far each is from the first."""
    shown = heard[:MOST_SOUNDS]
    heights = [SOUND * 0.8] * len(shown) + [CURVE * 1.5]
    more = "" if len(shown) == len(heard) else f" (the first {len(shown)} of {len(heard)})"
    title = f"{len(heard)} {'runs' if setting.axis else 'audio files'}{more}"
    others = [pair for pair in pairs if pair.one == 0][: len(COLOURS)]
    columns = _columns([pair.b for pair in others])
    figure, panels, sides = _stacked(
        heights, title, said[:MOST_SAID], setting, legend=-(-len(others) // columns)
    )
    images = [
        draw_spectrogram(panel, each, setting.hop, setting.limits)
        for panel, each in zip(panels, shown, strict=False)
    ]
    _bar(figure, images[0], sides[0], "dB")
    for side in sides[1:]:
        side.remove()
    draw_lines(panels[-1], [(pair.b, pair.sound.curve) for pair in others], setting.hop)
    panels[-1].axhline(setting.threshold, color=INK, linewidth=0.8, linestyle="--")
    panels[-1].set(ylim=(0, None), ylabel="dB")
    text = (
        f"difference of each frame from {plain(heard[0].name)} (dashed: {setting.threshold:g} dB)"
    )
    panels[-1].set_title(text, loc="left", fontsize=9.5, color=INK, pad=3)
    _legend(figure, panels[-1], columns)
    return _finished(figure, panels, setting)


def matrix_figure(matrix: Matrix) -> Figure:
    """Draw how far each is from each."""
    parts = matrix.parts
    size = 2.6 + 0.42 * max(4, len(matrix.names))
    figure = Figure(figsize=(size * len(parts) + 1, size), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (title, unit, values) in zip(
        figure.subplots(1, len(parts), squeeze=False)[0], parts, strict=True
    ):
        image = axes.imshow(values, cmap="cividis", vmin=0)
        axes.set_facecolor(NOTHING)
        names = [plain(name, 24) for name in matrix.names]
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right", fontsize=8)
        axes.set_yticks(range(len(names)), names, fontsize=8)
        grey = " (grey: nothing in common)" if np.isnan(values).any() else ""
        axes.set_title(f"{title}{grey}", loc="left", fontsize=10, color=INK)
        figure.colorbar(image, ax=axes, label=unit, shrink=0.8)
        if len(names) <= NUMBERS:
            _write_numbers(axes, values)
    return figure


def _write_numbers(axes: Axes, values: Any) -> None:
    middle = np.nanmax(values, initial=0.0) / 2
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            colour = "white" if value <= middle else "black"
            text = f"{value:.3g}" if value else "0"
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)


def _stacked(
    heights: Sequence[float], title: str, said: Sequence[str], setting: Setting, legend: int = 0
) -> tuple[Figure, list[Axes], list[Axes]]:
    """Make panels below each other, all of one width, each with room for a colour bar."""
    lines = [line for each in said for line in textwrap.wrap(plain(each, 500), LINE_CHARACTERS)]
    top = 0.75 + LINE * len(lines) + (0.4 if setting.axis else 0)
    bottom = BOTTOM + LEGEND * legend
    total = sum(heights) + BETWEEN * (len(heights) - 1) + top + bottom
    figure = Figure(figsize=(WIDTH, total), dpi=DPI)
    FigureCanvasAgg(figure)
    panels, sides = [], []
    y = total - top
    for height in heights:
        y -= height
        panels.append(figure.add_axes((LEFT, y / total, RIGHT - LEFT, height / total)))
        sides.append(figure.add_axes((RIGHT + 0.01, y / total, 0.012, height / total)))
        y -= BETWEEN
    for panel in panels[1:]:
        panel.sharex(panels[0])
    figure.text(0.02, 1 - 0.12 / total, title, fontsize=13, color=INK, va="top")
    text: dict[str, Any] = {"fontsize": 8.5, "va": "top", "linespacing": 1.35}
    figure.text(0.02, 1 - 0.43 / total, "\n".join(lines), color=INK, **text)
    figure.text(0.02, 0.1 / total, setting.caption, fontsize=7.5, color="#777777", va="bottom")
    return figure, panels, sides


def _finished(figure: Figure, panels: Sequence[Axes], setting: Setting) -> Figure:
    say_steps(panels[-1], setting.axis, setting.end, above=panels[0])
    for panel in panels[:-1]:
        panel.tick_params(labelbottom=False)
    for panel in panels:
        panel.tick_params(labelsize=8)
        panel.yaxis.label.set_fontsize(8)
    panels[-1].xaxis.label.set_fontsize(9)
    return figure


def _legend(figure: Figure, panel: Axes, columns: int) -> None:
    """Name the lines below the lowest panel."""
    handles, labels = panel.get_legend_handles_labels()
    place = (0.02, CAPTION / figure.get_figheight())
    figure.legend(
        handles, labels, loc="lower left", bbox_to_anchor=place, ncols=columns, frameon=False,
        fontsize=8.5,
    )  # fmt: skip


def _columns(names: Sequence[str]) -> int:
    """Return how many names fit beside each other in a legend."""
    widest = max(len(plain(name, 40)) for name in names)
    return max(1, min(len(names), LINE_CHARACTERS // (widest + 10)))


def _bar(figure: Figure, image: Any, side: Axes, label: str) -> None:
    bar = figure.colorbar(image, cax=side)
    bar.ax.tick_params(labelsize=8)
    bar.set_label(label, fontsize=8)


def _ratio_bar(figure: Figure, colours: Any, side: Axes, *, signed: bool) -> None:
    """Label the colours with factors, or with differences where there is no ratio."""
    bar = figure.colorbar(colours, cax=side)
    most = colours.norm.vmax
    factors = [10.0**n for n in range(round(-most), round(most) + 1)] if most >= 1 else FEW_FACTORS
    labels = [f"{np.log10(each):+.2g}" if signed else f"×{each:g}" for each in factors]
    bar.set_ticks(list(np.log10(factors)), labels=labels)
    bar.ax.tick_params(labelsize=8)
