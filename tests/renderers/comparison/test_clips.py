"""Audio files as they are: rates, channels, and what cannot be used."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from epochord.renderers.comparison import compare_clips, is_audio, open_clip
from epochord.renderers.comparison.clips import Clip
from epochord.runlog import LogError

RATE = 44_100
TIME = np.arange(RATE) / RATE
TONE = (0.3 * np.sin(2 * np.pi * 440 * TIME) + 0.1 * np.sin(2 * np.pi * 3000 * TIME)).astype("f4")


@pytest.fixture
def write(tmp_path):
    """Write a sound; gives the clip."""

    def write(name: str, sound: np.ndarray, rate: int = RATE, **kind: str) -> Clip:
        path = tmp_path / name
        soundfile.write(path, sound, rate, **kind)
        return open_clip(path, path.stem)

    return write


def _compared(clips: list[Clip], folder: Path) -> dict:
    return compare_clips(clips, folder).description


def test_nothing_is_done_to_the_samples(write) -> None:
    """No gain, no normalisation, whatever the format."""
    for name, kind in (("a.wav", "FLOAT"), ("b.wav", "PCM_16"), ("c.flac", "PCM_24")):
        read = np.concatenate([*write(name, TONE / 1000, subtype=kind).blocks(RATE)])
        np.testing.assert_allclose(read[:, 0], TONE / 1000, atol=2**-15)


def test_another_rate_is_resampled_by_soxr(write) -> None:
    """Block by block, as all at once."""
    clip = write("a.wav", TONE, subtype="FLOAT")
    found = np.concatenate([*clip.blocks(22_050)])[:, 0]
    np.testing.assert_allclose(found, soxr.resample(TONE, RATE, 22_050, "HQ"), atol=1e-5)


def test_different_rates_and_channels_are_said(write, tmp_path) -> None:
    """And the lower rate is that of all, so that nothing seems to be missing."""
    one = write("a.wav", np.stack([TONE, TONE], 1), subtype="FLOAT")
    other = write("b.wav", soxr.resample(TONE, RATE, 22_050), 22_050, subtype="FLOAT")
    about = _compared([one, other], tmp_path / "out")
    assert about["framing"]["sample_rate"] == 22_050
    rates, channels = about["notes"]
    assert "(44,100 Hz: a; 22,050 Hz: b)" in rates
    assert "resampled with soxr" in rates
    assert "(2 channels: a; 1 channel: b)" in channels
    assert about["pairs"][0]["sound"]["first"] is None
    assert about["pairs"][0]["sound"]["largest"]["db"] < 1


@pytest.mark.parametrize("decibels", [-20.0, 6.0])
def test_a_copy_of_another_level_is_called_so(write, tmp_path, decibels: float) -> None:
    """Quieter or louder by so much, never equal."""
    other = write("b.wav", TONE * 10 ** (decibels / 20), subtype="PCM_16")
    about = _compared([write("a.wav", TONE, subtype="PCM_16"), other], tmp_path / "out")
    sound = about["pairs"][0]["sound"]
    assert sound["level_db"] == pytest.approx(decibels, abs=0.01)
    assert sound["first"]["time"] == 0
    assert not sound["identical"]
    word = "louder" if decibels > 0 else "quieter"
    said = f"b is {abs(decibels):.1f} dB {word} than a, and otherwise alike"
    assert said in about["pairs"][0]["sentences"]


def test_equal_samples_are_identical_in_any_container(write, tmp_path) -> None:
    """WAV and FLAC of 16 bit hold the same."""
    whole = (TONE * 2**15).astype(np.int16)
    clips = [write(name, whole, subtype="PCM_16") for name in ("a.wav", "b.flac")]
    (pair,) = _compared(clips, tmp_path / "out")["pairs"]
    assert pair["sound"]["identical"]
    assert pair["sound"]["rms_db"] == 0
    assert pair["sentences"] == ["the sounds of a and b are identical, sample for sample"]


@pytest.mark.parametrize("sound", [0 * TONE, TONE[:1], TONE[:700]])
def test_silence_and_hardly_anything_can_be_compared(write, tmp_path, sound) -> None:
    """With itself and with a longer sound."""
    clips = [write("a.wav", sound), write("b.wav", sound), write("c.wav", TONE)]
    first, second, third = _compared(clips, tmp_path / "out")["pairs"]
    assert first["sound"]["identical"]
    assert second["sound"]["first"]["time"] < 0.1
    assert second["sound"]["rms_db"] == third["sound"]["rms_db"]


def test_what_cannot_be_used_is_said_in_one_line(write, tmp_path) -> None:
    """No file, no sound in it, no audio, no numbers."""
    with pytest.raises(LogError, match=r"nothing\.wav: cannot be read as audio \(No such file"):
        open_clip(tmp_path / "nothing.wav", "nothing")
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(LogError, match=r"text\.wav: cannot be read as audio \(Format not"):
        open_clip(tmp_path / "text.wav", "text")
    with pytest.raises(LogError, match=r"empty\.wav: holds no sound \(0 samples\)"):
        write("empty.wav", TONE[:0])
    broken = np.where(np.arange(RATE) == 30_000, np.nan, TONE)
    bad = write("bad.wav", broken, subtype="FLOAT")
    with pytest.raises(LogError, match=r"bad\.wav: sample 30000 is nan; expected finite"):
        _compared([write("a.wav", TONE), bad], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_audio_files_are_known_by_their_suffix(tmp_path) -> None:
    """Whether they are there or not; a folder is none, whatever its name."""
    (tmp_path / "run.wav").mkdir()
    assert [is_audio(name) for name in ("a.WAV", "b.mp3", "c.opus", "x/d.flac")] == [True] * 4
    assert not any(is_audio(p) for p in ("sgd", "a.csv", "x.parquet", str(tmp_path / "run.wav")))


def test_an_mp3_file_is_read_without_holes(write) -> None:
    """Though soundfile seeks after each block, at which libsndfile loses samples of MP3 files."""
    clip = write("a.mp3", np.tile(TONE, 8), format="MP3")
    whole, _ = soundfile.read(clip.path, dtype="float32")
    np.testing.assert_allclose(np.concatenate([*clip.blocks(RATE)])[:, 0], whole, atol=2e-7)


def test_what_is_opposite_in_two_channels_is_heard(write, tmp_path) -> None:
    """A sound beside its negative is as loud as twice the same; what is not compared is said."""
    same, opposite = (np.stack([TONE, sign * TONE], 1) for sign in (1, -1))
    clips = [write("a.wav", same, subtype="FLOAT"), write("b.wav", opposite, subtype="FLOAT")]
    about = _compared(clips, tmp_path / "out")
    sound = about["pairs"][0]["sound"]
    assert sound["level_db"] == pytest.approx(0, abs=1e-6)
    assert sound["largest"]["db"] < 0.01
    assert not sound["identical"]
    assert about["notes"] == [
        "compared is the average power of each file's channels; two that are swapped make no "
        "difference"
    ]


def test_notes_of_many_files_stay_short(write, tmp_path) -> None:
    """Files are grouped by their rate and their channels; of many only the first are named."""
    clips = [write(f"{n}.wav", TONE[:8_000], 22_050) for n in range(5)]
    clips.append(write("other.wav", np.stack([TONE, TONE], 1)[:16_000]))
    said = " ".join(_compared(clips, tmp_path / "out")["notes"])
    assert "(22,050 Hz: 0, 1, 2 and 2 more; 44,100 Hz: other)" in said
    assert "(1 channel: 0, 1, 2 and 2 more; 2 channels: other)" in said
