"""What went wrong in one run: NaN and infinities, explosions, gradients that are zero for good."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.runlog import Run, Series

__all__ = ["Trouble", "troubles"]

Flags = npt.NDArray[np.bool_]

EXPLOSION = 1000.0  # times the median before it; noise of gradients stays well below
EXPLODING = ("grad", "loss")  # parts of tags; a learning rate may well grow so much
FEWEST_BEFORE = 4  # values; gradients often begin with one or two that are next to nothing
LATER = 1.1  # of how many values more another median is taken


@dataclass(frozen=True)
class Trouble:
    """One thing that went wrong.

    Parameters
    ----------
    tag : str
        Where.
    kind : str
        ``ends in NaN``, ``has NaN`` or ``is NaN throughout``, the same with ``inf``,
        ``is zero``, ``is zero throughout`` or ``explodes``.
    step : int
        From which step on.
    value : float, optional
        Of an explosion, its peak.
    peak : int, optional
        Of an explosion, the step of its peak.
    """

    tag: str
    kind: str
    step: int
    value: float | None = None
    peak: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def troubles(run: Run, tags: Iterable[str]) -> list[Trouble]:
    """Find what went wrong in a run.

    Parameters
    ----------
    run : Run
        Any run.
    tags : iterable of str
        Where to look.

    Returns
    -------
    list of Trouble
        In the order of their steps.
    """
    found = [trouble for tag in tags if len(run[tag]) for trouble in _of(run[tag])]
    return sorted(found, key=lambda each: each.step)


def _of(series: Series) -> Iterator[Trouble]:
    values, steps = series.values, series.steps
    yield from _not_finite(series, "NaN", np.isnan(values))
    yield from _not_finite(series, "inf", np.isinf(values))
    begin = _explosion(series)
    if begin is not None:
        peak = begin + int(np.where(np.isfinite(values), values, 0)[begin:].argmax())
        value = float(values[peak])
        yield Trouble(series.tag, "explodes", int(steps[begin]), value, int(steps[peak]))
    if "grad" in series.tag.lower():
        other = np.flatnonzero(values != 0)
        first = int(other[-1]) + 1 if other.size else 0
        if len(values) - first > 1:
            kind = "is zero" if first else "is zero throughout"
            yield Trouble(series.tag, kind, int(steps[first]))


def _not_finite(series: Series, what: str, places: Flags) -> Iterator[Trouble]:
    """Tell from which step on there is NaN, or an infinity, and whether that lasts."""
    if not places.any():
        return
    first = int(places.argmax())
    lasting = bool(places[-1]) and not np.isfinite(series.values[first:]).any()
    kind = f"{'ends in' if lasting else 'has'} {what}"
    if places.all():
        kind = f"is {what} throughout"
    yield Trouble(series.tag, kind, int(series.steps[first]))


def _explosion(series: Series) -> int | None:
    """Return the place of the first value far above the median of what came before.

    The median is taken again whenever there is a tenth more of values: as good as of
    all before, since an explosion that lasts is not yet part of it.
    """
    finite = np.isfinite(series.values)
    wanted = any(part in series.tag.lower() for part in EXPLODING)
    if not wanted or (series.values[finite] < 0).any():
        return None
    places = np.flatnonzero(finite & (series.values > 0))
    values = series.values[places].astype(np.float64)
    start = FEWEST_BEFORE
    while start < len(values):
        before, after = values[:start], values[start : math.ceil(LATER * start)]
        # No median is below the least value: most often there is no need for it.
        if after.max() > EXPLOSION * before.min():
            far = after > EXPLOSION * np.median(before)
            if far.any():
                return int(places[start + int(far.argmax())])
        start += len(after)
    return None
