"""A directory that holds a run already: refused, or continued."""

import itertools
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from epochord.recorders import GradientRecorder
from epochord.runlog import RecordingWarning, RunExistsError, open_run
from epochord.runlog.run.run import GRAD_NORM
from epochord.runlog.tensorboard import event_files, read_event_files

FORMATS = ["parquet", "tensorboard", "both"]


class Boom(Exception):
    """What ends a failed run."""


def record(directory, steps: int, *, fail: bool = False, **settings) -> tuple[int, int]:
    """Record some steps whose norm tells the step; return the first and the last."""
    model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(1))})
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    with GradientRecorder(model, optimizer, directory, **settings) as recorder:
        first = recorder.step + 1
        for step in range(first, first + steps):
            model["p"].grad = torch.tensor([step + 0.5])
            optimizer.step()
            recorder.log("x", -step)
        if fail:
            raise Boom("on the way")
    return first, recorder.step


def assert_steps(directory, steps: int) -> None:
    """Assert that every log in a directory has steps 0 … steps-1, once, with their values."""
    logs = [open_run(directory).series]
    if files := event_files(directory):
        logs.append(read_event_files(files).series)
    for series in logs:
        for tag, values in ((GRAD_NORM + "p", [s + 0.5 for s in range(steps)]),
                            ("x", [-float(s) for s in range(steps)])):  # fmt: skip
            assert series[tag].steps.tolist() == list(range(steps))
            assert series[tag].values.tolist() == values


def snapshot(directory) -> dict:
    """Return every file's bytes and time of change."""
    return {
        path.relative_to(directory): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("fail", [False, True])
@pytest.mark.parametrize("format", FORMATS)
def test_an_existing_run_is_refused_and_left_as_it_is(format, fail, tmp_path):
    """Without resume nothing is overwritten, whatever the new format; the remedy is named."""
    with pytest.raises(Boom) if fail else nullcontext():
        record(tmp_path / "mine", 3, format=format, fail=fail)
    before = snapshot(tmp_path / "mine")
    for new in FORMATS:
        with pytest.raises(RunExistsError, match=r"mine: already holds a run.*resume=True") as e:
            record(tmp_path / "mine", 3, format=new)
        assert "3 steps" in str(e.value)
        assert "\n" not in str(e.value)
    assert snapshot(tmp_path / "mine") == before


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("fail", [False, True])
@pytest.mark.parametrize("format", FORMATS)
def test_resuming_continues_the_axis(format, fail, every, tmp_path):
    """After a finished or a failed run the steps go on where they ended."""
    directory = tmp_path / "mine"
    with pytest.raises(Boom) if fail else nullcontext():
        record(directory, 6, format=format, fail=fail, every=every)
    assert record(directory, 5, format=format, resume=True, every=every) == (6, 10)
    assert record(directory, 3, format=format, resume=True, every=every) == (11, 13)
    run = open_run(directory)
    assert run["x"].values.tolist() == [-float(s) for s in range(14)]
    assert run[GRAD_NORM + "p"].steps.tolist() == list(range(0, 14, every))
    assert (run.metadata.status, run.metadata.error) == ("finished", None)
    if every == 1:
        assert_steps(directory, 14)


@pytest.mark.parametrize("format", FORMATS)
def test_a_resumed_run_has_the_hash_of_an_uninterrupted_one(format, tmp_path):
    """Interruptions do not show in what was measured."""
    record(tmp_path / "whole", 9)
    record(tmp_path / "pieces", 4, format=format)
    record(tmp_path / "pieces", 5, format=format, resume=True)
    assert open_run(tmp_path / "pieces").log_hash() == open_run(tmp_path / "whole").log_hash()


RESUMING = """
import sys, torch
from torch import nn
from epochord.recorders import GradientRecorder
model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(1))})
optimizer = torch.optim.SGD(model.parameters(), 0.0)
for step in range(12):
    for format in ("parquet", "tensorboard", "both"):
        directory = f"{sys.argv[1]}/{format}"
        with GradientRecorder(model, optimizer, directory, format=format, resume=True) as recorder:
            model["p"].grad = torch.tensor([step + 0.5])
            optimizer.step()
            recorder.log("x", -step)
"""


def test_many_resumes_within_a_second_stay_in_order(run_script, tmp_path):
    """The log's order hangs neither on the clock nor on how numbers in file names sort."""
    done = run_script(RESUMING, tmp_path)
    assert done.returncode == 0, done.stderr
    for format in FORMATS:
        assert_steps(tmp_path / format, 12)


@pytest.mark.parametrize("format", FORMATS)
def test_steps_without_any_measurement_count_too(format, tmp_path):
    """With every=10 and nothing logged, 25 steps are 25 steps, not 21."""
    model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(1))})
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    settings = {"every": 10, "format": format}
    with GradientRecorder(model, optimizer, tmp_path / "mine", **settings) as recorder:
        for _ in range(25):
            model["p"].grad = torch.ones(1)
            optimizer.step()
    assert recorder.step == 24
    with GradientRecorder(model, optimizer, tmp_path / "mine", resume=True, **settings) as again:
        assert again.step == 24


