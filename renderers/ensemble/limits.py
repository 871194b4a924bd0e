"""Between which values an ensemble's functions lie, and what of it a picture then leaves out."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.runlog.ensemble import EnsembleSetup

__all__ = [
    "USED",
    "limits_of",
    "reach",
    "seen_data",
    "tightened",
    "unseen_data",
    "used",
    "widened",
]

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]

BULK = 0.8  # of the members
FAR = 0.5  # times the range of the bulk: who is farther off leaves the picture
USED = 0.6  # of a picture's height, by members and data at the end
USUAL = (10, 90)  # percentiles over the epochs
PARTS = ("f", "p")
EDGE = 0.05  # room above and below, as a share of the range
TIGHT = 0.65  # of the height, where it would be less than `USED`
MEMBERS = 0.35  # of the range: how far beyond it members are still worth seeing whole


def reach(values: Floats) -> tuple[float, float, float, float]:
    """Return the least value of an epoch's functions, the ends of their bulk, the greatest.

    Parameters
    ----------
    values : np.ndarray [shape=(members, grid)]
        Members that are far off are not in the bulk: of each member's greatest value the
        `BULK` share counts, and what is not farther above that than the range of the bulk.
        What is not finite does not count; all are NaN where nothing is finite.
    """
    finite = np.isfinite(values)
    there = finite.any(axis=-1)
    if not there.any():
        return np.nan, np.nan, np.nan, np.nan
    lowest = np.where(finite, values, np.inf).min(axis=-1)[there].astype(np.float64)
    highest = np.where(finite, values, -np.inf).max(axis=-1)[there].astype(np.float64)
    low, high = -_ranked(-lowest), _ranked(highest)
    low, high = min(low, high), max(low, high)
    span = FAR * (high - low)
    near_low = lowest[lowest >= low - span].min(initial=low)
    near_high = highest[highest <= high + span].max(initial=high)
    return float(lowest.min()), float(near_low), float(near_high), float(highest.max())


def _ranked(values: Floats) -> float:
    """Return the value below which the bulk lies, which is one of them."""
    return float(np.sort(values)[ceil(BULK * len(values)) - 1])


def limits_of(reaches: Mapping[str, Floats], targets: Floats) -> tuple[float, float]:
    """Return the lowest and the highest value that a picture should show.

    What most epochs and the last one hold, and the data; a training that begins far
    off, or explodes for a while, does not flatten the rest, nor does a single member.
    Of the last epoch all is seen that does not lie too far off (see `widened`): of the
    parts f and p, which somebody wants to see apart, more than of the members.

    Parameters
    ----------
    reaches : mapping of str to np.ndarray [shape=(epochs, 4)]
        Of each kind of functions that are drawn: the `reach` of each epoch.
    targets : np.ndarray [shape=(n,)]
        The data's.
    """
    low = high = targets.tolist()
    for _, lower, upper, _ in (each.T for each in reaches.values()):
        low = [*low, *_usual(lower, USUAL[0]), lower[-1]]
        high = [*high, *_usual(upper, USUAL[1]), upper[-1]]
    low, high = ([x for x in ends if np.isfinite(x)] or [0.0] for ends in (low, high))
    least, greatest = float(min(low)), float(max(high))
    room = EDGE * (greatest - least) or 1.0
    limits = least - room, greatest + room
    for name, each in reaches.items():
        limits = widened(limits, each[-1], most=1.0 if name in PARTS else MEMBERS)
    return tightened(limits, used(limits, [each[-1] for each in reaches.values()], targets))


def used(
    limits: tuple[float, float], reaches: Sequence[Floats], targets: Floats
) -> tuple[float, float]:
    """Return the ends of what is seen at the end: the bulk of the members, and the data.

    Parameters
    ----------
    limits : (float, float)
        Lowest and highest value shown.
    reaches : sequence of np.ndarray [shape=(4,)]
        The `reach` of each kind of functions at the end.
    targets : np.ndarray [shape=(n,)]
        The data's.

    Returns
    -------
    (float, float)
        The limits where nothing is seen.
    """
    low, high = limits
    ends = np.concatenate([*(np.asarray(each)[1:3] for each in reaches), targets])
    seen = np.clip(ends[np.isfinite(ends)], low, high)
    return (float(seen.min()), float(seen.max())) if seen.size else limits


def tightened(limits: tuple[float, float], seen: tuple[float, float]) -> tuple[float, float]:
    """Return limits of which what is seen takes `USED` of the height or more."""
    (low, high), (least, greatest) = limits, seen
    span = greatest - least
    if not 0 < span < USED * (high - low):
        return limits
    spare = span / TIGHT - span
    share = spare / (high - low - span)
    return least - share * (least - low), greatest + share * (high - greatest)


def widened(
    limits: tuple[float, float], values: Floats, *, most: float = 1.0
) -> tuple[float, float]:
    """Return limits that hold values too, but for those that lie too far off.

    Parameters
    ----------
    limits : (float, float)
        Lowest and highest value shown.
    values : np.ndarray
        What is to be shown too.
    most : float
        How far beyond the limits, as a share of their range.
    """
    low, high = limits
    span = most * (high - low)
    near = values[(values >= low - span) & (values <= high + span)]
    least, greatest = near.min(initial=low), near.max(initial=high)
    room = EDGE * (greatest - least)
    return (
        low if least >= low else float(least - room),
        high if greatest <= high else float(greatest + room),
    )


def _usual(values: Floats, percentile: float) -> list[float]:
    finite = values[np.isfinite(values)]
    return [float(np.percentile(finite, percentile))] if finite.size else []


def seen_data(setup: EnsembleSetup, limits: tuple[float, float] | None = None) -> Bools:
    """Tell which training data [shape=(n,)] lie in a picture.

    Parameters
    ----------
    setup : EnsembleSetup
        With the data, and the grid, beyond which nothing is drawn.
    limits : (float, float), optional
        Lowest and highest target shown; by default targets do not matter, as in a map.
    """
    least, greatest = setup.grid.min(axis=0), setup.grid.max(axis=0)
    seen: Bools = ((setup.data >= least) & (setup.data <= greatest)).all(axis=1)
    if limits is not None:
        seen &= (setup.targets >= limits[0]) & (setup.targets <= limits[1])
    return seen


def unseen_data(setup: EnsembleSetup, limits: tuple[float, float]) -> list[str]:
    """Say how many of the training data a picture leaves out, and why; see `seen_data`."""
    inside, finite = seen_data(setup), np.isfinite(setup.targets)
    one_input = setup.grid.shape[1] == 1  # over two, all that is drawn of them is where they are
    reasons = {
        "are outside of the grid": ~inside,
        "are not finite": inside & ~finite & one_input,
        f"are outside of the limits {limits[0]:g} to {limits[1]:g}": (
            inside & finite & ~seen_data(setup, limits) & one_input
        ),
    }
    return [
        f"{those.sum()} of {len(those)} training data {why} and not seen"
        for why, those in reasons.items()
        if those.any()
    ]
