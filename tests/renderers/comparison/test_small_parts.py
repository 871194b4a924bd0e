"""Lags, names, and rows of numbers made short."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.comparison.condense import extremes, pooled
from epochord.renderers.comparison.lag import lag
from epochord.renderers.comparison.names import (
    LONG_LABEL,
    distinct_names,
    folder_name,
    labels,
    pair_stems,
    safe_name,
    short_names,
    shortened,
)
from epochord.renderers.comparison.settings import ComparisonSettings

ROWS = arrays(np.float64, st.integers(1, 60), elements=st.floats(-100, 100))


@given(ROWS, st.integers(1, 70))
def test_the_extreme_of_each_stretch_stays(values: np.ndarray, most: int) -> None:
    """At most so many, in order; none that stays is smaller than one left out beside it."""
    places = extremes(values, most)
    assert len(places) == min(most, len(values))
    assert (np.diff(places) > 0).all()
    assert np.abs(values).max() == np.abs(values[places]).max()


@given(ROWS, st.integers(1, 70))
def test_joined_columns_keep_their_extreme_or_their_mean(values: np.ndarray, most: int) -> None:
    """The greatest magnitude with its sign; the mean between the least and the greatest."""
    image = values[None]
    high = pooled(image, most, "extreme")
    assert np.abs(high).max() == np.abs(values).max()
    assert set(high[0]) <= set(values)
    mean = pooled(image, most)
    assert values.min() - 1e-9 <= mean.min() <= mean.max() <= values.max() + 1e-9


@given(st.integers(1, 25))
def test_a_delay_is_found_as_a_lag(delay: int) -> None:
    """The same after so much silence is later by as much; the other way round, earlier."""
    rng = np.random.default_rng(0)
    sound = rng.uniform(-40, 20, (16, 80)).astype(np.float32)
    silence = np.full((16, delay), -100, np.float32)
    late = np.concatenate([silence, sound], axis=1)
    assert lag(sound, sound, 0.5).largest == 0
    assert lag(sound, late, 0.5).median == pytest.approx(0.5 * delay)
    assert lag(late, sound, 0.5).median == pytest.approx(-0.5 * delay)


def test_the_cells_of_a_lag_are_limited() -> None:
    """Long sounds are compared in longer frames, and that is told."""
    sound = np.random.default_rng(0).uniform(-40, 20, (8, 900)).astype(np.float32)
    found = lag(sound, np.roll(sound, 90, axis=1), 0.01, most_cells=10_000)
    assert found.resolution == pytest.approx(0.09)
    assert found.median == pytest.approx(0.9, abs=0.1)


def test_steps_and_times_are_each_others_inverse() -> None:
    """On steps that lie anyhow; beyond the ends, the first and the last."""
    axis = Axis(0.06, np.array([3, 4, 10, 1000]))
    np.testing.assert_array_equal(axis.at(axis.times(axis.steps)), axis.steps)
    assert axis.at([-1, 0.059, 0.061, 99]).tolist() == [3, 3, 4, 1000]
    assert axis.times([7]) == pytest.approx([0.09])
    assert not Axis()


NAMES = st.lists(st.sampled_from(["a", "b", "x/a", "a (2)"]), min_size=1, max_size=5)


@given(NAMES, st.lists(st.sampled_from(["p/q", "p/r", "s/q"]), min_size=5, max_size=5))
def test_no_two_have_one_name(names: list[str], folders: list[str]) -> None:
    """Whatever lies where, and however often."""
    places = [Path("/", f, n) for f, n in zip(folders, names, strict=False)]
    assert len(set(distinct_names(names, places))) == len(names)


def test_names_are_as_short_as_can_be() -> None:
    """Folders only where they tell apart, and none that all share."""
    places = [Path("/runs/one/sgd"), Path("/runs/two/sgd"), Path("/runs/two/adam")]
    assert distinct_names(["sgd", "sgd", "adam"], places) == ["one/sgd", "two/sgd", "adam"]
    assert distinct_names(["sgd", "sgd"], [Path("/r/sgd")] * 2) == ["sgd", "sgd (2)"]
    logs = [Path("/r/L1/logs/train"), Path("/r/L2/logs/train")]
    assert distinct_names(["logs/train"] * 2, logs) == ["L1/logs/train", "L2/logs/train"]
    same = [Path("/r/a")] * 2 + [Path("/r/a (2)")]
    assert distinct_names(["a", "a", "a (2)"], same) == ["a", "a (3)", "a (2)"]
    assert distinct_names(["a", "a"], [Path("/r/a/a"), Path("/r/a")]) == ["a/a", "r/a"]
    assert short_names(["logs/x/train", "logs/x/validation"]) == ["train", "validation"]
    assert short_names(["logs/x", "logs/x/y"]) == ["x", "x/y"]


@given(st.text(max_size=200))
def test_any_name_is_safe_in_a_file_name(name: str) -> None:
    """No separators, no leading dot, not too long, never empty."""
    safe = safe_name(name)
    assert 0 < len(safe) <= 41
    assert not set(safe) & set('/\\:*?"<>| \n')
    assert safe[0] not in ".-"


def test_a_folder_is_named_after_what_is_compared() -> None:
    """Both of two; of more, the first and how many others, and no two comparisons share one."""
    assert folder_name(["sgd", "x/adam"]) == "sgd-vs-x-adam"
    some, others = folder_name(["a", "b", "c"]), folder_name(["a", "d", "e"])
    assert some == folder_name(["a", "b", "c"]) != others
    assert {name[:13] for name in (some, others)} == {"a-vs-2-others"}


LONG = [f"resnet50_imagenet_sgd_momentum_{lr}_batchsize256_seed42" for lr in ("lr0.1", "lr0.01")]


def test_pairs_of_names_that_are_cut_alike_have_pictures_of_their_own() -> None:
    """On a system that does not tell A from a, too; other names stay as they are."""
    long = [f"a_very_long_name_of_a_run_{middle}_that_goes_on_and_on" for middle in "xyz"]
    pairs = [(long[0], "b"), (long[1], "b"), (long[2], "B"), ("c", "d")]
    stems = pair_stems(pairs)
    assert len({stem.lower() for stem in stems}) == 4
    assert stems[3] == "c-vs-d"


def test_long_names_are_shown_without_what_all_share() -> None:
    """Whole words only, a number such as 1e-3 is one; short names stay as they are."""
    assert labels(LONG) == ["lr0.1", "lr0.01"]
    rates = [f"a_very_long_name_of_a_run-lr1e-{n}" for n in (3, 4)]
    assert labels(rates) == ["lr1e-3", "lr1e-4"]
    assert labels(["x_one", "x_two"]) == ["x_one", "x_two"]
    assert labels([LONG[0], f"{LONG[0]}_b"]) == ["seed42", "seed42_b"]


@given(st.lists(st.text("ab_-", min_size=1, max_size=60), min_size=2, max_size=5, unique=True))
def test_no_two_look_alike_in_a_picture(names: list[str]) -> None:
    """Though only the beginning and the end of a long name are shown."""
    assert len({shortened(label, LONG_LABEL) for label in labels(names)}) == len(names)


@pytest.mark.parametrize(
    "bad",
    [
        *({"threshold": value} for value in (0, np.nan)),
        *({"ratio": value} for value in (1.0, 1.0001, 2e6, np.inf, np.nan)),
    ],
)
def test_settings_that_make_no_sense_are_refused(bad: dict[str, float]) -> None:
    """With the value, and what it may be."""
    with pytest.raises(ValueError, match=r"expected"):
        ComparisonSettings(**bad)
