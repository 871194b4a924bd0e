"""The program starts with names alone: what a command needs is imported when it runs."""

import subprocess
import sys
from importlib.metadata import version

import pytest


def loaded_by(*arguments: str) -> set[str]:
    """Run the program in a process of its own; give the top-level modules it has loaded."""
    script = (
        "import sys; from epochord.__main__ import run\n"
        "try: run()\nexcept SystemExit: pass\n"
        "print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("LOADED ")[2].split())


def test_the_version_is_said_without_anything_else():
    """It needs no library of the command line, and no array."""
    assert not loaded_by("--version") & {"typer", "click", "rich", "numpy", "pyarrow", "pydantic"}


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("render", "-h"), ("rendr",)])
def test_a_groups_help_loads_no_arrays_and_draws_nothing(arguments):
    """Neither do a mistyped command and no command at all."""
    assert not loaded_by(*arguments) & {"numpy", "pyarrow", "rich", "torch"}


def test_without_a_terminal_nothing_draws_bars(write_run, tmp_path):
    """Rich is for tables and terminals."""
    run = write_run(tmp_path / "a", {"loss": [1.0, 2.0]})
    loaded = loaded_by("render", "audio", str(run), "--out", str(tmp_path / "out"))
    assert not loaded & {"rich", "pydantic"}  # typer would check our options with the latter
    assert (tmp_path / "out" / "a" / "audio.wav").is_file()


def test_the_version_is_the_same_however_it_is_asked(epochord):
    """At once, or with other options."""
    done = subprocess.run(
        [sys.executable, "-m", "epochord", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [version("epochord")]
    assert epochord("-q", "--version")[1] == [version("epochord")]
