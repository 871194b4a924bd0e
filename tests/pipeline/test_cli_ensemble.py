"""`epochord render ensemble`: from the paths of logs to videos, one by one and side by side."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from epochord.runlog.reading.ensemble import open_ensemble


@pytest.fixture
def ensembles(make_ensemble, write_run, tmp_path):
    """Two ensembles and a run without one, below ``runs/``."""
    for seed, name in enumerate(("one", "two")):
        make_ensemble(name, seed=seed, members=5, epochs=4, prior=seed == 0)
    write_run(tmp_path / "runs" / "plain", {"loss": [1.0, 2.0]})


QUICK = ("--duration", 0.2)


@pytest.mark.usefixtures("ensembles")
def test_all_runs_and_their_panel(epochord, tmp_path):
    """Each ensemble has its results, both are in the panel, other runs are passed over."""
    code, out, err = epochord("render", "ensemble", *QUICK)
    assert code == 0
    assert "plain" not in err
    assert "one: 5 members, 4 epochs, sd" in err
    names = {str(Path(line).relative_to("renders")) for line in out}
    assert {"one/ensemble.mp4", "one/ensemble.webp", "one/priors.png", "two/scores.png"} <= names
    assert "ensemble-panel/ensemble.mp4" in names
    pictures, films = (
        [path.stat().st_mtime_ns for path in (tmp_path / "renders").glob(f"*/{name}")]
        for name in ("uncertainty.png", "ensemble.mp4")
    )
    assert len(pictures) == len(films) == 3
    assert max(pictures) < min(films)  # pictures of all come first
    assert len(out) == len(set(out))
    assert "two/priors.png" not in names
    assert all((tmp_path / line).stat().st_size > 1000 for line in out)
    about = json.loads((tmp_path / "renders/ensemble-panel/ensemble.json").read_text())
    assert [one["run"] for one in about["runs"]] == ["one", "two"]
    limits = {
        tuple(json.loads((tmp_path / f"renders/{n}/ensemble.json").read_text())["limits"])
        for n in ("one", "two", "ensemble-panel")
    }
    assert len(limits) == 1


@pytest.mark.usefixtures("ensembles")
def test_what_is_up_to_date_stays(epochord, tmp_path):
    """The same call again writes nothing; another setting writes anew."""
    epochord("render", "ensemble", "one", *QUICK)
    before = (tmp_path / "renders/one/ensemble.mp4").stat().st_mtime_ns
    code, out, err = epochord("render", "ensemble", "one", *QUICK)
    assert code == 0
    assert "renders/one/ensemble.mp4" in out
    assert "up to date" in err
    assert (tmp_path / "renders/one/ensemble.mp4").stat().st_mtime_ns == before
    epochord("render", "ensemble", "one", *QUICK, "--show", "mean")
    assert (tmp_path / "renders/one/ensemble.mp4").stat().st_mtime_ns != before


@pytest.mark.usefixtures("ensembles")
def test_without_ffmpeg_there_are_the_stills(epochord, tmp_path, monkeypatch):
    """One clear line, exit code 1, and everything but the video; later the video is made up for."""
    with monkeypatch.context() as without:
        without.delenv("IMAGEIO_FFMPEG_EXE", raising=False)
        without.setitem(sys.modules, "imageio_ffmpeg", None)
        code, out, err = epochord("render", "ensemble", "one", *QUICK)
        assert code == 1
        (line,) = [line for line in err.splitlines() if "error:" in line]
        assert "ffmpeg" in line
        assert "[video]" in line
        assert "renders/one/uncertainty.png" in out
        assert "renders/one/ensemble.mp4" not in out
        assert not list(tmp_path.glob("renders/one/*.mp4"))
        assert not list(tmp_path.glob("renders/one/*.wav"))
    assert "renders/one/ensemble.mp4" in epochord("render", "ensemble", "one", *QUICK)[1]


@pytest.mark.usefixtures("ensembles")
def test_stills_alone(epochord):
    """--no-video is no failure."""
    code, out, _ = epochord("render", "ensemble", "one", "--no-video")
    assert code == 0
    assert not any(line.endswith(("mp4", "webp")) for line in out)


@pytest.mark.usefixtures("ensembles")
def test_results_as_json(epochord):
    """One object a run, with what became of it."""
    _, out, _ = epochord("render", "ensemble", "one", "two", "--no-video", "--json")
    rows = [json.loads(line) for line in out]
    assert len(rows) == 3
    assert rows[0]["runs"][0]["members"] == 5
    assert rows[0]["runs"][0]["at_last_epoch"]["held_out/crps"] > 0


@pytest.mark.usefixtures("ensembles")
def test_broken_members_are_said(epochord, make_ensemble):
    """How many are not finite at the end is said beside the run's other figures."""
    make_ensemble("broken", members=4, epochs=5, broken={0: 2, 1: 3})
    _, _, err = epochord("render", "ensemble", "broken", "--no-video")
    assert "2 members not finite at the end" in err


