"""An ensemble in a few numbers an epoch, and which epoch is seen when."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from epochord.renderers.ensemble.overview import overview
from epochord.renderers.ensemble.statistics import bands, moments
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


def test_the_noise_is_the_logged_one_or_that_of_the_residuals(
    make_ensemble, write_ensemble, tmp_path
):
    """What is asked for counts first, then what the log says, then the residuals' size."""
    ensemble = open_ensemble(make_ensemble())
    assert overview(ensemble).noise == 0.5
    assert overview(ensemble, noise=3.0).noise == 3.0
    bare = write_ensemble(tmp_path / "bare", {0: ensemble.at(20)}, ensemble.setup)
    mean = ensemble.at(20).data.mean(axis=0)
    expected = np.sqrt(np.mean((mean - ensemble.setup.targets) ** 2))
    assert overview(open_ensemble(bare)).noise == pytest.approx(expected, rel=1e-5)


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