@pytest.mark.parametrize(("old", "new"), list(itertools.permutations(FORMATS, 2)))
def test_resuming_in_another_format_is_refused(old, new, tmp_path):
    """The message names the format to use; nothing on disk changes."""
    record(tmp_path / "mine", 3, format=old)
    before = snapshot(tmp_path / "mine")
    with pytest.raises(RunExistsError, match=f"recorded as {old}, not as {new}.*format='{old}'"):
        record(tmp_path / "mine", 3, format=new, resume=True)
    assert snapshot(tmp_path / "mine") == before


@pytest.mark.parametrize("kind", ["missing", "empty", "nested", "other files"])
def test_resuming_what_is_not_there_just_starts(kind, tmp_path):
    """A script can always say resume=True."""
    directory = tmp_path / ("a/b/mine" if kind == "nested" else "mine")
    if kind in ("empty", "other files"):
        directory.mkdir()
    if kind == "other files":
        (directory / "notes.txt").write_text("keep me")
    assert record(directory, 4, resume=True) == (0, 3)
    assert_steps(directory, 4)
    if kind == "other files":
        assert (directory / "notes.txt").read_text() == "keep me"


@pytest.mark.parametrize("format", FORMATS)
def test_resuming_a_run_that_ended_before_its_first_step(format, tmp_path):
    """It begins at step 0."""
    record(tmp_path / "mine", 0, format=format)
    assert record(tmp_path / "mine", 3, format=format, resume=True) == (0, 2)
    assert_steps(tmp_path / "mine", 3)


def test_a_value_for_a_step_that_never_comes_is_not_put_into_an_earlier_session(tmp_path):
    """The rows of the earlier session are closed: one warning says what is lost."""
    record(tmp_path / "mine", 3)
    model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(1))})
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    with (
        pytest.warns(RecordingWarning, match="no step has come"),
        GradientRecorder(model, optimizer, tmp_path / "mine", resume=True) as recorder,
    ):
        assert recorder.step == 2
        recorder.log("y", 1.0)
    assert_steps(tmp_path / "mine", 3)


def test_resuming_keeps_what_the_run_knew(tmp_path):
    """Start, seed, data set and settings stay unless they are given anew."""
    record(tmp_path / "mine", 2, seed=5, dataset={"name": "d"}, hyperparameters={"a": 1, "b": 2})
    first = open_run(tmp_path / "mine").metadata
    record(tmp_path / "mine", 2, resume=True, hyperparameters={"b": 3})
    second = open_run(tmp_path / "mine").metadata
    assert second.started == first.started
    assert (second.seed, second.dataset) == (5, {"name": "d"})
    assert {**second.hyperparameters} == {**first.hyperparameters, "b": 3}
    assert second.layers == first.layers


@pytest.mark.parametrize("format", FORMATS)
def test_a_resumed_run_that_is_flushed_and_fails(format, tmp_path):
    """Rows of both sessions are there while it runs, and after it failed."""
    record(tmp_path / "mine", 3, format=format)
    model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(1))})
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    recorder = GradientRecorder(model, optimizer, tmp_path / "mine", format=format, resume=True)

    def loop() -> None:
        with recorder:
            for step in range(3, 6):
                model["p"].grad = torch.tensor([step + 0.5])
                optimizer.step()
                recorder.log("x", -step)
                recorder.flush()
                assert open_run(tmp_path / "mine").metadata.status == "running"
                assert_steps(tmp_path / "mine", step + 1)
            raise Boom("again")

    with pytest.raises(Boom):
        loop()
    assert_steps(tmp_path / "mine", 6)
    assert open_run(tmp_path / "mine").metadata.error == "Boom: again"


def test_resuming_with_another_model_is_refused(tmp_path):
    """A run is of one model; nothing on disk changes."""
    record(tmp_path / "mine", 3)
    before = snapshot(tmp_path / "mine")
    other = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(other.parameters(), 0.1)
    with pytest.raises(RunExistsError, match="another model"):
        GradientRecorder(other, optimizer, tmp_path / "mine", resume=True)
    assert snapshot(tmp_path / "mine") == before


def test_a_run_that_failed_before_its_first_step_does_not_block_its_name(tmp_path):
    """Debugging the first step does not mean removing a directory each time."""
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    recorder = GradientRecorder(model, optimizer, tmp_path / "mine")
    recorder.close(error="ValueError: no")
    assert record(tmp_path / "mine", 3) == (0, 2)
    assert_steps(tmp_path / "mine", 3)


def test_event_files_without_run_json_can_be_gone_on_with(tmp_path):
    """What the model was is not known then, so it is taken on trust."""
    record(tmp_path / "mine", 3, format="tensorboard")
    (tmp_path / "mine" / "run.json").unlink()
    assert record(tmp_path / "mine", 2, format="tensorboard", resume=True)[0] == 3
    assert_steps(tmp_path / "mine", 5)
