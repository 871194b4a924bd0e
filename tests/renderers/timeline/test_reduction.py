"""A long timeline becomes few frames, and nothing that matters is lost on the way."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.scoring.compose import audio_score
from epochord.renderers.timeline.choice import Choice
from epochord.renderers.timeline.reduction import reduce
from epochord.renderers.timeline.timeline import Timeline, timeline
from epochord.runlog import find_runs


def line(values, measured=None) -> Timeline:
    values = np.atleast_2d(values)
    known = np.ones(values.shape, bool) if measured is None else measured
    names = tuple(f"voice{row}" for row in range(len(values)))
    return Timeline(np.arange(values.shape[1]) * 10, names, values, known)


def heard(values, frames=1) -> list[float]:
    return reduce(line(values), frames).values[0].tolist()


@st.composite
def timelines(draw) -> Timeline:
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 40)))
    values = draw(arrays.arrays(dtype, shape))
    return line(values, draw(arrays.arrays(bool, shape)))


@given(timelines(), st.integers(1, 50))
def test_each_frame_summarises_its_steps_as_a_plain_loop_does(given_line, frames):
    """Least, greatest, where they lie, and counts."""
    made = reduce(given_line, frames)
    bounds = [*(made.steps // 10).tolist(), given_line.frames]
    for voice, (row, known) in enumerate(zip(given_line.values, given_line.measured, strict=True)):
        for frame, (begin, end) in enumerate(pairwise(bounds)):
            own = [
                float(x) for x, there in zip(row[begin:end], known[begin:end], strict=True) if there
            ]
            finite = [x for x in own if np.isfinite(x)] or [np.nan]
            at = (voice, frame)
            assert made.measured[at] == len(own)
            assert made.nan[at] == sum(x != x for x in own)
            assert made.positive_infinity[at] == own.count(np.inf)
            assert made.negative_infinity[at] == own.count(-np.inf)
            np.testing.assert_equal(float(made.low[at]), min(finite))
            np.testing.assert_equal(float(made.high[at]), max(finite))
            if not np.isnan(finite[0]):
                for extreme, step in ((min(finite), made.low_step), (max(finite), made.high_step)):
                    there = [n for n in range(begin, end) if known[n] and float(row[n]) == extreme]
                    assert step[at] == 10 * there[0]
                assert min(finite) <= made.values[at] <= max(finite)


@given(st.integers(1, 500), st.integers(1, 600))
def test_frames_divide_the_steps_evenly(steps, frames):
    """As many as asked for, or one a step; each of as many steps as the others, or one more."""
    made = reduce(line(np.ones(steps)), frames)
    assert made.count == min(steps, frames)
    assert made.steps[0] == 0
    lengths = np.diff([*(made.steps // 10), steps])
    assert lengths.max() - lengths.min() <= 1
    assert lengths.min() >= 1
    assert made.total == steps


@given(arrays.arrays(np.float64, (2, 20)))
def test_one_frame_a_step_changes_nothing(values):
    """What is heard is the value itself, to the bit."""
    made = reduce(line(values))
    finite = np.isfinite(values)
    np.testing.assert_array_equal(made.values[finite], values[finite])
    assert np.isnan(made.values[~finite]).all()


@pytest.mark.parametrize("decades", [0.2, 1, 3])
def test_a_single_spike_in_a_hundred_thousand_steps_is_heard(make_run, decades):
    """Ten times its neighbours for one step: a quarter of a register, in its frame only."""
    rng = np.random.default_rng(1)
    steps, frames, at = 100_000, 1000, 31_415
    drift = 10 ** (decades * np.linspace(-0.5, 0.5, steps))
    norms = drift * rng.lognormal(0, 0.1, (4, steps))
    names = [f"{layer}.weight" for layer in "abcd"]
    settings = AudioSettings("lanes", duration=60)

    def along(values, scales=None):
        """Return pitch as a share of the register [shape=(voices, frames)]."""
        run = make_run(dict(zip(names, values, strict=True)))
        score, used = audio_score(run, settings, scales)
        low, high = np.log(score.registers.T)
        return (np.log(score.pitch) - low[:, None]) / (high - low)[:, None], used

    spiked = norms.copy()
    spiked[2, at] = 10 * norms[2, at]
    with_spike, scales = along(spiked)
    without, _ = along(norms, scales)
    change = np.abs(with_spike - without)
    assert with_spike.shape == (4, frames)
    assert change[2, at // 100] >= 0.25
    assert abs(with_spike[2, at // 100] - with_spike[2, at // 100 - 1]) >= 0.25
    change[2, at // 100] = 0
    assert change.max() < 1e-12


@pytest.mark.parametrize(
    ("usual", "spike"),
    [(1.0, 10.0), (1.0, 0.1), (-1.0, -10.0), (0.0, 10.0), (0.0, -10.0), (1.0, -10.0)],
)
def test_a_spike_is_heard_whatever_its_sign(usual, spike):
    """Also on a linear scale, where ratios mean nothing."""
    rng = np.random.default_rng(0)
    values = usual + rng.normal(0, 0.02, 100)
    values[40] = spike
    assert heard(values) == [spike]


def test_noise_around_zero_is_heard_at_its_median():
    """Its frames do not jump between their highest and lowest values."""
    values = np.random.default_rng(0).normal(0, 1, 100_000)
    medians = np.median(values.reshape(1000, 100), axis=1)
    same = np.isclose(heard(values, 1000), medians, atol=1e-12)
    assert same.mean() > 0.99


def test_a_single_zero_silences_no_frame():
    """A layer is dead in a frame where it is zero throughout."""
    values = np.ones(100)
    values[50] = 0
    assert heard(values) == [1]
    values[:99] = 0
    assert heard(values) == [1]
    values[:] = 0
    assert heard(values) == [0]


def test_values_near_the_largest_number_have_a_middle():
    """Their sum passes float64, their median does not."""
    assert heard([1.5e308, 1.7e308, 1.6e308]) == [1.6e308]
    assert heard([1.5e308, 1.7e308]) == [pytest.approx(1.597e308, rel=1e-3)]
    assert heard([1.7e308, 1.7e308, -1.7e308, -1.7e308]) == [0]


SPIKES = [10.0, 1e3, 1e6, 0.1, 1e-3]


@pytest.mark.parametrize("deviation", [0.1, 0.25])
@pytest.mark.parametrize("steps", [2, 3, 5, 10, 30, 100])
def test_one_step_among_many_is_heard(steps, deviation):
    """In 99 of 100 frames at least, up or down: a spike does not move what it is compared with."""
    rng = np.random.default_rng(steps)
    runs, frames = 40, 60
    for factor in SPIKES:
        noise = np.exp(deviation * rng.standard_normal((runs, frames * steps)))
        at = rng.integers(frames * steps, size=runs)
        noise[np.arange(runs), at] *= factor
        found = reduce(line(noise), frames).values[np.arange(runs), at // steps]
        assert (found == noise[np.arange(runs), at]).sum() >= runs - 1


@pytest.mark.parametrize("deviation", [0.1, 0.25, 0.5])
def test_what_is_healthy_chatters_no_more_than_single_steps(deviation):
    """Whatever the number of steps in a frame: medians are steadier, and no extreme is taken."""
    rng = np.random.default_rng(1)

    def chatter(steps):
        noise = np.exp(deviation * rng.standard_normal(2000 * steps))
        return np.abs(np.diff(np.log(heard(noise, 2000))))

    single = chatter(1)
    for steps in (2, 3, 10, 100):
        assert np.median(chatter(steps)) < np.median(single)
        assert chatter(steps).max() < single.max()


def test_a_spike_in_a_falling_loss_is_heard_as_high_as_it_is():
    """2,000 losses near 0.5 with one of 500 were once heard as 0.393 to 0.699."""
    rng = np.random.default_rng(0)
    loss = 0.5 * np.exp(0.1 * rng.standard_normal(2000))
    loss[1234] = 500
    made = reduce(line(loss), 1000)
    assert made.values[0, 617] == 500
    assert made.high_step[0, 617] == 12340


def test_frames_that_leave_the_spread_both_ways_are_heard_high_and_low_in_turn():
    """The farther one first."""
    rng = np.random.default_rng(0)
    values = np.exp(0.05 * rng.standard_normal((12, 50)))
    values[3:7, 10], values[3:7, 30] = 20, 1 / 90
    made = np.array(heard(values.ravel(), 12))
    np.testing.assert_array_equal(made[3:7], [1 / 90, 20, 1 / 90, 20])
    assert np.abs(np.log(np.delete(made, range(3, 7)))).max() < 0.05


def test_a_slow_change_tells_nothing():
    """A trend within frames is no spike: each is heard at its middle."""
    trend = 10.0 ** np.linspace(0, -6, 10_000)
    made = np.array(heard(trend, 100))
    middle = np.exp(np.log(trend).reshape(100, 100).mean(axis=1))
    np.testing.assert_allclose(made, middle, rtol=1e-12)


def test_a_dip_in_every_frame_is_texture(real_data):
    """A value loss falls to a tenth at one step in fifty: it is heard at its ordinary value."""
    sources = find_runs(real_data / "tensorboard" / "torch-noheader")
    run = next(source for source in sources if "DQN" in source.name).open()
    whole = timeline(run, Choice(tags=("loss/*",)))
    made = reduce(whole, 1000)
    pieces = np.split(whole.values[0], np.arange(1, 1000) * whole.frames // 1000)
    medians = np.array([np.median(piece) for piece in pieces])
    assert (made.low[0] < medians / 2).mean() > 0.8
    assert (np.abs(np.log(made.values[0] / medians)) < np.log(2)).mean() > 0.97
