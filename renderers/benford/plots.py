"""Bars of digits beside their law, one panel a subject on one scale, and a table of the numbers."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from epochord.renderers.benford.look import (
    BASELINES,
    CHANCE,
    FAINT,
    INK,
    LAW,
    OBSERVED,
    QUIET,
    SMALL,
    as_text,
    bare,
    new_figure,
    shortened,
)
from epochord.renderers.benford.outcomes import CountStatistics
from epochord.renderers.benford.sentences import LITTLE_MASS, points
from epochord.renderers.benford.subject import Subject
from epochord.renderers.benford.table import Table

__all__ = ["digits_figure"]

COLUMNS = 4
PANEL, ALONE, WIDE = (2.9, 2.4), (5.6, 4.0), (9.0, 2.6)  # inches; wide are those of 90 digits
LEFT, TOP, BOTTOM, BESIDE = 0.75, 0.62, 0.3, 0.2  # inches around the panels
KEYS = 0.3  # inches of a line of the legend, above the panels
LETTER, LINE, KEY = 0.075, 0.16, 2.4  # inches of a letter, a line, and a key of the legend
WITHIN = 0.84  # of a panel is its frame
NAMES, TICKS = 0.48, 0.42  # inches above and below a frame
TITLE = 38  # characters
HEADROOM = 1.08
BAR = 0.8
EXPECTED = "expected by the model"
NORMAL_95 = 1.96


def digits_figure(subjects: Sequence[Subject], heading: str, below: str = "") -> Figure:
    """Draw the shares of digits of each subject, on one scale, and their numbers in a table.

    Parameters
    ----------
    subjects : sequence of Subject
        One or more, of one digit.
    heading : str
        Above all of them.
    below : str
        What the numbers come to, in a line below the heading.
    """
    table, (wide, high), columns = _table(subjects), *_shape(subjects)
    rows = -(-len(subjects) // columns)
    across, down = LEFT + wide * columns + BESIDE, high * rows
    beneath = rows > 1  # panels in a block have room for the table below them
    width = max(across, LEFT + table.width) if beneath else across + table.width
    lines = textwrap.wrap(below, int(width / LETTER))
    top = TOP + LINE * len(lines) + KEYS
    height = down + BESIDE + table.height if beneath else max(down, table.height)
    figure = new_figure(width, top + height + BOTTOM)
    highest, pale = _highest(subjects), _are_pale(subjects)
    for place, subject in enumerate(subjects):
        row, column = divmod(place, columns)
        axes = _frame(figure, LEFT + wide * column, top + high * row, wide, high)
        _draw(axes, subject, highest, pale[place])
        if column == 0:
            axes.set_ylabel("share", fontsize=8, color=INK)
        else:
            axes.set_yticklabels([])
        if place + columns >= len(subjects):
            axes.set_xlabel(subject.digit.words, fontsize=8, color=INK)
    _say_around(figure, heading, lines, top)
    begins = (LEFT, height + BOTTOM - down - BESIDE) if beneath else (across, height + BOTTOM - 0.1)
    table.draw(figure, *begins)
    return figure


def _shape(subjects: Sequence[Subject]) -> tuple[tuple[float, float], int]:
    """Return the size of a panel, in inches, and how many stand in a row."""
    if len(subjects[0].digit.law) > 10:
        return WIDE, 1
    return (PANEL, min(COLUMNS, len(subjects))) if len(subjects) > 1 else (ALONE, 1)


def _frame(figure: Figure, left: float, down: float, wide: float, high: float) -> Axes:
    """Add a panel's axes, with room for a name above and for ticks below."""
    width, height = figure.get_size_inches()
    inner = high - NAMES - TICKS
    bottom = height - down - NAMES - inner
    place = left / width, bottom / height, wide * WITHIN / width, inner / height
    return figure.add_axes(place)


def _table(subjects: Sequence[Subject]) -> Table:
    """Return the numbers, a row a subject; of one, a row a number, with what it could tell."""
    if len(subjects) > 1:
        return Table([(subject.name, subject.numbers) for subject in subjects])
    ((numbers, found),) = [(dict(subject.numbers), subject.statistics) for subject in subjects]
    if isinstance(found, CountStatistics) and found.least_deviation:
        numbers["points shown in 80 % of cases"] = points(found.least_deviation)
        numbers |= {f"{name} told": f"{100 * share:.0f} %" for name, share in found.power.items()}
    return Table([(name, {"": number}) for name, number in numbers.items()])


