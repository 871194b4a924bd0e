"""A run becomes a sound file with its score and its description, once."""

import base64
import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from epochord.renderers.audio import AudioSettings, render_audio
from epochord.renderers.audio.description import stored_scales
from epochord.renderers.audio.files import player
from epochord.renderers.audio.readback import read_back
from epochord.runlog import OutputError

AUDIO, SCORE, DESCRIPTION = "audio.wav", "audio.score.parquet", "audio.json"
ORIGINAL = AudioSettings(voicing="original")


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def run(make_run):
    return make_run({"a.weight": [1.0, np.nan, 500.0], "b.weight": [2.0, 3.0, 4.0]})


def test_equal_logs_and_settings_give_equal_bytes(tmp_path, run):
    """Nothing in the results depends on when or where they were made."""
    render_audio(run, tmp_path / "x")
    render_audio(run, tmp_path / "y")
    assert contents(tmp_path / "x") == contents(tmp_path / "y")
    assert set(contents(tmp_path / "x")) == {AUDIO, SCORE, DESCRIPTION}


def test_the_description_says_what_was_made_of_what(tmp_path, run):
    """Settings, hash, voices and what was not simply heard."""
    result = render_audio(run, tmp_path, AudioSettings("original", layers=("b", "a")))
    about = json.loads((tmp_path / DESCRIPTION).read_text())
    assert about["log_hash"] == run.log_hash()
    assert about["voices"] == ["b", "a"]
    assert about["settings"]["layers"] == ["b", "a"]
    assert about["counts"] == {
        "held": 1, "nan": 1, "positive_infinity": 0, "negative_infinity": 0, "missing": 0,
        "zero": 0,
    }  # fmt: skip
    assert about["duration"] == soundfile.info(result.path).duration == pytest.approx(0.12)


def test_the_score_is_a_table_of_what_sounds_when(tmp_path, run):
    """One row a frame and voice, in the order of time."""
    render_audio(run, tmp_path, ORIGINAL)
    score = pq.read_table(tmp_path / SCORE).to_pydict()
    assert score["time"] == pytest.approx([0, 0.01, 0.04, 0.05, 0.08, 0.09])
    assert score["step"] == [0, 0, 1, 1, 2, 2]
    assert score["tag"] == ["a", "b"] * 3
    assert repr(score["value"]) == "[1.0, 2.0, nan, 3.0, 500.0, 4.0]"
    assert score["pitch"] == [300.0, 400.0, 20_000.0, 500.0, 20_000.0, 600.0]
    assert score["state"] == ["sounding", "sounding", "nan", "sounding", "held", "sounding"]


def test_what_is_up_to_date_is_not_made_again(tmp_path, run, make_run):
    """Only another log, another setting or a missing file makes it anew."""
    assert render_audio(run, tmp_path).made
    before = (tmp_path / AUDIO).stat().st_mtime_ns
    assert not render_audio(run, tmp_path).made
    assert (tmp_path / AUDIO).stat().st_mtime_ns == before
    assert render_audio(run, tmp_path, AudioSettings(parameters="all")).made
    assert render_audio(run, tmp_path).made
    (tmp_path / AUDIO).unlink()
    assert render_audio(run, tmp_path).made
    assert render_audio(make_run({"a.weight": [1.0, 1.0]}), tmp_path).made


