"""A ``~`` at the beginning of any path that a user gives is the home folder."""

from pathlib import Path

import numpy as np
import pytest

import epochord as ep
from epochord.renderers.results.output import writing
from epochord.runlog import Run, RunMetadata, Series

STEPS = np.arange(20)
RUN = Run("x", RunMetadata("x"), {"loss": Series("loss", STEPS, np.linspace(2, 1, 20), STEPS / 10)})


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Make a home of its own, and work elsewhere."""
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    yield tmp_path / "home"
    assert list((tmp_path / "work").iterdir()) == []


def test_results_go_to_the_home_folder_whole(home):
    """The sound, and what lies beside it; nothing is left anywhere else."""
    made = ep.render_audio(RUN, "~/zz.wav", voicing="lanes", duration=1)
    assert made.path == home / "zz.wav"
    names = ["zz.json", "zz.score.parquet", "zz.wav"]
    assert sorted(path.name for path in home.iterdir()) == names
    assert repr(ep.read_back("~/zz.wav")) == repr(ep.read_back(home / "zz.wav"))
    assert ep.spectrogram("~/zz.wav").db.shape == ep.spectrogram(home / "zz.wav").db.shape


def test_logs_and_settings_are_found_there(home, write_run):
    """One run, all of them, and a mapping."""
    write_run(home / "runs" / "a", {"loss": [1.0, 2.0]})
    (home / "mapping.toml").write_text('tags = ["loss"]')
    assert ep.open_run("~/runs/a").log_hash() == ep.open_run(home / "runs" / "a").log_hash()
    assert [each.path for each in ep.find_runs("~/runs")] == [home / "runs" / "a"]
    assert ep.AudioSettings.of("~/mapping.toml").tags == ("loss",)


def test_a_folder_of_that_name_is_left_to_nobody_else(tmp_path, monkeypatch):
    """Arrow, too, writes where it was told to, whatever the folder is called."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~").mkdir()
    with writing(Path("./~/x")) as temporary:
        assert temporary.is_absolute()
        temporary.write_text("x")
    assert (tmp_path / "~" / "x").read_text() == "x"
