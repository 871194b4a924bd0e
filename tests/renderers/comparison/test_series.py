"""Where two logged series part: brute force, and laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.comparison.series import FARTHEST, compare_series
from epochord.runlog import Series

VALUES = st.one_of(st.floats(1e-3, 1e3), st.sampled_from([math.nan, math.inf, -math.inf, 0.0]))
LOGS = st.dictionaries(st.integers(0, 30), VALUES, min_size=1, max_size=20)
RATIO = 1.5


def _series(log: dict[int, float]) -> Series:
    return Series("x", list(log), np.array(list(log.values()), np.float64))


def _apart(one: float, other: float) -> bool:
    """As one would say it: not the same non-number, or more than the ratio apart."""
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) != math.isnan(other)
    if math.isinf(one) or math.isinf(other):
        return one != other
    small, large = sorted([one, other])
    return large > 0 and (small == 0 or large / small > RATIO * (1 + 1e-9))


@given(LOGS, LOGS)
def test_the_first_parting_is_the_first(one: dict[int, float], other: dict[int, float]) -> None:
    """Compared value by value on the steps that both have."""
    found = compare_series(_series(one), _series(other), RATIO)
    shared = sorted(set(one) & set(other))
    if not shared:
        return
    assert found.steps.tolist() == shared
    parted = [step for step in shared if _apart(one[step], other[step])]
    assert found.steps[found.apart].tolist() == parted
    assert (found.first is None) == (not parted)
    if parted:
        assert found.steps[found.first] == parted[0]


@given(LOGS, LOGS)
def test_swapped_the_differences_change_their_sign(
    one: dict[int, float], other: dict[int, float]
) -> None:
    """What parts, parts from either side, and as far."""
    there = compare_series(_series(one), _series(other), RATIO)
    back = compare_series(_series(other), _series(one), RATIO)
    np.testing.assert_array_equal(there.apart, back.apart)
    np.testing.assert_array_equal(there.decades, -back.decades)
    assert there.distance == back.distance
    assert there.equal == back.equal


@given(LOGS)
def test_what_is_equal_has_no_difference(log: dict[int, float]) -> None:
    """NaN equals NaN: zero differences, every value equal."""
    found = compare_series(_series(log), _series(log), RATIO)
    assert found.equal == len(log)
    assert not found.apart.any()
    assert not found.decades.any()
    assert (found.first, found.largest, found.distance) == (None, None, 0)


@given(st.floats(1e-2, 1e2).filter(lambda f: abs(math.log10(f)) > 0.01))
def test_a_multiple_is_as_many_decades_away(factor: float) -> None:
    """Everywhere, and in the distance."""
    values = np.geomspace(1e-3, 1e3, 50)
    one, other = (Series("x", np.arange(50), f * values) for f in (1, factor))
    found = compare_series(one, other, RATIO)
    np.testing.assert_allclose(found.decades, math.log10(factor), atol=1e-9)
    assert found.distance == pytest.approx(abs(math.log10(factor)))
    assert found.apart.all() == (max(factor, 1 / factor) > RATIO)


def test_crossing_zero_is_no_parting() -> None:
    """Of rewards and the like, small differences around zero are small."""
    values = np.linspace(-10, 10, 41)
    one, other = (Series("x", np.arange(41), values + d) for d in (0.0, 0.1))
    assert not compare_series(one, other, 1.1).apart.any()
    assert compare_series(one, Series("x", np.arange(41), values + 5), 1.1).apart.all()


def test_what_goes_astray_counts_as_a_thousandfold() -> None:
    """Towards the one that did; if both did, there is no telling."""
    one = Series("x", range(4), [1.0, 1.0, math.nan, math.nan])
    other = Series("x", range(4), [1.0, math.nan, 1.0, math.inf])
    found = compare_series(one, other, RATIO)
    np.testing.assert_array_equal(found.decades, [0, FARTHEST, -FARTHEST, math.nan])
    assert found.apart.tolist() == [False, True, True, True]
    assert found.to_dict()["first"] == {"step": 1, "a": 1.0, "b": "nan", "ratio": "nan"}


def test_of_several_values_in_a_step_the_last_one_counts() -> None:
    """As everywhere in Epochord."""
    one = Series("x", [0, 1, 1, 2], [1.0, 9.0, 2.0, 3.0])
    assert compare_series(one, Series("x", [0, 1, 2], [1.0, 2.0, 3.0]), RATIO).equal == 3


def test_without_a_common_step_values_are_held() -> None:
    """Between the first and the last step that both span."""
    one = Series("x", [0, 10, 20], [1.0, 2.0, 3.0])
    other = Series("x", [5, 15, 25], [1.0, 2.0, 3.0])
    found = compare_series(one, other, RATIO)
    assert found.held
    assert found.steps.tolist() == [5, 10, 15, 20]
    assert found.one.tolist() == [1, 2, 2, 3]
    assert found.other.tolist() == [1, 1, 2, 2]
    apart = compare_series(one, Series("x", [50], [1.0]), RATIO)
    assert not len(apart.steps)
