"""Steps take as much time as lies between them; where nothing was measured, nothing is heard."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.timeline.reduction import reduce
from epochord.renderers.timeline.spacing import extent, positions, spaced
from epochord.renderers.timeline.timeline import Timeline
from epochord.runlog import LogError

SPACINGS = ("logged", "steps", "wall")


def line(steps, wall=None, values=None):
    steps = np.asarray(steps, np.int64)
    rows = np.arange(1.0, len(steps) + 1)[None] if values is None else np.atleast_2d(values)
    known = np.ones(rows.shape, bool)
    wall = None if wall is None else np.asarray(wall, np.float64)
    return Timeline(steps, tuple("abc"[: len(rows)]), rows, known, wall=wall)


def same(a, b):
    """Tell whether frames are equal, NaN to NaN."""
    arrays = ("steps", "low", "high", "values", "low_step", "high_step", "measured", "nan")
    for name in arrays:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


@pytest.mark.parametrize("spacing", SPACINGS)
@given(data=st.data())
def test_equal_distances_are_the_usual_reduction(spacing, data):
    """To the bit, whatever takes equal time."""
    count = data.draw(st.integers(1, 80))
    frames = data.draw(st.integers(1, count))
    every = data.draw(st.integers(1, 1000))
    begin = data.draw(st.integers(0, 10**9))
    steps = begin + every * np.arange(count)
    # Seconds since the epoch, whose last digits are rounded.
    made = line(steps, 1.7e9 + 0.1 * np.arange(count), np.sin(steps)[None])
    if spacing == "wall" and count == 1:
        return
    same(spaced(made, frames, positions(made, spacing)), reduce(made, frames))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(1, 400))
def test_each_frame_holds_the_last_step_that_has_begun(distances, frames):
    """An oracle that walks over frames: several steps in one, one in several, none in a gap."""
    steps = np.concatenate([[0], np.cumsum(distances)])
    made = line(steps)
    apart = float(np.median(distances))
    whole = steps[-1] + apart
    assert extent(positions(made, "steps")) == whole
    if len(set(distances)) == 1:
        return
    found = spaced(made, frames, positions(made, "steps"))
    assert found.count == frames
    home = [min(int(step / (whole / frames)), frames - 1) for step in steps]
    last = -1
    for frame in range(frames):
        own = [place for place, at in enumerate(home) if at == frame]
        if own:
            begun = own
            last = own[-1]
        assert found.steps[frame] == steps[begun[0]]
        time = frame * whole / frames
        following = steps[last + 1] - steps[last] if last + 1 < len(steps) else 0
        lonely = following > 5 * apart
        if not own and lonely and time >= steps[last] + apart:
            assert not found.measured[:, frame].any()
            assert np.isnan(found.values[:, frame]).all()
        else:
            assert found.measured[0, frame] == len(begun)
            assert (found.low[0, frame], found.high[0, frame]) == (begun[0] + 1, begun[-1] + 1)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=60), st.integers(1, 300))
def test_no_step_is_lost(distances, frames):
    """Every step lies in a frame, and the least and greatest of all are among the frames'."""
    made = line(np.concatenate([[0], np.cumsum(distances)]))
    found = spaced(made, frames, positions(made, "steps"))
    assert (np.diff(found.steps) >= 0).all()
    first = np.unique(found.steps, return_index=True)[1]
    assert found.measured[0, first].sum() == made.frames
    assert np.nanmin(found.low) == 1
    assert np.nanmax(found.high) == made.frames
    np.testing.assert_array_equal(found.axis, made.steps)


def test_a_gap_of_a_hundred_thousand_steps_has_its_share():
    """Of 200 steps, 10 apart, and a gap: 98 % of the time, in all of which nothing is measured."""
    steps = 10 * np.arange(200)
    steps[100:] += 100_000
    made = line(steps)
    found = spaced(made, 1000, positions(made, "steps"))
    silent = found.measured[0] == 0
    share = (100_000 - 10 + 10) / (steps[-1] + 10)
    assert silent.mean() == pytest.approx(share, abs=0.002)
    (edges,) = np.nonzero(np.diff(silent))
    assert len(edges) == 2


def test_ten_steps_in_many_frames_are_held():
    """Of steps that lie equally far apart each takes its tenth of the time."""
    made = line(range(0, 100, 10))
    found = spaced(made, 67, positions(made, "steps"))
    assert found.count == 67
    lengths = np.unique(found.steps, return_counts=True)[1]
    assert len(lengths) == 10
    assert np.ptp(lengths) <= 1


def test_wall_times_that_are_not_known_lie_between_those_that_are():
    """In proportion, and at the ends with the nearest."""
    made = line(range(6), [np.nan, 10, np.nan, 20, np.nan, np.nan])
    np.testing.assert_allclose(positions(made, "wall"), [0, 10, 15, 20, 30, 40])


def test_a_clock_that_was_put_back_goes_on_from_there():
    """An hour back in the middle of two: no step lies before an earlier one, nor all in one."""
    wall = 1.7e9 + 60.0 * np.arange(120)
    wall[60:] -= 3600
    place = positions(line(range(120), wall), "wall")
    expected = np.full(119, 60.0)
    expected[59] = 0
    np.testing.assert_allclose(np.diff(place), expected)


@given(st.lists(st.floats(0, 1e10), min_size=2, max_size=40))
def test_positions_never_fall(wall):
    """Whatever the clock does; where it only goes back, that is said."""
    made = line(range(len(wall)), wall)
    if not (np.diff(wall) > 0).any():
        with pytest.raises(LogError):
            positions(made, "wall")
        return
    assert (np.diff(positions(made, "wall")) >= 0).all()
    assert extent(positions(made, "wall")) > 0


@pytest.mark.parametrize(
    "wall", [None, [np.nan] * 5, [7.0] * 5, [np.nan, 3.0, np.nan, np.nan, np.nan]]
)
def test_a_log_without_wall_times_says_so_in_one_line(wall):
    """With what to do."""
    with pytest.raises(LogError, match=r"^the log does not say when .*--time steps or logged$"):
        positions(line(range(5), wall), "wall")
