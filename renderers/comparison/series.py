"""The logged series of two runs to where they part: the log is the truth, sound its picture."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.timeline.choice import Choice, choose
from epochord.runlog import Run, Series

__all__ = ["Logged", "SeriesDifference", "compare_logs", "compare_series", "distance", "logged"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Steps = npt.NDArray[np.int64]

NEGLIGIBLE = 1e-6  # share of a series' median magnitude: what is smaller counts as zero
FARTHEST = 3.0  # decades; what is not finite, or zero, in one run only counts as this


@dataclass(frozen=True)
class SeriesDifference:
    """How one tag differs between two runs.

    Parameters
    ----------
    tag : str
        Name in the logs.
    steps : np.ndarray [shape=(n,), int64]
        Those that both have, ascending; or where they have none in common, all of
        either between the first and the last that both span, each value held
        until its run's next one.
    one, other : np.ndarray [shape=(n,), float64]
        Values; NaN and the infinities are measurements.
    apart : np.ndarray [shape=(n,), bool]
        Where they have parted.
    distances : np.ndarray [shape=(n,), float64]
        ``log10(other / one)``; of a series with negative values the difference of
        ``sign(x) log10(1 + |x| / median|x|)``; ±`FARTHEST` where one is not finite.
        NaN where both are not.
    held : bool
        Whether values are held, since there is no step in common.
    """

    tag: str
    steps: Steps
    one: Floats
    other: Floats
    apart: Flags
    distances: Floats
    held: bool = False

    @property
    def decades(self) -> Floats:
        """The distances as far as they are shown and counted: within ±`FARTHEST`."""
        return np.clip(self.distances, -FARTHEST, FARTHEST)

    @property
    def equal(self) -> int:
        """How many values are equal to the bit; all NaN are equal."""
        return int(_equal(self.one, self.other).sum())

    @property
    def first(self) -> int | None:
        """Place of the first step at which they have parted."""
        return int(self.apart.argmax()) if self.apart.any() else None

    @property
    def largest(self) -> int | None:
        """Place of the greatest distance; none if all values are equal."""
        size = np.where(np.isnan(self.distances), 0.0, np.abs(self.distances))
        return int(size.argmax()) if len(size) and size.max() > 0 else None

    def size(self, place: int) -> float:
        """Return how far apart the values at a place are, in decades."""
        return float(abs(self.distances[place]))

    @property
    def distance(self) -> float | None:
        """Root mean square of the decades; none without any."""
        decades = self.decades
        known = decades[~np.isnan(decades)]
        return float(np.sqrt(np.square(known).mean())) if known.size else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values: what is not finite as a string."""
        return {
            "tag": self.tag,
            "steps": len(self.steps),
            "held": self.held,
            "equal": self.equal,
            "apart": int(self.apart.sum()),
            "first": self._at(self.first),
            "largest": self._at(self.largest),
            "rms_decades": self.distance,
        }

    def _at(self, place: int | None) -> dict[str, Any] | None:
        if place is None:
            return None
        one, other = float(self.one[place]), float(self.other[place])
        return {
            "step": int(self.steps[place]),
            "a": _plain(one),
            "b": _plain(other),
            "ratio": _plain(other / one) if one else None,
        }


@dataclass(frozen=True)
class Logged:
    """A run, and what of it is compared.

    Parameters
    ----------
    run : Run
        The run.
    heard : tuple of str
        Tags that sound.
    wanted : tuple of str
        Tags that are compared: all, or what was asked for.
    """

    run: Run
    heard: tuple[str, ...]
    wanted: tuple[str, ...]


def logged(runs: Sequence[Run], choice: Choice, names: Sequence[str]) -> list[Logged]:
    """Find what of runs is compared.

    Parameters
    ----------
    runs : sequence of Run
        All that are compared.
    choice : Choice
        What was asked for: with globs only what matches, with layers only theirs.
    names : sequence of str
        Voices that sound.
    """
    shared = [tag for tag in runs[0].series if all(tag in run.series for run in runs)]
    return [_logged(run, choice, names, shared) for run in runs]


def _logged(run: Run, choice: Choice, names: Sequence[str], shared: Sequence[str]) -> Logged:
    heard = _heard(run, choice, names)
    if not heard and shared:  # what each run has for itself gave way to what all have
        heard = _heard(replace(run, series={tag: run[tag] for tag in shared}), choice, names)
    only_heard = bool(choice.layers or choice.voices)
    return Logged(run, heard, heard if only_heard else tuple(run.matching(choice.tags)))


def _heard(run: Run, choice: Choice, names: Sequence[str]) -> tuple[str, ...]:
    voices = [voice for voice in choose(run, choice).voices if voice.name in names]
    return tuple(series.tag for voice in voices for series in voice.members)


