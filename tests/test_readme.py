"""Every command in the README runs."""

import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from epochord.renderers.audio import render_audio
from epochord.runlog import RunMetadata, open_run
from epochord.runlog.run.rows import rows_table
from epochord.runlog.tensorboard import TensorBoardWriter

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    for line in block.splitlines()
]


@pytest.fixture
def workplace(clone, write_run):
    """Put a run, its sound and a logdir of someone's into a clone."""
    run = open_run(write_run(clone / "runs" / "mine", {"grad_norm/a.weight": [1.0, 2.0]}))
    render_audio(run, clone / "renders" / "mine")
    render_audio(run, clone / "mine.flac", voicing="lanes")
    player = clone / ".venv" / "bin" / "aplay"  # a machine for tests has no sound card
    player.write_text('#!/bin/sh\nexec test -f "$2"\n')
    player.chmod(0o755)
    series = run["grad_norm/a.weight"]
    logdir = clone / "path" / "to" / "logdir"
    logdir.mkdir(parents=True)
    writer = TensorBoardWriter(logdir)
    columns = dict.fromkeys([series.tag, "loss"], (series.values, np.ones(len(series), bool)))
    writer.write(rows_table(series.steps, series.wall_times, columns))
    writer.complete(RunMetadata("logdir"))
    writer.close()
    return clone


def test_the_readme_has_the_commands_that_matter():
    """The two commands, and how to hear an existing logdir."""
    assert "make record-sgd render-audio" in COMMANDS
    assert "make test" in COMMANDS
    assert "epochord render audio path/to/logdir" in COMMANDS


@pytest.mark.parametrize("command", [c for c in COMMANDS if c != "make test"])
def test_a_command_of_the_readme_runs(workplace, command):
    """As written; `make test` is what runs this."""
    path = f"{workplace / '.venv' / 'bin'}:/usr/bin:/bin"
    done = subprocess.run(
        shlex.split(command),
        cwd=workplace,
        env={"PATH": path, "HOME": str(workplace)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_make_targets_named_in_the_readme_exist():
    """The table is true."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    table = README.split("## Make targets")[1]
    named = re.findall(r"`([a-z0-9.-]+)`", table.split("`make help`")[0])
    experiments = re.search(r"EXPERIMENTS := (.*)", makefile).group(1).split()
    settings = re.search(r"SETTINGS    := (.*)", makefile).group(1).split()
    known = {f"record-{name}" for name in experiments}
    known |= {f"record-ensemble-{name}" for name in settings}
    known |= set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    assert set(named) - {"runs", "data"} <= known
