"""Distributions and distances equal closed forms, other code and simulations."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from epochord.renderers.benford.distributions import (
    benford,
    chance_mad,
    correlation,
    distances,
    distribution,
    exponential,
    gaussian,
    log_normal,
    mad,
    total_variation,
)
from epochord.renderers.benford.leading_digits import count_digits

UNIFORM = np.full(9, 1 / 9)
# With no share between 0 and 1e-3, so that rounding is no part of what is compared.
shares = arrays.arrays(
    np.float64, 9, elements=st.integers(0, 1000).map(float), fill=st.nothing()
).filter(np.any)


@pytest.mark.parametrize("places", [1, 2])
def test_benfords_shares_are_those_of_uniform_logarithms(places):
    """Of the digits of 10^u, u from 0 to 1, that is of a geometric sequence."""
    values = 10 ** ((np.arange(1_000_000) + 0.5) / 1_000_000)
    found = count_digits(values, places=places).shares
    np.testing.assert_allclose(benford(places), found, rtol=0, atol=1.1e-6)
    assert benford(places).sum() == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("sigma", [1.0, 2.5, 0.0421])
@pytest.mark.parametrize("places", [1, 2])
def test_gaussian_digits_are_those_that_are_drawn(sigma, places):
    """A million draws do not differ from the distribution more than such draws do."""
    drawn = np.random.default_rng(0).normal(0, sigma, 1_000_000)
    counts = count_digits(drawn, places=places).counts
    assert stats.chisquare(counts, gaussian(sigma, places) * counts.sum()).pvalue > 0.01


@pytest.mark.parametrize("scale", [1.0, 3.3, 0.07])
@pytest.mark.parametrize("places", [1, 2])
def test_other_values_have_the_digits_that_are_drawn(scale, places):
    """Exponential and log-normal ones, by a million draws each."""
    rng = np.random.default_rng(2)
    for drawn, shares in (
        (rng.exponential(scale, 1_000_000), exponential(scale, places)),
        (rng.lognormal(np.log(scale), 1.0, 1_000_000), log_normal(scale, places)),
    ):
        counts = count_digits(drawn, places=places).counts
        assert stats.chisquare(counts, shares * counts.sum()).pvalue > 0.01


@given(st.floats(1e-300, 1e300), st.integers(-5, 5))
def test_gaussian_digits_do_not_know_the_decade(sigma, decades):
    """Sigma times a power of ten has the same digits; nor do first two digits disagree."""
    there = gaussian(sigma * 10.0**decades)
    np.testing.assert_allclose(there, gaussian(sigma), rtol=1e-12)
    np.testing.assert_allclose(there, gaussian(sigma, 2).reshape(9, 10).sum(axis=1), rtol=1e-9)


def test_gaussian_correlation_swings_within_a_decade():
    """The MLH of a Gaussian is 0.916 to 0.989 as sigma varies, with nothing learned."""
    swing = [correlation(gaussian(sigma), benford()) for sigma in np.geomspace(1, 10, 200)]
    assert (min(swing), max(swing)) == pytest.approx((0.916, 0.989), abs=5e-4)


@pytest.mark.parametrize("sigma", [0, -1, np.inf, np.nan])
def test_a_scale_that_is_none_is_refused(sigma):
    """With its name and value."""
    for shares, name in ((gaussian, "sigma"), (exponential, "scale"), (log_normal, "median")):
        with pytest.raises(ValueError, match=f"{name} is {sigma}; expected a positive number"):
            shares(sigma)


@given(shares, shares)
def test_distances_equal_scipys(one, two):
    """Entropy, Pearson's r, and sums written out."""
    one, two = one / one.sum(), two / two.sum()
    found = distances(one, two)
    assert found.kl_divergence == pytest.approx(stats.entropy(one, two), rel=1e-9, abs=1e-12)
    assert found.total_variation == pytest.approx(np.maximum(one - two, 0).sum(), abs=1e-12)
    assert found.mad == pytest.approx(2 * found.total_variation / 9, abs=1e-15)
    if np.ptp(one) > 0 and np.ptp(two) > 0:
        expected = stats.pearsonr(one, two).statistic
        assert found.correlation == pytest.approx(expected, rel=1e-9, abs=1e-9)
    else:
        assert math.isnan(found.correlation)


@given(shares, shares)
def test_distances_are_bounded_and_nothing_is_far_from_itself(one, two):
    """Pinsker's inequality holds, and what cannot happen in the other is infinitely surprising."""
    one, two = one / one.sum(), two / two.sum()
    found, same = distances(one, two), distances(one, one)
    assert (same.mad, same.total_variation, same.kl_divergence) == (0, 0, 0)
    assert found.total_variation <= math.sqrt(found.kl_divergence / 2) + 1e-9
    assert math.isinf(found.kl_divergence) == bool(((one > 0) & (two == 0)).any())
    assert found.total_variation == pytest.approx(total_variation(two, one), rel=1e-12)


def test_what_is_not_finite_is_none_in_a_dict():
    """JSON knows neither NaN nor infinity."""
    sure = np.eye(9)[0]
    assert distances(UNIFORM, sure).to_dict() == {
        "mad": pytest.approx(16 / 81),
        "total_variation": pytest.approx(8 / 9),
        "kl_divergence": None,
        "correlation": None,
    }


@pytest.mark.parametrize(
    "given_shares",
    [np.ones(9), np.ones(8) / 8, 2 * np.eye(9)[0] - np.eye(9)[1], np.full(9, np.nan)],
)
def test_what_is_no_distribution_is_refused(given_shares):
    """Counts above all."""
    with pytest.raises(ValueError, match=r"shares (are|have shape) .*; expected"):
        distribution(given_shares)
    with pytest.raises(ValueError, match="shares have shapes"):
        distances(benford(1), benford(2))


@pytest.mark.parametrize("n", [1, 7, 50, 333])
@pytest.mark.parametrize("places", [1, 2])
def test_chance_is_the_mean_over_all_counts(n, places):
    """The closed form equals the sum over the binomial distribution."""
    counts, expected = np.arange(n + 1), benford(places)
    each = [stats.binom.pmf(counts, n, p) @ abs(counts / n - p) for p in expected]
    assert chance_mad(n, expected) == pytest.approx(np.mean(each), rel=1e-10)


@pytest.mark.parametrize(("places", "constant"), [(1, 18.13), (2, 158.8)])
def test_chance_has_a_rule_of_thumb(places, constant):
    """1/√(Cn) (Barney & Schulzke 2016 have the same 158.8 for the first two digits)."""
    for n in (10**5, 10**8):
        thumb = 1 / math.sqrt(constant * n)
        assert chance_mad(n, benford(places)) == pytest.approx(thumb, rel=1e-3)


def test_mad_is_the_mean_over_digits():
    """Not over numbers."""
    assert mad(np.eye(9)[0], np.eye(9)[1]) == pytest.approx(2 / 9)
