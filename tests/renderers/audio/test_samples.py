"""A sound in memory is the sound of the file, bit for bit."""

import numpy as np
import pytest
import soundfile

from epochord.renderers.audio import AudioSettings, Sound, mixing, render_audio, sound
from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.synthesis import blocks as synthesis
from epochord.runlog import LogError

VOICINGS = ["lanes", "sequence", "original"]


@pytest.fixture
def run(make_run):
    values = np.geomspace(1, 60, 150)
    values[[20, 21, 70]] = np.nan, np.inf, 0
    return make_run({"a.weight": values, "b.weight": values[::-1]}, loss=np.arange(150.0))


@pytest.mark.parametrize("voicing", VOICINGS)  # original is mono, the others are stereo
@pytest.mark.parametrize("more", [{}, {"legend": True}, {"duration": 2.5}, {"lufs": -30.0}])
def test_samples_are_those_of_the_float_wav(tmp_path, run, voicing, more):
    """Levelled, with legend and marks, of any length."""
    made = sound(run, voicing=voicing, **more)
    path = render_audio(run, tmp_path / "x.wav", voicing=voicing, format="wav32f", **more).path
    expected, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert made.sample_rate == rate
    assert made.samples.shape == expected.shape == (len(made), made.channels)
    np.testing.assert_array_equal(made.samples, expected)


@pytest.mark.parametrize("voicing", VOICINGS)
def test_blocks_are_the_samples(run, voicing):
    """Each time anew, always with an axis of channels."""
    made = sound(run, voicing=voicing)
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate([*made.blocks()]), made.samples)


def test_no_block_is_the_whole_of_a_long_sound(run):
    """Memory is bounded: hours are streamed like seconds."""
    made = sound(run, voicing="sequence", duration=120)
    most = 2 * max(synthesis.SAMPLES_A_BLOCK, made.score.frame_length)
    assert max(len(block) for block in made.blocks()) <= most < len(made)


@pytest.mark.parametrize(("limit", "made_again"), [(1 << 25, 0), (0, 2)])
def test_what_was_measured_is_not_made_again_if_it_is_short(run, monkeypatch, limit, made_again):
    """To be measured with its earcons, and to be heard: the samples are the same, and told of."""
    monkeypatch.setattr(mixing, "KEPT_BYTES", limit)
    made_of = []
    monkeypatch.setattr(
        mixing, "blocks", lambda score: made_of.append(score) or synthesis.blocks(score)
    )
    told = []
    made = sound(
        run, voicing="lanes", duration=3, progress=lambda done, total: told.append((done, total))
    )
    first = np.concatenate([*made.blocks()])
    assert len(made_of) == 1 + made_again
    assert told[-1] == (3 * len(made), 3 * len(made))
    np.testing.assert_array_equal(first, made.samples)


def test_a_measurement_that_was_broken_off_leaves_nothing_behind(run):
    """The next one begins anew."""

    def impatient(done, _):
        if done > 50_000 and not broken:
            broken.append(done)
            raise KeyboardInterrupt

    broken = []
    made = sound(run, duration=5, progress=impatient)
    with pytest.raises(KeyboardInterrupt):
        _ = made.level
    np.testing.assert_array_equal(made.samples, sound(run, duration=5).samples)


def test_a_sound_has_the_length_it_says(run):
    """In seconds and in samples, with its legend."""
    made = sound(run, AudioSettings(duration=3.0), legend=True)
    assert made.duration == len(made) / 44_100 == len(made.samples) / made.sample_rate
    assert made.duration == pytest.approx(
        3.0 + 3 * 2 * 0.5, abs=0.01
    )  # of two layers and their norm


def test_scales_can_be_given(run):
    """As those of `render_audio`, by group of voices."""
    wide = {"gradient norm": Scale(1e-6, 1e6, "log")}
    there = sound(run, scales=wide, voicing="lanes")
    assert there.scales == wide
    assert not np.array_equal(there.samples, sound(run, voicing="lanes").samples)


def test_samples_do_not_change_because_someone_computes_with_them(run):
    """They are kept, and so read-only."""
    with pytest.raises(ValueError, match="read-only"):
        sound(run).samples[0] = 1


def test_what_cannot_be_heard_is_said_at_once(make_run):
    """Not when the first sample is asked for."""
    with pytest.raises(LogError, match="no measurement at all"):
        sound(make_run({}))
    with pytest.raises(ValueError, match="did you mean 'sequence'"):
        sound(make_run({"a.weight": [1.0]}), voicing="sequense")


def test_a_sound_shows_itself(run):
    """In one line, and as a player of twelve seconds within 300 kB."""
    made = sound(run, duration=12)
    assert isinstance(made, Sound)
    assert repr(made) == "<Sound of 'mine': roll, 12.00 s, 44100 Hz, stereo>"
    assert '<audio controls src="data:audio/mpeg;base64,' in made._repr_html_()
    assert len(made._repr_html_()) < 300_000
