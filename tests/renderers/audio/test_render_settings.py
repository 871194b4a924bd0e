"""Every setting does what it says, and one that makes no sense is refused."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from epochord.renderers.audio import AudioSettings, render_audio
from epochord.renderers.audio.description import stored_scales
from epochord.renderers.audio.files.write import AUDIO_FORMATS
from epochord.renderers.audio.scoring.compose import audio_score
from epochord.renderers.audio.scoring.mapping import VoiceMapping
from epochord.renderers.audio.scoring.registers import registers
from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.settings import AudioOptions
from epochord.renderers.audio.synthesis.blocks import blocks
from epochord.renderers.timeline.choice import NothingToHearError
from epochord.runlog import LogError, Run, RunMetadata, Series

nan, inf = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"voicing": "Lanes"},
            r"voicing is 'Lanes'; did you mean 'lanes'\? expected one of roll, lanes, sequence, ",
        ),
        ({"parameters": ""}, "parameters is ''; expected one of weight, all"),
        ({"polarity": "up"}, r"polarity is 'up'; expected one of \+, -"),
        ({"timbre": "saw"}, "timbre is 'saw'; expected one of sine, warm"),
        (
            {"format": "wav"},
            "format is 'wav'; expected one of wav16, wav24, wav32f, flac, ogg, mp3",
        ),
        ({"format": ""}, "format is ''; expected one of wav16"),
        ({"tone": 0.0}, "tone is 0.0 s; expected 0.001 to 10 s"),
        ({"tone": 11}, "tone is 11 s; expected 0.001 to 10 s"),
        ({"silence": -0.1}, "silence is -0.1 s; expected 0 to 10 s"),
        ({"silence": inf}, "silence is inf s; expected 0 to 10 s"),
        ({"lufs": 1}, "lufs is 1 LUFS; expected -70 to 0 LUFS"),
        ({"lufs": nan}, "lufs is nan LUFS; expected -70 to 0 LUFS"),
        ({"duration": 0}, r"duration is 0 s; expected 0\.05 to 86400 s"),
        ({"duration": inf}, "duration is inf s"),
        ({"steps_per_second": 0}, r"steps_per_second is 0; expected 0\.001 to 1000"),
        ({"steps_per_second": nan}, r"steps_per_second is nan; expected 0\.001 to 1000"),
        ({"duration": 1, "steps_per_second": 1}, "both given; choose one of them"),
        ({"voices": (VoiceMapping("a"),) * 13}, "voices are 13; expected at most 12"),
        ({"range": (2.0, 1.0)}, r"range is 2\.0:1\.0; expected LO:HI with LO < HI"),
        ({"range": (nan, 1.0)}, r"range is nan:1\.0; expected LO:HI with LO < HI"),
        ({"range": (0.0, inf)}, r"range is 0\.0:inf; expected LO:HI with LO < HI"),
    ],
)
def test_a_wrong_setting_is_refused(wrong, message):
    """With what it got and what it may be."""
    with pytest.raises(ValueError, match=message):
        AudioSettings(**wrong)


@pytest.fixture
def run(make_run) -> Run:
    walk = np.cumsum(np.random.default_rng(0).normal(0, 0.2, (3, 40)), axis=1)
    return make_run({f"{layer}.weight": 10**row for layer, row in zip("abc", walk, strict=True)})


def rendered(run, folder, **more):
    result = render_audio(run, folder, AudioSettings(**more))
    return result, pq.read_table(folder / "audio.score.parquet").to_pydict()


def test_polarity_mirrors_the_pitch_in_its_register(run, tmp_path):
    """Low is high and high is low; nothing else changes."""
    _, up = rendered(run, tmp_path / "up", voicing="lanes")
    _, down = rendered(run, tmp_path / "down", voicing="lanes", polarity="-")
    middles = np.tile(registers(3).prod(axis=1), 40)
    np.testing.assert_allclose(np.multiply(up["pitch"], down["pitch"]), middles)
    assert {**up, "pitch": 0} == {**down, "pitch": 0}


def test_a_range_of_ones_own_sets_the_ends_of_the_registers(run, tmp_path):
    """It is stored, and what lies beyond it is held there."""
    result, score = rendered(run, tmp_path, range=(0.5, 2.0))
    assert result.description["scale"] == {
        "gradient norm": {"low": 0.5, "high": 2.0, "kind": "log"}
    }
    low, high = registers(3).T
    values, pitch = (np.array(score[key]).reshape(40, 3) for key in ("value", "pitch"))
    along = np.clip(np.log2(values * 2) / 2, 0, 1)
    np.testing.assert_allclose(pitch, low * (high / low) ** along, rtol=1e-6)
    outside = ((values < 0.5) | (values > 2)).ravel()
    assert outside.any()
    assert score["state"] == np.where(outside, "held", "sounding").tolist()


def test_a_range_that_reaches_zero_is_linear(run, tmp_path):
    """For it has no ratios."""
    result, _ = rendered(run, tmp_path, range=(0.0, 2.0))
    assert result.description["scale"]["gradient norm"]["kind"] == "linear"


def test_any_range_can_be_described(run, tmp_path):
    """Also one whose ends have no ratio that is a number; the JSON is JSON."""
    result, _ = rendered(run, tmp_path, voicing="lanes", range=(1e-299, 1e299))
    text = (tmp_path / "audio.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail)["lanes"][0]["ten_cents_are_percent"] > 100
    assert result.made


def test_a_stored_scale_can_be_used_again(run, tmp_path, make_run):
    """Of the folder or a file in it; what has none is refused with the reason."""
    first, _ = rendered(run, tmp_path / "first", voicing="lanes")
    scales = stored_scales(tmp_path / "first")
    assert scales == stored_scales(first.path)
    other = make_run({"a.weight": [1e5, 1e-5, 1.0]})
    result = render_audio(other, tmp_path / "second", scales=scales, voicing="lanes")
    assert result.description["scale"] == first.description["scale"]
    assert result.description["counts"]["held"] == 2
    rendered(run, tmp_path / "original", voicing="original")
    for folder, reason in (("original", "rendered without a scale"), ("none", "no result with a")):
        with pytest.raises(LogError, match=reason):
            stored_scales(tmp_path / folder)


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_every_format_holds_the_sound(run, tmp_path, format):
    """Of the same length and loudness, whatever the file."""
    result, _ = rendered(run, tmp_path, format=format)
    samples, rate = soundfile.read(result.path)
    assert result.path.suffix == AUDIO_FORMATS[format].suffix
    assert len(samples) / rate == pytest.approx(result.description["duration"], abs=1e-6)
    reference = np.concatenate(list(blocks(audio_score(run, AudioSettings())[0])))
    factor = 10 ** (result.description["loudness"]["gain_db"] / 20)
    np.testing.assert_allclose(np.std(samples), factor * np.std(reference), rtol=0.01)


@pytest.mark.parametrize("voicing", ["lanes", "sequence"])
def test_a_legend_opens_with_each_voices_low_and_high_end(run, tmp_path, voicing):
    """One after the other, half a second each; the sound itself follows unchanged."""
    plain, _ = rendered(run, tmp_path / "plain", voicing=voicing, format="wav32f")
    opened, _ = rendered(run, tmp_path / "opened", voicing=voicing, format="wav32f", legend=True)
    before, rate = soundfile.read(plain.path)
    after, _ = soundfile.read(opened.path)
    offset = opened.description["legend_samples"]
    assert offset == 6 * rate // 2
    factor = after[offset:].std() / before.std()
    np.testing.assert_allclose(after[offset:], factor * before, atol=1e-6)
    ends = registers(3) if voicing == "lanes" else np.repeat(registers(1), 3, axis=0)
    for tone, pitch in zip(after[:offset].reshape(6, -1, 2), ends.ravel(), strict=True):
        power = np.abs(np.fft.rfft(tone.sum(axis=1), 1 << 18)) ** 2
        assert power.argmax() * rate / (1 << 18) == pytest.approx(pitch, rel=1e-3)
        assert not tone[-rate // 10 :].any()


def test_a_single_step_is_said_in_words(make_run, tmp_path):
    """It makes no clip; the original's generator is left as it is."""
    run = make_run({"a.weight": [0.25], "b.weight": [4.0]})
    said = "run 'mine' has a single step, 0: a 0.25, b 4; nothing to hear"
    with pytest.raises(NothingToHearError, match=said):
        render_audio(run, tmp_path)
    assert render_audio(run, tmp_path, voicing="original").made


