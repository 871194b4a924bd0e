"""Layers' norms on one axis of steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderers.timeline import NothingToHearError, layer_norms, root_sum_of_squares
from runlog import LogError, Run, RunMetadata, Series


def test_a_layer_is_its_weight_or_all_its_parameters(make_run):
    """The norm of a whole layer is the root of the sum of squares."""
    run = make_run({"a.weight": [3.0, 6.0], "a.bias": [4.0, 8.0], "b.bias": [1.0, 2.0]})
    weights = layer_norms(run)
    assert weights.names == ("a", "b")  # b has no weight, so it is taken whole
    np.testing.assert_array_equal(weights.values, np.float32([[3, 6], [1, 2]]))
    whole = layer_norms(run, parameters="all")
    np.testing.assert_array_equal(whole.values, np.float32([[5, 10], [1, 2]]))


@given(st.lists(st.floats(0, width=32), min_size=1, max_size=10))
def test_a_single_part_comes_back_to_the_bit(norms):
    """Subnormal, huge and infinite norms pass unchanged."""
    data = np.array(norms, np.float32)
    np.testing.assert_array_equal(root_sum_of_squares([data]), data)


def test_nan_and_infinity_reach_the_layer():
    """One part that is not a number makes the whole not a number."""
    parts = [[1.0, np.nan, np.inf, 3e38], [1.0, 1.0, 1.0, 3e38]]
    np.testing.assert_array_equal(
        root_sum_of_squares(parts), np.float32([2**0.5, np.nan, np.inf, np.inf])
    )


def test_parameters_measured_at_different_steps_share_the_axis():
    """A layer is measured where any of its parameters is, and only there."""
    tag = "grad_norm/{}.weight".format
    series = {
        tag("a"): Series(tag("a"), [0, 2], np.float32([1, 2])),
        tag("b"): Series(tag("b"), [1, 2], np.float32([5, 6])),
    }
    timeline = layer_norms(Run("r", RunMetadata("r"), series))
    assert timeline.steps.tolist() == [0, 1, 2]
    assert timeline.measured.tolist() == [[True, False, True], [False, True, True]]
    assert timeline.values[timeline.measured].tolist() == [1, 2, 5, 6]


def test_layers_are_heard_in_the_order_asked_for(make_run):
    """The user's order wins over registration order."""
    run = make_run({"a.weight": [1.0], "b.weight": [2.0], "c.weight": [3.0]})
    assert layer_norms(run, layers=["c", "a"]).names == ("c", "a")
    with pytest.raises(LogError, match="no layer matches 'd'"):
        layer_norms(run, layers=["d"])


def test_a_run_without_norms_says_what_it_has_instead(make_run):
    """So that the user sees what was looked at."""
    with pytest.raises(NothingToHearError, match=r"no gradient norms .*; it has loss, lr"):
        layer_norms(make_run({}, loss=[1.0], lr=[2.0]))
