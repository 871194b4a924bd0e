"""When training or the log goes wrong: rows are kept, and the run says what happened."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from epochord.recorders import GradientRecorder
from epochord.runlog import OutputError, open_run
from epochord.runlog.run.contents import damage_lines
from epochord.runlog.run.run import GRAD_NORM
from epochord.runlog.tensorboard import event_files, read_event_files

FORMATS = ["parquet", "tensorboard", "both"]


class OutOfPatience(Exception):
    """What the user's own loop raises."""


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OutOfPatience("loss is nan at step 3"), "OutOfPatience: loss is nan at step 3"),
        (OutOfPatience(), "OutOfPatience"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (SystemExit(3), "SystemExit: 3"),
    ],
    ids=["error", "bare", "ctrl-c", "exit"],
)
def test_an_exception_in_the_loop_fails_the_run_and_keeps_its_rows(
    error, text, format, one, tmp_path
):
    """The exception goes on its way; status and reason are noted, every row is there."""
    model, optimizer, step = one

    def loop() -> None:
        with GradientRecorder(model, optimizer, tmp_path / "mine", format=format) as recorder:
            for number in range(10):
                step(number)
                recorder.log("x", number)
                if number == 3:
                    raise error

    with pytest.raises(type(error)) as caught:
        loop()
    assert caught.value is error
    run = open_run(tmp_path / "mine")
    assert (run.metadata.status, run.metadata.error) == ("failed", text)
    assert run.metadata.finished is not None
    assert run["x"].values.tolist() == [0, 1, 2, 3]
    assert run[GRAD_NORM + "p"].values.tolist() == [0.5, 1.5, 2.5, 3.5]
    assert optimizer._optimizer_step_post_hooks == {}


def test_an_exception_before_the_first_step(one, tmp_path):
    """A run without rows is a run too: failed, and it can be opened."""
    model, optimizer, _ = one
    with pytest.raises(OutOfPatience), GradientRecorder(model, optimizer, tmp_path / "mine"):
        raise OutOfPatience("no data")
    run = open_run(tmp_path / "mine")
    assert (run.metadata.status, run.metadata.error) == ("failed", "OutOfPatience: no data")
    assert dict(run.series) == {}


UNCLOSED = """
import os, sys, torch
from torch import nn
from epochord.recorders import GradientRecorder
folder = sys.argv[1]
torch.set_num_threads(1)
torch.optim.SGD([nn.Parameter(torch.zeros(1))]).step()  # torch imports more at a first step
for ending in ("forgotten", "raised", "exited"):
    child = os.fork()  # importing torch once is enough
    if child == 0:
        break
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with open(f"{folder}/{ending}.code", "w") as file:
        file.write(str(code))
else:
    sys.exit()
sys.stderr = open(f"{folder}/{ending}.err", "w")
model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(1))})
optimizer = torch.optim.SGD(model.parameters(), 0.0)
recorders = [
    GradientRecorder(model, optimizer, f"{folder}/{ending}-{format}", format=format)
    for format in ("parquet", "tensorboard", "both")
]
for step in range(7):
    model["p"].grad = torch.tensor([step + 0.5])
    optimizer.step()
    for recorder in recorders:
        recorder.log("x", step)
if ending == "raised":
    raise ValueError("diverged")
if ending == "exited":
    sys.exit(4)
"""


@pytest.fixture(scope="module")
def unclosed(tmp_path_factory):
    """Give the folder of programs that ended without closing their recorders."""
    folder = tmp_path_factory.mktemp("unclosed")
    script = folder / "script.py"
    script.write_text(UNCLOSED, encoding="utf-8")
    subprocess.run([sys.executable, str(script), str(folder)], check=True, timeout=120)
    return folder


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("ending", "code", "stderr"),
    [("forgotten", "0", ""), ("raised", "1", "ValueError: diverged"), ("exited", "4", "")],
    ids=["forgotten", "raised", "exited"],
)
def test_a_recorder_that_nobody_closes_ends_with_its_program(
    ending, code, stderr, format, unclosed
):
    """All rows are in the log; the run has failed only where an exception ended the program."""
    assert (unclosed / f"{ending}.code").read_text() == code
    complaint = (unclosed / f"{ending}.err").read_text()
    assert complaint.strip().rpartition("\n")[2] == stderr
    assert complaint.count("Traceback") == bool(stderr)
    run = open_run(unclosed / f"{ending}-{format}")
    assert run["x"].values.tolist() == list(range(7))
    assert run[GRAD_NORM + "p"].values.tolist() == [step + 0.5 for step in range(7)]
    failed = ending == "raised"
    assert run.metadata.status == ("failed" if failed else "finished")
    assert run.metadata.error == ("ValueError: diverged" if failed else None)


FORKING = """
import multiprocessing, os, sys, torch
from torch import nn
from epochord.recorders import GradientRecorder
model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(1))})
optimizer = torch.optim.SGD(model.parameters(), 0.0)
with GradientRecorder(model, optimizer, sys.argv[1] + "/mine") as recorder:
    for step in range(6):
        model["p"].grad = torch.tensor([step + 0.5])
        optimizer.step()
        recorder.log("x", step)
        if step == 2:
            child = os.fork()
            if child == 0:
                os.environ["CHILD"] = "1"
                break
            assert os.waitpid(child, 0)[1] == 0
    if "CHILD" in os.environ:
        recorder = None
        import atexit
        atexit._run_exitfuncs()
        os._exit(0)
"""


