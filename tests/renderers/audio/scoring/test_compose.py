"""Time as it was logged, as steps, or as seconds: how long a sound is, and what lies where."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.audio.scoring.compose import audio_score, scores_together
from epochord.renderers.audio.scoring.events import Kind
from epochord.renderers.audio.scoring.score import State
from epochord.runlog import LogError

VOICINGS = ("lanes", "roll", "sequence")


def scored(run, **settings):
    return audio_score(run, AudioSettings.of(**settings))[0]


def gap(steps=200, every=10, wide=100_000):
    """Make steps that lie evenly apart, but for a gap in their middle."""
    made = every * np.arange(steps)
    made[steps // 2 :] += wide
    return made


@pytest.mark.parametrize("voicing", VOICINGS)
@pytest.mark.parametrize("time", ["steps", "wall"])
def test_a_gap_of_a_hundred_thousand_steps_is_heard_as_one(logged, voicing, time):
    """Its share of the sound is silent, and the run is breathing in all of it."""
    steps = gap(wide=4000)
    run = logged({"loss": np.geomspace(5, 1, 200)}, steps, 1e9 + steps / 7)
    score = scored(run, voicing=voicing, time=time)
    assert score.duration == pytest.approx(scored(run, voicing=voicing).duration, abs=0.05)
    silent = (score.gain <= 0).all(axis=0)
    assert silent.mean() == pytest.approx(4000 / (steps[-1] + 10), abs=0.01)
    np.testing.assert_array_equal(silent, (score.state == State.MISSING).all(axis=0))
    begin, end = np.flatnonzero(np.diff(silent)) + 1
    breaths = [event.sample for event in score.events if event.kind is Kind.RUNNING]
    assert min(breaths) == begin * score.frame_length
    assert max(breaths) < end * score.frame_length
    assert max(np.diff(breaths)) <= 0.5 * score.sample_rate + 1


def test_a_hundred_thousand_steps_leave_next_to_nothing_else(logged):
    """Of 200 steps, 10 apart, 98 % of the sound is the gap."""
    score = scored(logged({"loss": np.geomspace(5, 1, 200)}, gap()), time="steps")
    assert (score.state == State.MISSING).mean() == pytest.approx(100_000 / 101_990, abs=0.01)


@pytest.mark.parametrize("voicing", VOICINGS)
def test_equal_distances_change_nothing(logged, calm, voicing):
    """Of steps that lie equally far apart, the scores are the same."""
    run = logged(calm(steps=150), 7 * np.arange(150), 1.7e9 + 0.3 * np.arange(150))
    first, *others = (
        scored(run, voicing=voicing, time=time) for time in ("logged", "steps", "wall")
    )
    for other in others:
        np.testing.assert_array_equal(other.pitch, first.pitch)
        np.testing.assert_array_equal(other.gain, first.gain)
        np.testing.assert_array_equal(other.frames.steps, first.frames.steps)
        assert other.frame_length == first.frame_length
        assert other.events == first.events


@pytest.mark.parametrize("voicing", VOICINGS)
@pytest.mark.parametrize("time", ["logged", "steps", "wall"])
@pytest.mark.parametrize("count", [2, 5, 40, 1500])
def test_a_run_is_as_long_however_time_passes(logged, voicing, time, count):
    """At least 4 s if it is short (2 s a step), and 60 s if it is long."""
    steps = 10 * np.arange(count)
    run = logged({"loss": np.geomspace(5, 1, count)}, steps, 1e9 + steps / 7)
    expected = scored(run, voicing=voicing).duration
    assert expected >= 3.99
    assert scored(run, voicing=voicing, time=time).duration == pytest.approx(expected, abs=0.1)


@given(
    st.lists(st.integers(1, 3000), min_size=1, max_size=50),
    st.floats(0.2, 30),
    st.sampled_from(VOICINGS),
    st.sampled_from(["logged", "steps", "wall"]),
)
def test_a_duration_is_kept_however_time_passes(logged, distances, seconds, voicing, time):
    """To half a sample a frame, with its calls."""
    steps = np.concatenate([[0], np.cumsum(distances)])
    run = logged({"loss": np.geomspace(5, 1, len(steps))}, steps, steps * 0.5)
    score = scored(run, voicing=voicing, time=time, duration=seconds)
    rounding = 0.5 * score.frames.count / score.sample_rate
    assert score.duration == pytest.approx(seconds, abs=rounding + 0.003)


@given(st.lists(st.integers(1, 300), min_size=2, max_size=50), st.floats(2, 400))
def test_steps_a_second_are_steps_of_the_training(logged, distances, rate):
    """Where time is proportional to them."""
    steps = np.concatenate([[0], np.cumsum(distances)])
    run = logged({"loss": np.geomspace(5, 1, len(steps))}, steps)
    score = scored(run, voicing="lanes", time="steps", steps_per_second=rate)
    seconds = (steps[-1] + np.median(distances)) / rate
    assert score.duration == pytest.approx(seconds, rel=0.01, abs=0.06)


@pytest.mark.parametrize("time", ["steps", "wall"])
def test_a_step_sounds_when_it_was(logged, time):
    """To a frame, as the axis of the score says, which pictures and pages go by."""
    rng = np.random.default_rng(0)
    steps = np.cumsum(rng.integers(1, 60, 120))
    run = logged({"loss": np.geomspace(5, 1, 120)}, steps, 1e9 + steps * 3.0)
    score = scored(run, voicing="lanes", time=time, duration=30.0)
    axis, frame = Axis.of(score), score.frame_length / score.sample_rate
    whole = steps[-1] - steps[0] + np.median(np.diff(steps))
    expected = 30 * (steps - steps[0]) / whole
    # A frame of several steps begins with the first of them.
    np.testing.assert_allclose(axis.times(steps), expected, atol=1.01 * frame)


def test_a_log_without_wall_times_is_refused_in_one_line(logged):
    """What to do is in it, also where several runs are to be heard."""
    run = logged({"loss": [3.0, 2.0, 1.0]})
    with pytest.raises(LogError, match=r"^the log does not say when [^\n]*--time steps or logged$"):
        scored(run, time="wall")
    with pytest.raises(LogError, match="the log does not say when"):
        scores_together([run, run], AudioSettings(time="wall"))


@pytest.mark.parametrize("time", ["logged", "steps", "wall"])
@pytest.mark.parametrize("voicing", VOICINGS)
def test_runs_together_share_every_moment(logged, time, voicing):
    """The same frames, of the same length, whichever of them is shorter."""
    steps = np.cumsum(np.random.default_rng(1).integers(1, 90, 200))
    long = logged({"loss": np.geomspace(5, 1, 200)}, steps, 1e9 + 2.0 * steps, "long")
    short = logged({"loss": np.geomspace(5, 2, 50)}, steps[:50], 5e8 + 2.0 * steps[:50], "short")
    orders = ([long, short], [short, long])
    lengths = []
    for runs in orders:
        made, _ = scores_together(runs, AudioSettings.of(voicing=voicing, time=time))
        one, other = made
        np.testing.assert_array_equal(one.frames.steps, other.frames.steps)
        assert one.frame_length == other.frame_length
        lengths.append(np.unique(one.frames.steps, return_counts=True))
        ended = made[runs.index(short)]
        assert (ended.state[:, ended.frames.steps > steps[50]] == State.MISSING).all()
    # Whichever is first: what one of them knows of time holds for all.
    np.testing.assert_array_equal(*[counts for _, counts in lengths])
    np.testing.assert_array_equal(*[seen for seen, _ in lengths])


def test_layers_that_a_run_lacks_are_silent_in_it(logged, calm):
    """It has the same voices as the others all the same, their total included."""
    norms = calm(4)
    fewer = {tag: norms[tag] for tag in list(norms)[:1]}
    made, _ = scores_together([logged(norms), logged(fewer, name="other")], AudioSettings())
    assert made[0].frames.names == made[1].frames.names
    assert made[0].frames.quantities == made[1].frames.quantities
    assert not made[1].gain[2:].any()
    assert made[1].gain[:2].all()


@pytest.mark.parametrize("voicing", ["lanes", "roll"])
def test_what_drives_a_voice_keeps_its_time(logged, voicing):
    """A loudness that falls at step 500 falls there, also where steps are far apart."""
    steps = np.concatenate([np.arange(0, 100), np.arange(500, 520)])
    loss = np.full(120, 2.0) + np.linspace(0, 0.1, 120)
    run = logged({"loss": loss, "lr": np.where(steps < 500, 1.0, 0.1)}, steps)
    score = scored(run, voicing=voicing, time="steps", tags=("loss",), loudness="lr")
    sounding = score.state[0] != State.MISSING
    loud = score.gain[0] > 0.5 * score.gain.max()
    np.testing.assert_array_equal(loud[sounding], score.frames.steps[sounding] < 500)


def test_epochs_tick_when_their_first_step_sounds(logged):
    """Not when the gap behind it ends."""
    steps = np.concatenate([np.arange(0, 100), np.arange(500, 600)])
    epoch = np.where(np.arange(200) < 99, 0, 1)
    score = scored(
        logged({"loss": np.geomspace(5, 1, 200), "epoch": epoch}, steps),
        voicing="lanes", time="steps", tags=("loss",),
    )  # fmt: skip
    (tick,) = [event for event in score.events if event.kind is Kind.EPOCH]
    assert tick.sample == score.frames.at(99) * score.frame_length
