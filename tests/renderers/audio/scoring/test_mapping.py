"""Mappings as data: files that say what drives which voice, and errors that name the key."""

import json

import numpy as np
import pytest
import soundfile
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from epochord.renderers.audio import AudioSettings, render_audio
from epochord.renderers.audio.scoring.compose import audio_score
from epochord.renderers.audio.scoring.mapping import (
    MappingError,
    VoiceMapping,
    load_mapping,
    shipped_mapping,
)
from epochord.renderers.audio.scoring.voicings import SHIPPED
from epochord.renderers.audio.summary import write_audio_summary
from epochord.renderers.audio.synthesis.blocks import blocks
from epochord.runlog import LogError, Run, RunMetadata, Series

STEPS = np.arange(50)


@pytest.fixture
def run() -> Run:
    values = {"a": 10.0 ** np.sin(STEPS / 5), "b": 1.0 + STEPS, "c": 50.0 - STEPS}
    return Run("r", RunMetadata("r"), {tag: Series(tag, STEPS, row) for tag, row in values.items()})


def write(tmp_path, text: str):
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    return path


def test_a_file_sets_what_the_options_set_and_names_voices(tmp_path):
    """Its keys are those of the settings, and a table a voice."""
    path = write(
        tmp_path,
        'voicing = "lanes"\ntimbre = "warm"\nduration = 5\nrange = [0.1, 10]\ntags = ["a*"]\n'
        '[[voice]]\npitch = "a"\nname = "first"\npan = -0.5\n[[voice]]\npitch = "b"\npan = "c"\n',
    )
    settings = AudioSettings(**load_mapping(path))
    assert (settings.timbre, settings.duration, settings.range) == ("warm", 5, (0.1, 10))
    assert settings.voices == (
        VoiceMapping("a", name="first", pan=-0.5),
        VoiceMapping("b", pan="c"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'voicng = "lanes"',
            r"'voicng' is no key of a mapping; did you mean 'voicing' or 'voice'\? expected one of",
        ),
        ("[[voices]]", r"'voices' is no key of a mapping; did you mean 'voice'.*, voice$"),
        ('[[voice]]\ntag = "a"', r"voice 1: 'tag' is no key of a voice; expected one of pitch,"),
        ('[[voice]]\npitch = "a"\nrange = [1, 0]', r"voice 1: range is 1:0; expected LO:HI"),
        ("timbre = 3", r"timbre is 3; expected text"),
        ('lufs = "loud"', r"lufs is 'loud'; expected a number"),
        ("legend = 1", r"legend is 1; expected true or false"),
        ("range = [1]", r"range is \[1\]; expected \[low, high\]"),
        ("voice = 3", r"voice is 3; expected tables \[\[voice\]\]"),
        ('[[voice]]\nname = "x"', r"voice 1: pitch is missing; expected a tag"),
        (
            '[[voice]]\npitch = "a"\n[[voice]]\npitch = "b"\npan = 2',
            r"voice 2: pan is 2; expected a",
        ),
        (
            '[[voice]]\npitch = "a"\nvolume = "b"',
            r"voice 1: 'volume' is no key of a voice; expected one of",
        ),
        ("timbre = ", r"is no TOML"),
    ],
)
def test_what_makes_no_sense_is_named_with_what_it_may_be(tmp_path, text, message):
    """The file, the key, what it got, what was expected."""
    with pytest.raises(MappingError, match=f"mapping.toml: {message}"):
        load_mapping(write(tmp_path, text))


def test_the_shipped_voicings_are_such_files():
    """Each loads, and stands for the voicing of its name."""
    for name in SHIPPED:
        assert AudioSettings(**load_mapping(shipped_mapping(name))).voicing == name


def test_each_voice_is_driven_by_its_tags(run):
    """Loudness falls with its tag, brightness and place follow theirs, the rest stays."""
    voices = (
        VoiceMapping("a", name="first", loudness="c", pan="b"),
        VoiceMapping("b", brightness="b", pan=0.5, range=(1.0, 100.0)),
    )
    score, scales = audio_score(run, AudioSettings(voices=voices, timbre="warm"))
    assert score.frames.names == ("first", "b")
    assert (scales["b"].low, scales["b"].high) == (1.0, 100.0)
    decibels = 20 * np.log10(score.gain / score.gain[0, 0])
    assert (np.diff(decibels[0]) < 0).all()
    assert decibels[0, -1] == pytest.approx(-18)
    np.testing.assert_allclose(decibels[1], 0, atol=1e-5)
    assert (np.diff(score.brightness[1]) > 0).all()
    assert score.brightness[1, [0, -1]].tolist() == [0, 1]
    np.testing.assert_allclose(score.places[0, [0, -1]], [-0.8, 0.8])
    np.testing.assert_allclose(score.places[1], 0.5)


def test_a_voice_that_moves_is_heard_on_one_side_and_then_on_the_other(run):
    """The energy of left and right changes places, without a step in the sum."""
    settings = AudioSettings(voices=(VoiceMapping("a", pan="b"),))
    score, _ = audio_score(run, settings)
    sound = np.concatenate(list(blocks(score))).astype(np.float64)
    frames = sound[: 50 * score.frame_length].reshape(50, score.frame_length, 2)
    power = np.square(frames).mean(axis=1)
    assert power[1, 0] > 5 * power[1, 1]
    assert power[-1, 1] > 5 * power[-1, 0]
    np.testing.assert_allclose(power[1:].sum(axis=1), power[1:].sum(axis=1).mean(), rtol=0.05)


def test_one_tag_can_drive_the_loudness_of_all(run):
    """As an option, without a file."""
    score, _ = audio_score(run, AudioSettings(tags=("a", "b"), loudness="c"))
    assert (np.diff(score.gain) < 0).all()


def test_a_tag_that_is_not_there_is_named(run):
    """With those that are."""
    for settings in (AudioSettings(voices=(VoiceMapping("x"),)), AudioSettings(loudness="x")):
        with pytest.raises(LogError, match=r"'r' has no tag 'x'; it has a, b, c"):
            audio_score(run, settings)


def test_a_mapping_is_part_of_what_makes_a_result_up_to_date(run, tmp_path):
    """The same again is not made again; another place is."""
    settings = AudioSettings(voices=(VoiceMapping("a", pan=0.5, range=(0.1, 10.0)),))
    assert render_audio(run, tmp_path, settings).made
    assert not render_audio(run, tmp_path, settings).made
    assert render_audio(run, tmp_path, AudioSettings(voices=(VoiceMapping("a"),))).made
    about = json.loads((tmp_path / "audio.json").read_text())
    assert about["settings"]["voices"][0]["pitch"] == "a"


def test_tensorboard_plays_the_sound(run, tmp_path):
    """TensorBoard's own reader finds the clip, with the samples of the file."""
    made = render_audio(run, tmp_path / "r", AudioSettings("lanes", format="flac"))
    path = write_audio_summary(made, tmp_path / "logs")
    assert path.parent == tmp_path / "logs" / "r"
    accumulator = EventAccumulator(str(path.parent), size_guidance={"audio": 0})
    accumulator.Reload()
    (clip,) = accumulator.Audio("epochord/lanes")
    assert (clip.step, clip.sample_rate, clip.content_type) == (49, 44_100, "audio/wav")
    (tmp_path / "clip.wav").write_bytes(clip.encoded_audio_string)
    heard, _ = soundfile.read(tmp_path / "clip.wav", dtype="int16")
    written, _ = soundfile.read(made.path, dtype="int16")
    np.testing.assert_array_equal(heard, written)
    assert clip.length_frames == len(written)