@pytest.mark.usefixtures("ensembles")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("plain",), 1, "run 'plain' has no ensemble table; expected ensemble.parquet"),
        (("nowhere",), 1, "nowhere: no such file or folder"),
        (("one", "--show", "lines"), 2, "expected some of members, mean"),
        (("one", "--member", "9"), 1, "has no member 9; it has 5, counted from 0"),
        (("one", "--limits", "3"), 2, "--limits is '3'; expected LO:HI"),
        (("one", "--animation", "png"), 2, "expected one of webp, gif, none"),
        (("one", "--size", "4k"), 2, "expected one of 1280x720, 1920x1080, 3840x2160, square"),
        (("one", "--theme", "grey"), 2, "expected one of light, dark"),
        (("one", "--clock", "wall"), 2, "expected one of movement, linear"),
        (("one", "--out", "/dev/null/x"), 1, "/dev/null/x/one: cannot write (Not a directory)"),
    ],
)
def test_bad_input_is_one_line(epochord, arguments, code, message):
    """What, where, got and expected; the right exit code, no traceback, nothing half-made."""
    stopped, out, err = epochord("render", "ensemble", *arguments)
    assert stopped == code
    assert message in err
    assert "Traceback" not in err
    assert not out


def test_no_ensemble_at_all_says_how_to_make_one(epochord, write_run, tmp_path):
    """A folder of runs without any ensemble is an error with a remedy."""
    write_run(tmp_path / "runs" / "plain", {"loss": [1.0]})
    code, _, err = epochord("render", "ensemble")
    assert code == 1
    assert "no ensemble in 1 run; 'make record-ensembles' makes some" in err


@pytest.mark.usefixtures("ensembles")
def test_one_bad_log_does_not_keep_the_others(epochord, tmp_path):
    """A table of unequal grids is named; the other run is rendered."""
    path = tmp_path / "runs/one/ensemble.parquet"
    rows = pq.read_table(path)
    pq.write_table(rows.drop_columns("grid").append_column("grid", rows["data"]), path)
    code, out, err = epochord("render", "ensemble", "--no-video")
    assert code == 1
    assert "column grid holds" in err
    assert "renders/two/uncertainty.png" in out


@pytest.mark.usefixtures("ensembles")
def test_inspect_names_the_tables(epochord):
    """What a run holds beside its series is said, for people and for programs."""
    assert "tables: ensemble, ensemble_setup" in "\n".join(epochord("inspect", "one")[1])
    assert "tables" not in "\n".join(epochord("inspect", "plain")[1])
    _, out, _ = epochord("inspect", "one", "--json")
    assert json.loads(out[0])["tables"] == ["ensemble", "ensemble_setup"]


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.usefixtures("ensembles")
def test_results_of_one_folder_belong_together(epochord, tmp_path):
    """What new settings do not make is removed and said, and the rest of the folder stays."""
    epochord("render", "ensemble", "one", *QUICK)
    folder = tmp_path / "renders/one"
    (folder / "audio.wav").write_text("not an ensemble's")
    _, _, err = epochord("render", "ensemble", "one", "--no-video", "--show", "mean")
    assert "renders/one: removed ensemble.mp4, ensemble.webp, which earlier settings" in err
    assert not list(folder.glob("*.mp4")) + list(folder.glob("*.webp"))
    assert (folder / "audio.wav").exists()
    listed = json.loads((folder / "ensemble.json").read_text())["files"]
    assert {path.name for path in folder.iterdir()} == {*listed, "ensemble.json", "audio.wav"}
    _, _, err = epochord("render", "ensemble", "one", *QUICK, "--animation", "gif")
    assert "removed" not in err


@pytest.mark.usefixtures("ensembles")
@pytest.mark.parametrize("failure", ["exit 3", "cat > /dev/null; echo No space left >&2; exit 1"])
def test_ffmpeg_that_fails_leaves_the_stills(epochord, tmp_path, monkeypatch, failure):
    """Those of this call: a video of the earlier one is not left beside them."""
    epochord("render", "ensemble", "one", *QUICK)
    before = files_in(tmp_path / "renders/one")
    broken = tmp_path / "ffmpeg"
    broken.write_text(f"#!/bin/sh\n{failure}\n")
    broken.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(broken))
    code, out, err = epochord("render", "ensemble", "one", *QUICK, "--show", "mean")
    assert code == 1
    assert not out
    (line,) = [line for line in err.splitlines() if "error:" in line]
    assert "renders/one/ensemble.mp4: ffmpeg failed" in line
    assert_stills_alone(tmp_path / "renders/one", before)


def assert_stills_alone(folder, before):
    """Check that what is there is what its description says: new stills, no video, no rest."""
    after = files_in(folder)
    assert set(before) - set(after) == {"ensemble.mp4", "ensemble.webp"}
    assert set(after) < set(before)
    assert after["uncertainty.png"] != before["uncertainty.png"]
    about = json.loads((folder / "ensemble.json").read_text())
    assert {*about["files"], "ensemble.json"} == set(after)
    assert about["complete"] is False


