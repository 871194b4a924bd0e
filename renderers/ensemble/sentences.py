"""Titles that are sentences: what the numbers of the last epoch say, and no more than that."""

from collections.abc import Sequence

import numpy as np

from epochord.renderers.ensemble.overview import Overview

__all__ = ["MORE", "sentence"]

MORE = 1.5  # times as large: what is called more
WILD = 3.0  # ranges of the bulk: who is farther off makes every mean and sd his own
FEWEST = 2  # members that can disagree


def sentence(overviews: Sequence[Overview]) -> str:
    """Say in a sentence what became of one or several ensembles.

    Parameters
    ----------
    overviews : sequence of Overview
        One or more.

    Returns
    -------
    str
        Without a full stop.  That members disagree where there are no data is said if
        their spread there is more than `MORE` times that among the data.
    """
    if len(overviews) == 1:
        return _of_one(overviews[0])
    outside = sum(_outside(one) > MORE for one in overviews)
    count = len(overviews)
    if not any(np.isfinite(_outside(one)) for one in overviews):
        return f"{count} ensembles, and how far their members are apart"
    if outside == count:
        both = "both" if count == 2 else f"all {count}"
        return f"In {both} ensembles the members disagree where there are no data"
    if not outside:
        return f"In none of {count} ensembles do the members disagree more where there are no data"
    return f"Where there are no data, the members of {outside} of {count} ensembles disagree more"


def _of_one(one: Overview) -> str:
    finite = one.ensemble.members - int(one.missing[-1])
    who = _who(one, finite)
    if finite == 0:
        return f"None of {_who(one, one.ensemble.members)} is finite at the end"
    if finite < FEWEST:
        return f"A single {who}, so nobody disagrees"
    if wild := _wild(one):
        return f"{wild} of {who} ran away from the others"
    ratio = _outside(one)
    if ratio > MORE:
        return _capital(f"{_with(one)}{who} disagree where there are no data")
    if ratio < 1 / MORE:
        return _capital(f"{_with(one)}{who} disagree most among the data")
    if np.isfinite(ratio):
        return _capital(f"{_with(one)}{who} disagree about as much beyond the data as among them")
    return _over_training(one, who)


def _over_training(one: Overview, who: str) -> str:
    """Say what training did to the spread, where there are no data to compare with."""
    first, last = float(one.spread[0]), float(one.spread[-1])
    if len(one.spread) > 1 and first > MORE * last:
        return f"Training brings {who} together: their spread falls from {first:.2g} to {last:.2g}"
    if len(one.spread) > 1 and last > MORE * first:
        return f"Training drives {who} apart: their spread grows from {first:.2g} to {last:.2g}"
    return f"{who}, on average {last:.2g} from their mean"


def _outside(one: Overview) -> float:
    """Return the last epoch's spread beyond the data over that among them; NaN where unknown."""
    inside, outside = float(one.inside[-1]), float(one.outside[-1])
    if inside == 0:
        return np.inf if outside > 0 else np.nan
    return outside / inside


def _wild(one: Overview) -> int:
    """Return how many members are somewhere very far from the bulk of the others at the end."""
    low, high = one.reaches["members"][-1, 1:3]
    members, far = one.ensemble.at(-1).grid, WILD * (high - low)
    if not far > 0:
        return 0
    with np.errstate(invalid="ignore"):
        away = (members < low - far) | (members > high + far)
    return int((away & np.isfinite(members)).any(axis=1).sum())


def _who(one: Overview, count: int) -> str:
    """Return how many members there are; those of our own experiments are networks."""
    noun = "network" if "setting" in one.ensemble.run.metadata.hyperparameters else "member"
    if count == 1:
        return noun
    return f"{count} {noun}s"


def _with(one: Overview) -> str:
    return "with a prior, " if one.ensemble.setup.prior is not None else ""


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]