def compare_logs(
    one: Logged, other: Logged, ratio: float
) -> tuple[tuple[SeriesDifference, ...], int]:
    """Compare all series that two runs have in common.

    Parameters
    ----------
    one, other : Logged
        The runs.
    ratio : float
        See `compare_series`.

    Returns
    -------
    differences : tuple of SeriesDifference
        Those that are heard first.
    heard : int
        How many these are.
    """
    heard = [tag for tag in one.heard if tag in other.run.series]
    others = [tag for tag in one.wanted if tag in other.wanted and tag not in heard]
    found = {tag: compare_series(one.run[tag], other.run[tag], ratio) for tag in [*heard, *others]}
    some = {tag: each for tag, each in found.items() if len(each.steps)}
    return tuple(some.values()), sum(tag in some for tag in heard)


def compare_series(one: Series, other: Series, ratio: float) -> SeriesDifference:
    """Compare two series of one tag.

    Parameters
    ----------
    one, other : Series
        Of several values in one step the last one written counts.
    ratio : float
        They have parted where the greater magnitude is more than so many times the
        smaller one, or the signs differ, or one is not finite or not the same
        infinity.  What is below a millionth of their median magnitude counts as
        zero; in series with negative values, differences count in relation to that
        median at least, so that crossing zero is no parting.
    """
    steps, first, second, held = _side_by_side(one, other)
    scale = _scale(first, second)
    signed = any(bool((each[np.isfinite(each)] < 0).any()) for each in (first, second))
    apart = _apart(first, second, 1 - 1 / ratio, scale if signed else NEGLIGIBLE * scale)
    distances = _distances(first, second, scale, signed=signed)
    return SeriesDifference(one.tag, steps, first, second, apart, distances, held)


def _side_by_side(one: Series, other: Series) -> tuple[Steps, Floats, Floats, bool]:
    (steps, values), (others, other_values) = _last_a_step(one), _last_a_step(other)
    shared, mine, yours = np.intersect1d(steps, others, assume_unique=True, return_indices=True)
    if shared.size or not len(steps) or not len(others):
        return shared, values[mine], other_values[yours], False
    every = np.union1d(steps, others)
    first, last = max(steps[0], others[0]), min(steps[-1], others[-1])
    both = every[(every >= first) & (every <= last)]
    return both, _held(steps, values, both), _held(others, other_values, both), bool(both.size)


def _last_a_step(series: Series) -> tuple[Steps, Floats]:
    """Return ascending steps, and the last value of each."""
    steps, place = np.unique(series.steps[::-1], return_index=True)
    return steps, series.values[::-1][place].astype(np.float64)


def _held(steps: Steps, values: Floats, at: Steps) -> Floats:
    held: Floats = values[np.searchsorted(steps, at, side="right") - 1]
    return held


def _equal(one: Floats, other: Floats) -> Flags:
    return np.asarray((one == other) | (np.isnan(one) & np.isnan(other)))


def _scale(one: Floats, other: Floats) -> float:
    """Return the median magnitude of what is finite and not zero."""
    sizes = np.abs(np.concatenate([one, other]))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    return float(np.median(sizes)) if sizes.size else 1.0


def _apart(one: Floats, other: Floats, share: float, least: float) -> Flags:
    finite = np.isfinite(one) & np.isfinite(other)
    with np.errstate(invalid="ignore", over="ignore"):
        larger = np.maximum(np.maximum(np.abs(one), np.abs(other)), least)
        far = np.abs(other - one) > share * larger * (1 + 1e-12)  # the ratio itself is no parting
    return np.where(finite, far, ~_equal(one, other))


def _distances(one: Floats, other: Floats, scale: float, *, signed: bool) -> Floats:
    finite = np.isfinite(one) & np.isfinite(other)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        far = _axis(other, scale, signed=signed) - _axis(one, scale, signed=signed)
    # Where one went astray: towards the one that did, whatever it became.
    astray = np.where(np.isfinite(one), FARTHEST, -FARTHEST)
    neither = ~np.isfinite(one) & ~np.isfinite(other)
    blank = np.where(neither, np.nan, astray)
    return np.where(finite, far, np.where(neither & _equal(one, other), 0.0, blank))


def _axis(values: Floats, scale: float, *, signed: bool) -> Floats:
    if signed:
        return np.asarray(np.sign(values) * np.log10(1 + np.abs(values) / scale))
    return np.asarray(np.log10(np.maximum(values, NEGLIGIBLE * scale)))


def distance(differences: Sequence[SeriesDifference]) -> float | None:
    """Return the root mean square of all series' decades, each series with equal weight."""
    each = [one.distance for one in differences if one.distance is not None]
    return float(np.sqrt(np.square(each).mean())) if each else None


def _plain(value: float) -> float | str:
    return value if np.isfinite(value) else str(value)
