"""A Series is a NumPy citizen: it goes through NumPy's functions and keeps its steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from runlog import Series

values = arrays(
    np.float32,
    st.integers(1, 30),
    elements=st.floats(allow_nan=True, allow_infinity=True, width=32),
)


def series(data: np.ndarray, tag: str = "loss", first: int = 0) -> Series:
    steps = first + np.arange(len(data)) * 3
    return Series(tag, steps, data, steps / 10)


@given(values)
def test_elementwise_functions_give_what_numpy_gives_and_keep_tag_steps_and_times(data):
    """Each of these functions has one value a step, so the steps stay."""
    loss = series(data)
    with np.errstate(all="ignore"):
        for function in (np.log10, np.sqrt, np.negative, np.isnan, np.nan_to_num, np.cumsum):
            result = function(loss)
            assert isinstance(result, Series)
            np.testing.assert_array_equal(result.values, function(data))
            np.testing.assert_array_equal(result.steps, loss.steps)
            np.testing.assert_array_equal(result.wall_times, loss.wall_times)
            assert result.tag == "loss"


@given(values)
def test_reductions_give_plain_numbers(data):
    """A mean has no step."""
    loss = series(data)
    with np.errstate(all="ignore"):
        for function in (np.sum, np.max, np.mean, np.median, np.nanmax, np.percentile):
            extra = (50,) if function is np.percentile else ()
            result = function(loss, *extra)
            assert not isinstance(result, Series)
            np.testing.assert_array_equal(result, function(data, *extra))


@given(values, st.integers(1, 3))
def test_a_difference_belongs_to_the_later_step(data, n):
    """np.diff loses the first n steps, not the last."""
    loss = series(data)
    with np.errstate(all="ignore"):
        result = np.diff(loss, n)
        np.testing.assert_array_equal(result.values, np.diff(data, n))
    np.testing.assert_array_equal(result.steps, loss.steps[min(n, len(data)) :])


def test_concatenating_one_tag_joins_its_steps_and_mixed_input_gives_an_array():
    """Joining pieces of one series restores it."""
    whole = series(np.arange(6.0))
    joined = np.concatenate([whole[:2], whole[2:]])
    assert isinstance(joined, Series)
    np.testing.assert_array_equal(joined.steps, whole.steps)
    np.testing.assert_array_equal(joined.values, whole.values)
    mixed = np.concatenate([whole, np.ones(2)])
    assert type(mixed) is np.ndarray
    assert mixed.shape == (8,)


def test_arithmetic_of_two_series_names_both_and_needs_the_same_steps():
    """Values of different steps must not be added by accident."""
    train, val = series(np.arange(3.0), "train"), series(np.ones(3), "val")
    gap = val - train
    assert gap.tag == "subtract(val, train)"
    np.testing.assert_array_equal(gap.values, [1.0, 0.0, -1.0])
    assert (train + train).tag == "train"
    with pytest.raises(ValueError, match="different steps"):
        val - series(np.ones(3), "late", first=1)


def test_comparisons_and_masks_select_steps():
    """A mask made of a series indexes it."""
    loss = series(np.array([1.0, 5.0, 2.0]))
    high = loss[loss > 1.5]
    np.testing.assert_array_equal(high.steps, [3, 6])
    np.testing.assert_array_equal(np.where(loss > 1.5, loss, 0).values, [0.0, 5.0, 2.0])
    assert loss[1] == 5.0
    np.testing.assert_array_equal(loss[::-1].steps, [6, 3, 0])


def test_other_functions_fall_back_to_arrays():
    """Sorting loses the order of steps, so the result has none."""
    assert type(np.sort(series(np.array([2.0, 1.0])))) is np.ndarray
    assert type(np.add.outer(series(np.ones(2)), [1.0])) is np.ndarray
    fractions, exponents = np.frexp(series(np.array([8.0, 3.0])))
    assert isinstance(fractions, Series)
    np.testing.assert_array_equal(exponents.values, [4, 2])


def test_a_series_cannot_be_changed_through_its_arrays():
    """A log does not change because someone computes with it."""
    mine = np.ones(3)
    loss = Series("loss", np.arange(3), mine)
    with pytest.raises(ValueError, match="read-only"):
        loss.values[0] = 7
    with pytest.raises(TypeError, match="cannot be written to"):
        np.add(loss, 1, out=loss)
    mine[0] = 2.0  # the caller's own array stays writable


def test_lengths_that_differ_are_refused():
    """Steps and values belong together."""
    with pytest.raises(ValueError, match="of one length"):
        Series("loss", [0, 1], [1.0])
