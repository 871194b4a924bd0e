"""Several runs on one axis: each where it was, silent where it is not."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.timeline.choice import Choice
from epochord.renderers.timeline.side_by_side import shared_timelines, side_by_side
from epochord.renderers.timeline.timeline import Timeline
from epochord.runlog import LogError, Run, RunMetadata, Series

MakeRun = Callable[..., Run]


def _line(steps: list[int], name: str = "a") -> Timeline:
    values = np.array([steps], np.float64)
    return Timeline(np.array(steps), (name,), values, np.ones_like(values, bool))


STEPS = st.lists(st.integers(0, 60), min_size=2, max_size=12, unique=True).map(sorted)


@given(st.lists(STEPS, min_size=1, max_size=4))
def test_values_stay_at_their_steps(several: list[list[int]]) -> None:
    """On the shared axis each run has its own value at each of its own steps, held between them."""
    placed = side_by_side([_line(steps) for steps in several])
    for steps, line in zip(several, placed, strict=True):
        np.testing.assert_array_equal(line.steps, sorted(set().union(*several)))
        until = steps[-1] + int(np.median(np.diff(steps)))
        for step, value, known in zip(line.steps, line.values[0], line.measured[0], strict=True):
            earlier = [own for own in steps if own <= step]
            assert known == (bool(earlier) and step < until)
            if known:
                assert value == earlier[-1]


def test_a_voice_that_a_run_does_not_have_is_not_measured() -> None:
    """Voices are those of all runs, in order; what a run lacks is missing in it."""
    first, second = side_by_side([_line([0, 1], "a"), _line([0, 1], "b")])
    assert first.names == second.names == ("a", "b")
    assert first.measured.tolist() == [[True, True], [False, False]]
    assert second.measured.tolist() == [[False, False], [True, True]]


def test_of_too_many_voices_the_shared_ones_stay() -> None:
    """Twelve voices at most, and those that only one run has go first."""
    names = [(*(f"only-{run}-{i}" for i in range(8)), "both") for run in "ab"]
    lines = [Timeline(np.arange(2), n, np.ones((9, 2)), np.ones((9, 2), bool)) for n in names]
    assert len(side_by_side(lines)[0].names) == 12
    assert "both" in side_by_side(lines)[0].names


def test_what_differs_gives_way_to_what_is_shared(make_run: MakeRun) -> None:
    """One run's gradient norms and another's accuracy: their loss is compared."""
    one = make_run({"fc.weight": [1, 2]}, loss=[3, 4])
    metrics = {"loss": [5, 6], "accuracy": [0, 1]}
    other = Run(
        "other", RunMetadata("other"), {t: Series(t, [0, 1], v) for t, v in metrics.items()}
    )
    assert shared_timelines([one, other])[1].names == ("loss",)


def test_nothing_shared_is_refused(make_run: MakeRun) -> None:
    """Runs without a common tag are refused, saying what each has."""
    with pytest.raises(LogError, match=r"no tag in common.*'mine' has a.*'mine' has b"):
        shared_timelines([make_run({}, a=[1, 2]), make_run({}, b=[1, 2])])
    one, other = make_run({}, a=[1], c=[1]), make_run({}, b=[1], c=[1])
    with pytest.raises(LogError, match="no tag in common"):
        shared_timelines([one, other], Choice(tags=("[ab]",)))


def test_of_many_runs_without_anything_shared_few_are_named(make_run: MakeRun) -> None:
    """The message stays readable."""
    runs = [make_run({}, **{tag: [1, 2]}) for tag in "abcdef"]
    with pytest.raises(LogError, match=r"'mine' has d; … 2 more; name runs"):
        shared_timelines(runs)
