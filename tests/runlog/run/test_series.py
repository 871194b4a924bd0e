"""A Series keeps each value together with its step, its wall time and its segment."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.runlog import Series


def series(count: int) -> Series:
    """Values that tell their place, so that each array can be checked against them."""
    place = np.arange(count)
    return Series("loss", place * 3, place / 2, place * 10, place % 4)


def assert_belongs_together(loss: Series) -> None:
    place = 2 * loss.values
    np.testing.assert_array_equal(loss.steps, place * 3)
    np.testing.assert_array_equal(loss.wall_times, place * 10)
    np.testing.assert_array_equal(loss.segments, place % 4)


@given(st.data(), st.integers(1, 12))
def test_an_index_selects_values_with_their_steps_times_and_segments(data, count):
    """Whether it is a slice, a mask, a Series as mask, or places."""
    loss = series(count)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    places = data.draw(st.lists(st.integers(-count, count - 1), min_size=1))
    for index in (data.draw(st.slices(count)), ..., mask, loss.with_values(mask), places):
        chosen = loss[index]
        assert isinstance(chosen, Series)
        plain = index.values if isinstance(index, Series) else index
        np.testing.assert_array_equal(chosen.values, loss.values[plain])
        assert_belongs_together(chosen)


def test_an_integer_selects_a_number_and_a_new_axis_gives_an_array():
    """One value is no series, and a Series has one axis."""
    loss = series(3)
    assert loss[1] == loss[np.int64(-2)] == 0.5
    assert isinstance(loss[1], np.float64)
    assert type(loss[:, None]) is np.ndarray
    np.testing.assert_array_equal(loss[np.argsort(-loss)].values, [1.0, 0.5, 0.0])


def test_a_mask_of_other_steps_selects_nothing():
    """It says something about steps; by places it would select the wrong values."""
    loss, val = (
        Series("loss", [0, 1, 2], [1.0, 2.0, 3.0]),
        Series("val", [0, 1, 3], [1.0, 2.0, 3.0]),
    )
    np.testing.assert_array_equal(loss[loss > 1.5].steps, [1, 2])
    with pytest.raises(ValueError, match="mask: 'loss' and 'val' lie on different steps"):
        loss[val > 1.5]


def test_segments_and_unknown_wall_times_cost_no_memory():
    """One number stands for all of a log that is one file, and stays one in a slice."""
    loss = Series("loss", range(1000), np.ones(1000), segments=3)
    for part in (loss, loss[10:20], -loss):
        assert part.segments.dtype == np.int32
        assert part.segments.strides == part.wall_times.strides == (0,)
        assert set(part.segments.tolist()) == {3}
        assert np.isnan(part.wall_times).all()
    assert Series("loss", [0], [1.0]).segments.tolist() == [0]


def test_arithmetic_of_two_series_names_both():
    """Of one tag the result keeps the tag."""
    steps = [0, 3, 6]
    train, val = Series("train", steps, [0.0, 1.0, 2.0]), Series("val", steps, [1.0, 1.0, 1.0])
    gap = val - train
    assert gap.tag == "subtract(val, train)"
    np.testing.assert_array_equal(gap.values, [1.0, 0.0, -1.0])
    assert (train + train).tag == (2 * train).tag == "train"


def test_a_series_converts_to_an_array():
    """Without a copy it is read-only; a copy may be written to."""
    loss = series(3)
    assert np.shares_memory(np.asarray(loss), loss.values)
    assert not np.asarray(loss).flags.writeable
    assert np.array(loss).flags.writeable
    assert np.asarray(loss, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy"):
        np.array(loss, dtype=np.float32, copy=False)
    assert list(loss) == [0.0, 0.5, 1.0]


def test_a_series_cannot_be_changed_through_its_arrays():
    """A log does not change because someone computes with it."""
    mine = np.ones(3)
    loss = Series("loss", np.arange(3), mine, mine, np.zeros(3, np.int32))
    for array in (loss.values, loss.steps, loss.wall_times, loss.segments):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7
    mine[0] = 2.0  # the caller's own array stays writable


def test_arrays_of_other_shapes_are_refused():
    """Steps, values, wall times and segments belong together."""
    for arrays in (
        ([0, 1], [1.0]),
        ([0], [1.0], [1.0, 2.0]),
        ([0], [1.0], [1.0], [0, 1]),
        ([0], [1.0], 5.0),
        ([[0]], [[1.0]]),
        (0, 1.0),
    ):
        with pytest.raises(ValueError, match="of one length"):
            Series("loss", *arrays)


def test_the_truth_of_a_series_is_that_of_an_array():
    """So that `if loss > 1` is an error instead of a question about its length."""
    assert series(2)[1:]
    assert not series(1)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(series(2))
