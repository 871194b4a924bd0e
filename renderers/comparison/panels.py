"""The parts of the pictures: each draws one thing on axes whose x is the time of the sound."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.comparison.condense import extremes, pooled
from epochord.renderers.comparison.difference import SoundDifference, decibel_difference
from epochord.renderers.comparison.listening import Heard
from epochord.renderers.comparison.names import shortened
from epochord.renderers.comparison.series import FARTHEST, SeriesDifference
from epochord.runlog.run.run import GRAD_NORM

__all__ = [
    "COLOURS",
    "INK",
    "NOTHING",
    "draw_curve",
    "draw_difference",
    "draw_lines",
    "draw_series",
    "draw_spectrogram",
    "is_signed",
    "mark",
    "plain",
    "say_steps",
]

COLUMNS = 1600  # more would not be seen
POINTS = 2000
SOUND_MAP, SIGNED_MAP = "magma", "RdBu_r"
INK, LINE, ALARM = "#333333", "#0072B2", "#D55E00"  # Okabe and Ito, Color Universal Design (2008)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
NOTHING, NEITHER, ASTRAY = "#E4E4E4", "#9A9A9A", "#000000"
HATCH = "////"
SIGNED = (
    "± has negative values: ×10 stands for a difference of 1 in sign(x) log10(1 + |x| / median |x|)"
)
FREQUENCIES = (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)  # Hz
LEAST_RISE = 0.09  # of the height, between the labels of two frequencies
LEAST_GAP = 0.04  # of the width, between the labels of two steps


def plain(text: str, most: int = 60) -> str:
    """Return a name as text for matplotlib: never mathematics, never too long."""
    return shortened(text, most).replace("$", r"\$")


def draw_spectrogram(
    axes: Axes, heard: Heard, hop: float, limits: tuple[float, float]
) -> AxesImage:
    """Draw a mel spectrogram between so many dB."""
    image = _image(axes, pooled(heard.decibels, COLUMNS), heard, hop)
    image.set(cmap=SOUND_MAP, clim=limits)
    _title(axes, plain(heard.name))
    return image


def draw_difference(
    axes: Axes, one: Heard, other: Heard, sound: SoundDifference, hop: float
) -> AxesImage:
    """Draw how much louder the other is in each band, where both are there."""
    difference = decibel_difference(one.decibels, other.decibels)
    difference[:, np.isnan(sound.curve)] = 0
    image = _image(axes, pooled(difference, COLUMNS, "extreme"), one, hop)
    most = max(1.0, float(np.ceil(np.abs(difference).max())))
    image.set(cmap=SIGNED_MAP, clim=(-most, most))
    a, b = plain(one.name, 32), plain(other.name, 32)
    _title(axes, f"{b} minus {a}: red is louder in {b}")
    return image


def draw_curve(axes: Axes, sound: SoundDifference, hop: float, threshold: float) -> None:
    """Draw the difference of each frame, and where it is beyond the threshold."""
    place = extremes(sound.curve, POINTS)
    times, values = place * hop, sound.curve[place]
    axes.plot(times, values, color=LINE, linewidth=1)
    axes.axhline(threshold, color=INK, linewidth=0.8, linestyle="--")
    axes.fill_between(
        times, threshold, values, where=values > threshold, color=ALARM, alpha=0.35, linewidth=0
    )
    axes.set_ylim(0, max(float(np.nanmax(values)), threshold) * 1.15)
    axes.set_ylabel("dB")
    _title(axes, _said_of_curve(sound, threshold))
    axes.spines[["top", "right"]].set_visible(False)


def _said_of_curve(sound: SoundDifference, threshold: float) -> str:
    if sound.first is None:
        return f"difference of each frame; never more than {threshold:g} dB (dashed)"
    step = "" if sound.first.step is None else f"step {sound.first.step}, "
    return (
        f"difference of each frame; more than {threshold:g} dB (dashed) from "
        f"{step}{sound.first.time:.2f} s, for {sound.seconds:.2f} s in all"
    )


def draw_lines(
    axes: Axes, rows: Sequence[tuple[str, npt.NDArray[np.floating[Any]]]], hop: float
) -> None:
    """Draw a row of numbers of each of several sounds."""
    for number, (name, values) in enumerate(rows):
        place = extremes(values, POINTS)
        colour = COLOURS[number % len(COLOURS)]
        # The first ones stay visible below the others.
        width = 1.8 if number == 0 and len(rows) > 1 else 1.0
        axes.plot(place * hop, values[place], color=colour, linewidth=width, label=plain(name, 40))
    axes.spines[["top", "right"]].set_visible(False)


def draw_series(
    axes: Axes, series: Sequence[SeriesDifference], axis: Axis, end: float, title: str
) -> ScalarMappable:
    """Draw the ratio of logged values, a row a tag; return what a colour bar needs.

    What other colours mean is among the axes' handles for a legend.
    """
    edges = np.linspace(0, end, COLUMNS + 1)
    rows = np.stack([_columns(each, axis, edges) for each in series])
    most = next((m for m in (0.5, 1.0, 2.0) if np.nanmax(np.abs(rows), initial=0) <= m), FARTHEST)
    colours = ScalarMappable(Normalize(-most, most), SIGNED_MAP)
    picture = colours.to_rgba(np.nan_to_num(rows))
    picture[np.isnan(rows), 3] = 0  # what is behind shows
    astray, neither = np.stack([_not_finite(each, axis, edges) for each in series], axis=1)
    picture[neither], picture[astray] = _rgba(NEITHER), _rgba(ASTRAY)
    axes.imshow(
        picture, extent=(0, end, len(series) - 0.5, -0.5), aspect="auto", interpolation="nearest"
    )
    axes.patch.set(facecolor="#FFFFFF", edgecolor=NOTHING, hatch=HATCH, linewidth=0)
    signed = _name_rows(axes, series)
    beyond = f"; darkest: {10**FARTHEST:.0f} times and beyond, or zero" if most == FARTHEST else ""
    _title(axes, f"{title}{beyond}")
    blank = np.isnan(rows) & ~astray & ~neither
    _explain(axes, astray.any(), neither.any(), blank.any(), signed)
    return colours


def _name_rows(axes: Axes, series: Sequence[SeriesDifference]) -> bool:
    """Label the rows; tell whether some, but not all, are of series with negative values."""
    signed = [is_signed(each) for each in series]
    mixed = any(signed) and not all(signed)
    labels = [
        ("± " if mixed and sign else "") + plain(each.tag.removeprefix(GRAD_NORM), 20)
        for each, sign in zip(series, signed, strict=True)
    ]
    axes.set_yticks(range(len(series)), labels)
    axes.set_ylim(len(series) - 0.5, -0.5)
    for border in range(1, len(series)):
        axes.axhline(border - 0.5, color="white", linewidth=1.5)
    return mixed


def _explain(axes: Axes, *there: bool) -> None:
    """Add a handle for each thing that is to be seen: what its colour or its sign means."""
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("black: apart, and not both finite", {"facecolor": ASTRAY}),
        ("grey: the same in both, and not finite", {"facecolor": NEITHER}),
        ("not in both logs", {"facecolor": "#FFFFFF", "edgecolor": NOTHING, "hatch": HATCH}),
        (SIGNED, {"alpha": 0}),
    ]
    for (label, kind), is_there in zip(kinds, there, strict=True):
        if is_there:
            axes.add_patch(Rectangle((0, 0), 0, 0, label=label, **kind))


def is_signed(series: SeriesDifference) -> bool:
    """Tell whether there are negative values, of which no ratio is drawn."""
    return any(bool((x[np.isfinite(x)] < 0).any()) for x in (series.one, series.other))


def _columns(each: SeriesDifference, axis: Axis, edges: npt.NDArray[np.float64]) -> Any:
    """Return the extreme of each column of the picture; NaN where nothing is shared."""
    values = np.nan_to_num(each.decades)
    high = _reduced(np.maximum, values, each, axis, edges)
    low = _reduced(np.minimum, values, each, axis, edges)
    found = np.where(high >= -low, high, low)
    return np.where(_there(each, axis, edges), found, np.nan)


def _not_finite(
    each: SeriesDifference, axis: Axis, edges: npt.NDArray[np.float64]
) -> tuple[Any, Any]:
    """Return the columns with values apart, not both finite, and those with only such as equal."""
    one, other = each.one, each.other
    finite = np.isfinite(one) & np.isfinite(other)
    equal = (one == other) | (np.isnan(one) & np.isnan(other))
    apart = _reduced(np.maximum, (~finite & ~equal).astype(np.float64), each, axis, edges) > 0
    same = _reduced(np.maximum, (finite | ~equal).astype(np.float64), each, axis, edges) == 0
    there = _there(each, axis, edges)
    return apart & there, same & there


def _there(each: SeriesDifference, axis: Axis, edges: npt.NDArray[np.float64]) -> Any:
    """Return the columns from the first step on until the frames of the last one are over."""
    first, last = each.steps[[0, -1]]
    end = np.searchsorted(axis.steps, last, side="right") * axis.frame
    return (edges[1:] > axis.times(first)) & (edges[:-1] < end)


def _reduced(
    how: np.ufunc,
    values: npt.NDArray[np.float64],
    each: SeriesDifference,
    axis: Axis,
    edges: npt.NDArray[np.float64],
) -> Any:
    """Reduce what holds or begins within each column."""
    times = axis.times(each.steps)
    start = np.maximum(np.searchsorted(times, edges[:-1], side="right") - 1, 0)
    stop = np.maximum(np.searchsorted(times, edges[1:], side="left"), start + 1)
    padded = np.append(values, 0.0)  # so that a stop may be the end
    return how.reduceat(padded, np.stack([start, stop], axis=1).ravel())[::2]


def mark(axes: Axes, time: float, *, dark: bool) -> None:
    """Mark the moment at which two sounds part."""
    axes.axvline(time, color="#FFFFFF" if dark else ALARM, linewidth=1.2, linestyle=(0, (4, 2)))


def say_steps(axes: Axes, axis: Axis, end: float, *, above: Axes) -> None:
    """Label the lowest panel with steps and the highest one with seconds; or only with seconds."""
    axes.set_xlim(0, end)
    if not axis:
        axes.set_xlabel("time, s")
        return
    first, last = int(axis.steps[0]), int(axis.steps[-1])
    ticks = MaxNLocator(nbins=12, integer=True).tick_values(first, max(last, first + 1))
    steps = np.unique(np.asarray(ticks).round().astype(np.int64))
    steps = steps[(steps >= first) & (steps <= last)]
    kept: list[int] = []
    places: list[float] = []
    for step, place in zip(steps, axis.times(steps), strict=True):
        if not places or place - places[-1] >= LEAST_GAP * end:
            kept.append(int(step))
            places.append(float(place))
    axes.set_xticks(places, [f"{step}" for step in kept])
    axes.set_xlabel("step")
    seconds = above.secondary_xaxis("top")
    seconds.set_xlabel("time, s", fontsize=8)
    seconds.tick_params(labelsize=8)
    seconds.xaxis.set_major_locator(MaxNLocator(nbins=12, steps=[1, 2, 5, 10]))


def _image(axes: Axes, picture: npt.NDArray[Any], heard: Heard, hop: float) -> AxesImage:
    bands = len(picture)
    end = (heard.decibels.shape[1] - 0.5) * hop
    image = axes.imshow(
        picture, origin="lower", aspect="auto", interpolation="nearest",
        extent=(-hop / 2, end, -0.5, bands - 0.5),
    )  # fmt: skip
    low, high = heard.frequencies[[0, -1]]
    places: list[float] = []
    labels: list[str] = []
    for hz in FREQUENCIES:
        place = float(np.interp(hz, heard.frequencies, np.arange(bands)))
        if low <= hz <= high and (not places or place - places[-1] > LEAST_RISE * bands):
            places.append(place)
            labels.append(f"{hz // 1000}k" if hz >= 1000 else f"{hz}")
    axes.set_yticks(places, labels)
    axes.set_ylabel("Hz")
    axes.set_facecolor(NOTHING)
    return image


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=9.5, color=INK, pad=3)


def _rgba(colour: str) -> tuple[float, float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, 1.0
