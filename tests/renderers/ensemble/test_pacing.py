"""The clock of a film: time for what moves, the training as long as asked, a whole loop."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from epochord.renderers.ensemble import EnsembleSettings
from epochord.renderers.ensemble.figure import ensemble_figure
from epochord.renderers.ensemble.film import film
from epochord.renderers.ensemble.interpolation import between
from epochord.renderers.ensemble.pacing import FADE, FPS, LONGEST, MOST, REST, Timing, timing
from epochord.renderers.ensemble.view import Lines
from epochord.runlog.reading.ensemble import open_ensemble
from tests.renderers.ensemble.memory import in_memory, seen_in_memory

DEFAULT = EnsembleSettings()
LINEAR = EnsembleSettings(clock="linear")
LIMITS = (-1.0, 1.0)
AROUND = round((REST + FADE) * FPS) + round(REST * FPS)  # frames in which nothing moves


def positions(ensemble, places):
    """Where members are in each frame [shape=(frames, members, grid)], by the definition."""
    values = np.stack([ensemble.at(k).grid for k in range(len(ensemble.epochs))]).astype(float)
    before = np.minimum(places.astype(int), len(values) - 1)
    after = np.minimum(before + 1, len(values) - 1)
    share = (places - before)[:, None, None]
    first, second = values[before], values[after]
    nearer = np.where(share < 0.5, first, second)
    both = np.isfinite(first) & np.isfinite(second)
    return np.where(both, first + share * (second - first), nearer)


def moved(ensemble, paced, limits=LIMITS):
    """How far a point that is seen in two frames moves at most, as a share of the height."""
    low, high = limits
    at = positions(ensemble, paced.places(ensemble.epochs)[paced.fading :])
    inside = (at >= low) & (at <= high)
    steps = np.abs(np.diff(at, axis=0)) / (high - low)
    continuous = np.isfinite(at[1:]) & np.isfinite(at[:-1])
    return float(np.max(steps, where=inside[1:] & inside[:-1] & continuous, initial=0.0))


VALUES = arrays.arrays(
    "f4", st.tuples(st.integers(2, 6), st.integers(1, 3), st.integers(2, 4)),
    elements=st.floats(-3, 3, width=32),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(VALUES, st.sets(st.integers(0, 40), min_size=6, max_size=6))
def test_no_member_moves_more_than_it_may(values, epochs):
    """Whatever members do: 1 % of the height a frame, or as much as is said to be needed."""
    ensemble = in_memory(values, epochs=sorted(epochs)[: len(values)])
    paced = timing([ensemble], [LIMITS], DEFAULT)
    assert moved(ensemble, paced) <= max(MOST, paced.movement) * (1 + 1e-4)
    if paced.wanted <= LONGEST:
        assert paced.movement <= MOST * (1 + 1e-9)
    assert len(paced.moments) <= LONGEST * FPS + AROUND
    assert bool(paced.notes) == (paced.movement > 1.001 * MOST)


def test_a_member_that_explodes_has_its_time_while_it_is_seen():
    """It leaves at the pace of the others; what it does beyond the edge costs no frame."""
    still = np.zeros((8, 1, 3))
    still[4:] = np.array([0.5, 50.0, 5e9, 5e9])[:, None, None]
    ensemble = in_memory(still)
    paced = timing([ensemble], [LIMITS], DEFAULT)
    assert moved(ensemble, paced) <= MOST * (1 + 1e-4)
    assert len(paced.moments) - AROUND < 4 * FPS


def test_all_ensembles_of_a_picture_are_kept_in_bounds():
    """Each by its own limits, recorded at different epochs, on one clock."""
    fast = in_memory(np.linspace(-1, 1, 4)[:, None, None] * np.ones((1, 2, 3)), epochs=[0, 3, 4, 9])
    small = in_memory(np.sin(np.arange(12))[:, None, None] * np.ones((1, 1, 2)) / 10)
    paced = timing([fast, small], [LIMITS, (-0.1, 0.1)], DEFAULT)
    assert 0.9 * MOST < max(moved(fast, paced), moved(small, paced, (-0.1, 0.1))) <= MOST * 1.0001


@pytest.mark.parametrize("chosen", [DEFAULT, LINEAR])
@pytest.mark.parametrize("seconds", [0.2, 1.5])
def test_the_training_is_as_long_as_asked(chosen, seconds):
    """Rests and fade come on top of it; the last moment is the last epoch."""
    ensemble = in_memory(np.random.default_rng(0).normal(size=(5, 3, 4)))
    paced = timing([ensemble], [LIMITS], replace(chosen, duration=seconds))
    assert len(paced.moments) == round(seconds * FPS) + AROUND
    places = paced.places(ensemble.epochs)
    assert (places[: paced.fading + round(REST * FPS)] == 0).all()
    assert (places[-round(REST * FPS) - 1 :] == 4).all()
    assert (np.diff(places) >= 0).all()
    assert moved(ensemble, paced) <= paced.movement * 1.0001


def test_a_linear_clock_is_linear():
    """Epochs, not records: those far apart take longer."""
    ensemble = in_memory(np.zeros((3, 1, 2)), epochs=[0, 10, 40])
    paced = timing([ensemble], [LIMITS], replace(LINEAR, duration=1.0))
    training = paced.moments[round((REST + FADE) * FPS) - 1 : -round(REST * FPS)]
    np.testing.assert_allclose(np.diff(training), 40 / FPS)
    assert paced.places(ensemble.epochs)[round((REST + FADE) * FPS) - 1 + FPS // 4] == 1.0


def test_a_training_of_one_epoch_rests():
    """Nothing moves, nothing is divided by nothing."""
    for chosen in (DEFAULT, LINEAR):
        paced = timing([in_memory(np.zeros((1, 2, 3)))], [LIMITS], chosen)
        assert len(paced.moments) == AROUND
        assert (paced.movement, paced.notes) == (0.0, [])


@given(
    arrays.arrays("f4", (2, 3), elements=st.floats(-(2.0**99), 2.0**99, width=32)),
    st.floats(0, 1),
)
def test_between_two_epochs_is_the_straight_way(ends, share):
    """Exact at both ends, linear in between, to rounding."""
    before, after = ends
    assert np.array_equal(between(before, after, 0.0), before)
    expected = before.astype(float) + share * (after.astype(float) - before)
    largest = np.abs(ends).max()
    np.testing.assert_allclose(between(before, after, share), expected, atol=3e-7 * largest)


@pytest.mark.parametrize("gone", [np.nan, np.inf, -np.inf])
def test_who_is_not_in_both_is_as_in_the_nearer(gone):
    """A value that is there in one epoch only does not move: it comes, or goes, in the middle."""
    before, after = np.array([1.0, gone, gone, 0.0]), np.array([gone, 2.0, gone, 1.0])
    assert np.array_equal(between(before, after, 0.4), [1.0, gone, gone, 0.4], equal_nan=True)
    assert np.array_equal(between(before, after, 0.6), [gone, 2.0, gone, 0.6], equal_nan=True)


def test_what_is_drawn_is_exact_at_recorded_epochs(make_ensemble):
    """Members, mean, bands, f and p; halfway they are halfway, with two epochs in memory."""
    lines = Lines(open_ensemble(make_ensemble()))
    views = [lines.at(place) for place in (3, 4)]
    names = ("members", "mean", "sd", "quantiles", "f", "p")
    for name in names:
        exact, half = (getattr(lines.between(place), name) for place in (3.0, 3.5))
        assert np.array_equal(exact, getattr(views[0], name)), name
        expected = (getattr(views[0], name) + getattr(views[1], name)) / 2
        np.testing.assert_allclose(half, expected, atol=1e-6)
    for place in np.linspace(0, 20, 50):
        lines.between(place)
        assert len(lines._kept) <= 2


def test_the_loop_is_whole():
    """The first frame is the last one, and the fade's last one nearly the first of the training."""
    one = seen_in_memory(np.random.default_rng(1).normal(size=(3, 4, 9)))
    drawn = ensemble_figure([one], EnsembleSettings(), one.limits())
    paced = timing([one.ensemble], [one.limits()], EnsembleSettings(duration=0.1))
    pictures = [frame.copy() for frame in film(drawn, paced)]
    assert len(pictures) == len(paced.moments)
    assert np.array_equal(pictures[0], pictures[-1])
    assert not np.array_equal(pictures[0], pictures[paced.fading])
    steps = [np.abs(a.astype(int) - b).max() for a, b in itertools.pairwise(pictures)]
    assert max(steps[: paced.fading]) <= 255 / paced.fading + 2
    assert not any(steps[paced.fading : paced.fading + round(REST * FPS) - 1])
    assert not any(steps[-round(REST * FPS) + 1 :])


def test_shares_of_a_fade_begin_with_nothing():
    """From the end, and never quite to the beginning, which comes next."""
    shares = Timing(np.zeros(9), 4, 0.0, 0.0).shares
    np.testing.assert_allclose(shares, [0, 0.25, 0.5, 0.75])
