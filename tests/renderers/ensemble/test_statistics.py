"""Spreads are those of NumPy and of loops; what is not finite does not count."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from epochord.renderers.ensemble.statistics import contraction, inside_outside, spread

# Multiples of a quarter: ties are frequent, and shifts by such numbers are exact.
quarters = st.integers(-12, 12).map(lambda number: number / 4)


def mean(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers) if numbers else math.nan


@given(arrays.arrays(np.float32, (2, 4, 3), elements=quarters | st.sampled_from([np.nan, np.inf])))
def test_spread_is_the_standard_deviation_of_what_is_finite(predictions):
    """Of each epoch and grid point."""
    result = spread(predictions)
    for place in np.ndindex(2, 3):
        column = predictions[place[0], :, place[1]]
        known = column[np.isfinite(column)].astype(np.float64)
        expected = known.std(ddof=1) if len(known) > 1 else math.nan
        assert result[place] == pytest.approx(expected, abs=1e-12, nan_ok=True)


@given(arrays.arrays(np.float64, 3, elements=st.floats(-1e300, 1e300)), st.integers(2, 40))
def test_members_that_agree_have_no_spread(values, members):
    """Exactly none, so that a share of it is not one of a rounding error."""
    assert not spread(np.tile(values, (members, 1))).any()


def test_contraction_is_what_is_left_of_the_spread():
    """A point that had no spread has no share of it: NaN, or infinite if it has one now."""
    before = np.array([2.0, 0.5, 0.0, 0.0, np.nan])
    later = np.array([[2.0, 0.5, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, 1.0, 1.0]])
    expected = [[1, 1, np.nan, np.nan, np.nan], [0.5, 2, np.nan, np.inf, np.nan]]
    np.testing.assert_array_equal(contraction(later, before), expected)


def test_spread_inside_and_outside_of_an_interval():
    """Its ends are inside, and what is not finite is left out."""
    grid = np.array([-3.0, -2.0, 0.0, 1.0, 2.0, 3.0, 3.5])[:, None]
    data = np.array([0.5, -2.0, 2.0])[:, None]
    sd = np.array([5.0, 1.0, 2.0, np.nan, 3.0, 7.0, np.inf])
    assert inside_outside(sd, grid, data) == (2.0, 6.0)


@given(st.integers(1, 3), st.data())
def test_spread_inside_and_outside_of_a_box(dimensions, data):
    """Every coordinate has to be between the data's."""
    points = arrays.arrays(
        np.float64, st.tuples(st.integers(0, 6), st.just(dimensions)), elements=quarters
    )
    grid, given_data = data.draw(points), data.draw(points)
    sd = np.arange(1.0, len(grid) + 1)
    inner, outer = [], []
    for place, value in zip(grid, sd, strict=True):
        inside = len(given_data) > 0 and all(
            min(given_data[:, axis]) <= place[axis] <= max(given_data[:, axis])
            for axis in range(dimensions)
        )
        (inner if inside else outer).append(value)
    expected = pytest.approx((mean(inner), mean(outer)), nan_ok=True)
    assert inside_outside(sd, grid, given_data) == expected


@pytest.mark.parametrize("shapes", [(3, (3,), (2,)), (3, (4, 1), (2, 1)), (3, (3, 2), (2, 1))])
def test_a_grid_that_does_not_fit_is_refused(shapes):
    """Also one without an axis for the coordinates, which could be broadcast to nonsense."""
    with pytest.raises(ValueError, match=r"sd, grid and data have shapes .*\(grid, d\)"):
        inside_outside(*(np.zeros(shape) for shape in shapes))