def test_cues_lie_where_their_earcons_sound(make_run, tmp_path):
    """Behind the legend, if there is one."""
    values = np.ones(20)
    values[5:8] = nan
    marks = {}
    for legend in (False, True):
        folder = tmp_path / str(legend)
        result = render_audio(
            make_run({"a.weight": values}), folder, AudioSettings("lanes", legend=legend)
        )
        data = result.path.read_bytes()
        at = data.index(b"cue ") + 8
        count = int.from_bytes(data[at : at + 4], "little")
        points = [data[at + 4 + 24 * number :][:24] for number in range(count)]
        marks[legend] = [int.from_bytes(point[20:24], "little") for point in points]
        assert b"a: nan" in data
        assert b"a: end" in data
    assert marks[False] == [5 * 8820, 8 * 8820]
    assert marks[True] == [44_100 + mark for mark in marks[False]]


def test_a_listening_budget_says_how_fine_a_voice_can_be_heard(make_run, tmp_path):
    """One voice over three octaves and a hundredfold range: ten cents are 1.3 % of the value."""
    for voicing in ("lanes", "sequence"):
        settings_ = AudioSettings(voicing, range=(0.1, 10.0))
        result = render_audio(make_run({"a.weight": [1.0, 2.0]}), tmp_path / voicing, settings_)
        (lane,) = result.description["lanes"]
        assert lane["ten_cents_are_percent"] == pytest.approx(100 * (100 ** (10 / 3600) - 1))


