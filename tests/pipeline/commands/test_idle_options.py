"""An option that cannot act on what was given is refused, and nothing is made."""

from pathlib import Path

import pytest

from epochord.runlog import RunMetadata, open_run
from epochord.runlog.run.rows import rows_table
from epochord.runlog.tensorboard import TensorBoardWriter

VOICES = '[[voice]]\npitch = "loss"\nrange = [1.0, 5.0]\nloudness = "lr"\n'


@pytest.fixture(autouse=True)
def logs(write_run, make_ensemble, tmp_path, monkeypatch):
    """Write runs, one as event files, a table, an ensemble, and a mapping."""
    monkeypatch.chdir(tmp_path)
    values = {"grad_norm/a.weight": [1.0, 2.0], "loss": [3.0, 4.0], "lr": [0.1, 0.2]}
    for name in ("one", "two"):
        write_run(tmp_path / "runs" / name, values)
    make_ensemble("lines", members=3, epochs=3)
    series = open_run(tmp_path / "runs" / "one")["loss"]
    (tmp_path / "logdir").mkdir()
    writer = TensorBoardWriter(tmp_path / "logdir")
    writer.write(
        rows_table(series.steps, series.wall_times, {"loss": (series.values, series.values > 0)})
    )
    writer.complete(RunMetadata("logdir"))
    writer.close()
    Path("log.csv").write_text("step,loss\n0,1.5\n1,1.0\n")
    Path("m.toml").write_text(VOICES)


ORIGINAL = "render audio one --voicing original"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (f"{ORIGINAL} --range 1:2", "--range is of no use with --voicing original"),
        (f"{ORIGINAL} --scale-from x", "--scale-from is of no use with --voicing original"),
        (f"{ORIGINAL} --polarity -", "--polarity is of no use with --voicing original"),
        (f"{ORIGINAL} --timbre warm", "--timbre is of no use with --voicing original"),
        (f"{ORIGINAL} --loudness lr", "--loudness is of no use with --voicing original"),
        (f"{ORIGINAL} --brightness lr", "--brightness is of no use with --voicing original"),
        (f"{ORIGINAL} --lufs -20", "--lufs is of no use with --voicing original"),
        (
            f"{ORIGINAL} --lufs -20 --polarity +",
            "--polarity, --lufs are of no use with --voicing original",
        ),
        ("render audio one --tone 0.1", "--tone is of no use with --voicing roll"),
        ("render audio one --silence 0.1", "--silence is of no use with --voicing roll"),
        ("render audio one --brightness lr", "--brightness is of no use with --timbre sine"),
        ("render audio one --range 1:2 --scale-from x", "--range and --scale-from are both given"),
        ("render audio one --duration 1 --steps-per-second 5", "are both given; choose one"),
        ("render audio one --mapping m.toml --tags loss", "--tags is of no use with this mapping"),
        ("render audio one --mapping m.toml --layers a", "--layers is of no use with this mapping"),
        (
            "render audio one --mapping m.toml --parameters all",
            "--parameters is of no use with this mapping",
        ),
        ("render audio one --mapping m.toml --range 1:2", "--range is of no use with this mapping"),
        (
            "render audio one --mapping m.toml --loudness lr",
            "--loudness is of no use with this mapping",
        ),
        ("render audio one --x step", "--x step is of no use: one is no table"),
        ("render audio logdir --x step", "--x step is of no use: logdir is no table"),
        ("render audio one -o x.flac --format mp3", "--format is mp3 and --out ends in .flac"),
        ("render audio one two -o x.wav", "--out names one file, x.wav, and there are 2 runs"),
        ("render audio one -o x.png", "x.png: .png is not made here"),
        ("render ensemble lines --no-video --animation gif", "--animation is of no use with"),
        ("render ensemble lines --no-video --duration 1", "--duration is of no use with"),
        ("render ensemble lines --no-video --clock linear", "--clock is of no use with"),
        ("render ensemble lines --no-video --no-sound", "--sound is of no use with"),
        ("render ensemble lines --no-video -o x.mp4", "--out names a video, x.mp4"),
        ("render ensemble lines -o x.wav", "x.wav: .wav is not made here"),
        ("render benford -o x.png", "--out names one file, and the constants make another"),
        ("render benford one two -o x.png", "--out names one file, x.png, and there are 2 runs"),
        ("compare one two --range 1:2 --scale-from x", "--range and --scale-from are both given"),
        ("compare one two --x step", "--x step is of no use: one is no table"),
        ("compare one two -o x.mp4", "x.mp4: .mp4 is not made here"),
        ("page one --voicing original --scale-from x", "--scale-from is of no use"),
        ("page one --each -o x.html", "--each makes several pages, and x.html is one"),
        ("page one -o x.wav", "x.wav: .wav is not made here"),
        ("page one --x step", "--x step is of no use"),
        ("render benford one --tags loss --no-video", "--video is of no use with --tags"),
        ("play sound.wav --runs one", "--runs is of no use: sound files are named, and no run"),
        ("gallery -o x.png", "x.png: .png is not made here"),
        ("export one --x step", "--x step is of no use"),
        ("export one -o x.xlsx", "x.xlsx: .xlsx is not made here"),
        ("inspect one --x step", "--x step is of no use"),
        ("inspect logdir --x step", "--x step is of no use"),
        ("record sgd --data-dir x", "--data-dir is of no use with --data digits"),
        ("record sgd -o x.wav", "--out is x.wav, the name of a file; a log is a folder"),
        ("record ensemble -o x.mp4", "--out is x.mp4, the name of a file"),
        ("record benford -o x.csv", "--out is x.csv, the name of a file"),
        ("record ensemble --setting naive --prior-scale 2", "--prior-scale is of no use with"),
        ("record benford --prompt a --prompts b", "--prompt and --prompts exclude each other"),
    ],
)
def test_what_cannot_act_is_refused(epochord, arguments, message):
    """Exit code 2, one line with the reason."""
    code, out, err = epochord(*arguments.split())
    assert (code, out) == (2, [])
    assert err.count("\n") == 1
    assert message in err
    assert not Path("renders").exists()
    assert not list(Path().glob("x.*"))


@pytest.mark.parametrize(
    "arguments",
    [
        "render audio log.csv one --x step",
        "render audio one --voicing sequence --tone 0.02 --silence 0.01",
        "render audio one --voicing original --tone 0.02 --silence 0.01 --legend",
        "render audio one --timbre warm --brightness lr",
        "render audio one --mapping m.toml --lufs -20",
        "render audio one --voicing original --layers= --loudness=",  # as Makefiles may have it
        "render audio one --format wav24 -o x.wav",
        "render audio one --segments all --jobs 2",
        "render benford one -o x.png",
        "export log.csv --x step -o x.tsv",
        "record ensemble --members 2 --epochs 1 --prior-scale 2",
    ],
)
def test_what_can_act_does(epochord, arguments):
    """The rules are no stricter than they have to be."""
    code, out, err = epochord(*arguments.split())
    assert code == 0, err
    assert all(Path(path).exists() for path in out)