def test_a_forked_child_that_ends_leaves_the_run_alone(run_script, tmp_path):
    """A data loader's worker inherits the recorder, not the run."""
    done = run_script(FORKING, tmp_path)
    assert done.returncode == 0, done.stderr
    run = open_run(tmp_path / "mine")
    assert run.metadata.status == "finished"
    assert run["x"].values.tolist() == list(range(6))


def break_parts(directory):
    """Put a file where the folder of parts was; return where that is now."""
    parts = directory / "metrics.parts"
    aside = directory / "aside"
    parts.rename(aside)
    parts.write_text("in the way")
    return aside


def test_an_error_while_writing_arises_in_the_loop(one, tmp_path):
    """The worker's error comes up at a following call; training does not go on unlogged."""
    model, optimizer, step = one
    recorder = GradientRecorder(
        model, optimizer, tmp_path / "mine", flush_seconds=0, on_error="raise"
    )
    for number in range(3):
        step(number)
    recorder.flush()
    aside = break_parts(tmp_path / "mine")

    def go_on() -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            step(recorder.step + 1)

    with pytest.raises(OSError, match=r"metrics\.parts"):
        go_on()
    with pytest.raises(OSError, match=r"metrics\.parts"):
        recorder.flush()
    with pytest.raises(OSError, match=r"metrics\.parts"):
        recorder.close()
    document = json.loads((tmp_path / "mine" / "run.json").read_text())
    assert document["status"] == "failed"
    assert "metrics.parts" in document["error"]
    (tmp_path / "mine" / "metrics.parts").unlink()
    aside.rename(tmp_path / "mine" / "metrics.parts")
    assert open_run(tmp_path / "mine").steps.tolist() == [0, 1, 2]


def test_an_error_while_flushing_arises_there(one, tmp_path):
    """flush() acknowledges nothing that is not on disk."""
    model, optimizer, step = one
    recorder = GradientRecorder(model, optimizer, tmp_path / "mine", on_error="raise")
    step(0)
    break_parts(tmp_path / "mine")
    with pytest.raises(OSError, match=r"metrics\.parts"):
        recorder.flush()
    with pytest.raises(OSError, match=r"metrics\.parts"):
        recorder.close()


def test_an_error_while_closing_fails_the_run(one, tmp_path):
    """A `with` that ends well, but for the log, raises; a second close is quiet."""
    model, optimizer, step = one
    recorder = GradientRecorder(model, optimizer, tmp_path / "mine", on_error="raise")

    def loop() -> None:
        with recorder:
            step(0)
            break_parts(tmp_path / "mine")

    with pytest.raises(OSError, match=r"metrics\.parts"):
        loop()
    document = json.loads((tmp_path / "mine" / "run.json").read_text())
    assert document["status"] == "failed"
    recorder.close()
    step(1)  # the hooks are gone


def test_the_loops_own_error_comes_first(one, tmp_path):
    """When the loop raises and the log cannot be completed either, the loop's error is seen."""
    model, optimizer, step = one

    def loop() -> None:
        with GradientRecorder(model, optimizer, tmp_path / "mine", on_error="raise"):
            step(0)
            break_parts(tmp_path / "mine")
            raise OutOfPatience("mine")

    with pytest.raises(OutOfPatience, match="mine") as caught:
        loop()
    assert "the log could not be completed" in caught.value.__notes__[0]
    document = json.loads((tmp_path / "mine" / "run.json").read_text())
    assert (document["status"], document["error"]) == ("failed", "OutOfPatience: mine")


def test_with_both_formats_the_healthy_log_is_closed(one, tmp_path):
    """Parquet fails; the event file is whole up to there, and no file stays open."""
    model, optimizer, step = one
    recorder = GradientRecorder(
        model, optimizer, tmp_path / "mine", format="both", on_error="raise"
    )
    for number in range(3):
        step(number)
    recorder.flush()
    break_parts(tmp_path / "mine")
    step(3)
    with pytest.raises(OSError, match=r"metrics\.parts"):
        recorder.close()
    contents = read_event_files(event_files(tmp_path / "mine"))
    assert not damage_lines(contents.files)
    series = contents.series
    assert series[GRAD_NORM + "p"].values.tolist()[:3] == [0.5, 1.5, 2.5]
    if sys.platform == "linux":
        held = [str(fd.resolve()) for fd in Path("/proc/self/fd").iterdir()]
        assert not [path for path in held if "tfevents" in path and str(tmp_path) in path]


def test_a_place_that_cannot_be_written_to_is_refused_in_one_line(one, tmp_path):
    """The user sees what, where and the remedy, and training is not hooked."""
    model, optimizer, step = one
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match=r"file.*cannot record there.*choose a folder") as caught:
        GradientRecorder(model, optimizer, tmp_path / "file" / "mine")
    assert "\n" not in str(caught.value)
    step(0)


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="needs /dev/full")
def test_a_full_disk_is_an_error_of_the_loop(one, tmp_path):
    """ENOSPC from the kernel itself: flush() raises, close() notes the failure."""
    model, optimizer, step = one
    recorder = GradientRecorder(model, optimizer, tmp_path / "mine", on_error="raise")
    step(0)
    recorder.flush()
    # The part's temporary file is a link to a device that is always full.
    (tmp_path / "mine" / f".000000000001.parquet.{os.getpid()}.tmp").symlink_to("/dev/full")
    step(1)
    with pytest.raises(OSError, match="No space left"):
        recorder.flush()
    with pytest.raises(OSError, match="No space left"):
        recorder.close()
    run = open_run(tmp_path / "mine")
    assert run.steps.tolist() == [0]
    assert run.metadata.status == "failed"
    assert "No space left" in run.metadata.error
