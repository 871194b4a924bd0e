"""Which column is the step, which is the clock, and how that is said."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.runlog import LogError
from epochord.runlog.formats import delimited
from epochord.runlog.formats.axis import CLOCKS, STEPS


@pytest.mark.parametrize("name", STEPS)
def test_known_names_are_found_and_said(save, points, name):
    """Each usual name of a step column is taken, and is no tag."""
    contents = delimited.read(save(f"a,{name}\n0.5,3\n0.25,4.0\n"))
    assert points(contents) == {"a": [(3, 0.5), (4, 0.25)]}
    assert contents.notes == (f"steps are the column {name!r}",)


@given(st.permutations(STEPS))
def test_the_more_telling_name_wins_wherever_it_stands(save, order):
    """Of several step columns the first of the list is taken; the others stay tags."""
    contents = delimited.read(save(",".join(order) + "\n" + ",".join("1" * len(order)) + "\n"))
    assert set(contents.series) == set(STEPS) - {"step"}


@pytest.mark.parametrize("cells", [("0.5", "1"), ("x", "1"), ("", ""), ("inf", "1"), ("1e19", "1")])
def test_a_column_that_holds_no_whole_numbers_is_passed_over(save, cells):
    """A fractional epoch is no step; then the next name is tried."""
    path = save(f"step,a,epoch\n{cells[0]},1,7\n{cells[1]},2,8\n")
    contents = delimited.read(path)
    assert contents.series["a"].steps.tolist() == [7, 8]
    assert contents.notes == ("steps are the column 'epoch'",)


def test_without_any_the_rows_are_counted(save, points):
    """Row numbers are the last resort, and the note names the remedy."""
    contents = delimited.read(save("a,epoch\n1,0.5\n2,1\n"))
    assert points(contents) == {"a": [(0, 1.0), (1, 2.0)], "epoch": [(0, 0.5), (1, 1.0)]}
    assert contents.notes == ("no step column: rows are counted from 0; choose one with --x NAME",)


def test_a_chosen_column_beats_the_usual_ones(save, points):
    """What the user names is taken without a note; the usual column becomes a tag."""
    contents = delimited.read(save("step,tokens,a\n0,512,1\n1,1024,2\n"), x="tokens")
    assert points(contents) == {"step": [(512, 0.0), (1024, 1.0)], "a": [(512, 1.0), (1024, 2.0)]}
    assert contents.notes == ()


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ("nope", "has no column of numbers 'nope' to take steps from; choose one with --x: b, a"),
        ("note", "has no column of numbers 'note' to take steps from; choose one with --x: b, a"),
        ("b", "its column 'b' holds 0.5, but steps are whole numbers; choose another with --x: b"),
    ],
)
def test_a_chosen_column_that_cannot_be_used_is_named(save, x, expected):
    """The message says what is wrong with the choice and lists the columns."""
    path = save("b,a,note\nnan,1,x\n0.5,2,y\n")
    with pytest.raises(LogError) as error:
        delimited.read(path, x=x)
    assert f"{path}: {expected}" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_list_of_many_columns_is_cut(save):
    """A message about a thousand columns stays readable."""
    header = ",".join(f"c{i}" for i in range(1000))
    with pytest.raises(LogError, match=r"c19 and 980 more$"):
        delimited.read(save(f"{header}\n{','.join(['1'] * 1000)}\n"), x="nope")


@pytest.mark.parametrize("cell", ["", "NA", "nan"])
def test_rows_without_a_step_are_counted(save, points, cell):
    """A row whose step is missing cannot be placed."""
    contents = delimited.read(save(f"step,a,b\n0,1,\n{cell},2,5\n7,3,6\n"))
    assert points(contents) == {"a": [(0, 1.0), (7, 3.0)], "b": [(7, 6.0)]}
    assert contents.files[0].skipped == {"row without a step": 1}


@pytest.mark.parametrize("name", CLOCKS)
def test_clocks_in_seconds_or_milliseconds(save, name):
    """Wall times are seconds, whatever the file counts in, and NaN where they are missing."""
    contents = delimited.read(save(f"step,a,{name}\n0,1,1.7e9\n1,2,1700000000500\n2,3,\n"))
    assert list(contents.series) == ["a"]
    times = contents.series["a"].wall_times.tolist()
    assert repr(times) == repr([1.7e9, 1700000000.5, math.nan])


def test_a_clock_that_was_never_read_is_passed_over(save):
    """Of two clocks the first that shows a time is taken."""
    series = delimited.read(save("step,a,wall_time,timestamp\n0,1,,1.7e9\n")).series
    assert list(series) == ["a"]
    assert series["a"].wall_times.tolist() == [1.7e9]


def test_without_a_clock_the_times_are_unknown(save):
    """NaN is the wall time of a file that has none."""
    assert math.isnan(delimited.read(save("step,a\n0,1\n")).series["a"].wall_times[0])


def test_full_columns_share_their_steps(save):
    """A table's steps are held once, so that `Run.steps` meets one grid."""
    series = delimited.read(save("step,a,b,c\n0,1,2,\n1,2,3,4\n")).series
    assert series["a"].steps is series["b"].steps
    assert series["c"].steps.tolist() == [1]
