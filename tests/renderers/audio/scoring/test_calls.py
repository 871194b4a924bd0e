"""What happens is called: near and alone for 0.4 s, and all that lies in the sound makes room."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.description import cues
from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.audio.scoring.calls import MOST_CALLS, Call, called, calls, lengthened
from epochord.renderers.audio.scoring.compose import audio_score, scores_together
from epochord.renderers.audio.scoring.events import Event, Kind
from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.style import Style
from epochord.renderers.audio.scoring.voicings import lanes
from epochord.renderers.findings import Finding, What

FRAME = 0.06  # s
TICKS = 7  # frames of 60 ms in 0.4 s
BROKEN = (What.NAN, What.POSITIVE_INFINITY, What.NEGATIVE_INFINITY)
LAYER = "grad_norm/l{:02d}.weight"

findings = st.builds(
    Finding,
    st.sampled_from(list(What)),
    st.sampled_from([("a",), ("b",), ("a", "b")]),
    st.integers(0, 999),
    factor=st.one_of(st.none(), st.floats(1e-6, 1e6)),
    passes=st.lists(st.integers(0, 999), max_size=3).map(lambda each: tuple(sorted(each))),
)


def scored(run, **settings):
    return audio_score(run, AudioSettings.of(**settings))[0]


@pytest.fixture
def plain(make_frames):
    """Score voices of ones as lanes, 60 ms a frame."""

    def make(voices=4, frames=40):
        line = make_frames(np.ones((voices, frames)))
        return lanes(line, Style(frame=FRAME, scales={"norm": Scale(0.1, 10.0)}))

    return make


def called_at(score, *chosen):
    return called(score, chosen, lengthened(chosen, score.frames, FRAME))


@given(st.lists(findings, max_size=40))
def test_the_strongest_are_called(found):
    """At most twenty, in the order of steps; none that is left out is stronger than one called."""
    chosen = calls(found)
    every = calls(found, most=1000)
    assert len(chosen) == min(len(every), MOST_CALLS) <= 20
    assert [call.step for call in chosen] == sorted(call.step for call in chosen)
    left = sorted(call.strength for call in every)[: len(every) - len(chosen)]
    assert (
        sorted(call.strength for call in chosen)
        == sorted(call.strength for call in every)[len(left) :]
    )
    lasting = [one for one in found if one.what in (What.RISE, What.FALL)]
    assert len(every) == len(found) - len(lasting) + sum(len(one.passes) for one in lasting)


@pytest.mark.parametrize("what", [*BROKEN, What.DEAD, What.EXPLOSION])
def test_a_break_comes_before_any_factor(what):
    """One NaN among thirty spikes of any size is called."""
    spikes = [Finding(What.SPIKE, ("a",), step, factor=1e9, peak=step) for step in range(30)]
    chosen = calls([*spikes, Finding(what, ("b",), 40, factor=2.0)])
    assert chosen[-1].voices == ("b",)


def test_a_spike_is_called_at_its_peak_and_a_departure_when_it_doubles():
    """The twofold, the fourfold and the eightfold have a call each, the farther the stronger."""
    spike = Finding(What.SPIKE, ("a",), 10, 14, 5.0, 12)
    rise = Finding(What.RISE, ("b",), 20, factor=9.0, passes=(22, 30, 41))
    assert [(call.step, call.strength) for call in calls([spike, rise])] == [
        (12, 5.0), (22, 2.0), (30, 4.0), (41, 8.0),
    ]  # fmt: skip


@pytest.mark.parametrize("voices", [2, 4, 8, 12])
def test_the_others_are_25_db_away(plain, voices):
    """For 0.4 s, and before and behind it everything is as it was."""
    before = plain(voices)
    score = called_at(before, Call(20, What.SPIKE, ("layer1",)))
    assert score.frames.count == 40 + TICKS - 1
    inside = slice(20, 20 + TICKS)
    others = np.arange(voices) != 1
    away = score.gain[others, inside] / before.gain[others, 20, None]
    np.testing.assert_allclose(20 * np.log10(away), -25, atol=1e-4)
    np.testing.assert_allclose(score.gain[1, inside], before.gain.max())
    for kept, was in ((slice(0, 20), slice(0, 20)), (slice(20 + TICKS, None), slice(21, None))):
        np.testing.assert_array_equal(score.gain[:, kept], before.gain[:, was])
        np.testing.assert_array_equal(score.pitch[:, kept], before.pitch[:, was])
    assert TICKS * score.frame_length / score.sample_rate == pytest.approx(0.4, abs=FRAME / 2)


@pytest.mark.parametrize(
    ("who", "all_voices"), [((0, 1, 2), False), ((0, 1, 2, 3), True), ((0, 1, 2, 3), False)]
)
def test_what_concerns_most_silences_nobody(plain, who, all_voices):
    """Together they are as loud as one would be."""
    before = plain()
    names = tuple(f"layer{voice}" for voice in who)
    score = called_at(before, Call(20, What.SPIKE, names, all_voices))
    rest = [voice for voice in range(4) if voice not in who]
    np.testing.assert_array_equal(score.gain[rest, 20], before.gain[rest, 20])
    power = np.square(score.gain[list(who), 20]).sum()
    assert power == pytest.approx(np.square(before.gain).max(), rel=1e-5)


def test_a_death_falls_an_octave(plain):
    """Evenly, in semitones, from where it was."""
    before = plain()
    score = called_at(before, Call(20, What.DEAD, ("layer2",)))
    octaves = np.log2(score.pitch[2, 20 : 20 + TICKS] / before.pitch[2, 20])
    np.testing.assert_allclose(octaves, np.linspace(0, -1, TICKS), atol=1e-9)


@pytest.mark.parametrize(
    ("what", "semitones"),
    [(What.SPIKE, 2), (What.EXPLOSION, 2), (What.RISE, 2), (What.FALL, -2), (What.STUCK, 0)]
    + [(what, 0) for what in BROKEN],
)
def test_what_rises_is_called_higher_and_what_falls_lower(plain, what, semitones):
    """By two semitones; what is no number has no direction."""
    before = plain()
    score = called_at(before, Call(20, what, ("layer2",)))
    moved = 12 * np.log2(score.pitch[2, 20 : 20 + TICKS] / before.pitch[2, 20])
    np.testing.assert_allclose(moved, semitones, atol=1e-9)
    np.testing.assert_array_equal(score.pitch[3, 20 : 20 + TICKS], before.pitch[3, 20])


def test_calls_in_one_frame_are_one(plain):
    """Both are near, the others 25 dB away and not 50, and nobody bends twice."""
    before = plain(6)
    several = [
        Call(20, What.RISE, ("layer1",), strength=2.0),
        Call(20, What.RISE, ("layer1",), strength=8.0),
        Call(20, What.FALL, ("layer4",), strength=4.0),
    ]
    score = called_at(before, *several)
    decibels = 20 * np.log10(score.gain[:, 22] / before.gain[:, 22])
    near = -10 * np.log10(2)
    np.testing.assert_allclose(decibels, [-25, near, -25, -25, near, -25], atol=1e-4)
    moved = 12 * np.log2(score.pitch[:, 22] / before.pitch[:, 20])
    np.testing.assert_allclose(moved, [0, 2, 0, 0, -2, 0], atol=1e-9)


@given(st.lists(st.integers(0, 39), max_size=8), st.integers(0, 39))
def test_added_time_moves_all_that_follows(plain, steps, step):
    """Cue points, the axis and events are at the same step as before."""
    before = plain()
    marks = tuple(Event(at * before.frame_length + 5, Kind.NAN, 0, 100, 0.1) for at in range(40))
    found = Finding(What.SPIKE, ("layer0",), step, step, 3.0, step)
    before = replace(before, events=marks, findings=(found,))
    score = called_at(before, *[Call(at, What.SPIKE, ("layer0",)) for at in steps])
    assert score.frames.count == 40 + (TICKS - 1) * len(set(steps))
    for at, mark in enumerate(score.events):
        begin = score.frames.at(at) * score.frame_length
        assert mark.sample == begin + 5
        assert score.frames.steps[mark.sample // score.frame_length] == at
    (cue,) = [cue for cue in cues(score, 0) if cue.label == found.sentence]
    axis = Axis.of(score)
    seconds = cue.sample / score.sample_rate
    assert axis.at(seconds) == step
    assert axis.times(step) == pytest.approx(seconds)
    assert list(axis.at((np.arange(score.frames.count) + 0.5) * axis.frame)) == list(
        score.frames.steps
    )


@pytest.mark.parametrize("seconds", [1.0, 6.0, 20.0])
@pytest.mark.parametrize("spikes", [0, 1, 25])
def test_a_duration_has_its_calls_in_it(logged, calm, seconds, spikes):
    """It stays as long as was asked for."""
    norms = calm()
    for spike in range(spikes):
        norms[LAYER.format(spike % 4)][12 * spike + 5] *= 30
    score = scored(logged(norms), duration=seconds)
    assert score.duration == pytest.approx(seconds, abs=0.02)
    assert len(score.findings) == spikes


def test_without_a_duration_each_call_adds_its_time(logged, calm):
    """Of 60 ms a frame six more; and at most twenty of them."""
    lengths = []
    for spikes in (0, 1, 5, 25):
        norms = calm()
        for spike in range(spikes):
            norms[LAYER.format(spike % 4)][12 * spike + 5] *= 30
        lengths.append(scored(logged(norms)).frames.count)
    assert lengths == [300, 306, 330, 420]


def test_the_called_layer_is_loudest_in_its_call(logged, calm):
    """In a whole score: a spike of one of eight layers, with the total 25 dB away."""
    norms = calm(8)
    norms[LAYER.format(3)][100] *= 30
    score = scored(logged(norms))
    at = score.frames.at(100)
    gain = score.gain[:, at + 3]
    loudest = score.frames.names.index("l03")
    assert gain.argmax() == loudest
    # The total is as loud as the called one would be without its call.
    assert 20 * np.log10(gain[0] / gain[loudest]) == pytest.approx(-25, abs=0.01)


def test_runs_together_wait_for_each_others_calls(logged, calm):
    """The same frame is the same step in all, and only the run concerned makes room."""
    ill = calm(seed=1)
    ill[LAYER.format(2)][100] *= 30
    late = calm(seed=2)
    late[LAYER.format(0)][200] *= 30
    runs = [logged(calm(), name="calm"), logged(ill, name="ill"), logged(late, name="late")]
    scores, _ = scores_together(runs, AudioSettings())
    for score in scores:
        np.testing.assert_array_equal(score.frames.steps, scores[0].frames.steps)
        assert score.frames.count == 300 + 2 * (TICKS - 1)
        assert score.samples == scores[0].samples
    called_steps = []
    for score in scores:
        quiet = (score.gain[0] < 0.1 * score.gain[0].max()).nonzero()[0]
        called_steps.append(set(score.frames.steps[quiet].tolist()))
    assert called_steps == [set(), {100}, {200}]


def test_lanes_do_not_call(logged, calm):
    """What decodes them goes by the log."""
    norms = calm()
    norms[LAYER.format(1)][50] *= 30
    score = scored(logged(norms), voicing="lanes")
    assert score.findings
    np.testing.assert_array_equal(score.frames.steps, np.arange(300))
