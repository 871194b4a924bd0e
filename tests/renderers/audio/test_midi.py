"""A score as MIDI: read back, its notes and bends are the score's pitches, at its times."""

from dataclasses import replace

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from epochord.renderers.audio import AudioSettings, render_audio
from epochord.renderers.audio.midi import CHANNELS, write_midi
from epochord.renderers.audio.scoring.compose import audio_score
from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.score import Tones
from epochord.renderers.audio.scoring.style import Style
from epochord.renderers.audio.scoring.voicings import lanes, sequence

STYLE = Style(scales={"norm": Scale(0.1, 10.0)}, tone=0.02)


def read(path):
    """Return, by channel, each sounding stretch: onset and end in ms, Hz, place, loudness."""
    file = mido.MidiFile(path, charset="utf-8")
    assert file.ticks_per_beat == 500  # at 120 beats a minute: a tick is a millisecond
    found, names = {}, []
    for track in file.tracks[1:]:
        names.append(track[0].name)
        state = {"bend": 0, "note": None, "rpn": [None, None], "range": None, 7: None}
        now, stretches = 0, []

        def close(now, state=state, stretches=stretches):
            if state["note"] is not None and now > state["since"]:
                semitones = state["note"] - 69 + state["bend"] / 8192 * state["range"]
                hertz = 440 * 2 ** (semitones / 12)
                loud = (state[7] / 127 * state[11] / 127) ** 2
                stretches.append((state["since"], now, hertz, state[10], loud))
            state["since"] = now

        for message in track:
            now += message.time
            if message.is_meta:
                continue
            channel = message.channel
            if message.type == "control_change":
                close(now)
                if message.control in (100, 101):
                    state["rpn"][101 - message.control] = message.value
                elif message.control == 6:
                    assert state["rpn"] == [0, 0]
                    state["range"] = message.value
                else:
                    state[message.control] = message.value
            elif message.type == "pitchwheel":
                close(now)
                state["bend"] = message.pitch
            elif message.type == "note_on":
                assert state["note"] is None
                state["note"], state["since"] = message.note, now
            elif message.type == "note_off":
                assert state["note"] == message.note
                close(now)
                state["note"] = None
        assert state["note"] is None
        assert state["rpn"] == [127, 127]
        found[channel] = stretches
    return found, names, file


def heard_at(stretches, milliseconds):
    """Return Hz at a time; None in silence."""
    there = [hertz for since, end, hertz, *_ in stretches if since <= milliseconds < end]
    assert len(there) <= 1
    return there[0] if there else None


def cents(one, other):
    return 1200 * abs(np.log2(one / other))


@pytest.fixture
def troubled(make_run):
    rng = np.random.default_rng(0)
    norms = {f"l{n}.weight": np.exp(rng.normal(0, 0.1, 200)) for n in range(5)}
    norms["l1.weight"][40] *= 30
    norms["l2.weight"][100:] = np.nan
    norms["l3.weight"][120:] *= 0.05
    norms["l4.weight"] = np.geomspace(1e-3, 1e3, 200)
    return make_run(norms)


@pytest.mark.parametrize("voicing", ["roll", "lanes"])
@pytest.mark.parametrize("duration", [None, 7.0])
def test_held_voices_have_the_scores_pitch_in_each_frame(troubled, tmp_path, voicing, duration):
    """Within a cent, in the middle of each; silence is silent."""
    score, _ = audio_score(troubled, AudioSettings.of(voicing=voicing, duration=duration))
    write_midi(score, tmp_path / "a.mid", name="mine")
    found, names, file = read(tmp_path / "a.mid")
    assert tuple(names) == score.frames.names
    assert list(found) == list(CHANNELS[: len(names)])
    frame = 1000 * score.frame_length / score.sample_rate
    for voice, stretches in enumerate(found.values()):
        for place in range(score.frames.count):
            hertz = heard_at(stretches, (place + 0.5) * frame)
            if score.gain[voice, place] <= 0:
                assert hertz is None
            else:
                assert cents(hertz, score.pitch[voice, place]) < 1
    assert file.length == pytest.approx(score.duration, abs=1e-3)


@pytest.mark.parametrize("voicing", ["sequence", "original"])
def test_voices_in_turn_have_a_note_each(troubled, tmp_path, voicing):
    """At its onset and of its length, to a millisecond, however long the sound is."""
    score, _ = audio_score(troubled, AudioSettings.of(voicing=voicing, tone=0.013))
    write_midi(score, tmp_path / "a.mid")
    found, _, _ = read(tmp_path / "a.mid")
    tones = score.articulation
    for voice, stretches in enumerate(found.values()):
        sounding = np.flatnonzero((score.gain[voice] > 0) & (np.abs(score.pitch[voice]) > 8.2))
        assert len(stretches) == len(sounding)
        for (since, end, hertz, *_), place in zip(stretches, sounding, strict=True):
            onset = (place * score.frame_length + tones.onsets[voice]) / score.sample_rate
            assert since == pytest.approx(1000 * onset, abs=0.51)
            assert end - since == pytest.approx(1000 * tones.length / score.sample_rate, abs=1.01)
            assert cents(hertz, score.pitch[voice, place]) < 1


