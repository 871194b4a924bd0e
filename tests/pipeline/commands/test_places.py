"""-o names a file where it ends in a suffix of what is made, and a folder else."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile


@pytest.fixture(autouse=True)
def runs(write_run, tmp_path):
    """Two runs."""
    for name, factor in (("one", 1.0), ("two", 3.0)):
        values = {"grad_norm/a.weight": (factor * np.geomspace(1, 9, 30)).tolist()}
        write_run(tmp_path / "runs" / name, values)


@pytest.mark.parametrize(
    ("file", "kind"), [("x.flac", "FLAC"), ("deep/er/x.mp3", "MP3"), ("X.OGG", "OGG")]
)
def test_a_sound_is_of_the_format_that_its_name_says(epochord, file, kind):
    """And what lies beside it goes by its name."""
    code, out, _ = epochord("render", "audio", "one", "--voicing", "lanes", "-o", file)
    assert code == 0
    (path,) = map(Path, out)
    assert path.parent == Path(file).parent
    assert soundfile.info(path).format == kind
    assert json.loads(path.with_suffix(".json").read_text())["run"] == "one"
    assert epochord("decode", path)[0] == 0
    assert "up to date" in epochord("render", "audio", "one", "--voicing", "lanes", "-o", file)[2]


def test_of_several_wav_formats_the_one_that_was_asked_for(epochord):
    """The suffix is no contradiction."""
    assert epochord("render", "audio", "one", "-o", "x.wav", "--format", "wav32f")[0] == 0
    assert soundfile.info("x.wav").subtype == "FLOAT"


def test_any_other_name_is_a_folder(epochord):
    """With a folder a run in it."""
    code, out, _ = epochord("render", "audio", "-o", "sounds.v2")
    assert (code, out) == (0, ["sounds.v2/one/audio.wav", "sounds.v2/two/audio.wav"])


def test_a_log_of_several_parts_is_not_one_file(epochord):
    """Its parts are heard one by one, so they need a folder."""
    Path("log.csv").write_text("step,loss\n0,1\n1,2\n0,3\n1,4\n")
    code, out, _ = epochord("render", "audio", "log.csv", "-o", "x.wav", "--segments", "all")
    assert (code, out) == (0, ["x.wav"])


@pytest.mark.parametrize(
    ("command", "given", "made"),
    [
        ("page one", "x.html", "x.html"),
        ("page one", "x", "x/one/page.html"),
        ("page", "x", "x/page.html"),
        ("compare one two", "x.png", "x.png"),
        ("compare one two", "x", "x/comparison.png"),
        ("render benford one", "x.png", "x.png"),
        ("render benford one", "x", "x/one/benford.png"),
        ("export", "x.csv", "x.csv"),
        ("export", "x.jsonl", "x.jsonl"),
        ("export", "x", "x/measurements.parquet"),
    ],
)
def test_every_command_understands_its_place(epochord, command, given, made):
    """A file of that name, or the usual names in a folder of that name."""
    code, out, err = epochord(*command.split(), "--out", given)
    assert code == 0, err
    assert out[0] == made
    assert Path(made).is_file()


def test_an_ensembles_video_can_be_named(epochord, make_ensemble):
    """Of one ensemble; two make several videos."""
    for seed, name in enumerate(("lines", "others")):
        make_ensemble(name, seed=seed, members=3, epochs=3)
    quick = ("--duration", 0.2, "--animation", "none")
    code, out, _ = epochord("render", "ensemble", "lines", *quick, "-o", "x.mp4")
    assert (code, out[0]) == (0, "x.mp4")
    code, out, err = epochord("render", "ensemble", "lines", "others", *quick, "-o", "y.mp4")
    assert (code, out) == (2, [])
    assert "--out names one file, y.mp4, and there are 2 ensembles" in err


def test_a_gallery_lies_where_it_was_asked_for(epochord):
    """Its links lead to the results from there."""
    epochord("render", "audio", "one")
    code, out, _ = epochord("gallery", "-o", "site/all.html")
    assert (code, out) == (0, ["site/all.html"])
    assert 'src="../renders/one/audio.wav"' in Path(out[0]).read_text()


def test_a_run_is_recorded_where_it_was_asked_for(epochord):
    """-o, as everywhere."""
    code, out, _ = epochord("record", "ensemble", "--members", 2, "--epochs", 1, "-o", "my.run")
    assert (code, out) == (0, ["my.run"])
    assert Path("my.run/run.json").is_file()
