"""Logs of several files: one training continued, or several trainings."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.runlog import Run, RunMetadata, Series
from epochord.runlog.run.segments import split_segments


def run_of(*files: dict[str, list[int]], tables: dict | None = None) -> Run:
    """Make a run whose files hold these steps by tag."""
    series = {}
    for tag in dict.fromkeys(tag for file in files for tag in file):
        points = [(step, n) for n, file in enumerate(files) for step in file.get(tag, [])]
        steps, segments = zip(*points, strict=True)
        series[tag] = Series(tag, steps, [10.0 * n + s for s, n in points], segments=segments)
    names = tuple(f"file{n}" for n in range(len(files)))
    return Run("r", RunMetadata("r"), series, tables or {}, segments=names)


def parts(run: Run, mode="auto") -> dict[str, dict[str, list[int]]]:
    return {
        part.name: {tag: each.steps.tolist() for tag, each in part.series.items()}
        for part in split_segments(run, mode)
    }


def test_files_that_continue_each_other_stay_one_run():
    """A training that was resumed cleanly, or whose tags lie in files of their own."""
    run = run_of({"loss": [0, 1]}, {"val": [0, 1]}, {"loss": [2, 3]})
    assert split_segments(run) == [run]


def test_files_that_do_a_step_again_are_runs_of_their_own():
    """A new run begins at each file that overlaps, and later files continue it."""
    run = run_of({"loss": [0, 1]}, {"loss": [1, 2]}, {"loss": [3]}, {"loss": [0]})
    assert parts(run) == {
        "r@1": {"loss": [0, 1]},
        "r@2": {"loss": [1, 2, 3]},
        "r@3": {"loss": [0]},
    }


def test_the_modes_join_split_or_take_the_last():
    """A last file without measurements does not count."""
    run = run_of({"loss": [0, 1]}, {"loss": [0], "lr": [0]}, {})
    assert split_segments(run, "all") == [run]
    assert parts(run, "split") == {"r@1": {"loss": [0, 1]}, "r@2": {"loss": [0], "lr": [0]}}
    assert parts(run, "last") == {"r": {"loss": [0], "lr": [0]}}


def test_tables_go_with_their_files():
    """Those that say from which file a row comes."""
    table = pa.table({"segment": pa.array([0, 1, 1], pa.int32()), "step": [0, 0, 1]})
    run = run_of({"loss": [0]}, {"loss": [0]}, tables={"t": table, "whole": table.select(["step"])})
    first, second = split_segments(run)
    assert first.tables["t"]["step"].to_pylist() == [0]
    assert second.tables["t"]["step"].to_pylist() == [0, 1]
    assert second.tables["whole"].num_rows == 3


files = st.lists(
    st.dictionaries(
        st.sampled_from(["a", "b"]), st.lists(st.integers(0, 6), min_size=1, max_size=4)
    ),
    min_size=1,
    max_size=5,
).filter(any)


@given(files, st.sampled_from(["auto", "all", "split"]))
def test_no_measurement_is_lost_or_doubled(logs, mode):
    """However a run is taken apart, its parts hold what it held, in order."""
    run = run_of(*logs)
    for tag, series in run.series.items():
        found = [part[tag] for part in split_segments(run, mode) if tag in part.series]
        joined = [value for each in found for value in each.values.tolist()]
        assert joined == series.values.tolist()


@given(files)
def test_within_a_part_no_file_does_a_step_of_an_earlier_one_again(logs):
    """So each part is one training."""
    for part in split_segments(run_of(*logs)):
        for series in part.series.values():
            for segment in set(series.segments.tolist()):
                own = series.steps[series.segments == segment]
                before = series.steps[series.segments < segment]
                assert not before.size or own.min() > before.max()


def test_a_log_of_one_file_is_one_run():
    """Its steps may run backwards."""
    run = run_of({"loss": [0, 1, 0]})
    assert all(split_segments(run, mode) == [run] for mode in ("auto", "all", "split", "last"))


@pytest.mark.parametrize("mode", ["auto", "split"])
def test_a_run_without_files_is_one_run(mode):
    """Tables and runs of ours have no segments."""
    run = Run("r", RunMetadata("r"), {"loss": Series("loss", [0], [1.0])})
    assert split_segments(run, mode) == [run]
