"""An ensemble in a few numbers an epoch, and which epoch is seen when."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from epochord.renderers.ensemble.noise import most_likely_sd
from epochord.renderers.ensemble.overview import overview
from epochord.renderers.ensemble.scores import out_of_bag
from epochord.renderers.ensemble.statistics import bands, moments
from epochord.renderers.ensemble.view import Lines
from epochord.renderers.pictures.clock import FPS, clock, shown
from epochord.runlog.ensemble import EnsembleSetup, Predictions
from epochord.runlog.reading.ensemble import open_ensemble

EPOCHS = st.lists(st.integers(0, 10_000), min_size=1, max_size=200, unique=True).map(
    lambda epochs: np.array(sorted(epochs))
)


@given(epochs=EPOCHS, duration=st.one_of(st.none(), st.floats(0.1, 20)))
def test_the_clock_never_runs_back_and_ends_at_the_last_epoch(epochs, duration):
    """Every epoch shown is one that was recorded, in order; the last one is held for 2 s."""
    time = clock([epochs], duration)
    seen = epochs[shown(time, epochs)]
    assert (np.diff(seen) >= 0).all()
    assert np.array_equal(seen, time)
    assert (time[-2 * FPS :] == epochs[-1]).all()
    if duration is None and len(epochs) <= 900:
        assert set(time) == set(epochs)


@given(one=EPOCHS, other=EPOCHS)
def test_runs_share_a_clock(one, other):
    """Each run shows its last epoch recorded by then, and its first one before that."""
    time = clock([one, other])
    for epochs in (one, other):
        for now, place in zip(time, shown(time, epochs), strict=True):
            assert epochs[place] == max((e for e in epochs if e <= now), default=epochs[0])


@given(
    values=hnp.arrays(np.float32, (5, 3), elements=st.floats(-1e3, 1e3, width=32) | st.just(np.nan))
)
def test_what_is_not_finite_does_not_count(values):
    """Mean, sd and quantiles are those of the finite members alone, point by point."""
    mean, sd = moments(values)
    quantiles = bands(values, (0.25, 0.5))
    for point in range(3):
        finite = values[np.isfinite(values[:, point]), point].astype(float)
        if not len(finite):
            assert np.isnan([mean[point], sd[point], *quantiles[:, point]]).all()
            continue
        assert mean[point] == pytest.approx(finite.mean(), abs=1e-3)
        assert np.allclose(quantiles[:, point], np.quantile(finite, (0.25, 0.5)), atol=1e-3)
        if len(finite) > 1:
            assert sd[point] == pytest.approx(finite.std(ddof=1), abs=1e-3)


def test_the_overview_is_that_of_a_loop(make_ensemble):
    """Spread, inside, outside and deviations are those of plain loops over the log."""
    ensemble = open_ensemble(make_ensemble())
    seen = overview(ensemble)
    inside = np.abs(ensemble.setup.grid[:, 0]) <= 2
    for place in (0, 7, 20):
        grid = ensemble.at(place).grid.astype(float)
        sd = grid.std(axis=0, ddof=1)
        assert seen.spread[place] == pytest.approx(sd.mean())
        assert seen.inside[place] == pytest.approx(sd[inside].mean())
        assert seen.outside[place] == pytest.approx(sd[~inside].mean())
        assert np.allclose(seen.deviation[:, place], (grid - grid.mean(axis=0)).mean(axis=1))
    before = ensemble.at(0).grid.astype(float).std(axis=0, ddof=1)
    assert np.allclose(seen.contraction, sd / before)
    assert set(seen.scores) == {"held_out", "out_of_bag"}
    assert seen.scores["held_out"][-1].crps < seen.scores["held_out"][0].crps


def test_a_broken_member_is_counted_and_the_others_go_on(make_ensemble):
    """From its first NaN on a member is missing; spread and scores are those of the rest."""
    whole = overview(open_ensemble(make_ensemble("whole")))
    seen = overview(open_ensemble(make_ensemble("broken", broken={3: 5})))
    assert seen.missing.tolist() == [0] * 5 + [1] * 16
    assert np.isnan(seen.deviation[3, 5:]).all()
    assert np.isfinite(np.delete(seen.deviation, 3, axis=0)).all()
    assert np.isfinite(seen.spread).all()
    assert seen.spread[4] == whole.spread[4]
    assert seen.spread[6] != whole.spread[6]


def test_the_noise_is_given_logged_the_members_own_or_estimated(
    make_ensemble, write_ensemble, tmp_path
):
    """In this order; and each says where it is from."""
    ensemble = open_ensemble(make_ensemble())
    last = ensemble.at(20)
    own = Predictions(*(np.full_like(each, 0.25) for each in last))

    def noise(setup=ensemble.setup, name="bare", variances=None, given=None):
        bare = write_ensemble(tmp_path / name, {0: last}, setup)
        return overview(open_ensemble(bare), noise=given, variances=variances).noise

    assert str(overview(ensemble, noise=3.0).noise) == "noise sd 3, given"
    assert str(overview(ensemble, variances=lambda _: own).noise) == "noise sd 0.5, from the log"
    assert str(noise(variances=lambda _: own)) == "noise sd, each member's own"
    unseen = out_of_bag(ensemble.setup.indices, 8)
    expected = most_likely_sd(last.data, ensemble.setup.targets, unseen)
    assert str(noise(name="bag")) == f"noise sd {expected:.3g}, estimated out of bag"
    held = replace(ensemble.setup, indices=None)
    estimated = noise(held, "held")
    assert estimated.sd == most_likely_sd(last.held_out, held.held_out_targets)
    assert estimated.source == "estimated from held-out points"
    alone = replace(held, held_out=np.empty((0, 1)), held_out_targets=np.empty(0), prior=None)
    assert noise(alone, "alone").source == "estimated from training residuals"


def test_members_own_variances_are_scored_and_drawn(make_ensemble, write_ensemble, tmp_path):
    """As the noise of their size would be, where they are all equal."""
    ensemble = open_ensemble(make_ensemble())
    bare = write_ensemble(tmp_path / "bare", dict(enumerate(ensemble)), ensemble.setup)
    opened = open_ensemble(bare)
    own = overview(
        opened,
        variances=lambda place: Predictions(*(np.full_like(e, 0.49) for e in opened.at(place))),
    )
    known = overview(opened, noise=0.7)
    for kind, rows in known.scores.items():
        for ours, theirs in zip(own.scores[kind], rows, strict=True):
            assert ours.to_dict() == pytest.approx(theirs.to_dict(), rel=1e-6)
    for one in (own, known):
        view = Lines(opened, one.noise, one.variances).at(20)
        assert np.allclose(view.predictive, np.hypot(view.sd, 0.7))


def test_an_explosion_in_between_does_not_flatten_the_picture(write_ensemble, tmp_path):
    """The limits hold the last epoch and the data, not a few epochs far off."""
    setup = EnsembleSetup(
        grid=np.array([[0.0], [1.0]]), data=np.array([[0.5]]), targets=np.array([4.0])
    )
    none = np.empty((3, 0), "f4")
    epochs = {
        epoch: Predictions(
            np.full((3, 2), 1e6 if epoch == 5 else 1.0, "f4"), np.ones((3, 1), "f4"), none
        )
        for epoch in range(40)
    }
    low, high = overview(open_ensemble(write_ensemble(tmp_path / "e", epochs, setup))).limits()
    assert low < 1
    assert 4 < high < 5