def test_what_moves_far_is_struck_again(make_frames, tmp_path):
    """Over more than four octaves no bend of two octaves is enough."""
    score = lanes(make_frames(np.ones((1, 41))), STYLE)
    score = replace(score, pitch=np.geomspace(55, 14_000, 41)[None])
    write_midi(score, tmp_path / "a.mid")
    (stretches,) = read(tmp_path / "a.mid")[0].values()
    for (_, _, hertz, *_), pitch in zip(stretches, score.pitch[0], strict=True):
        assert cents(hertz, pitch) < 1
    track = mido.MidiFile(tmp_path / "a.mid").tracks[1]
    struck = [message.note for message in track if message.type == "note_on"]
    assert struck[0] == 33
    assert 24 <= np.diff(struck).min() <= np.diff(struck).max() <= 27


def test_loudness_and_place_follow(make_frames, tmp_path):
    """Amplitudes to each other within half a decibel; left is 1, the middle 64, right 127."""
    score = lanes(make_frames(np.ones((3, 8))), STYLE)
    gain = 0.2 * np.array([1.0, 0.5, 0.25])[:, None] * np.geomspace(1, 0.1, 8)
    score = replace(score, gain=gain.astype(np.float32))
    write_midi(score, tmp_path / "a.mid")
    found, _, _ = read(tmp_path / "a.mid")
    loud = np.array([[loud for *_, loud in stretches] for stretches in found.values()])
    np.testing.assert_allclose(20 * np.log10(loud / gain * 0.2), 0, atol=0.5)
    places = [stretches[0][3] for stretches in found.values()]
    assert places == [round(64 + 63 * pan) for pan in score.pan]


def test_findings_and_calls_are_markers_at_their_steps(troubled, tmp_path):
    """In words, as cue points have them; behind a legend, if there is one."""
    made = render_audio(troubled, tmp_path, midi=True, legend=True)
    score, _ = audio_score(troubled, AudioSettings.of(legend=True))
    file = mido.MidiFile(made.midi, charset="utf-8")
    now, marks = 0, []
    for message in file.tracks[0]:
        now += message.time
        if message.type == "marker":
            marks.append((now, message.text))
    offset = made.description["legend_samples"]
    assert offset

    def when(step):
        samples = offset + score.frames.at(step) * score.frame_length
        return round(1000 * samples / score.sample_rate)

    findings = score.findings
    assert {(when(found.step), found.sentence) for found in findings} <= set(marks)
    calls = [mark for mark in marks if mark[1].startswith("call: ")]
    assert {(when(40), "call: l1"), (when(100), "call: l2")} <= set(calls)
    falls = [found for found in findings if found.passes and "l3" in found.voices]
    assert {(when(step), "call: l3") for found in falls for step in found.passes} <= set(calls)
    assert marks == sorted(marks, key=lambda mark: mark[0])


names = st.lists(st.text(min_size=1), min_size=1, max_size=12, unique=True)


@given(
    data=st.data(),
    names=names,
    made=st.sampled_from([lanes, sequence]),
    length=st.sampled_from([1, 50, 4410]),
)
def test_any_score_becomes_a_file_that_can_be_read(
    data, make_frames, tmp_path, names, made, length
):
    """Every number in its range, every note ended, every name told; equal to the byte."""
    frames = data.draw(st.integers(1, 12))
    shape = len(names), frames
    score = made(make_frames(np.ones(shape)), STYLE)
    pitch = data.draw(arrays.arrays(np.float64, shape, elements=st.floats(-3e4, 3e4)))
    gain = data.draw(arrays.arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))
    pan = data.draw(arrays.arrays(np.float32, shape, elements=st.floats(-1, 1, width=32)))
    articulation = score.articulation
    if isinstance(articulation, Tones):
        onsets = tuple(n * length // len(names) for n in range(len(names)))
        articulation = Tones(max(1, length // len(names)), onsets)
    score = replace(
        score, pitch=pitch, gain=gain, pan=pan, frame_length=length, articulation=articulation,
        frames=replace(score.frames, names=tuple(names)),
    )  # fmt: skip
    for name in ("one.mid", "two.mid"):
        write_midi(score, tmp_path / name, name="\udc80 any")
    assert (tmp_path / "one.mid").read_bytes() == (tmp_path / "two.mid").read_bytes()
    found, read_names, file = read(tmp_path / "one.mid")
    told = [each.encode("utf-8", "replace").decode() for each in names]
    assert read_names == told
    assert file.tracks[0][0].name == "? any"
    audible = (gain > 0) & (np.abs(pitch) >= 8.2)
    for voice, stretches in enumerate(found.values()):
        if length == 4410:
            assert bool(stretches) == audible[voice].any()
        for *_, place, loud in stretches:
            assert 0 <= place <= 127
            assert 0 < loud <= 1
