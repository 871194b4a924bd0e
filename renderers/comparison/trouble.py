"""What went wrong in one run: NaN and infinities, explosions, gradients that are zero for good."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from runlog import Run, Series

__all__ = ["Trouble", "troubles"]

EXPLOSION = 1000.0  # times the median before it; noise of gradients stays well below


@dataclass(frozen=True)
class Trouble:
    """One thing that went wrong.

    Parameters
    ----------
    tag : str
        Where.
    kind : str
        ``ends in NaN``, ``ends in inf``, ``has NaN``, ``has inf``, ``is zero`` or
        ``explodes``.
    step : int
        From which step on; of an explosion, the step of its peak.
    value : float, optional
        Of an explosion.
    """

    tag: str
    kind: str
    step: int
    value: float | None = None

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
    values = series.values
    finite = np.isfinite(values)
    if not finite.all():
        first = int(finite.argmin())
        what = "NaN" if np.isnan(values[~finite]).any() else "inf"
        lasting = not finite[first:].any()
        yield Trouble(
            series.tag, f"{'ends in' if lasting else 'has'} {what}", int(series.steps[first])
        )
    peak = _explosion(series)
    if peak is not None:
        yield Trouble(series.tag, "explodes", int(series.steps[peak]), float(values[peak]))
    last = np.flatnonzero(values != 0)
    if "grad" in series.tag.lower() and last.size and len(values) - last[-1] > 2:
        yield Trouble(series.tag, "is zero", int(series.steps[last[-1] + 1]))


def _explosion(series: Series) -> int | None:
    """Return the place of a peak far above the median of what came before."""
    known = np.where(np.isfinite(series.values), series.values, 0)
    positive = known[known > 0]
    if not positive.size or (known < 0).any():
        return None
    peak = int(known.argmax())
    before = known[:peak][known[:peak] > 0]  # what comes after it may have died of it
    return peak if before.size and known[peak] > EXPLOSION * np.median(before) else None
