"""The predictive distribution equals quadrature, closed forms and loops, and knows an exact one."""

import math

import numpy as np
import pytest
import scoringrules
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import integrate, stats

from epochord.renderers.ensemble.noise import most_likely_sd
from epochord.renderers.ensemble.overlap import overlaps
from epochord.renderers.ensemble.predictive import (
    calibration,
    crps,
    mixtures,
    nll,
    pit,
    pretended_pit,
)
from epochord.renderers.ensemble.scores import PERCENTS, reachable, scores_of
from tests.renderers.ensemble.predictions import exact_posterior, quarters, simulated

SIZES = st.sampled_from([1, 2, 16, 17, 40, 90])


@st.composite
def gaussians(draw):
    """Means and standard deviations of a mixture: near or far from each other, equal or not."""
    count, seed = draw(SIZES), draw(st.integers(0, 1000))
    rng = np.random.default_rng(seed)
    means = np.sort(rng.normal(size=count) * 10.0 ** draw(st.integers(-3, 4)))
    return means, np.exp(rng.normal(size=count) * draw(st.sampled_from([0.0, 0.3, 2.0])))


def half_mean_difference(means, sds):
    """E|X - X'| / 2, over all pairs, with no more than the mean of a folded Gaussian."""
    between, sd = np.abs(np.subtract.outer(means, means)), np.hypot.outer(sds, sds)
    folded = stats.foldnorm.mean(between / sd, scale=sd)
    return math.fsum(folded.ravel()) / len(means) ** 2 / 2


@given(gaussians())
def test_the_overlap_is_that_of_all_pairs(case):
    """To the last digits, whether it is found by pairs or by an integral."""
    means, sds = case
    found = overlaps(means[None], sds[None], np.array([len(means)]))[0]
    assert found == pytest.approx(half_mean_difference(means, sds), rel=1e-12)


def test_the_overlap_of_a_thousand_members_is_that_of_all_pairs():
    """As of forty; members that lie far apart and in groups too."""
    rng = np.random.default_rng(0)
    for places in (rng.normal(size=1000), rng.integers(0, 5, 1000) * 1e3 + rng.normal(size=1000)):
        means, sds = np.sort(places), np.full(1000, 0.3)
        found = overlaps(means[None], sds[None], np.array([1000]))[0]
        assert found == pytest.approx(half_mean_difference(means, sds), rel=1e-12)


def test_crps_is_that_of_quadrature():
    """The integral of (F - 1[target below])², from SciPy, to 1e-12; for 3 and 40 members."""
    rng = np.random.default_rng(1)
    for count in (3, 40):
        means, variances, target = rng.normal(size=count), rng.uniform(0.1, 2, count), 0.7
        sds = np.sqrt(variances)

        def below(x, means=means, sds=sds):
            return stats.norm.cdf((x - means) / sds).mean()

        ends = {"epsabs": 1e-15, "epsrel": 1e-13, "limit": 200}
        expected = (
            integrate.quad(lambda x: below(x) ** 2, -16, target, **ends)[0]
            + integrate.quad(lambda x: (1 - below(x)) ** 2, target, 16, **ends)[0]
        )
        these = mixtures(means[:, None], np.array([target]), variances=variances[:, None])
        assert crps(these)[0] == pytest.approx(expected, rel=1e-12)


def test_equal_members_are_one_gaussian():
    """CRPS, fair or not, density and distribution function are that Gaussian's."""
    targets = np.random.default_rng(0).normal(size=50)
    these = mixtures(np.full((7, 50), 0.4), targets, noise_sd=0.8)
    expected = scoringrules.crps_normal(targets, 0.4, 0.8, backend="numpy")
    for found in crps(these):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(nll(these), -stats.norm.logpdf(targets, 0.4, 0.8), rtol=1e-12)
    np.testing.assert_allclose(pit(these), stats.norm.cdf(targets, 0.4, 0.8), rtol=1e-12)