def test_progress_ends_at_the_whole(tmp_path, make_run):
    """The bar is told how much there is and reaches it."""
    seen = []
    run = make_run({"a.weight": np.ones(2000)})
    render_audio(run, tmp_path, ORIGINAL, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2000 * 1323, 2000 * 1323)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"voicing": "nope"}, "voicing is 'nope'; expected one of roll, lanes, sequence, original"),
        ({"parameters": "bias"}, "parameters is 'bias'; expected one of weight, all"),
        ({"tone": 0.0}, r"tone is 0.0 s; expected 0.001 to 10 s"),
        ({"silence": float("nan")}, "silence is nan s"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    """Each with what it got and what it may be."""
    with pytest.raises(ValueError, match=message):
        AudioSettings(**settings)


def test_a_sound_too_long_for_a_wav_file_is_refused_and_the_earlier_one_stays(tmp_path, make_run):
    """It names the result, not a temporary file."""
    before = render_audio(make_run({"a.weight": [1.0, 1.0]}), tmp_path)
    run = make_run({"a.weight": np.ones(5000)})
    with pytest.raises(OutputError, match=r"audio\.wav: 13\.\d h of sound exceed the 4 GiB"):
        render_audio(run, tmp_path, AudioSettings("original", tone=9.7))
    assert not render_audio(make_run({"a.weight": [1.0, 1.0]}), before.path.parent).made


def test_a_long_score_is_written_in_groups_without_a_seam(tmp_path, make_run):
    """More rows than one group holds, in the same order."""
    norms = np.arange(40_000, dtype=np.float32) / 1000
    run = make_run({"a.weight": norms, "b.weight": norms[::-1]})
    render_audio(run, tmp_path, AudioSettings("original", tone=0.001, silence=0))
    score = pq.read_table(tmp_path / SCORE)
    assert score["step"].to_numpy().tolist() == np.repeat(np.arange(40_000), 2).tolist()
    assert (np.diff(score["time"].to_numpy()) > 0).all()
    np.testing.assert_array_equal(score["value"].to_numpy()[::2], norms)
    np.testing.assert_array_equal(score["value"].to_numpy()[1::2], norms[::-1])


def played(html: str):
    """Return the media type and the samples of what a player plays."""
    kind, data = html.split('src="data:')[1].split('"')[0].split(";base64,")
    return kind, soundfile.read(io.BytesIO(base64.b64decode(data)), always_2d=True)


@pytest.mark.parametrize("format", ["wav16", "mp3"])
def test_a_notebook_shows_a_player_with_the_sound_in_it(tmp_path, make_run, format):
    """Twelve seconds within 300 kB, whatever the file is, and it is the same sound."""
    run = make_run({"a.weight": np.geomspace(1, 50, 200), "b.weight": np.ones(200)})
    made = render_audio(run, tmp_path, format=format, duration=12)
    html = made._repr_html_()
    assert len(html) < 300_000
    kind, (samples, rate) = played(html)
    whole, expected = soundfile.read(made.path)
    assert (kind, rate) == ("audio/mpeg", expected)
    assert len(samples) / rate == pytest.approx(12, abs=0.15)
    assert np.square(samples).mean() == pytest.approx(np.square(whole).mean(), rel=0.05)


def test_of_a_long_sound_a_player_has_the_beginning(tmp_path, make_run, monkeypatch):
    """And says so; a page of an hour would be 80 MB."""
    monkeypatch.setattr(player, "LONGEST", 60)
    made = render_audio(make_run({"a.weight": np.ones(9)}), tmp_path, duration=90)
    html = made._repr_html_()
    assert played(html)[1][0].shape[0] / 44_100 == pytest.approx(60, abs=0.1)
    assert "the first 1 min of 1.5" in html


def test_a_result_is_shown_in_one_line(tmp_path, run):
    """Whatever its description holds; one whose file is gone has no player."""
    made = render_audio(run, tmp_path / ("x" * 200))
    assert len(repr(made)) < 200
    assert repr(made).endswith("4.00 s, made>")
    assert repr(render_audio(run, tmp_path / ("x" * 200))).endswith("up to date>")
    made.path.unlink()
    assert made._repr_html_() is None


def test_by_default_files_go_where_the_command_puts_them(tmp_path, monkeypatch, run):
    """Below the folder in which Python runs."""
    monkeypatch.chdir(tmp_path)
    assert render_audio(run).path == Path("renders/mine/audio.wav")
    assert render_audio(run, "other").path == Path("other/audio.wav")


@pytest.mark.parametrize("suffix", [".flac", ".wav", ".ogg", ".mp3"])
def test_a_file_that_is_named_has_the_format_of_its_suffix(tmp_path, run, suffix):
    """Its score and its description share its stem; they are found by it."""
    made = render_audio(run, str(tmp_path / f"x{suffix}"), voicing="lanes")
    assert set(contents(tmp_path)) == {f"x{suffix}", "x.score.parquet", "x.json"}
    assert soundfile.info(made.path).format == suffix[1:].upper()
    assert not render_audio(run, tmp_path / f"x{suffix}", voicing="lanes").made
    assert stored_scales(made.path) == stored_scales(tmp_path / "x.score.parquet")
    if suffix in (".wav", ".flac"):
        assert [voice.missed for voice in read_back(str(made.path))] == [0, 0]


def test_a_format_that_contradicts_the_name_is_refused(tmp_path, run):
    """A WAV of any kind ends in .wav."""
    with pytest.raises(OutputError, match=r"x\.flac: the format is to be wav24; expected .*\.wav"):
        render_audio(run, tmp_path / "x.flac", format="wav24")
    made = render_audio(run, tmp_path / "x.wav", format="wav24")
    assert soundfile.info(made.path).subtype == "PCM_24"
    assert soundfile.info(render_audio(run, tmp_path / "y.wav", ORIGINAL).path).subtype == "FLOAT"
    assert render_audio(run, tmp_path / "y.flac", voicing="original").path.suffix == ".flac"
    with pytest.raises(OutputError, match="not made here"):
        render_audio(run, tmp_path / "x.png")


def test_settings_by_name_come_before_settings(tmp_path, run):
    """One of them is changed, the others stay."""
    given = AudioSettings(timbre="warm", duration=2.0)
    about = render_audio(run, tmp_path, given, duration=3.0).description["settings"]
    assert (about["timbre"], about["duration"]) == ("warm", 3.0)


def test_a_clip_too_short_for_a_loudness_is_levelled_by_its_peak_and_it_is_said(tmp_path, make_run):
    """EBU R 128 measures 0.4 s at least."""
    made = render_audio(make_run({"a.weight": [1.0, 2.0]}), tmp_path, duration=0.2)
    assert made.description["loudness"]["lufs"] is None
    assert "levelled by its peak" in made.description["loudness"]["note"]
    samples, _ = soundfile.read(made.path)
    assert np.abs(samples).max() == pytest.approx(10 ** (-23 / 20), rel=0.05)
