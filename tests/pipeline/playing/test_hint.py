"""The last line of the main job is a command that works as it stands."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

LISTEN = "epochord: listen: "


@pytest.fixture
def workplace(write_run, tmp_path):
    """Write a run, and note what is played."""
    write_run(tmp_path / "runs" / "mine", {"loss": [1.0, 2.0]})
    (tmp_path / "bin").mkdir()
    script(tmp_path / "bin" / "paplay", f'echo "$@" >> "{tmp_path}/played"')
    return tmp_path


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def environment(folder: Path, *places: Path, **more: str) -> dict[str, str]:
    path = ":".join(map(str, (folder / "bin", *places, "/usr/bin", "/bin")))
    gone = {key: value for key, value in os.environ.items() if "MAKE" not in key}
    return gone | {"PATH": path} | more


def rendered(folder: Path, *arguments: str, **options) -> str:
    """Render, and give the command that is said at the end."""
    done = subprocess.run(
        [*(options.pop("program", [sys.executable, "-m", "epochord"])), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        **options,
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith(LISTEN)
    return last.removeprefix(LISTEN)


@pytest.mark.parametrize("made", ["renders/mine/audio.wav", "x.wav", "a folder/mine/audio.wav"])
def test_what_is_said_plays_what_was_made(workplace, made):
    """Wherever it lies."""
    out = {"x.wav": ["-o", "x.wav"], "a folder/mine/audio.wav": ["-o", "a folder"]}.get(made, [])
    env = environment(workplace)
    said = rendered(workplace, "render", "audio", "mine", *out, env=env)
    subprocess.run(said, shell=True, cwd=workplace, env=env, check=True, capture_output=True)
    assert (workplace / "played").read_text().split("\n")[0] == str(workplace / made)


def test_a_run_is_named_where_its_name_is_enough(workplace):
    """As it is typed elsewhere."""
    said = rendered(workplace, "render", "audio", "mine", env=environment(workplace))
    assert said.endswith(" play mine")


def test_several_runs_are_named_together(workplace, write_run):
    """Up to three; of more, one."""
    for name in ("b", "c"):
        write_run(workplace / "runs" / name, {"loss": [1.0, 2.0]})
    env = environment(workplace)
    assert rendered(workplace, "render", "audio", env=env).endswith(" play b c mine")
    write_run(workplace / "runs" / "d", {"loss": [1.0, 2.0]})
    assert rendered(workplace, "render", "audio", env=env).endswith(" play b")


def test_in_an_environment_that_is_active_its_name_is_enough(workplace):
    """And not that of another one."""
    here = Path(sys.executable).parent
    if not (here / "epochord").is_file():
        pytest.skip("there is no script of this environment")
    args = ("render", "audio", "mine")
    assert rendered(workplace, *args, env=environment(workplace, here)) == "epochord play mine"
    script(workplace / "bin" / "epochord", "echo another one")
    said = rendered(workplace, *args, env=environment(workplace, here))
    assert shlex.split(said) == [str(here / "epochord"), "play", "mine"]


def test_make_says_what_make_plays(clone, write_run):
    """Where the environment is not active."""
    write_run(clone / "runs" / "mine", {"loss": [1.0, 2.0]})
    (clone / "bin").mkdir()
    script(clone / "bin" / "paplay", f'echo "$@" >> "{clone}/played"')
    env = environment(clone)
    said = rendered(clone, "render-audio", program=["make"], env=env)
    assert said == "make play RUNS=mine"
    subprocess.run(shlex.split(said), cwd=clone, env=env, check=True, capture_output=True)
    assert (clone / "played").read_text() == f"{clone}/renders/mine/audio.wav\n"