def _say_around(figure: Figure, heading: str, lines: Sequence[str], top: float) -> None:
    """Write the heading, what the numbers come to, and the legend."""
    width, height = figure.get_size_inches()
    x = 0.18 / width
    figure.text(x, 1 - 0.18 / height, as_text(heading), va="top", fontsize=13, color=INK)
    said = as_text("\n".join(lines))
    figure.text(x, 1 - 0.46 / height, said, va="top", fontsize=9, color=QUIET)
    drawn = [handle for axes in figure.axes for handle in axes.get_legend_handles_labels()[0]]
    named = {str(handle.get_label()): handle for handle in drawn}
    keys = [
        named[name]
        for name in sorted(named, key=lambda name: not name.startswith(("observed", EXPECTED)))
    ]
    figure.legend(
        handles=keys, loc="lower left", bbox_to_anchor=(x, 1 - top / height), fontsize=9,
        ncols=min(len(keys), max(1, int(width / KEY))), frameon=False,
    )  # fmt: skip


def _are_pale(subjects: Sequence[Subject]) -> list[bool]:
    """Tell which rest on little, unless all do."""
    little = [subject.rests_on_little for subject in subjects]
    return [False] * len(little) if all(little) else little


def _highest(subjects: Sequence[Subject]) -> float:
    """Return the top of the scale, which subjects of a few numbers do not set."""
    set_by = [each for each in subjects if not (_is_counted(each) and each.rests_on_little)]
    tops = [
        max(np.nan_to_num(each.shares).max(), max(each.digit.law)) for each in set_by or subjects
    ]
    return float(max(tops)) * HEADROOM


def _is_counted(subject: Subject) -> bool:
    return isinstance(subject.statistics, CountStatistics)


def _pale_label(subject: Subject) -> str:
    if _is_counted(subject):
        return f"observed, fewer than {SMALL:,} values (set no scale)"
    return f"{EXPECTED}, less than {100 * LITTLE_MASS:.0f} % of the mass"


def _draw(axes: Axes, subject: Subject, highest: float, pale: bool) -> None:
    digits, law, shares = subject.digit.labels, np.asarray(subject.digit.law), subject.shares
    label = "observed" if _is_counted(subject) else EXPECTED
    label = _pale_label(subject) if pale else label
    axes.bar(
        digits, np.nan_to_num(shares), color=FAINT if pale else OBSERVED, width=BAR, label=label
    )
    for (name, several), colour in zip(subject.baselines.items(), BASELINES, strict=False):
        _draw_baseline(axes, digits, name, several, colour)
    if isinstance(subject.statistics, CountStatistics) and subject.statistics.counts.n:
        spread = NORMAL_95 * np.sqrt(law * (1 - law) / subject.statistics.counts.n)
        axes.fill_between(
            digits, law - spread, law + spread, color=CHANCE, alpha=0.22, linewidth=0,
            label="95 % of as many values of the law",
        )  # fmt: skip
    few = len(law) <= 10
    axes.plot(
        digits, law, "o-" if few else "-", color=LAW, markersize=3, linewidth=1.4,
        label=subject.digit.expected,
    )  # fmt: skip
    axes.set(ylim=(0, highest), xlim=(digits[0] - 0.6, digits[-1] + 0.6))
    axes.set_xticks(digits if few else digits[::10])
    bare(axes)
    for digit, share in zip(digits, np.nan_to_num(shares), strict=True):
        if share > highest:  # a bar that leaves the scale says how high it is
            axes.text(digit, highest, f"{100 * share:.0f} %", ha="center", va="top", fontsize=7)
    _name(axes, subject)


def _name(axes: Axes, subject: Subject) -> None:
    """Write a subject's name and its caption above its frame."""
    figure = axes.get_figure()
    assert figure is not None
    high = axes.get_position().height * figure.get_figure(root=True).get_size_inches()[1]
    for text, size, colour, above in (
        (shortened(subject.name, TITLE), 9, INK, 0.26), (subject.caption, 8, QUIET, 0.08),
    ):  # fmt: skip
        axes.text(
            0, 1 + above / high, as_text(text), transform=axes.transAxes, fontsize=size,
            color=colour, va="bottom",
        )  # fmt: skip


def _draw_baseline(
    axes: Axes, digits: np.ndarray, name: str, several: np.ndarray, colour: str
) -> None:
    """Draw one distribution as marks, several as a band from the least to the greatest."""
    if len(several) == 1:
        axes.hlines(
            several[0], digits - BAR / 2, digits + BAR / 2, color=colour, linewidth=1.6,
            label=name, zorder=3,
        )  # fmt: skip
        return
    low, high = several.min(axis=0), several.max(axis=0)
    axes.bar(
        digits, high - low, bottom=low, width=BAR / 4, color=colour, linewidth=0, alpha=0.45,
        label=f"{name}, from least to greatest", zorder=2,
    )  # fmt: skip
