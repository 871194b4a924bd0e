"""`epochord record ensemble`: the four settings from the command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from epochord.pipeline.experiments import ensembles
from epochord.recorders import EnsembleRecorder
from epochord.runlog import open_run
from epochord.runlog.reading.ensemble import open_ensemble

SMALL = ("--members", "3", "--epochs", "4")


@pytest.mark.parametrize("setting", ["naive", "prior", "prior-bootstrap", "sine-bootstrap"])
def test_each_setting_has_a_run_of_its_own(epochord, setting):
    """The path alone is on stdout."""
    code, out, err = epochord("record", "ensemble", "--setting", setting, *SMALL)
    assert (code, out, err) == (0, [f"runs/ensemble-{setting}"], "")
    ensemble = open_ensemble(out[0])
    assert (ensemble.members, ensemble.epochs.tolist()) == (3, [0, 1, 2, 3, 4])
    assert ensemble.run.metadata.status == "finished"


def test_options_reach_the_log(epochord):
    """Scale, seed, every, format and precision."""
    options = ("--setting", "prior", "--prior-scale", "0.5", "--seed", "7", "--every", "3")
    options += ("--format", "both", "--half", "--out", "mine", *SMALL)
    assert epochord("record", "ensemble", *options)[:2] == (0, ["mine"])
    ensemble = open_ensemble("mine")
    assert ensemble.epochs.tolist() == [0, 3, 4]
    assert ensemble.setup.prior_scale == 0.5
    about = ensemble.run.metadata
    assert (about.seed, about.every, about.format) == (7, 3, "both")
    assert about.hyperparameters["half"] is True
    assert ensemble.run["loss/02"].steps.tolist() == [0, 1, 2, 3, 4]


def test_recording_again_does_nothing_replaces_or_refuses(epochord, write_run):
    """As with the other experiments."""
    naive = ("record", "ensemble", "--setting", "naive", *SMALL)
    run = "runs/ensemble-naive"
    assert epochord(*naive)[:2] == (0, [run])
    code, out, err = epochord(*naive)
    assert (code, out) == (0, [run])
    assert "was recorded with these settings already; nothing to do" in err
    code, out, err = epochord(*naive, "--every", "2")
    assert (code, out) == (1, [])
    assert "(every 1, not 2); replace it with --overwrite" in err
    assert err.count("\n") == 1
    code, out, err = epochord(*naive, "--every", "2", "--overwrite")
    assert (code, out) == (0, [run])
    assert open_ensemble(run).epochs.tolist() == [0, 2, 4]
    code, _, err = epochord("record", "ensemble", "--setting", "prior", "--out", run, "--overwrite")
    assert code == 1
    assert "not this experiment's" in err
    stranger = write_run(Path("other"), {"loss": [1.0]})
    assert epochord(*naive, "--out", stranger, "--overwrite")[0] == 1
    assert open_run(stranger)["loss"].values.tolist() == [1.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--members", "0"), "--members"),
        (("--epochs", "0"), "--epochs"),
        (("--every", "0"), "--every"),
        (("--prior-scale", "nan"), "nan is no finite number"),
        (
            ("--setting", "bayes"),
            "--setting is 'bayes'; expected one of naive, prior",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(epochord, arguments, message):
    """It says what it got; nothing is made."""
    code, out, err = epochord("record", "ensemble", *arguments)
    assert (code, out) == (2, [])
    assert message in err
    assert err.count("\n") == 1
    assert not Path("runs").exists()


def test_its_help_loads_no_torch():
    """The settings are data."""
    script = """
import sys
from epochord.pipeline.cli import main
try:
    main()
except SystemExit:
    print("LOADED", sorted({"torch", "pandas", "tensorboard", "scipy"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, "record", "ensemble", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "LOADED []" in done.stdout
    assert "--prior-scale" in done.stdout


@pytest.mark.filterwarnings("always")
def test_half_precision_that_overflows_is_a_line(epochord):
    """What float16 cannot hold is said as a warning of the command, not of Python."""
    options = ("--setting", "prior", "--prior-scale", "1e6", "--half", *SMALL)
    code, out, err = epochord("record", "ensemble", *options)
    assert (code, out) == (0, ["runs/ensemble-prior"])
    assert err.startswith("epochord: warning: epoch 0: of the predictions, ")
    assert "infinite in float16" in err
    assert err.count("\n") == 1


def test_ctrl_c_says_what_is_kept(epochord, monkeypatch):
    """While training: the epochs so far, and it is said.  Before there is a log: nothing."""
    command = ("record", "ensemble", "--setting", "naive", *SMALL)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as early:
        early.setattr(ensembles.MLP, "__init__", interrupted)
        code, out, err = epochord(*command)
    assert (code, out, err) == (130, [], "epochord: error: interrupted\n")
    assert not Path("runs").exists()
    monkeypatch.setattr(ensembles.JointTraining, "step", interrupted)
    code, out, err = epochord(*command)
    assert (code, out) == (130, [])
    assert err == (
        "epochord: runs/ensemble-naive: stopped; what was recorded is kept\n"
        "epochord: error: interrupted\n"
    )
    kept = open_ensemble("runs/ensemble-naive")
    assert (kept.epochs.tolist(), kept.run.metadata.status) == ([0], "failed")


def test_ctrl_c_while_a_log_begins_leaves_no_running_one(tmp_path, monkeypatch):
    """Its run.json says that it failed, so that the next recording takes its place."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as early:
        early.setattr("epochord.runlog.writing.start.BackgroundWriter", interrupted)
        with pytest.raises(KeyboardInterrupt):
            EnsembleRecorder([abs], tmp_path / "mine", grid=[0.0, 1.0])
    assert open_run(tmp_path / "mine").metadata.status == "failed"
    with EnsembleRecorder([abs], tmp_path / "mine", grid=[0.0, 1.0]) as recorder:
        recorder.record()
    assert open_run(tmp_path / "mine").metadata.status == "finished"
