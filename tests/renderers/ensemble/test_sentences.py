"""Titles are true of the numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epochord.renderers.ensemble.sentences import sentence
from epochord.runlog.ensemble import Predictions
from tests.renderers.ensemble.memory import seen_in_memory

GRID = np.linspace(-2, 2, 41)[:, None]
INSIDE = np.abs(GRID[:, 0]) <= 1
DATA = {"grid": GRID, "data": [-1.0, 1.0], "targets": [0.0, 0.0]}
nan = np.nan


def spread(inside, outside, members=10):
    """Members with these standard deviations among the data and beyond."""
    unit = np.linspace(-1, 1, members)
    return (unit / unit.std(ddof=1))[:, None] * np.where(INSIDE, inside, outside)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.1, 10), st.floats(0.1, 10))
def test_where_members_disagree_is_said_as_it_is(inside, outside):
    """More beyond the data only if the spread there is more than 1.5 times that among them."""
    values = spread(inside, outside)
    said = sentence([seen_in_memory([values, values], **DATA)])
    ratio = values[:, ~INSIDE].std(axis=0).mean() / values[:, INSIDE].std(axis=0).mean()
    if abs(np.log(ratio / 1.5)) > 1e-3 and abs(np.log(ratio * 1.5)) > 1e-3:
        assert (said == "10 members disagree where there are no data") == (ratio > 1.5)
        assert (said == "10 members disagree most among the data") == (ratio < 1 / 1.5)
        even = "10 members disagree about as much beyond the data as among them"
        assert (said == even) == (1 / 1.5 < ratio < 1.5)


def test_priors_and_networks_are_named():
    """Our own experiments train networks; priors are said where there are some."""
    one = seen_in_memory([spread(1, 3)], hyperparameters={"setting": "prior"}, **DATA)
    assert sentence([one]) == "10 networks disagree where there are no data"
    prior = Predictions(np.ones((10, 41)), np.ones((10, 2)), np.empty((10, 0)))
    object.__setattr__(one.ensemble.setup, "prior", prior)
    assert sentence([one]) == "With a prior, 10 networks disagree where there are no data"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (2.0, 0.5, "Training brings 10 members together: their spread falls from 2 to 0.5"),
        (0.5, 2.0, "Training drives 10 members apart: their spread grows from 0.5 to 2"),
        (1.0, 1.0, "10 members, on average 1 from their mean"),
    ],
)
def test_without_data_the_training_is_told(first, last, expected):
    """What became of the spread, with its numbers."""
    one = seen_in_memory([spread(first, first), spread(last, last)], grid=GRID)
    assert sentence([one]) == expected


def test_nobody_and_somebody_alone():
    """Who is not finite does not disagree."""
    values = spread(1, 3)
    assert sentence([seen_in_memory([values * nan], **DATA)]) == (
        "None of 10 members is finite at the end"
    )
    alone = values.copy()
    alone[1:] = nan
    assert sentence([seen_in_memory([alone], **DATA)]) == "A single member, so nobody disagrees"


def test_who_ran_away_is_said_first():
    """One member far off makes every spread its own: nothing else is said of the others."""
    values = spread(1, 3)
    values[4] = 1e6
    assert sentence([seen_in_memory([values], **DATA)]) == (
        "1 of 10 members ran away from the others"
    )


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ((3, 3), "In both ensembles the members disagree where there are no data"),
        ((3, 3, 3), "In all 3 ensembles the members disagree where there are no data"),
        ((1, 1), "In none of 2 ensembles do the members disagree more where there are no data"),
        ((3, 1, 1), "Where there are no data, the members of 1 of 3 ensembles disagree more"),
        ((3, 3, 1), "Where there are no data, the members of 2 of 3 ensembles disagree more"),
    ],
)
def test_several_are_counted(ratios, expected):
    """In how many it is so."""
    assert sentence([seen_in_memory([spread(1, r)], **DATA) for r in ratios]) == expected