@given(arrays.arrays(np.float64, (5, 4), elements=quarters), st.integers(0, 99))
def test_density_and_distribution_are_means_over_members(predictions, seed):
    """Each with its own variance, in any order."""
    rng = np.random.default_rng(seed)
    variances, targets = rng.uniform(0.1, 2, (5, 4)), rng.normal(size=4)
    these = mixtures(predictions, targets, variances=variances)
    gaussians = stats.norm(predictions, np.sqrt(variances))
    np.testing.assert_allclose(nll(these), -np.log(gaussians.pdf(targets).mean(axis=0)), rtol=1e-9)
    np.testing.assert_allclose(pit(these), gaussians.cdf(targets).mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(these.aleatoric, variances.mean(axis=0))
    np.testing.assert_allclose(these.epistemic, predictions.var(axis=0, ddof=1), atol=1e-12)


def test_the_fair_crps_does_not_depend_on_the_number_of_members():
    """In the mean; the plain one is greater with few members."""
    rng = np.random.default_rng(3)
    targets = math.hypot(1, 0.5) * rng.normal(size=20_000)
    closed = math.hypot(1, 0.5) / math.sqrt(math.pi)  # of what is predicted by all members
    for members in (2, 5, 30):
        these = mixtures(rng.normal(size=(members, 20_000)), targets, noise_sd=0.5)
        plain, fair = (each.mean() for each in crps(these))
        assert fair == pytest.approx(closed, abs=0.015)
        gain = math.hypot(1, 0.5) / math.sqrt(math.pi) - 0.5 / math.sqrt(math.pi)
        assert plain == pytest.approx(closed + gain / members, abs=0.015)


@pytest.mark.parametrize(
    ("variances", "noise_sd", "message"),
    [
        (np.ones((2, 3)), None, r"variances have shape \(2, 3\); expected \(2, 1\)"),
        (None, None, "noise_sd is None; expected a positive number"),
        (None, 0.0, "noise_sd is 0.0"),
        (None, np.inf, "noise_sd is inf"),
    ],
)
def test_noise_without_a_width_is_refused(variances, noise_sd, message):
    """As there is no density then."""
    with pytest.raises(ValueError, match=message):
        mixtures(np.zeros((2, 1)), np.zeros(1), noise_sd=noise_sd, variances=variances)


def test_members_without_a_variance_do_not_count():
    """A variance of nothing, less or NaN is none; the other members are as if alone."""
    predictions, targets = np.arange(10.0).reshape(5, 2), np.zeros(2)
    variances = np.array([1, 0, -1, np.nan, 2])[:, None] * np.ones(2)
    these = mixtures(predictions, targets, variances=variances)
    alone = mixtures(predictions[[0, 4]], targets, variances=variances[[0, 4]])
    for found, expected in zip(these, alone, strict=True):
        np.testing.assert_array_equal(found, expected)


# An exact posterior, whose noise is known


def test_an_exact_posterior_is_found_calibrated():
    """Forty draws of it, a hundred times: nominal coverage, spread like skill, a flat PIT."""
    scores, transforms, squared, expected = [], [], [], []
    for seed in range(100):
        these = mixtures(*exact_posterior(seed), noise_sd=0.5)
        scores.append(scores_of(these))
        transforms.append(pit(these)[0])  # one a posterior: others share its luck
        squared.append(np.mean(these.bias**2))
        expected.append(np.mean(these.epistemic * 41 / 40 + these.aleatoric))
    covered = np.mean([each.coverage for each in scores], axis=0)
    assert covered == pytest.approx([0.50, 0.68, 0.95], abs=0.01)
    assert math.sqrt(np.mean(expected) / np.mean(squared)) == pytest.approx(1, abs=0.02)
    counts = np.histogram(transforms, 10, (0, 1))[0]
    assert stats.chisquare(counts).pvalue > 0.05


def test_noise_that_is_too_small_is_found_out():
    """As members alone are for the spread of observations, which is what was scored before."""
    covered = np.mean(
        [scores_of(mixtures(*exact_posterior(seed), noise_sd=1e-3)).coverage for seed in range(20)],
        axis=0,
    )
    assert (covered < np.array(PERCENTS) / 100 - 0.1).all()


# Calibration and what can be reached


def test_the_ends_of_an_interval_belong_to_it():
    """The level p holds what lies between (1 - p)/2 and (1 + p)/2."""
    levels = np.arange(5, 100, 5) / 100
    for end in ((1 - levels) / 2, (1 + levels) / 2):
        covered = [calibration(end[[i]], levels)[i] for i in range(len(levels))]
        assert covered == [1.0] * len(levels)
    assert calibration(np.array([0.1]), np.array([0.79, 0.81])).tolist() == [0, 1]


@pytest.mark.parametrize(("members", "noise"), [(5, 0.05), (10, 0.05), (10, 1.0), (40, 0.5)])
def test_what_can_be_reached_is_what_calibrated_ensembles_reach(members, noise):
    """As simulated with truths drawn like the members, of which the truth is none."""
    predictions, targets, _ = simulated(members - 1, 20_000, seed=members, noise=noise)
    reached = scores_of(mixtures(predictions, targets, noise_sd=noise)).coverage
    predictions, targets, _ = simulated(members, 400, seed=1, noise=noise)
    these = mixtures(predictions, targets, noise_sd=noise)
    assert reachable(these) == pytest.approx(reached, abs=0.02)
    assert ((pretended_pit(these) >= 0) & (pretended_pit(these) <= 1)).all()


# The most likely noise


@pytest.mark.parametrize("members", [1, 3, 40])
def test_the_most_likely_noise_is_that_of_a_search(members):
    """Of all that one could try, and close to the one that the targets were made with."""
    rng = np.random.default_rng(members)
    truth = rng.normal(size=300)
    predictions = truth + 0.05 * rng.normal(size=(members, 300))
    targets = truth + 0.4 * rng.normal(size=300)
    found = most_likely_sd(predictions, targets)
    tried = np.geomspace(0.05, 3, 2000)
    errors = predictions - targets
    likely = [np.log(stats.norm.pdf(errors, 0, sd).mean(axis=0)).sum() for sd in tried]
    assert found == pytest.approx(tried[np.argmax(likely)], rel=0.003)
    assert found == pytest.approx(0.4, rel=0.1)


def test_noise_needs_something_to_go_by():
    """No point, no error, or nothing finite: there is no noise to be estimated."""
    assert most_likely_sd(np.empty((3, 0)), np.empty(0)) is None
    assert most_likely_sd(np.ones((3, 2)), np.ones(2)) is None
    assert most_likely_sd(np.full((3, 2), np.nan), np.ones(2)) is None
    unseen = np.zeros((3, 2), bool)
    assert most_likely_sd(np.zeros((3, 2)), np.ones(2), unseen) is None


def test_the_most_likely_noise_weighs_points_not_members():
    """Out of bag, points have different numbers of members; with equal members, it is the rmse."""
    counts = np.array([[True, True]] + [[True, False]] * 9)
    found = most_likely_sd(np.zeros((10, 2)), np.array([0.0, 1.0]), counts)
    assert found == pytest.approx(0.5**0.5, rel=1e-4)
