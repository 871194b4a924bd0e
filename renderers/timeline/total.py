"""The norm of all gradients at each step, beside those of the layers."""

from dataclasses import replace

import numpy as np

from epochord.renderers.timeline.timeline import Timeline

__all__ = ["TOTAL", "with_total"]

TOTAL = "total norm"


def with_total(line: Timeline) -> Timeline:
    """Put the norm of all gradients that a timeline has before its voices.

    Parameters
    ----------
    line : Timeline
        Any.

    Returns
    -------
    Timeline
        With a first voice more, if it has several gradients that are norms of different
        parts: the root of the sum of squares of those that are finite.  It is
        measured where any of them is.
    """
    rows = [row for row, quantity in enumerate(line.quantities) if quantity == "gradient"]
    if len(rows) < 2 or "total" in line.quantities:
        return line
    values, measured = line.values[rows], line.measured[rows]
    finite = measured & np.isfinite(values)
    # Scaled, so that no square overflows and none vanishes.
    sizes = np.where(finite, np.abs(values), 0).astype(np.float64)
    largest = np.maximum(sizes.max(axis=0), np.finfo(np.float64).tiny)
    total = largest * np.sqrt(np.square(sizes / largest).sum(axis=0))
    known = np.asarray(finite.any(axis=0))
    total = np.where(known, np.minimum(total, np.finfo(values.dtype).max), np.nan)
    logged = np.asarray(line.measured if line.logged is None else line.logged)
    name = TOTAL
    while name in line.names:
        name += " of all"
    return replace(
        line,
        names=(name, *line.names),
        values=np.concatenate([total[None].astype(values.dtype), line.values]),
        measured=np.concatenate([known[None], line.measured]),
        logged=np.concatenate([np.any(logged[rows], axis=0, keepdims=True), logged]),
        quantities=("total", *line.quantities),
    )