singles = arrays.arrays(np.float32, st.integers(2, 12))
doubles = arrays.arrays(np.float64, st.integers(2, 12))
voicings = st.sampled_from(["roll", "lanes", "sequence", "original"])


@settings(max_examples=40)
@given(st.lists(singles, min_size=1, max_size=3), voicings, st.sampled_from(["sine", "warm"]))
def test_any_series_become_a_sound_that_can_be_played(tmp_path_factory, rows, voicing, timbre):
    """Finite, within full scale, of the length that is said, and equal to the byte each time."""
    series = {
        f"grad_norm/{name}.weight": Series(f"grad_norm/{name}.weight", np.arange(len(row)), row)
        for name, row in zip("abc", rows, strict=False)
    }
    folder = tmp_path_factory.mktemp("any")
    wanted = AudioSettings(voicing, timbre=timbre, format="wav32f")
    run = Run("any", RunMetadata("any"), series)
    made = [render_audio(run, folder / name, wanted) for name in "xy"]
    x, y = (
        {path.name: path.read_bytes() for path in Path(folder, name).iterdir()} for name in "xy"
    )
    assert x == y
    samples, rate = soundfile.read(made[0].path)
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1
    assert len(samples) == round(made[0].description["duration"] * rate) > 0
    json.loads((folder / "x" / "audio.json").read_text(), parse_constant=pytest.fail)


@given(st.lists(doubles, min_size=1, max_size=3), voicings, st.integers(0, 3))
def test_any_numbers_become_finite_samples(rows, voicing, decades):
    """Float64 too, up to the largest; signed, subnormal, constant, or not a number at all."""
    series = {
        f"loss{n}": Series(f"loss{n}", np.arange(len(row)), row) for n, row in enumerate(rows)
    }
    wanted = AudioSettings(voicing, duration=0.05 * 10 ** (decades / 2))
    score, scales = audio_score(Run("any", RunMetadata("any"), series), wanted)
    samples = np.concatenate(list(blocks(score)))
    assert np.isfinite(samples).all()
    assert len(samples) == score.samples
    assert np.isfinite(score.pitch).all()
    assert all(isinstance(scale, Scale) for scale in scales.values())


def test_a_frame_of_many_steps_sounds_although_one_of_them_is_nan(tmp_path, make_run):
    """It is marked, and what is finite in it is heard all the same."""
    norms = np.exp(np.sin(np.arange(1000) / 50))
    norms[::25] = np.nan
    made = render_audio(make_run({"a.weight": norms}), tmp_path, AudioSettings("lanes", duration=2))
    score = pq.read_table(tmp_path / "audio.score.parquet")
    assert set(score["state"].to_pylist()) == {"nan"}
    assert (score["gain"].to_numpy() > 0).all()
    assert np.isfinite(score["value"].to_numpy()).all()
    assert made.description["events"]["nan"] == 1


def test_every_setting_can_be_given_by_name():
    """With the type that it has, so that a type checker knows it."""
    fields = {field.name: field.type for field in dataclasses.fields(AudioSettings)}
    assert AudioOptions.__annotations__ == fields
    assert set(AudioOptions.__optional_keys__) == set(fields)


def test_settings_of_a_file_come_before_the_voicings_and_named_ones_before_those(tmp_path):
    """What is given nowhere is as the voicing has it."""
    path = tmp_path / "mine.toml"
    path.write_text('voicing = "sequence"\ntone = 0.05\nsilence = 0.5\n')
    made = AudioSettings.of(str(path), tone=0.25)
    assert (made.voicing, made.tone, made.silence, made.lufs) == ("sequence", 0.25, 0.5, -23.0)
    assert AudioSettings.of(path, voicing="original").file_format == "wav32f"
    assert made.but(tone=0.125) == AudioSettings.of(path, tone=0.125)
