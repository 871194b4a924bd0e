"""kill -9 at random moments: what flush() has acknowledged is read back."""

import json
import math
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars
import pytest
import torch
from torch import nn

from epochord.recorders import GradientRecorder
from epochord.renderers.audio import render_audio
from epochord.runlog import Run, open_run
from epochord.runlog.run.run import GRAD_NORM
from epochord.runlog.tensorboard import event_files, read_event_files

FORMATS = ["parquet", "tensorboard", "both"]
KILLS_A_FORMAT = 6

# One process imports torch and then only forks: each child trains in a tight
# loop, says which step is safe, and is killed at a moment that the test chose.
SCRIPT = """
import json, os, select, signal, sys, time
import torch
from torch import nn
from epochord.recorders import GradientRecorder
import runlog.tensorboard

torch.set_num_threads(1)

def make():
    model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(6))})
    return model, torch.optim.SGD(model.parameters(), 0.0)

make()[1].step()  # what torch imports at a first step, it imports once, not in every child

def train(directory, format, every, pipe):
    model, optimizer = make()
    recorder = GradientRecorder(model, optimizer, directory, format=format, flush_seconds=0.01)
    for step in range(10_000_000):
        model["p"].grad = torch.full((6,), float(step))
        optimizer.step()
        recorder.log("t", step)
        if step % every == 0:
            recorder.flush()
            os.write(pipe, f"{step}\\n".encode())
        recorder.log("late", -step)

for job in json.loads(sys.argv[1]):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            train(job["directory"], job["format"], job["every"], writing)
        finally:
            os._exit(1)
    os.close(writing)
    assert select.select([reading], [], [], 60)[0], "no step was acknowledged within a minute"
    time.sleep(job["after"])
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
    with os.fdopen(reading) as pipe:
        lines = pipe.read().splitlines(keepends=True)
    print(json.dumps(job | {"acknowledged": int([l for l in lines if l.endswith("\\n")][-1])}))
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> list[dict]:
    """Give runs that were killed, each with the last step that was acknowledged."""
    folder = tmp_path_factory.mktemp("killed")
    moments = random.Random(20)
    jobs = [
        {
            "directory": str(folder / f"{format}{number}"),
            "format": format,
            "every": moments.choice([1, 2, 5, 17]),
            "after": moments.uniform(0, 0.5),
        }
        for number in range(KILLS_A_FORMAT)
        for format in FORMATS
    ]
    script = folder / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), json.dumps(jobs)],
        capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def of_format(killed: list[dict], format: str) -> list[dict]:
    return [job for job in killed if job["format"] == format]


def assert_whole(series, acknowledged: int) -> int:
    """Assert that all acknowledged rows, and none but true ones, are there; return the last."""
    norms, logged = series[GRAD_NORM + "p"], series["t"]
    count = len(norms.steps)
    assert count > acknowledged
    assert norms.steps.tolist() == list(range(count))
    np.testing.assert_allclose(norms.values, np.arange(count) * math.sqrt(6), rtol=1e-6)
    assert logged.steps.tolist() == list(range(len(logged.steps)))
    assert len(logged.steps) in (count, count - 1)  # the open row may be flushed before its t
    assert len(logged.steps) > acknowledged
    assert logged.values.tolist() == list(range(len(logged.steps)))
    if "late" in series:
        late = series["late"]
        assert late.steps.tolist() == list(range(len(late.steps)))
        assert late.values.tolist() == [-step for step in range(len(late.steps))]
    assert acknowledged == 0 or len(series["late"].steps) >= acknowledged
    return count - 1


@pytest.mark.parametrize("format", FORMATS)
def test_acknowledged_rows_survive_and_the_run_says_it_did_not_finish(format, killed):
    """Every row whose flush() had returned is there, with its values; the status is running."""
    jobs = of_format(killed, format)
    assert len(jobs) == KILLS_A_FORMAT
    for job in jobs:
        run = open_run(job["directory"])
        assert_whole(run.series, job["acknowledged"])
        assert run.metadata.status == "running"
        assert run.metadata.finished is None
        assert all("not a whole record" in line for line in run.damage)
    assert sum(job["acknowledged"] for job in jobs) > 50  # they were in the middle of it


def test_the_event_files_of_both_survive_too(killed):
    """Of a run in both formats, either log alone has every acknowledged row."""
    for job in of_format(killed, "both"):
        series = read_event_files(event_files(Path(job["directory"]))).series
        assert_whole(series, job["acknowledged"])


def test_killed_parquet_parts_are_read_by_others(killed):
    """Polars reads the folder of parts as it was left: no half-written file lies in it."""
    for job in of_format(killed, "parquet"):
        parts = Path(job["directory"]) / "metrics.parts"
        frame = polars.read_parquet(parts / "*.parquet", missing_columns="insert")
        assert frame["step"].n_unique() > job["acknowledged"]
        assert {path.suffix for path in parts.iterdir()} == {".parquet"}


def continue_run(directory: Path, format: str, steps: int) -> int:
    """Resume and do some steps; return the first."""
    model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(6))})
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    with GradientRecorder(model, optimizer, directory, format=format, resume=True) as recorder:
        first = recorder.step + 1
        for step in range(first, first + steps):
            model["p"].grad = torch.full((6,), float(step))
            optimizer.step()
            recorder.log("t", step)
    return first


def everything(run: Run) -> dict[str, list[tuple[int, float]]]:
    return {
        tag: list(zip(series.steps.tolist(), series.values.tolist(), strict=True))
        for tag, series in run.series.items()
    }


@pytest.mark.parametrize("format", FORMATS)
def test_a_killed_run_can_be_inspected_and_heard(format, killed, tmp_path):
    """`inspect` says that it did not finish, and its sound has a frame for each step."""
    job = of_format(killed, format)[-1]
    run = open_run(job["directory"])
    done = subprocess.run(
        [sys.executable, "-m", "epochord", "inspect", job["directory"]],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "did not finish" in done.stdout
    heard = render_audio(run, tmp_path)
    assert heard.description["steps"] == len(run.steps)
    assert heard.path.stat().st_size > 0


@pytest.mark.parametrize("format", FORMATS)
def test_resuming_after_a_kill_continues_the_axis(format, killed, tmp_path):
    """Every killed run can go on after its last row; what was there stays as it was."""
    for number, job in enumerate(of_format(killed, format)):
        directory = tmp_path / f"{format}{number}"
        shutil.copytree(job["directory"], directory)
        before = everything(open_run(directory))
        last = max(step for points in before.values() for step, _ in points)
        assert continue_run(directory, format, 5) == last + 1
        run = open_run(directory)
        after = everything(run)
        assert run.metadata.status == "finished"
        fresh = range(last + 1, last + 6)
        assert after["t"] == before["t"] + [(s, float(s)) for s in fresh]
        norms = GRAD_NORM + "p"
        assert after[norms][: len(before[norms])] == before[norms]
        assert [step for step, _ in after[norms]] == list(range(last + 6))
        assert after.get("late") == before.get("late")


@pytest.mark.parametrize("format", FORMATS)
def test_resuming_leaves_no_litter_of_the_kill(format, killed, tmp_path):
    """A finished run consists of the log and run.json; half-written files are gone."""
    for number, job in enumerate(of_format(killed, format)):
        directory = tmp_path / f"{format}{number}"
        shutil.copytree(job["directory"], directory)
        # What a kill in the middle of writing a part leaves, if none did by chance.
        (directory / ".000000000123.parquet.99999999.tmp").write_bytes(b"PAR1")
        continue_run(directory, format, 2)
        names = {path.name for path in directory.iterdir()}
        names -= {path.name for path in event_files(directory)}
        assert names == {"run.json"} | ({"metrics.parquet"} if format != "tensorboard" else set())