@pytest.mark.usefixtures("ensembles", "heeding_ctrl_c")
def test_ctrl_c_leaves_the_stills(epochord, tmp_path):
    """Exit code 130, one line, and the stills, which are there before the video is begun."""
    epochord("render", "ensemble", "one", *QUICK)
    folder = tmp_path / "renders/one"
    before = files_in(folder)
    process = subprocess.Popen(
        [sys.executable, "-m", "epochord", "render", "ensemble", "one", "--duration", "60",
         "--show", "mean"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not list(folder.glob(".*.tmp/.ensemble.mp4.*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert err == "epochord: error: interrupted\n"
    assert_stills_alone(folder, before)


@pytest.mark.usefixtures("ensembles")
def test_parts_that_one_run_lacks_keep_it_out_of_the_panel(epochord, make_ensemble):
    """The run without priors is refused in one line; the others are rendered side by side."""
    make_ensemble("three", seed=3, members=5, epochs=4)
    code, out, err = epochord("render", "ensemble", "--show", "f,p", "--no-video", "--json")
    assert code == 1
    (line,) = [line for line in err.splitlines() if "error:" in line]
    assert "run 'two' has no priors" in line
    assert [[run["run"] for run in json.loads(row)["runs"]] for row in out] == [
        ["one"], ["three"], ["one", "three"],
    ]  # fmt: skip


@pytest.mark.usefixtures("ensembles")
def test_what_is_not_seen_is_noted(epochord, make_ensemble):
    """Data outside of --limits, and layers that a run does not have, are a line each."""
    _, _, err = epochord(
        "render", "ensemble", "two", "--no-video", "--limits=5:6", "--show", "members,p,data"
    )
    assert "epochord: two: it has no priors, so no p is drawn\n" in err
    assert "epochord: two: 8 of 8 training data are outside of the limits 5 to 6" in err
    make_ensemble("alone", members=1, epochs=1)
    assert "alone: 1 member, 1 epoch" in epochord("render", "ensemble", "alone", "--no-video")[2]


@pytest.mark.usefixtures("ensembles")
def test_inspect_says_what_an_ensemble_is(epochord, make_ensemble):
    """Members, epochs, grid, data, bootstrap and priors, for people and for programs."""
    said = "\n".join(epochord("inspect", "one")[1])
    assert (
        "ensemble, 5 members, 4 epochs (0…3), grid of 50 points (-3…3), 8 training data, "
        "20 held out, priors × 0.3, bootstrap of 8 draws"
    ) in said
    assert "no priors, bootstrap of 8 draws" in "\n".join(epochord("inspect", "two")[1])
    assert json.loads(epochord("inspect", "plain", "--json")[1][0])["ensemble"] is None
    about = json.loads(epochord("inspect", "one", "--json")[1][0])["ensemble"]
    assert about == {
        "setting": None, "members": 5, "epochs": {"count": 4, "first": 0, "last": 3},
        "grid": 50, "inputs": 1, "low": [-3.0], "high": [3.0], "data": 8, "held_out": 20,
        "ood": 0, "task": "regression", "outputs": 1, "always": 5, "variances": False,
        "bootstrap": 8, "prior_scale": 0.3,
        "indices_changed_at": None, "half_overflows_at": None,
    }  # fmt: skip
    make_ensemble("events", members=2, epochs=2, format="tensorboard")
    assert "ensemble, 2 members, 2 epochs (0…1)" in "\n".join(epochord("inspect", "events")[1])


@pytest.mark.usefixtures("ensembles")
@pytest.mark.parametrize("command", [("inspect",), ("render", "ensemble", "--no-video")])
@pytest.mark.parametrize("lost", ["ensemble", "ensemble_setup"])
def test_a_table_that_is_gone_is_one_line(epochord, tmp_path, command, lost):
    """Named or not: exit code 1 and what, where and the remedy; other runs are done."""
    (tmp_path / f"runs/one/{lost}.parquet").unlink()
    for which in ((), ("one",)):
        code, out, err = epochord(*command, *which)
        assert code == 1
        (line,) = [line for line in err.splitlines() if "error:" in line]
        assert "runs/one: has ensemble" in line
        assert f"but no {lost}.parquet, which holds" in line
        assert "record the run again" in line
        assert bool(out) == (not which or command == ("inspect",))


def test_the_posts_ensembles_have_a_page(epochord, make_ensemble, write_ensemble, tmp_path):
    """Once all four are rendered, whatever else is; others of these names have none."""
    opened = open_ensemble(make_ensemble(members=3, epochs=2))
    settings = ("naive", "prior", "prior-bootstrap", "sine-bootstrap")
    epochs = dict(enumerate(opened))
    page = "renders/ensembles.html"
    for some in (settings[:3], settings[3:]):
        for setting in some:
            name = tmp_path / "runs" / f"ensemble-{setting}"
            write_ensemble(name, epochs, opened.setup, hyperparameters={"setting": setting})
        _, out, _ = epochord("render", "ensemble", "--no-video")
        assert (page in out) == (tmp_path / page).is_file() == (some == settings[3:])
