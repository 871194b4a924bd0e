"""Time in a page is that of its sound, also where a score holds a frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.style import Style
from epochord.renderers.audio.scoring.voicings import voiced
from epochord.renderers.page.pace import Pace
from epochord.renderers.timeline.reduction import reduce
from epochord.renderers.timeline.timeline import Timeline


def score_of(steps, frames: int | None = None):
    """Score one voice of ones, a frame 0.1 s long."""
    line = Timeline(
        np.asarray(steps), ("v",), np.ones((1, len(steps))), np.ones((1, len(steps)), bool)
    )
    style = Style(frame=0.1, tone=0.1, silence=0.0, scales={"v": Scale(0.5, 2.0, "log")})
    return voiced("lanes", reduce(line, frames), style)


def over(pace: Pace, time: float) -> float:
    """How many steps are over at a time."""
    return float(np.interp(time, pace.times, pace.places))


def test_without_held_frames_steps_go_by_evenly():
    """However far apart they are."""
    pace = Pace.of(score_of([0, 1, 2, 50, 1000]))
    assert [pace.time(step) for step in (0, 1, 2, 50, 1000)] == pytest.approx(np.arange(5) / 10)
    assert pace.times[-1] == pytest.approx(0.5)


def test_what_is_held_takes_its_time(hold):
    """A step begins at the first of its frames; what follows is as much later."""
    pace = Pace.of(hold(score_of(range(10)), {3: 7, 9: 3}))
    assert pace.time(3) == pytest.approx(0.3)
    assert pace.time(4) == pytest.approx(1.0)
    assert pace.time(9) == pytest.approx(1.5)
    assert pace.times[-1] == pytest.approx(1.8)
    assert int(over(pace, 0.95)) == 3


def test_of_several_steps_in_a_held_frame_the_last_is_held(hold):
    """As a value holds in a gap of the log; the others go by in the frame's usual length."""
    pace = Pace.of(hold(score_of(range(40), frames=10), {5: 11}))
    assert over(pace, 0.5) == pytest.approx(20)
    assert over(pace, 0.6) == pytest.approx(23)
    assert 23 < over(pace, 1.5) < 24
    assert over(pace, 1.6) == pytest.approx(24)
    times = [pace.time(step) for step in (19, 20, 22, 23, 24)]
    assert times == pytest.approx([0.475, 0.5, 0.5 + 0.2 / 3, 0.6, 1.6])


@given(
    st.integers(2, 60), st.integers(1, 60),
    st.dictionaries(st.integers(0, 59), st.integers(2, 9), max_size=5),
)  # fmt: skip
def test_time_goes_on_and_so_do_steps(hold, steps: int, frames: int, held: dict[int, int]):
    """From zero to the end; at the first of the frames of a step it begins."""
    frames = min(steps, frames)
    score = hold(score_of(range(steps), frames), {n: m for n, m in held.items() if n < frames})
    pace = Pace.of(score)
    assert (np.diff(pace.times) > 0).all()
    assert (np.diff(pace.places) > 0).all()
    assert (pace.times[0], pace.places[0], pace.places[-1]) == (0, 0, steps)
    assert pace.times[-1] == pytest.approx(score.frames.count / 10)
    for frame, step in enumerate(score.frames.steps):
        first = int(np.searchsorted(score.frames.steps, step))
        assert pace.time(int(step)) == pytest.approx(first / 10)
        assert score.frames.steps[frame] <= over(pace, (frame + 0.5) / 10)
