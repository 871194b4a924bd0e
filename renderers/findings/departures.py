"""Gradients that leave the course of the others."""

from collections.abc import Iterator, Sequence

import numpy as np

from epochord.renderers.findings.finding import Finding, What
from epochord.renderers.findings.levels import logarithms, running_median
from epochord.renderers.findings.stretches import Floats
from epochord.renderers.timeline.reduction import Frames

__all__ = ["departures", "leaving", "shares"]

FEWEST = 3  # voices: of two, nobody knows which one left
BASE = 0.2  # of the run, whose medians are where each voice comes from
LEAST = 2.0  # times the others' course
APART = 3.0  # times the others' usual distance from their course
LASTING = 9  # frames
ITSELF = 1.5  # times its own way
PASSES = (2.0, 4.0, 8.0)
FAR = 4.0  # times, of what comes back: what went less far is of no importance


def departures(frames: Frames, quantities: Sequence[str]) -> Iterator[Finding]:
    """Find layers whose gradients grow or shrink against all others'.

    Parameters
    ----------
    frames : Frames
        The run in few frames.
    quantities : sequence of str
        What each voice is.

    Yields
    ------
    Finding
        One a voice and direction, from where it left; its factor is the farthest.
    """
    rows = [row for row, quantity in enumerate(quantities) if quantity == "gradient"]
    names = [frames.names[row] for row in rows]
    share, moved = shares(frames.values[rows])
    left = leaving(share, moved)
    for place, name in enumerate(names if len(share) else ()):
        others = np.delete(share, place, axis=0)
        usual = float(np.nanmedian(np.abs(others)))
        least = max(float(np.log(LEAST)), APART * usual)
        for what, sign in ((What.RISE, 1), (What.FALL, -1)):
            # One that stays while the others move has not left them.
            yield from _of(frames, name, what, sign * left[place], sign, least)


def leaving(share: Floats, moved: Floats) -> Floats:
    """Return how far layers have left the others by moving themselves.

    Parameters
    ----------
    share, moved : np.ndarray [shape=(layers, frames)]
        Of `shares`.

    Returns
    -------
    np.ndarray [shape=(layers, frames), float64]
        The share, but at most half as far again as the layer has moved in that
        direction: one that stays while the others move has not left them.
    """
    same = np.sign(share) == np.sign(moved)
    return np.asarray(
        np.where(same, np.sign(share) * np.minimum(np.abs(share), ITSELF * np.abs(moved)), 0.0)
    )


def shares(values: Floats) -> tuple[Floats, Floats]:
    """Return how far each layer is from the course of all, and from where it began.

    Parameters
    ----------
    values : np.ndarray [shape=(layers, frames)]
        Gradient norms.

    Returns
    -------
    share, moved : np.ndarray [shape=(layers, frames), float64]
        Natural logarithms, smoothed.  The course is the median over the layers, each
        from its own beginning.  NaN where too few have a value; empty where that
        leaves too little.
    """
    logs = logarithms(values)
    frames = logs.shape[1]
    known = np.isfinite(logs).sum(axis=0) >= FEWEST
    if known.sum() < 5 * LASTING:
        return np.empty((0, frames)), np.empty((0, frames))
    base = np.flatnonzero(known)[: max(LASTING, int(BASE * known.sum()))]
    there = np.isfinite(logs[:, base]).any(axis=1)
    own = np.full(logs.shape, np.nan)
    own[there] = logs[there] - np.nanmedian(logs[there][:, base], axis=1, keepdims=True)
    known &= np.isfinite(own).sum(axis=0) >= FEWEST
    course = np.full(frames, np.nan)
    course[known] = np.nanmedian(own[:, known], axis=0)
    share = np.stack([running_median(row) for row in own - course])
    # What a layer is at first, it has not left.
    share[:, : base[-1] + 1] = np.where(np.isfinite(share[:, : base[-1] + 1]), 0.0, np.nan)
    if not np.isfinite(share).any():
        return np.empty((0, frames)), np.empty((0, frames))
    return share, share + running_median(course)


def _of(
    frames: Frames, name: str, what: What, away: Floats, sign: int, least: float
) -> Iterator[Finding]:
    far = np.nan_to_num(away) > least
    lasting = np.convolve(far, np.ones(LASTING), "valid") > LASTING - 0.5
    if not lasting.any():
        return
    begin = int(lasting.argmax())
    rest = far[begin:][np.isfinite(away[begin:])]
    to_the_end = rest.mean() > 0.8 and rest[-LASTING:].all()
    greatest = float(np.nanmax(away[begin:]))
    if not to_the_end and greatest < np.log(FAR):
        return
    last = None if to_the_end else int(frames.steps[begin + np.flatnonzero(far[begin:])[-1]])
    yield Finding(
        what,
        (name,),
        int(frames.steps[begin]),
        last,
        float(np.exp(sign * min(greatest, 700.0))),
        passes=tuple(_passes(frames, np.nan_to_num(away), least)),
    )


def _passes(frames: Frames, away: Floats, least: float) -> Iterator[int]:
    """Yield the steps from which it is lastingly beyond twice, four times, eight times."""
    for limit in np.log(PASSES):
        lasting = np.convolve(away > max(limit, least), np.ones(LASTING), "valid") > LASTING - 0.5
        if lasting.any():
            yield int(frames.steps[lasting.argmax()])
