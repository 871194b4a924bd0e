"""How a voice went, in numbers that are in the log and in words that are true of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from epochord.renderers.findings.course import courses
from epochord.renderers.timeline.reduction import reduce
from epochord.renderers.timeline.timeline import Timeline


def course(values, frames=None, every=1):
    rows = np.atleast_2d(np.asarray(values, np.float64))
    steps = np.arange(rows.shape[1]) * every
    line = Timeline(steps, ("loss",), rows, np.ones(rows.shape, bool))
    (found,) = courses(reduce(line, frames))
    return found


@given(
    arrays.arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e9, 1e9)), st.integers(1, 9)
)
def test_extremes_are_those_of_the_log_with_their_steps(values, frames):
    """However few the frames are."""
    found = course(values, frames, every=5)
    assert (found.low, found.low_step) == (values.min(), 5 * values.argmin())
    assert (found.high, found.high_step) == (values.max(), 5 * values.argmax())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([2.0, 1.5, 0.1], "loss: falls from 2 to 0.1 (least 0.1 at step 2, greatest 2 at 0)"),
        ([0.1, 0.5], "loss: rises from 0.1 to 0.5 (least 0.1 at step 0, greatest 0.5 at 1)"),
        ([1.0, 9.0, 1.1], "loss: begins and ends near 1 (least 1 at step 0, greatest 9 at 1)"),
        ([-1.0, 2.0], "loss: rises from -1 to 2 (least -1 at step 0, greatest 2 at 1)"),
        ([3.0, 3.0, 3.0], "loss: 3 throughout"),
        ([np.nan, 3.0, np.inf], "loss: 3 throughout"),
    ],
)
def test_a_course_in_words(values, said):
    """Of the numbers there are."""
    assert course(values).sentence == said


def test_a_spike_is_the_greatest_and_not_the_course():
    """2,000 losses near a half with one of 500."""
    loss = 0.5 * np.exp(0.1 * np.random.default_rng(0).standard_normal(2000))
    loss[1234] = 500
    said = course(loss, 1000).sentence
    assert said.startswith("loss: begins and ends near 0.5")
    assert said.endswith("greatest 500 at 1234)")
