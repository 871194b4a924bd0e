"""What is chosen of a run lies on one axis: held, never invented, each value once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.timeline.choice import Choice, NothingToHearError
from epochord.renderers.timeline.timeline import root_sum_of_squares, timeline
from epochord.runlog import LogError, Run, RunMetadata, Series


def run_of(*series: Series) -> Run:
    return Run("r", RunMetadata("r"), {each.tag: each for each in series})


@given(st.lists(st.floats(0, width=32), min_size=1, max_size=10))
def test_a_single_part_comes_back_to_the_bit(norms):
    """Subnormal, huge and infinite norms pass unchanged."""
    data = np.array(norms, np.float32)
    np.testing.assert_array_equal(root_sum_of_squares([data]), data)


def test_nan_and_infinity_reach_the_layer():
    """One part that is not a number makes the whole not a number."""
    parts = np.float32([[1.0, np.nan, np.inf, 3e38], [1.0, 1.0, 1.0, 3e38]])
    np.testing.assert_array_equal(
        root_sum_of_squares(parts), np.float32([2**0.5, np.nan, np.inf, np.inf])
    )


grid = st.lists(st.integers(0, 30), min_size=1, max_size=12)


@given(st.lists(grid, min_size=1, max_size=4))
def test_values_hold_until_their_next_step_and_nothing_comes_before_the_first(grids):
    """Equal to walking over the axis step by step."""
    tags = [f"loss{n}" for n in range(len(grids))]
    series = [
        Series(tag, steps, np.arange(len(steps)) + 100.0 * n)
        for n, (tag, steps) in enumerate(zip(tags, grids, strict=True))
    ]
    made = timeline(run_of(*series))
    assert made.steps.tolist() == sorted({step for steps in grids for step in steps})
    for row, each in enumerate(series):
        points = dict(zip(each.steps.tolist(), each.values.tolist(), strict=True))
        own = sorted(points)
        gap = int(np.median(np.diff(own))) if len(own) > 1 else 1
        for column, step in enumerate(made.steps.tolist()):
            earlier = [at for at in own if at <= step]
            assert made.measured[row, column] == bool(earlier and step < own[-1] + gap)
            if made.measured[row, column]:
                assert made.values[row, column] == points[earlier[-1]]


def test_a_value_beyond_float32_stays_what_it_is():
    """A loss of 1e300 is no infinity."""
    made = timeline(run_of(Series("loss", [0, 1], [1e300, 2.0])))
    assert made.values.tolist() == [[1e300, 2.0]]


def test_parameters_measured_at_different_steps_make_one_layer():
    """Each holds until it is measured again, and the layer is what all hold."""
    tag = "grad_norm/a.{}".format
    series = [Series(tag("weight"), [0, 2], [3.0, 6.0]), Series(tag("bias"), [1, 2], [4.0, 8.0])]
    made = timeline(run_of(*series), Choice(parameters="all"))
    assert made.values.tolist() == [[3.0, 5.0, 10.0]]
    assert made.measured.all()


@pytest.mark.parametrize(
    ("steps", "left"),
    [((None, None), [0, 5, 9]), ((5, None), [5, 9]), ((None, 9), [0, 5]), ((1, 6), [5])],
)
def test_a_range_of_steps_is_cut_out(steps, left):
    """From the first to before the last, like a slice; what held before still holds."""
    run = run_of(Series("loss", [0, 5, 9], [1.0, 2.0, 3.0]), Series("val_loss", [0, 9], [7.0, 8.0]))
    made = timeline(run, steps=steps)
    assert made.steps.tolist() == left
    assert made.measured.all()


def test_a_range_without_a_step_says_which_there_are():
    """So that the user can mend it."""
    run = run_of(Series("loss", [0, 9], [1.0, 2.0]))
    with pytest.raises(NothingToHearError, match=r"nothing in the steps 10:; its steps are 0…9"):
        timeline(run, steps=(10, None))


def test_several_values_in_one_step_share_a_frame_and_it_is_said():
    """The last one written is heard."""
    made = timeline(run_of(Series("loss", [0, 1, 1, 0], [1.0, 2.0, 3.0, 4.0])))
    assert made.steps.tolist() == [0, 1]
    assert made.values.tolist() == [[4.0, 3.0]]
    assert made.notes == (
        "2 values share their step with a later one of their tag, which is heard",
    )


def epochs(times, steps=range(1, 11)):
    return Series("val_loss", list(steps), np.arange(10.0), times)


def by_step(times):
    return Series("train_loss", np.arange(0, 1000, 10), np.ones(100), times)


def test_a_series_by_epoch_is_placed_by_wall_time():
    """Ten epochs of a hundred steps, each validated half a second after its last step."""
    run = run_of(by_step(np.arange(100.0)), epochs(np.arange(9.5, 100, 10)))
    made = timeline(run)
    first = np.argmax(made.measured[1])
    assert made.steps[first] == 100  # the first step after 9.5 s
    changes = np.flatnonzero(np.diff(made.values[1, first:])) + first + 1
    assert made.steps[changes].tolist() == [200, 300, 400, 500, 600, 700, 800, 900, 990]
    assert any("val_loss counts something else than train_loss" in line for line in made.notes)


def test_a_series_on_the_same_steps_stays_where_it_is():
    """Validating every hundredth step is no other axis, however late it is logged."""
    sparse = Series("val_loss", np.arange(90, 1000, 100), np.arange(10.0), np.arange(9.5, 100, 10))
    made = timeline(run_of(by_step(np.arange(100.0)), sparse))
    assert made.steps[np.argmax(made.measured[1])] == 90
    assert not any("counts something else" in line for line in made.notes)


def test_what_cannot_be_placed_is_left_out_or_refused_with_the_reason():
    """Wall times that run backwards place nothing; who asked for it gets an error."""
    back = np.arange(100.0)
    back[50] = 3
    run = run_of(by_step(back), epochs(np.arange(9.5, 100, 10)))
    made = timeline(run)
    assert made.names == ("train_loss",)
    assert any("left out: 'val_loss' counts something else" in line for line in made.notes)
    with pytest.raises(LogError, match=r"its steps are 1…10, not 0…990.*run backwards"):
        timeline(run, Choice(tags=("*loss",)))
