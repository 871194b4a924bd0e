"""Speech in whole sounds: at one level, in both channels alike, described, and made anew."""

import json
from dataclasses import replace

import numpy as np
import pyloudnorm
import pytest
import soundfile

from epochord.renderers.audio import AudioSettings, render_audio, sound
from epochord.renderers.audio.level.true_peak import TruePeakMeter
from epochord.renderers.audio.mixing import mixed

RATE = 44_100  # Hz


@pytest.fixture
def run(make_run):
    rng = np.random.default_rng(0)
    norms = {f"l{n}.weight": np.exp(rng.normal(0, 0.1, 200)) for n in range(4)}
    norms["l1.weight"][40] *= 30
    norms["l2.weight"][100:] = np.nan
    return make_run(norms)


def alone(heard):
    """Return the speech in a sound: what is gone where nothing is said."""
    silent = replace(heard.score, speech=())
    return heard.samples - np.concatenate([*mixed([silent], heard.level)])


@pytest.mark.parametrize("lufs", [-23.0, -30.0])
def test_speech_is_three_louder_than_the_voices_are_asked_to_be(speaks, run, lufs):
    """The same in both channels, and nowhere else than where it is said to be."""
    speaks(seconds=2)
    heard = sound(run, speak=True, lufs=lufs)
    only = alone(heard)
    np.testing.assert_allclose(only[:, 0], only[:, 1], atol=1e-6)
    quiet = np.ones(len(only), bool)
    for each in heard.score.speech:
        where = slice(each.sample, each.sample + len(each.clip.samples))
        quiet[where] = False
        measured = pyloudnorm.Meter(RATE).integrated_loudness(only[where].astype(np.float64))
        assert measured == pytest.approx(lufs + 3, abs=0.1)
    assert len(heard.score.speech) == 2
    assert not only[quiet].any()


def test_the_whole_stays_below_its_ceiling(speaks, run):
    """Speech is made softer with all the rest."""
    speaks(seconds=2)
    heard = sound(run, speak=True, lufs=-6.0)
    meter = TruePeakMeter(2)
    meter.add(heard.samples)
    assert -1.1 < 20 * np.log10(meter.peak()) <= -1 + 1e-3
    only = alone(heard)
    where = heard.score.speech[0].sample + np.arange(RATE)
    measured = pyloudnorm.Meter(RATE).integrated_loudness(only[where].astype(np.float64))
    assert measured == pytest.approx(-3 + 20 * np.log10(heard.level.marks) - 17, abs=0.1)


def test_blocks_do_not_show(speaks, run, monkeypatch):
    """A sound too long to be kept is made in the same samples."""
    speaks(seconds=2)
    whole = sound(run, speak=True, legend=True).samples
    monkeypatch.setattr("epochord.renderers.audio.mixing.KEPT_BYTES", 0)
    np.testing.assert_array_equal(sound(run, speak=True, legend=True).samples, whole)


def test_a_legend_comes_before_it_all(speaks, run):
    """And moves what is said."""
    speaks(seconds=2)
    heard = sound(run, speak=True, legend=True)
    plain = sound(run, speak=True)
    factor = heard.level.marks / plain.level.marks
    begin = plain.score.speech[0].sample
    np.testing.assert_allclose(
        heard.samples[heard.offset :][begin : begin + RATE].mean(axis=1),
        factor * plain.samples[begin : begin + RATE].mean(axis=1),
        atol=0.01,
    )


def test_progress_reaches_the_end(speaks, run):
    """Of all that is made, in no more than it."""
    speaks()
    steps = []
    sound(run, speak=True, progress=lambda *each: steps.append(each)).samples  # noqa: B018
    assert steps[-1][0] == steps[-1][1]
    assert all(done <= total for done, total in steps)


def test_it_is_described_and_another_voice_makes_it_anew(speaks, run, tmp_path):
    """With equal bytes from equal programs; by name, version and sound."""
    speaks(seconds=2)
    made = render_audio(run, tmp_path / "a", speak=True)
    again = render_audio(run, tmp_path / "b", speak=True)
    for one, other in zip(
        sorted((tmp_path / "a").iterdir()), sorted((tmp_path / "b").iterdir()), strict=True
    ):
        assert one.read_bytes() == other.read_bytes()
    about = json.loads((tmp_path / "a" / "audio.json").read_text())["speech"]
    assert about == again.description["speech"]
    assert about["program"] == "eSpeak NG text-to-speech: 1.51"
    assert [each["text"] for each in about["sentences"]] == [
        "l 1 spikes, 35 times, at step 40", "l 2 not a number, from step 100",
    ]  # fmt: skip
    samples, rate = soundfile.read(made.path)
    for each in about["sentences"]:
        begin = round(each["time"] * rate)
        power = np.abs(np.fft.rfft(samples[begin : begin + 2 * rate].mean(axis=1)))
        assert power.argmax() / 2 == pytest.approx(440, abs=1)
    assert not render_audio(run, tmp_path / "a", speak=True).made
    speaks(seconds=2, version="1.52")
    assert render_audio(run, tmp_path / "a", speak=True).made
    speaks(seconds=2, version="1.52", rate=16_000)
    assert render_audio(run, tmp_path / "a", speak=True).made
    assert render_audio(run, tmp_path / "a", AudioSettings()).made
    assert "speech" not in json.loads((tmp_path / "a" / "audio.json").read_text())


def test_cue_points_and_the_score_follow(speaks, run, tmp_path):
    """What comes behind speech is later by its time."""
    speaks(seconds=2)
    import pyarrow.parquet as pq

    made = render_audio(run, tmp_path, speak=True)
    table = pq.read_table(tmp_path / "audio.score.parquet").to_pydict()
    firsts = {}
    for time, step in zip(table["time"], table["step"], strict=True):
        firsts.setdefault(step, time)
    (said, _) = made.description["speech"]["sentences"]
    assert firsts[40] + 0.4 < said["time"] < said["time"] + 2 < firsts[41]
    data = made.path.read_bytes()
    at = data.index(b"cue ") + 8
    count = int.from_bytes(data[at : at + 4], "little")
    points = {
        int.from_bytes(data[at + 4 + 24 * number :][20:24], "little") for number in range(count)
    }
    assert {round(firsts[40] * RATE), round(firsts[100] * RATE)} <= points
