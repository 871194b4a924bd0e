"""What is called is said behind its call, while all voices are far away; the rest makes room."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.scoring.calls import Call, called, lengthened
from epochord.renderers.audio.scoring.compose import audio_score, scores_together
from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.speaking import allotted, sentence, with_speech
from epochord.renderers.audio.scoring.style import Style
from epochord.renderers.audio.scoring.voicings import lanes
from epochord.renderers.audio.speech import Clip, SpeechError
from epochord.renderers.findings import What

RATE = 44_100  # Hz
LAYER = "grad_norm/l{:02d}.weight"
KNELL = 0.6  # s


def scored(run, **settings):
    return audio_score(run, AudioSettings.of(**settings))[0]


@pytest.fixture
def troubled(logged, calm):
    """Make a run with a spike, a fall, NaN to its end and a death."""
    norms = calm(6)
    norms[LAYER.format(1)][40] *= 30
    norms[LAYER.format(2)][120:] *= 0.05
    norms[LAYER.format(3)][200:] = np.nan
    norms[LAYER.format(4)][250:] = 0
    return logged(norms)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (Call(120, What.FALL, ("fc2",), strength=2.0), "f c 2 falls to half, at step 120"),
        (Call(7, What.FALL, ("a",), strength=8.0), "a falls to an eighth, at step 7"),
        (Call(7, What.RISE, ("a",), strength=4.0), "a rises to 4 times, at step 7"),
        (
            Call(3, What.SPIKE, ("conv1.weight",), strength=28.44),
            "conv 1 weight spikes, 28 times, at step 3",
        ),
        (
            Call(3, What.SPIKE, ("loss/train",), strength=3.2e12),
            "loss train spikes, 10 to the power of 13 times, at step 3",
        ),
        (Call(9, What.DEAD, ("layer4.0.bn1",)), "layer 4 0 b n 1 dead, from step 9"),
        (
            Call(9, What.NAN, ("a", "b"), all_voices=True),
            "all voices not a number, from step 9",
        ),
        (Call(9, What.STUCK, ("selfAttn_07",)), "self Attn 7 stuck, from step 9"),
        (
            Call(9, What.EXPLOSION, ("a", "b", "c", "d")),
            "a and b and 2 more explosion, at step 9",
        ),
        (Call(9, What.NEGATIVE_INFINITY, ("Größe",)), "Größe minus infinity, from step 9"),
    ],
)
def test_a_call_is_said_in_words_that_can_be_spoken(call, said):
    """Names are taken apart into words and numbers; what has no vowel is spelled."""
    assert sentence(call) == said


@given(
    st.dictionaries(
        st.integers(0, 19),
        st.tuples(
            st.sampled_from([What.DEAD, What.SPIKE, What.NAN]),
            st.lists(st.floats(0.05, 8.0), min_size=1, max_size=3),
        ),
        max_size=5,
    ),
    st.floats(0.02, 2.0),
    st.booleans(),
)
def test_speech_lies_between_calls(make_frames, at, frame, asked):
    """Behind its call and any knell, before what follows; 25 dB above it there is nothing."""
    frames = make_frames(np.ones((4, 20)))
    chosen = [Call(step, what, ("layer1",)) for step, (what, _) in sorted(at.items())]
    said = {
        step: [Clip("a", "b", np.ones(round(RATE * each), np.float32)) for each in seconds]
        for step, (_, seconds) in sorted(at.items())
    }
    duration = None
    if asked:
        spoken = sum(sum(seconds) + KNELL + 1 for _, seconds in at.values())
        duration = 2 * spoken + frame * 20
    times = lengthened(chosen, frames, frame)
    ticks, length = allotted(said, times, frame, duration)
    before = lanes(frames, Style(frame=length, scales={"norm": Scale(0.1, 10.0)}))
    spoken, moved = with_speech(before, said, times, ticks)
    score = called(spoken, chosen, moved)
    frame_length = before.frame_length
    assert score.samples == before.articulation.release + frame_length * (times + ticks).sum()
    if asked:
        assert score.duration == pytest.approx(duration, rel=0.02)
    ends = 0
    for place in said:
        begin = score.frames.at(place) * frame_length
        call = begin + times[place] * frame_length
        end = call + ticks[place] * frame_length
        there = [each for each in score.speech if begin <= each.sample < end]
        assert [len(each.clip.samples) for each in there] == [
            len(clip.samples) for clip in said[place]
        ]
        for each in there:
            assert each.sample >= max(call, begin + KNELL * RATE, ends) + 0.14 * RATE
            ends = each.sample + len(each.clip.samples)
        assert ends <= end
        quiet = score.gain[:, call // frame_length : end // frame_length]
        np.testing.assert_allclose(20 * np.log10(quiet / before.gain[:, :1]), -25, atol=1e-4)
    assert len(score.speech) == sum(map(len, said.values()))


def test_without_what_is_added_the_score_is_as_it_was(speaks, troubled):
    """Speech only adds frames, behind each call; every step sounds, first where it did."""
    heard = speaks()
    plain, spoken = scored(troubled), scored(troubled, speak=True)
    assert not plain.speech
    assert [each.clip.text for each in spoken.speech] == heard.read_text().splitlines() == [
        "l 1 spikes, 29 times, at step 40",
        "l 2 falls to an eighth, at step 120",
        "l 3 not a number, from step 200",
        "l 4 dead, from step 250",
    ]  # fmt: skip
    length = spoken.frame_length
    kept = np.ones(spoken.frames.count, bool)
    for step in (40, 120, 200, 250):
        again = np.flatnonzero(spoken.frames.steps == step)
        kept[again[np.count_nonzero(plain.frames.steps == step) :]] = False
    for name in ("pitch", "gain", "state", "brightness"):
        np.testing.assert_array_equal(getattr(spoken, name)[:, kept], getattr(plain, name))
    for each, step in zip(spoken.speech, (40, 120, 200, 250), strict=True):
        frames = np.arange(each.sample, each.sample + len(each.clip.samples), 100) // length
        assert set(spoken.frames.steps[frames]) == {step}
        assert not kept[frames].any()
    marks = [(mark.kind, mark.voice, spoken.frames.steps[mark.sample // length])
             for mark in spoken.events if mark.mark]  # fmt: skip
    assert marks == [(mark.kind, mark.voice, plain.frames.steps[mark.sample // length])
                     for mark in plain.events if mark.mark]  # fmt: skip


@pytest.mark.parametrize("seconds", [1.0, 8.0, 12.0, 40.0])
def test_a_duration_has_its_speech_in_it(speaks, troubled, seconds):
    """Half of it at most: the strongest are spoken of first."""
    speaks(seconds=1.5)
    score = scored(troubled, speak=True, duration=seconds)
    assert score.duration == pytest.approx(seconds, rel=0.02)
    said = [each.clip.text for each in score.speech]
    assert sum(len(each.clip.samples) for each in score.speech) <= seconds / 2 * RATE
    assert len(said) == {1.0: 0, 8.0: 1, 12.0: 2, 40.0: 4}[seconds]
    assert len(said) != 2 or all("dead" in each or "number" in each for each in said)


def test_runs_together_say_nothing(speaks, troubled, logged, calm):
    """A page says it with a voice of its own."""
    heard = speaks()
    runs = [troubled, logged(calm(6), name="calm")]
    scores, _ = scores_together(runs, AudioSettings(speak=True))
    assert not any(score.speech for score in scores)
    assert not heard.exists()
    plain, _ = scores_together(runs, AudioSettings())
    np.testing.assert_array_equal(scores[0].frames.steps, plain[0].frames.steps)


@pytest.mark.usefixtures("mute")
def test_who_cannot_speak_says_so_though_there_be_nothing_to_say(logged, calm):
    """So that it does not depend on the log."""
    with pytest.raises(SpeechError, match="--speak needs espeak-ng"):
        scored(logged(calm()), speak=True)


@pytest.mark.parametrize("voicing", ["lanes", "sequence", "original"])
def test_only_what_calls_can_speak(voicing):
    """There are no calls to speak behind."""
    with pytest.raises(ValueError, match=f"^speak is true and the voicing is {voicing}, which"):
        AudioSettings(voicing, speak=True)
