"""A run in memory: frames, steps, and a hash of what was measured."""

import pickle
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.runlog import LogError, Run, RunMetadata, Series
from epochord.runlog.run.run import log_hash


def run_of(*series: Series) -> Run:
    return Run("mine", RunMetadata("mine"), {s.tag: s for s in series})


def test_a_frame_puts_series_on_one_axis_with_null_where_nothing_was_measured():
    """Null and NaN stay apart, and the index is the step."""
    frame = run_of(
        Series("a", [0, 2], np.float32([1, np.nan])), Series("b", [1, 2], np.float32([5, 6]))
    ).frame()
    assert frame.index.tolist() == [0, 1, 2]
    assert frame.index.name == "step"
    assert frame["a"].isna().tolist() == [False, True, False]
    assert frame["b"].to_numpy(np.float32, na_value=-1).tolist() == [-1.0, 5.0, 6.0]
    assert all(isinstance(dtype, pd.ArrowDtype) for dtype in frame.dtypes)


def test_a_frame_of_chosen_tags_has_their_order_and_only_their_steps():
    """Tags that are not asked for bring no rows."""
    run = run_of(Series("a", [0], [1.0]), Series("b", [5], [2.0]), Series("c", [5], [3.0]))
    frame = run.frame(["c", "b"])
    assert frame.columns.tolist() == ["c", "b"]
    assert frame.index.tolist() == [5]
    with pytest.raises(LogError, match="no tag 'nope'; it has a, b, c"):
        run.frame(["nope"])


@given(st.lists(st.floats(width=32), min_size=1, max_size=20), st.randoms())
def test_the_hash_ignores_order_of_tags_and_wall_times_but_nothing_else(values, random):
    """Equal measurements hash alike; a changed step, value or tag does not."""
    steps = np.arange(len(values))
    data = np.array(values, np.float32)
    a, b = Series("a", steps, data, steps * 1.0), Series("b", steps, data)
    tags = [a, b]
    random.shuffle(tags)
    assert log_hash({s.tag: s for s in tags}) == log_hash({"a": a.with_values(data), "b": b})
    assert log_hash({"a": a}) != log_hash({"a": Series("a", steps + 1, data)})
    assert log_hash({"a": a}) != log_hash({"c": a})
    assert log_hash({"a": a, "b": b}) != log_hash({"a": a})
    changed = data.copy()
    changed[0] = 1.0 if data[0] != 1.0 else 2.0
    assert log_hash({"a": a}) != log_hash({"a": a.with_values(changed)})


def test_every_nan_hashes_alike():
    """The bits of a NaN are no measurement."""
    quiet = np.array([0x7FC00000], np.uint32).view(np.float32)
    other = np.array([0xFFC00001], np.uint32).view(np.float32)
    assert log_hash({"a": Series("a", [0], quiet)}) == log_hash({"a": Series("a", [0], other)})


def test_a_missing_tag_is_named():
    """The message says which run and which tag."""
    with pytest.raises(KeyError, match="run 'mine' has no tag 'loss'"):
        run_of()["loss"]


def test_a_run_is_a_mapping_of_its_tags():
    """What a dict of its series says, a run says."""
    a, b = Series("a", [0], [1.0]), Series("b", [1, 2], [2.0, 3.0])
    run = run_of(a, b)
    assert isinstance(run, Mapping)
    assert list(run) == list(run.keys()) == ["a", "b"] == run._ipython_key_completions_()
    assert [id(series) for series in run.values()] == [id(a), id(b)]
    assert [tag for tag, _ in run.items()] == ["a", "b"]
    assert len(run) == 2
    assert "a" in run
    assert "loss" not in run
    assert 0 not in run
    assert run.get("a") is a
    assert run.get("loss") is None
    assert not run_of()


def test_runs_are_equal_only_to_themselves():
    """Series compare element by element, so equal contents are no answer; `log_hash` is one."""
    run, same = run_of(Series("a", [0], [1.0])), run_of(Series("a", [0], [1.0]))
    assert run == run
    assert run != same
    assert {run, same} == {same, run}
    assert run.log_hash() == same.log_hash()


def test_a_missing_tag_is_told_with_what_is_near():
    """The error says how many tags there are, and survives a process boundary."""
    run = run_of(*(Series(tag, [0], [1.0]) for tag in ("loss", "lr", "acc")))
    with pytest.raises(KeyError) as caught:
        run["los"]
    said = "run 'mine' has no tag 'los'; did you mean 'loss'? it has 3 tags, list(run) names all"
    assert str(caught.value) == said == str(pickle.loads(pickle.dumps(caught.value)))
    with pytest.raises(LogError, match="no tag 'los'; did you mean 'loss'\\? it has loss, lr, acc"):
        run.frame(["los"])
    with pytest.raises(LogError, match="matches 'lss\\*'; did you mean 'loss'\\? it has"):
        run.matching(["lss*"])


def test_all_of_many_tags_can_be_reached():
    """The message names some, and the command that lists all."""
    with pytest.raises(LogError, match=r"t7 and 12 more \('epochord inspect --tags' lists all\)"):
        run_of(*(Series(f"t{i}", [0], [1.0]) for i in range(20))).frame("nope")


def test_a_number_beyond_float32_has_a_hash():
    """The hash is of float32 numbers; float64 logs of other tools may hold larger ones."""
    huge = Run("r", RunMetadata("r"), {"loss": Series("loss", [0, 1], [1e300, 1.0])})
    other = Run("r", RunMetadata("r"), {"loss": Series("loss", [0, 1], [2.0, 1.0])})
    assert len(huge.log_hash()) == 64
    assert huge.log_hash() != other.log_hash()
