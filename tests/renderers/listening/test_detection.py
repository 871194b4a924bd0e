"""d' and intervals, against SciPy, values worked out by hand, and laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from epochord.renderers.listening.detection import Detection, Share

COUNTS = st.integers(1, 200).flatmap(
    lambda of: st.integers(0, of).map(lambda count: Share(count, of))
)


@given(COUNTS)
def test_intervals_are_wilsons(share: Share) -> None:
    """As SciPy has them."""
    expected = binomtest(share.count, share.of).proportion_ci(0.95, method="wilson")
    assert share.interval == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_of_nothing_nothing_is_known() -> None:
    """No share, and an interval that rules out nothing."""
    assert (Share(0, 0).value, Share(0, 0).interval) == (None, (0.0, 1.0))


@given(COUNTS, COUNTS)
def test_d_prime_has_the_log_linear_correction(hits: Share, false_alarms: Share) -> None:
    """By SciPy's quantiles of the corrected rates."""
    rates = [(one.count + 0.5) / (one.of + 1) for one in (hits, false_alarms)]
    high, low = norm.ppf(rates)
    found = Detection(hits, false_alarms)
    assert found.d_prime == pytest.approx(high - low, abs=1e-9)
    assert found.criterion == pytest.approx(-(high + low) / 2, abs=1e-9)
    assert found.area == pytest.approx(norm.cdf((high - low) / np.sqrt(2)), abs=1e-9)


def test_d_prime_by_hand() -> None:
    """Of 18 troubles 18 heard and of 18 healthy clips 3 called ill: 18.5/19 and 3.5/19."""
    found = Detection(Share(18, 18), Share(3, 18))
    assert found.d_prime == pytest.approx(1.938 + 0.899, abs=2e-3)  # from a printed table of z
    assert found.criterion == pytest.approx(-(1.938 - 0.899) / 2, abs=2e-3)


@given(COUNTS)
def test_chance_is_zero(share: Share) -> None:
    """Who says the same of both, however often, hears nothing."""
    found = Detection(share, share)
    assert found.d_prime == 0
    assert found.area == 0.5


@given(COUNTS, COUNTS)
def test_d_prime_is_symmetric(hits: Share, false_alarms: Share) -> None:
    """To exchange yes and no, or what is there and what is not, turns the sign at most."""
    found = Detection(hits, false_alarms)
    other = Detection(
        Share(false_alarms.of - false_alarms.count, false_alarms.of),
        Share(hits.of - hits.count, hits.of),
    )
    assert other.d_prime == pytest.approx(found.d_prime, abs=1e-9)
    assert other.criterion == pytest.approx(-found.criterion, abs=1e-9)
    assert Detection(false_alarms, hits).d_prime == -found.d_prime


@given(COUNTS, COUNTS)
def test_a_hit_more_is_never_worse(hits: Share, false_alarms: Share) -> None:
    """It grows with every hit, and is finite at the ends, too."""
    if hits.count < hits.of:
        more = Detection(Share(hits.count + 1, hits.of), false_alarms)
        assert more.d_prime > Detection(hits, false_alarms).d_prime
    assert np.isfinite(Detection(hits, false_alarms).d_prime)
