"""The command line: results on stdout, one line an error, the exit codes of the design."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

from epochord.pipeline import cli

NORMS = {"grad_norm/a.weight": [1.0, 2.0], "loss": [3.0, 4.0]}


@pytest.fixture
def epochord(monkeypatch, capfd, tmp_path):
    """Run the command in an empty folder; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["epochord", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capfd.readouterr()
        return stopped.value.code or 0, out, err

    return run


def one_line(err: str) -> str:
    """Give an error's only line."""
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    return err.removeprefix("epochord: error: ").rstrip("\n")


def test_render_prints_the_path_of_the_sound(epochord, write_run):
    """A name under runs/ is enough, and the path alone is on stdout."""
    write_run(Path("runs/mine"), NORMS)
    code, out, err = epochord("render", "audio", "mine")
    assert (code, out) == (0, "renders/mine/audio.wav\n")
    assert "mine: 2 steps of 1 voice, 4.00 s, gradient norm 1 to 2" in err
    assert soundfile.info("renders/mine/audio.wav").samplerate == 44_100


def test_without_a_path_all_runs_are_rendered_and_mute_ones_passed_over(epochord, write_run):
    """A folder may hold runs that have nothing to hear; that is no failure."""
    write_run(Path("runs/a"), NORMS)
    write_run(Path("runs/deep/b"), NORMS)
    write_run(Path("runs/mute"), {})
    code, out, err = epochord("render", "audio")
    assert code == 0
    assert out.split() == ["renders/a/audio.wav", "renders/deep/b/audio.wav"]
    assert "passed over: run 'mute' has no measurement at all" in err


def test_a_run_named_by_the_user_that_has_nothing_to_hear_is_an_error(epochord, write_run):
    """Who asks for this run wants to know."""
    write_run(Path("runs/mute"), {})
    code, out, err = epochord("render", "audio", "runs/mute")
    assert (code, out) == (1, "")
    reason = one_line(err)
    assert reason == "run 'mute' has no measurement at all"
    assert epochord("render", "audio")[0] == 1  # nothing at all to hear


def test_one_bad_input_does_not_stop_the_others(epochord, write_run):
    """The bad one is named, the good one rendered, the exit code is 1."""
    write_run(Path("runs/a"), NORMS)
    code, out, err = epochord("render", "audio", "nowhere", "a")
    assert (code, out) == (1, "renders/a/audio.wav\n")
    assert "nowhere: no such file or folder; expected a run" in err


def test_a_damaged_part_is_a_warning(epochord, write_run):
    """What can be used in part counts as used."""
    run = write_run(Path("runs/a"), NORMS)
    (run / "metrics.parts").mkdir()
    (run / "metrics.parts" / "000000000002.parquet").write_bytes(b"no Parquet")
    code, out, err = epochord("render", "audio", "a")
    assert (code, out) == (0, "renders/a/audio.wav\n")
    assert "warning: runs/a/metrics.parts/000000000002.parquet: damaged" in err


def test_a_newer_schema_is_an_error_of_that_run_only(epochord, write_run):
    """One line that says to upgrade."""
    run = write_run(Path("runs/new"), NORMS)
    (run / "run.json").write_text('{"schema_version": 99}')
    for command in (("render", "audio"), ("inspect",)):
        code, _, err = epochord(*command, "new")
        assert code == 1
        assert "schema_version 99" in one_line(err)
        assert "upgrade Epochord" in err


def test_an_output_folder_that_cannot_be_written_to(epochord, write_run):
    """A file stands in the way of the folder; root may write anywhere else."""
    write_run(Path("runs/a"), NORMS)
    Path("blocked").write_text("")
    code, out, err = epochord("render", "audio", "a", "--out", "blocked")
    assert (code, out) == (1, "")
    assert "blocked/a/audio.wav: cannot write" in one_line(err)


def test_two_runs_that_would_share_a_result_are_refused(epochord, write_run):
    """Neither overwrites the other."""
    write_run(Path("x/a"), NORMS)
    write_run(Path("y/a"), NORMS)
    code, _, err = epochord("render", "audio", "x/a", "y/a")
    assert code == 1
    assert one_line(err).startswith("x/a and y/a would both be written to renders/a")
    assert not Path("renders").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("record", "sdg"), "No such command 'sdg'"),
        (("record", "sgd", "--data", "cifar"), "--data is 'cifar'; expected one of digits, mnist"),
        (("record", "sgd", "--steps", "0"), "--steps"),
        (
            ("render", "audio", "--voicing", "x"),
            "voicing is 'x'; expected one of roll, lanes, sequence, original",
        ),
        (("inspect", "--nope"), "No such option: --nope"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(epochord, arguments, message):
    """It says what it got, what it may be, and where the help is."""
    code, out, err = epochord(*arguments)
    assert (code, out) == (2, "")
    assert message in one_line(err)
    assert "--help'" in err


def test_an_unknown_experiment_names_the_known_ones(epochord):
    """So that the user need not look them up."""
    _, _, err = epochord("record", "nope")
    assert "expected one of sgd, sgd-lr0.1, sgd-lr1, sgd-lr1-bs256, adam" in err


def test_inspect_shows_layers_ranges_and_what_is_not_a_number(epochord, write_run):
    """A table for people."""
    nan, inf = float("nan"), float("inf")
    write_run(Path("runs/mine"), {"grad_norm/a.weight": [3.0, inf, nan, None], "loss": [1.0] * 4})
    code, out, _ = epochord("inspect", "mine")
    assert code == 0
    assert "mine finished, 4 steps (0…3)" in out
    layer = next(line for line in out.splitlines() if line.startswith("a "))
    assert layer.split() == ["a", "3", "3", "3", "3", "nan", "1", "1", "1"]


def test_inspect_says_that_a_run_did_not_finish(epochord, write_run):
    """A run that was killed stays in status running."""
    write_run(Path("runs/mine"), NORMS, status="running")
    assert "did not finish" in epochord("inspect", "mine")[1]
    write_run(Path("runs/other"), NORMS, status="failed", error="ValueError: bad [red]x[/red]")
    assert "failed (ValueError: bad [red]x[/red])" in epochord("inspect", "other")[1]


def test_inspect_prints_json_for_programs(epochord, write_run):
    """One object a line, with strict JSON numbers."""
    write_run(Path("runs/a"), {"loss": [1.0, float("nan")]})
    write_run(Path("runs/b"), NORMS, seed=4)
    _, out, _ = epochord("inspect", "--json")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    first, second = (json.loads(line, parse_constant=refuse) for line in out.splitlines())
    assert first["tags"][0] == {
        "name": "loss", "points": 2, "min": 1.0, "median": 1.0, "max": 1.0, "last": "nan",
        "null": 0, "nan": 1, "inf": 0,
    }  # fmt: skip
    assert second["seed"] == 4
    assert [layer["name"] for layer in second["layers"]] == ["a"]


def test_render_prints_json_for_programs(epochord, write_run):
    """Path, settings and counts."""
    write_run(Path("runs/a"), NORMS)
    _, out, _ = epochord("render", "audio", "--json")
    assert json.loads(out)["path"] == "renders/a/audio.wav"
    assert json.loads(out)["voices"] == ["a"]


def test_help_loads_no_heavy_module():
    """The help is there at once, on a machine without torch too."""
    script = """
import sys
from epochord.pipeline.cli import main
try:
    main()
except SystemExit:
    heavy = {"torch", "librosa", "matplotlib", "pandas", "scipy", "sklearn", "tensorboard", "numba"}
    print("LOADED", sorted(heavy & set(sys.modules)))
"""
    for arguments in (["--help"], ["record", "sgd", "--help"], ["render", "audio", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
        )
        assert "LOADED []" in done.stdout, arguments


def test_rendering_loads_neither_torch_nor_librosa(tmp_path, write_run):
    """The main job's second half needs numpy and pyarrow, and no more."""
    run = write_run(tmp_path / "runs" / "a", NORMS)
    script = f"""
import sys
sys.argv = ["epochord", "render", "audio", {str(run)!r}, "--out", {str(tmp_path / "out")!r}]
from epochord.pipeline.cli import main
try:
    main()
except SystemExit as stopped:
    print(stopped.code, sorted({{"torch", "librosa", "matplotlib", "numba"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("None []\n")


@pytest.mark.usefixtures("heeding_ctrl_c")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_rendering_leaves_nothing_half_made(tmp_path, write_run, sent, code):
    """Ctrl-C: exit code 130, one line, no file, no traceback."""
    run = write_run(tmp_path / "long", {"grad_norm/a.weight": [1.0] * 400_000})
    process = subprocess.Popen(
        [sys.executable, "-m", "epochord", "render", "audio", str(run), "--out", "out"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    folder = tmp_path / "out" / "long"
    deadline = time.monotonic() + 30
    while not (folder.is_dir() and any(folder.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(sent)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert out == ""
    assert err == ("epochord: error: interrupted\n" if sent == signal.SIGINT else "")
    assert list(folder.iterdir()) == []


def test_ctrl_c_while_the_command_loads_is_one_line():
    """The modules of the command line take a while; Ctrl-C then is no traceback either."""
    script = """
import sys
from epochord.__main__ import run
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
run()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 130
    assert done.stderr == "epochord: error: interrupted\n"


def test_runs_below_runs_keep_their_path_however_they_are_named(epochord, write_run):
    """Two runs x in different folders do not overwrite each other, in one call or in two."""
    write_run(Path("runs/g1/x"), NORMS)
    write_run(Path("runs/g2/x"), NORMS)
    assert epochord("render", "audio", "runs/g1/x")[1] == "renders/g1/x/audio.wav\n"
    assert epochord("render", "audio", "g2")[1] == "renders/g2/x/audio.wav\n"
    assert epochord("render", "audio", "runs/g1", "runs/g2")[0] == 0


def test_a_log_of_which_nothing_can_be_read_is_an_error(epochord, write_run):
    """Exit 1, for render and inspect, also when it is one of many."""
    write_run(Path("runs/good"), NORMS)
    bad = write_run(Path("runs/bad"), NORMS) / "metrics.parquet"
    bad.write_bytes(bad.read_bytes()[:100])
    code, out, err = epochord("render", "audio")
    assert (code, out) == (1, "renders/good/audio.wav\n")
    assert "runs/bad: nothing of this log can be read" in err
    assert epochord("inspect", "bad")[0] == 1


def test_a_terminal_that_is_not_utf8_gets_question_marks(tmp_path, write_run):
    """No traceback for the sake of a dash."""
    write_run(tmp_path / "runs" / "a", NORMS)
    done = subprocess.run(
        [sys.executable, "-m", "epochord", "inspect"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=True,
    )
    assert b"(0?1)" in done.stdout


def test_a_run_whose_name_is_in_no_encoding(epochord, write_run):
    """File names are bytes, but Arrow's are text: one line says so."""
    write_run(Path("runs/good"), NORMS)
    write_run(Path("runs/bad"), NORMS).rename(Path("runs") / os.fsdecode(b"caf\xe9"))
    code, out, err = epochord("render", "audio")
    assert (code, out) == (1, "renders/good/audio.wav\n")
    assert "the name is not UTF-8; rename it" in err


def test_what_has_no_pitch_of_its_own_is_said(epochord, write_run):
    """A run that diverged is a whine of 20 kHz; the user learns why."""
    nan, inf = float("nan"), float("inf")
    norms = {"grad_norm/a.weight": [1.0, nan, inf, 500.0, None], "grad_norm/b.weight": [1.0] * 5}
    write_run(Path("runs/mine"), norms)
    _, _, err = epochord("render", "audio")
    assert "of 15 values: 1 beyond the range, 1 NaN, 1 +inf, 1 not measured" in err


def test_the_file_of_a_log_stands_for_its_run(epochord, write_run):
    """Whoever completes the path in a shell ends there."""
    run = write_run(Path("runs/mine"), NORMS)
    for name in ("metrics.parquet", "run.json"):
        assert epochord("render", "audio", run / name)[1] == "renders/mine/audio.wav\n"
