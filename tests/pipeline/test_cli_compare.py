"""`epochord compare`: runs with runs, audio files with audio files, and what cannot be compared."""

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

RATE = 22_050
TONE = 0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)


@pytest.fixture
def runs(write_run, tmp_path):
    """Three runs of two layers, one of them with NaN at its end, one in a folder of its own."""
    norms = {f"grad_norm/{layer}.weight": np.geomspace(1, 9, 20) for layer in "ab"}
    for name, change in (("one", 3.0), ("two", 1.0), ("sub/nan", np.nan)):
        changed = {tag: np.where(np.arange(20) < 12, v, change * v) for tag, v in norms.items()}
        write_run(tmp_path / "runs" / name, {tag: v.tolist() for tag, v in changed.items()})


@pytest.fixture
def clips(tmp_path):
    """Two sounds, one of them half as long and half as loud."""
    soundfile.write(tmp_path / "a.wav", TONE, RATE)
    soundfile.write(tmp_path / "b.flac", TONE[: RATE // 2] / 2, RATE)
    (tmp_path / "sounds").mkdir()
    soundfile.write(tmp_path / "sounds" / "c.wav", TONE, RATE)


@pytest.mark.usefixtures("runs")
def test_two_runs(epochord):
    """Paths on stdout, what was found on stderr; again, nothing is made anew."""
    code, out, err = epochord("compare", "one", "two")
    assert code == 0
    folder = "renders/compare/one-vs-two"
    names = ["png", "svg", "features.png", "features.svg", "txt", "parquet", "json"]
    assert out == [f"{folder}/comparison.{name}" for name in names]
    assert all(Path(path).stat().st_size for path in out)
    assert "one and two part at step 12: grad_norm/a.weight" in err
    assert "up to date" not in err
    again = epochord("compare", "one", "two")
    assert again[:2] == (code, out)
    assert again[2] == err + "epochord: up to date\n"
    text = Path(folder, "comparison.txt").read_text()
    assert "one and two part at step 12" in text
    columns = ["a", "b", "quantity", "tag", "step", "time", "value"]
    assert pq.read_schema(f"{folder}/comparison.parquet").names == columns


@pytest.mark.usefixtures("runs")
def test_all_runs_of_a_folder(epochord):
    """Without a path those under runs/; a matrix of all, and a picture of each pair."""
    code, out, err = epochord("compare", "--duration", "1")
    assert code == 0
    assert len([path for path in out if "-vs-" in Path(path).name]) == 6
    (matrix,) = (path for path in out if path.endswith("comparison.matrix.png"))
    assert re.fullmatch(r"renders/compare/one-vs-2-others-\w{6}", str(Path(matrix).parent))
    assert "sub/nan: all voices: NaN from step 12 to the end" in err
    code, out, _ = epochord("compare", "runs", "--runs", "*n*", "--json", "--out", "x")
    (about,) = map(json.loads, out)
    assert [each["name"] for each in about["inputs"]] == ["one", "sub/nan"]
    assert about["path"] == "x/comparison.png"


@pytest.mark.usefixtures("runs")
def test_the_lag_of_each_pair_is_told(epochord):
    """If it was asked for, beside where each pair parts."""
    code, _, err = epochord("compare", "--duration", "1", "--dtw")
    assert code == 0
    lags = re.findall(r"epochord: (?:no lag is found|.* in the median)", err)
    assert len(lags) == 3
    assert len(re.findall(r" part at step 12: ", err)) == 3


@pytest.mark.usefixtures("runs")
def test_a_run_with_itself(epochord):
    """Is identical, and is not left out."""
    code, _, err = epochord("compare", "one", "one")
    assert code == 0
    assert "one and one (2) are identical in all 40 values" in err


@pytest.mark.usefixtures("runs")
def test_an_earlier_scale_can_be_used(epochord):
    """So that comparisons can be compared."""
    epochord("render", "audio", "one", "--range", "0.01:1000")
    code, out, _ = epochord("compare", "one", "two", "--scale-from", "renders/one", "--json")
    assert code == 0
    scale = json.loads(out[0])["scale"]["gradient norm"]
    assert (scale["low"], scale["high"]) == (0.01, 1000)


@pytest.mark.usefixtures("clips")
def test_two_audio_files(epochord):
    """As they are; what follows the end of the shorter one is left out, and that is said."""
    code, out, err = epochord("compare", "a.wav", "b.flac", "--threshold", "5", "--dtw")
    assert code == 0
    assert out[0] == "renders/compare/a-vs-b/comparison.png"
    assert "b is 6.0 dB quieter than a" in err
    assert "note: b ends at 0.50 s; what follows is not compared" in err
    code, out, _ = epochord("compare", "a.wav", "b.flac", "--json", "--out", "x")
    assert json.loads(out[0])["pairs"][0]["sound"]["first"]["step"] is None


@pytest.mark.usefixtures("runs", "clips")
@pytest.mark.parametrize(
    ("arguments", "expected", "message"),
    [
        (("one",), 2, "there is only one to compare; expected two or more runs"),
        (("a.wav",), 2, "there is only a to compare"),
        (("a.wav", "one"), 2, "a.wav is an audio file and one is not"),
        (("one", "two", "--threshold", "-1"), 2, "threshold is -1.0 dB; expected more than 0"),
        (("one", "two", "--ratio", "1"), 2, "ratio is 1.0; expected a factor above 1"),
        (("one", "two", "--ratio", "1e7"), 2, "at most 1,000,000, such as 1.1"),
        (("one", "two", "--steps", "x"), 2, "--steps is 'x'; expected A:B"),
        (
            ("a.wav", "b.flac", "--tags", "foo", "--runs", "bar", "--scale-from", "x"),
            2,
            "--tags, --runs, --scale-from are for runs; audio files are compared as they are",
        ),
        (("a.wav", "b.flac", "--steps", "1:2"), 2, "--steps is for runs; audio files"),
        (("a.wav", "b.flac", "--ratio", "2"), 2, "--ratio is for runs; audio files"),
        (
            ("song.m4a", "a.wav"),
            2,
            "song.m4a is of a format that cannot be read; expected WAV, FLAC, OGG or MP3",
        ),
        (("sounds",), 1, "to compare the sounds in it, name the files themselves: sounds/c.wav …"),
        (("one", "nowhere"), 1, "nowhere: no such file or folder"),
        (("a.wav", "nowhere.wav"), 1, "nowhere.wav: cannot be read as audio (No such file"),
        (("one", "two", "--runs", "x*"), 1, "no run is called x*; there are one, two"),
        (
            ("one", "two", "--scale-from", "x"),
            1,
            "x: no result with a scale, since there is no audio.json",
        ),
    ],
)
def test_what_cannot_be_compared_is_one_line(epochord, arguments, expected, message):
    """With the reason and the remedy; nothing is left behind."""
    code, out, err = epochord("compare", *arguments)
    assert (code, out) == (expected, [])
    assert message in err
    assert err.count("\n") == 1
    assert not Path("renders").exists()


@pytest.mark.usefixtures("runs")
def test_runs_without_a_common_tag(epochord, write_run):
    """Named ones are refused, those of a folder passed over."""
    write_run(Path("runs/other"), {"accuracy": [0.5, 0.6]})
    code, _, err = epochord("compare", "one", "other")
    assert code == 1
    assert "no tag in common to compare: 'one' has a, b; 'other' has accuracy" in err
    code, _, err = epochord("compare", "--duration", "1")
    assert code == 0
    assert "passed over (no voice in common with one; --tags chooses others): other" in err


@pytest.mark.usefixtures("runs")
def test_a_run_of_a_folder_without_the_tag_is_an_error_and_the_others_are_compared(
    epochord, write_run
):
    """It was asked for; a run with nothing at all is passed over."""
    write_run(Path("runs/empty"), {})
    write_run(Path("runs/other"), {"grad_norm/b.weight": [0.5, 0.6]})
    code, out, err = epochord("compare", "--tags", "*a.weight", "--duration", "1")
    assert code == 1
    assert out[0].startswith("renders/compare/one-vs-2-others-")
    assert "passed over (nothing to hear): empty" in err
    assert "error: run 'other' has no tag that matches '*a.weight'" in err


@pytest.mark.usefixtures("clips")
def test_of_several_the_usable_ones_are_compared(epochord):
    """And the exit code says that one was not."""
    Path("bad.wav").write_text("no sound")
    code, out, err = epochord("compare", "a.wav", "bad.wav", "b.flac")
    assert code == 1
    assert out[0] == "renders/compare/a-vs-b/comparison.png"
    assert "bad.wav: cannot be read as audio" in err
