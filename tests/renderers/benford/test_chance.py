"""Chance and power equal simulations with other seeds, and scipy's distributions."""

import numpy as np
import pytest
from scipy import stats

from epochord.renderers.benford.chance import (
    chance,
    critical,
    least_deviation,
    power,
    power_against,
)
from epochord.renderers.benford.digit import FIRST, FIRST_TWO, digit
from epochord.renderers.benford.leading_digits import leading_digits

LAW = FIRST.law
UNIFORM = (1 / 9,) * 9


def rejected(n, law, other, draws=20_000):
    """Return how often samples of `other` differ from the law at 5 %, by scipy where it may."""
    rng = np.random.default_rng(7)
    expected = n * np.asarray(law)
    found = rng.multinomial(n, np.asarray(other), draws)
    statistics = ((found - expected) ** 2 / expected).sum(axis=1)
    if n * min(law) >= 5:
        return (stats.chi2.sf(statistics, len(law) - 1) < 0.05).mean()
    of_law = rng.multinomial(n, np.asarray(law), draws)
    return (statistics > np.quantile(((of_law - expected) ** 2 / expected).sum(1), 0.95)).mean()


@pytest.mark.parametrize("n", [50, 445, 100_000])
@pytest.mark.parametrize("which", [FIRST, FIRST_TWO, digit("second")])
def test_one_in_a_hundred_is_above_the_limit(n, which):
    """By 40,000 samples with another seed: 0.8 to 1.2 %."""
    law = np.asarray(which.law)
    drawn = np.random.default_rng(7).multinomial(n, law, 40_000) / n
    above = np.abs(drawn - law).mean(axis=1) > chance(n, which.law).mad_limit(0.99)
    assert 0.0075 < above.mean() < 0.0125


def test_the_old_formula_was_four_percent_low():
    """Mean and 2.33 standard deviations are not the 99 % point: the MAD is skewed."""
    limits = chance(445, LAW)
    by_formula = limits.mads.mean() + 2.33 * limits.mads.std()
    assert limits.mad_limit(0.99) / by_formula == pytest.approx(1.04, abs=0.01)


@pytest.mark.parametrize("n", [110, 445, 5000])
def test_simulated_p_values_are_those_of_chi_square(n):
    """Where it holds, to what 9,999 samples allow."""
    for quantile in (0.5, 0.05, 0.01):
        statistic = stats.chi2.isf(quantile, 8)
        error = 4 * np.sqrt(quantile / 9999)
        assert chance(n, LAW).p_value(statistic) == pytest.approx(quantile, abs=error + 0.002)


def test_what_never_happens_has_the_least_p_value():
    """No simulated p is 0."""
    assert chance(50, LAW).p_value(1e9) == 1e-4
    assert chance(50, LAW).p_value(0) == 1


@pytest.mark.parametrize("n", [50, 110, 445, 5000])
def test_the_least_deviation_is_shown_in_80_percent(n):
    """By the shape that is hardest to show: one half of the law's mass up, the other down."""
    law, deviation = np.asarray(LAW), least_deviation(n, LAW)
    up = np.isin(np.arange(1, 10), [1, 4, 8, 9])  # 0.495 of the mass, and no few digits
    moved = deviation * 9 / 2
    other = law * np.where(up, 1 + moved / law[up].sum(), 1 - moved / law[~up].sum())
    assert np.abs(other - law).mean() == pytest.approx(deviation)
    assert rejected(n, LAW, other) == pytest.approx(0.80, abs=0.02)


@pytest.mark.parametrize("shape", [np.eye(9)[0] - np.eye(9)[8], np.eye(9)[4] - np.eye(9)[5]])
def test_no_other_shape_needs_more(shape):
    """A deviation as great that lies in two digits is shown more often."""
    other = np.asarray(LAW) + shape * least_deviation(445, LAW) * 9 / 2
    assert rejected(445, LAW, np.maximum(other, 0) / np.maximum(other, 0).sum()) > 0.80


DRAWN = {
    "half-normal values": lambda rng, scale, size: rng.normal(0, scale, size),
    "exponential values": lambda rng, scale, size: rng.exponential(scale, size),
    "log-normal values": lambda rng, scale, size: scale * rng.lognormal(0, 1, size),
}


@pytest.mark.parametrize("n", [50, 445])
@pytest.mark.parametrize("name", DRAWN)
def test_power_is_that_of_values_that_are_drawn(name, n):
    """Within 2 points, at the scale whose digits are nearest to the law."""
    rng, scales = np.random.default_rng(3), np.geomspace(1, 10, 24, endpoint=False)
    hardest = min(scales, key=lambda scale: _noncentrality(DRAWN[name](rng, scale, 100_000)))
    digits = leading_digits(DRAWN[name](rng, hardest, (4000, n)))
    counts = np.stack([(digits == d).sum(axis=1) for d in range(1, 10)], axis=1)
    expected = n * np.asarray(LAW)
    often = (((counts - expected) ** 2 / expected).sum(axis=1) > critical(n, LAW)).mean()
    assert power_against(n, FIRST)[name] == pytest.approx(often, abs=0.02)


@pytest.mark.parametrize("n", [50, 110, 445])
def test_power_against_equal_digits(n):
    """The same, by the test as scipy has it."""
    found = power_against(n, FIRST)["equal digits"]
    assert found == pytest.approx(rejected(n, LAW, UNIFORM), abs=0.02)


def _noncentrality(values):
    shares = np.bincount(leading_digits(values), minlength=10)[1:] / len(values)
    return float(((shares - LAW) ** 2 / LAW).sum())


def test_nothing_is_told_from_itself_but_at_five_percent():
    """The law against the law; and what is sure needs no simulation."""
    assert power(1000, LAW, LAW) == pytest.approx(0.05, abs=0.01)
    assert power(10**9, LAW, UNIFORM) == 1


def test_power_grows_with_the_number_of_values():
    """And of digits behind the second no alternative is named."""
    few, many = power_against(200, FIRST), power_against(2000, FIRST)
    assert all(few[name] <= many[name] + 0.01 for name in few)
    assert list(few) == [
        "equal digits", "half-normal values", "exponential values", "log-normal values",
    ]  # fmt: skip
    assert power_against(200, digit("3")) == {}
