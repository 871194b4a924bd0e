"""The shell completes commands, options, what they choose from, and names of runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-m", "epochord"]


@pytest.fixture
def workplace(tmp_path):
    """Make a folder with runs, one of them deeper."""
    for name in ("sgd", "sgd-lr1", "adam", "sweep/one", "sweep/two"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    (tmp_path / "runs" / "notes.txt").touch()
    return tmp_path


def completed(folder: Path, line: str) -> list[str]:
    """Ask as the script for bash does: the words, and which of them is being typed."""
    words = line.split(" ")
    asked = {
        "_EPOCHORD_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run(
        PROGRAM, cwd=folder, env=os.environ | asked, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("epochord re", ["record", "render"]),
        ("epochord render ", ["audio", "ensemble", "benford"]),
        ("epochord record sgd-lr", ["sgd-lr0.1", "sgd-lr1", "sgd-lr1-bs256"]),
        ("epochord render audio --sc", ["--scale-from"]),
        ("epochord render audio --polarity ", ["+", "-"]),
        ("epochord render audio --format w", ["wav16", "wav24", "wav32f"]),
        ("epochord render audio --voicing s", ["sequence"]),
        ("epochord page --voicing ", ["roll", "lanes", "sequence", "original"]),
        ("epochord decode --method ", ["joint", "fft"]),
        ("epochord record ensemble --setting p", ["prior", "prior-bootstrap"]),
        ("epochord render audio s", ["sgd", "sgd-lr1", "sweep"]),
        ("epochord inspect sweep/", ["sweep/one", "sweep/two"]),
        ("epochord compare sgd a", ["adam"]),
        ("epochord play ", ["adam", "sgd", "sgd-lr1", "sweep"]),
        ("epochord inspect elsewhere/", []),  # the shell then completes files
    ],
)
def test_what_is_typed_is_completed(workplace, line, expected):
    """In the order of the help, names of runs in their own."""
    assert completed(workplace, line) == expected


def test_in_a_real_shell(workplace):
    """What --install-completion writes makes bash complete."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash here")
    home = workplace / "home"
    home.mkdir()
    # Which shell this is cannot be seen from inside a test.
    told = {"HOME": str(home), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    subprocess.run(
        [*PROGRAM, "--install-completion", "bash"],
        env=os.environ | told,
        capture_output=True,
        check=True,
    )
    command = workplace / "epochord"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m epochord "$@"\n')
    command.chmod(0o755)
    script = f"""
source {home}/.bashrc
COMP_WORDS=(epochord render audio sg) COMP_CWORD=3
_epochord_completion epochord
echo "${{COMPREPLY[*]}}"
"""
    path = f"{workplace}:{os.environ['PATH']}"
    done = subprocess.run(
        [bash, "--norc", "-c", script],
        cwd=workplace,
        env=os.environ | {"PATH": path, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["sgd", "sgd-lr1"]
