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
from epochord.runlog.ensemble import EnsembleSetup, Predictions
from epochord.runlog.reading.ensemble import open_ensemble


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


def with_variances(ensemble, variances):
    """Let an ensemble's members have variances of their own."""
    ensemble.variances = variances
    return ensemble


def test_the_noise_is_given_logged_the_members_own_or_estimated(
    make_ensemble, write_ensemble, tmp_path
):
    """In this order; and each says where it is from."""
    ensemble = open_ensemble(make_ensemble())
    last = ensemble.at(20)
    own = Predictions(*(np.full_like(each, 0.25) for each in last))

    def noise(setup=ensemble.setup, name="bare", variances=None):
        bare = open_ensemble(write_ensemble(tmp_path / name, {0: last}, setup))
        return overview(with_variances(bare, variances) if variances else bare).noise

    assert str(overview(ensemble, noise=3.0).noise) == "noise sd 3, given"
    assert (
        str(overview(with_variances(ensemble, lambda _: own)).noise) == "noise sd 0.5, from the log"
    )
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
    varied = with_variances(
        open_ensemble(bare),
        lambda place: Predictions(*(np.full_like(e, 0.49) for e in opened.at(place))),
    )
    own = overview(varied)
    known = overview(opened, noise=0.7)
    for kind, rows in known.scores.items():
        for ours, theirs in zip(own.scores[kind], rows, strict=True):
            assert ours.to_dict() == pytest.approx(theirs.to_dict(), rel=1e-6)
    for one in (own, known):
        view = Lines(one.ensemble, one.noise).at(20)
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
