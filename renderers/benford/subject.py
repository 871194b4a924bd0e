"""What digits are looked at: series of a run, a layer's numbers, constants of physics."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.benford.digit import FIRST, Counted, Digit
from epochord.renderers.benford.distributions import gaussian
from epochord.renderers.benford.history import DigitHistory, histories
from epochord.renderers.benford.look import SMALL
from epochord.renderers.benford.outcomes import TOO_FEW, CountStatistics, ProbabilityStatistics
from epochord.renderers.benford.sentences import LITTLE_MASS, p_value, points
from epochord.renderers.benford.statistics import of_counts
from epochord.renderers.benford.table import NOTHING
from epochord.renderers.timeline.choice import Choice, NothingToHearError, choose
from epochord.runlog import LogError, Run
from epochord.runlog.digits.bits import DigitCounts

__all__ = ["FROM_LAW", "GAUSSIAN", "Subject", "constants", "of_layers", "of_series"]

GAUSSIAN = "Gaussian of this σ"
FIRST_STEP = "first step"
FROM_LAW = "points from the law"
DOUBTFUL = 2.58  # standard errors of a correlation of what does not depend on each other: 1 %
SHARED = {"gradient": "gradients of a layer are products of the same few factors"}

Shares = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Subject:
    """One distribution of digits, ready to be drawn.

    Parameters
    ----------
    name : str
        A tag, a layer, or a prompt.
    shares : np.ndarray [shape=(digits,)]
        NaN where there is none.
    statistics : CountStatistics or ProbabilityStatistics
        What may be said of them.
    digit : Digit
        Which one of each number.
    baselines : mapping of str to np.ndarray [shape=(several, digits)]
        What to compare them with, drawn as marks, or bands from the least to the greatest.
    caption : str
        One line below the picture.
    numbers : mapping of str to str
        A row of the table beside the pictures.
    """

    name: str
    shares: Shares
    statistics: CountStatistics | ProbabilityStatistics
    digit: Digit = FIRST
    baselines: Mapping[str, Shares] = field(default_factory=dict)
    caption: str = ""
    numbers: Mapping[str, str] = field(default_factory=dict)

    @property
    def rests_on_little(self) -> bool:
        """Whether it is of fewer than 1,000 values, or of less than 5 % of the mass."""
        found = self.statistics
        if isinstance(found, CountStatistics):
            return found.counts.n < SMALL
        return found.mass is not None and found.mass < LITTLE_MASS

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"name": self.name, "caption": self.caption, **self.statistics.to_dict()}


def of_series(run: Run, tags: Sequence[str], digit: Digit) -> list[Subject]:
    """Return the digits of a run's series.

    Parameters
    ----------
    run : Run
        Any run.
    tags : sequence of str
        Globs; by default gradient norms, losses, or the series with the most points.
    digit : Digit
        Which one of each value.

    Raises
    ------
    LogError
        If the run has no series, or nothing matches.
    """
    try:
        voices = choose(run, Choice(tags=tuple(tags), parameters="all")).voices
    except NothingToHearError as error:
        raise LogError(f"{error}, so it has no digits") from error
    found = []
    for voice in voices:
        members = [np.asarray(each) for each in voice.members]
        found.append(_of_values(voice.name, np.concatenate(members), digit, _likeness(members)))
    return found


def of_layers(run: Run) -> list[Subject]:
    """Return the first digits of layers at the last step, beside the first one."""
    return [_of_history(each) for layers in histories(run).values() for each in layers]


def constants(digit: Digit = FIRST) -> Subject:
    """Return the digits of the physical constants: CODATA's present ones, as scipy has them."""
    from scipy.constants import find, physical_constants

    names = find()
    values = np.array([physical_constants[name][0] for name in names])
    dependence = f"{len(names) - _different(names)} are others in another unit, or convert units"
    return _counted("CODATA physical constants", digit.count(values), digit, {}, dependence)


def _different(names: Sequence[str]) -> int:
    """Return how many constants there are, each in one unit and without those that convert."""
    own = (name for name in names if not name.endswith(" relationship"))
    plain = {re.sub(r" in \S.*| energy equivalent", "", name) for name in own}
    return len({re.sub(r"(relative atomic|molar) mass", "mass", name) for name in plain})


def _likeness(members: Sequence[npt.NDArray[Any]]) -> str:
    """Say how much each value is like the one before it, in magnitude; empty if it is not."""
    pairs = [np.stack([each[:-1], each[1:]]).astype(np.float64) for each in members]
    before, after = np.abs(np.concatenate(pairs, axis=1))
    usable = (before > 0) & (after > 0) & np.isfinite(before) & np.isfinite(after)
    one, two = (np.log10(each[usable]) for each in (before, after))
    if len(one) < 3:
        return ""
    if not (np.ptp(one) > 0 and np.ptp(two) > 0):
        return "nearly all are equal"
    correlation = float(np.corrcoef(one, two)[0, 1])
    if abs(correlation) <= DOUBTFUL / np.sqrt(len(one)):
        return ""
    return f"each with the one before it, correlation {correlation:.2f}"


def _of_values(name: str, values: npt.NDArray[Any], digit: Digit, dependence: str) -> Subject:
    finite = values[np.isfinite(values)].astype(np.float64)
    sigma = float(finite.std()) if finite.size else 0.0
    baselines = {}
    if sigma > 0 and digit.fold:
        baselines[GAUSSIAN] = digit.fold(gaussian(sigma, 2))[None]
    return _counted(name, digit.count(values), digit, baselines, dependence)


def _of_history(history: DigitHistory) -> Subject:
    """Look at a layer at the last step, beside the first one."""
    counts = DigitCounts(history.counts[-1])
    baselines = {}
    if history.sigma[-1] > 0:
        baselines[GAUSSIAN] = gaussian(float(history.sigma[-1]))[None]
    if len(history.steps) > 1 and history.counts[0].sum():
        baselines[FIRST_STEP] = history.shares[:1]
    name, dependence = f"{history.name}, {history.kind}s", SHARED.get(history.kind, "")
    return _counted(name, Counted(counts, 0), FIRST, baselines, dependence)


def _counted(
    name: str, counted: Counted, digit: Digit, baselines: Mapping[str, Shares], dependence: str
) -> Subject:
    counts, short = counted
    left_out = {"zero": counts.zero, "not finite": counts.non_finite, digit.short: short}
    found = of_counts(counts, digit=digit, baselines=baselines, dependence=dependence, short=short)
    without = [f"{number:,} {what}" for what, number in left_out.items() if number]
    values = f"{counts.n:,} values"
    numbers = {"values": f"{counts.n:,}", "left out": ", ".join(without) or NOTHING}
    caption = [values, *without]
    if found.distances and found.chi_square:
        few = found.verdict == TOO_FEW
        away, p = points(found.distances.mad), p_value(found.chi_square.p_value)
        numbers |= {FROM_LAW: away, "by chance": points(found.chance_mad or 0.0)}
        numbers |= {name: points(each.mads[0]) for name, each in found.baselines.items()}
        numbers |= {"p": NOTHING if few else p.removeprefix("p = ").removeprefix("p ")}
        caption = [values, *without, f"{away} points", "too few to say" if few else p]
    return Subject(name, counts.shares, found, digit, baselines, " · ".join(caption), numbers)
