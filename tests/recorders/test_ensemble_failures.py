"""What cannot be recorded is refused in one line; what was recorded survives what comes."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from epochord.recorders import EnsembleRecorder
from epochord.runlog import OutputError, RecordingWarning, RunExistsError, open_run
from epochord.runlog.reading.ensemble import open_ensemble

GRID = torch.linspace(-1, 1, 30)
POINTS = (GRID[:5], GRID[:5])


def line(inputs: torch.Tensor) -> torch.Tensor:
    return inputs[:, 0]


REFUSED = {
    "no members": ([], {}, ValueError, r"members: there are none"),
    "none from a function": (lambda x: x.new_zeros(0, len(x)), {}, ValueError, "there are none"),
    "a number": (3, {}, TypeError, r"members is int; expected a list of modules"),
    "a list of numbers": ([line, 3], {}, TypeError, r"members\[1\] is int; expected modules"),
    "unequal points": (
        [line, line, line, lambda x: x[:20, 0]], {}, ValueError,
        r"member 3 gives \(20,\) at 30 points; expected \(30,\) or \(30, 1\)",
    ),
    "one row": (line, {}, ValueError, r"members gives \(30,\) at 30 points; expected \(members"),
    "another input": (
        [nn.Linear(1, 1), nn.Linear(7, 1)], {}, ValueError,
        r"member 1 cannot be asked with a tensor of shape \(30, 1\) \(RuntimeError: .*mat1",
    ),
    "torch at a list": (
        lambda x: torch.sin(x).T, {"grid": [0.0, 1.0]}, ValueError,
        r"members cannot be asked with an array of shape \(2, 1\) \(TypeError: ",
    ),
    "no numbers": ([lambda _: np.array(["a"] * 30)], {}, TypeError, "gives <U1; expected real"),
    "complex": ([lambda x: torch.complex(x, x)], {}, TypeError, "complex64; expected real"),
    "an empty grid": ([line], {"grid": []}, ValueError, "no points at which the members"),
    "a grid of words": ([line], {"grid": ["a"]}, TypeError, r"grid is <U1; expected real"),
    "data alone": ([line], {"data": GRID}, TypeError, r"data is Tensor; expected \(inputs, targ"),
    "few targets": ([line], {"data": (GRID, GRID[1:])}, ValueError, r"targets of shape \(29,\)"),
    "another plane": (
        [line], {"held_out": (torch.zeros(3, 2), torch.zeros(3))}, ValueError,
        r"held_out has shape \(3, 2\); expected \(points, 1\)",
    ),
    "indices of no data": ([line], {"indices": [[0]]}, ValueError, r"of no data; pass the train"),
    "indices of others": (
        [line], {"indices": [[0], [1]], "data": POINTS}, ValueError,
        r"indices are int64 of shape \(2, 1\); expected integers \(1, draws\)",
    ),
    "indices beyond": (
        [line], {"indices": [[5]], "data": POINTS}, ValueError, r"numbers from 0 to 4",
    ),
    "indices in between": (
        [line], {"indices": [[0.5]], "data": POINTS}, ValueError, r"indices are float64",
    ),
    "few priors": ([line] * 2, {"prior": [line]}, ValueError, r"prior has 1 functions for 2"),
    "a prior of few points": (
        [line], {"prior": [lambda x: x[:3]]}, ValueError, r"prior 0 gives \(3, 1\) at 30 points",
    ),
    "an endless scale": ([line], {"prior_scale": np.inf}, ValueError, "prior_scale is inf"),
    "every 0": ([line], {"every": 0}, ValueError, "every is 0"),
    "every 1.5": (
        [line], {"every": 1.5}, ValueError, r"every is 1\.5; expected an integer of at least 1",
    ),
    "every forever": ([line], {"every": np.inf}, ValueError, "every is inf; expected an integer"),
    "a format": ([line], {"format": "csv"}, ValueError, "format is 'csv'; expected one of"),
    "too much for event files": (
        lambda x: x.T.expand(1100, -1), {"grid": torch.zeros(4000), "format": "both"},
        ValueError, r"4,400,000 numbers .* 4,194,304: record with format='parquet'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_in_one_line_and_nothing_is_made(case, tmp_path):
    """The message says what it got and what it expected."""
    members, arguments, error, message = REFUSED[case]
    with pytest.raises(error, match=message) as caught:
        EnsembleRecorder(members, tmp_path / "mine", **{"grid": GRID, **arguments})
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def recorder(tmp_path):
    """Give a recorder of two members in tmp_path/"mine"."""
    given = EnsembleRecorder([line, line], tmp_path / "mine", grid=GRID, data=POINTS)
    yield given
    given.close()


@pytest.mark.parametrize(
    ("losses", "error", "message"),
    [
        (torch.ones(3), ValueError, r"losses have shape \(3,\); expected \(2,\), one a member"),
        (torch.ones(2, 1), ValueError, r"losses have shape \(2, 1\)"),
        (1.0, ValueError, r"losses have shape \(\)"),
        (["a", "b"], TypeError, "losses are <U1"),
        (torch.ones(2, dtype=torch.complex64), TypeError, "losses are torch.complex64"),
    ],
)
def test_wrong_losses_are_refused_and_are_no_epoch(losses, error, message, recorder):
    """The next epoch has the number that it would have had."""
    recorder.record(torch.ones(2))
    with pytest.raises(error, match=message):
        recorder.record(losses)
    assert recorder.step == 0
    recorder.record([1, 2])
    assert recorder.step == 1


def test_indices_that_come_late_or_wrong_are_refused(recorder):
    """What cannot be logged any more would be missing when it is looked for."""
    with pytest.raises(ValueError, match=r"expected integers \(2, draws\)"):
        recorder.record(indices=[[0]])
    recorder.record()
    with pytest.raises(ValueError, match="indices come in epoch 1 for the first time"):
        recorder.record(indices=[[0], [1]])


@pytest.mark.parametrize("tag", ["step", "loss/00", "loss/mine", "ensemble/x", "grad_norm/x", ""])
def test_the_recorders_own_tags_are_left_out(tag, recorder):
    """They would be taken for its own: left out, with a warning."""
    recorder.record()
    with pytest.warns(RecordingWarning, match=r"log\(.*is not recorded"):
        recorder.log(tag, 1.0)


def test_what_is_logged_before_an_epoch_belongs_to_it(recorder):
    """Also before the first one; of several values the last counts, the mean loss among them."""
    for epoch in range(3):
        recorder.log("x", epoch)
        recorder.record([1.0, 2.0])
        recorder.log("y", -epoch)
    recorder.log("loss", 7.0)
    recorder.close()
    run = open_run(recorder.path)
    assert run["x"].values.tolist() == [0.0, 1.0, 2.0]
    assert run["y"].values.tolist() == [0.0, -1.0, -2.0]
    assert run["loss"].values.tolist() == [1.5, 1.5, 7.0]


def test_a_closed_recorder_says_so(recorder):
    """Closing twice is quiet; recording then is not."""
    recorder.close()
    recorder.close()
    with pytest.raises(RuntimeError, match=r"record.*closed"):
        recorder.record()


def test_a_run_that_is_there_is_not_touched(recorder, tmp_path):
    """The remedy is another place: there is nothing to resume."""
    recorder.record([1.0, 2.0])
    recorder.close()
    with pytest.raises(RunExistsError, match="another directory, or pass overwrite=True") as caught:
        EnsembleRecorder([line], tmp_path / "mine", grid=GRID)
    assert "resume" not in str(caught.value)
    assert open_ensemble(tmp_path / "mine").members == 2


def test_predictions_alone_are_a_run_too(tmp_path):
    """A failed run without losses is not taken for an empty one."""
    recorder = EnsembleRecorder([line], tmp_path / "mine", grid=GRID)
    recorder.record()
    recorder.close(error="diverged")
    with pytest.raises(RunExistsError, match="already holds a run"):
        EnsembleRecorder([line], tmp_path / "mine", grid=GRID)


def test_a_place_that_cannot_be_written_to(tmp_path):
    """A file stands where the folder should."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose a folder"):
        EnsembleRecorder([line], tmp_path / "file" / "mine", grid=GRID)


@pytest.mark.parametrize("format", ["parquet", "tensorboard", "both"])
def test_an_exception_in_the_loop_fails_the_run_and_keeps_its_epochs(format, tmp_path):
    """The members, perhaps broken by now, are not asked again."""
    calls = []

    def member(inputs: torch.Tensor) -> torch.Tensor:
        calls.append(len(inputs))
        return inputs[:, 0] + len(calls)

    def loop() -> None:
        with EnsembleRecorder([member], tmp_path / "mine", grid=GRID, format=format) as recorder:
            for epoch in range(9):
                recorder.record([epoch])
                if epoch == 3:
                    raise ArithmeticError("diverged")

    with pytest.raises(ArithmeticError):
        loop()
    assert len(calls) == 5  # once to see what they are, once an epoch
    ensemble = open_ensemble(tmp_path / "mine")
    assert ensemble.epochs.tolist() == [0, 1, 2, 3]
    assert ensemble.run["loss"].values.tolist() == [0, 1, 2, 3]
    about = ensemble.run.metadata
    assert (about.status, about.error) == ("failed", "ArithmeticError: diverged")


def test_a_member_that_breaks_at_the_end_fails_the_run_and_keeps_its_epochs(tmp_path):
    """What was measured before is written."""
    broken = []

    def member(inputs: torch.Tensor) -> torch.Tensor:
        if broken:
            raise RuntimeError("out of memory")
        return inputs[:, 0]

    recorder = EnsembleRecorder([member], tmp_path / "mine", grid=GRID)
    recorder.record([1.0])
    broken.append(True)
    with pytest.raises(RuntimeError, match="out of memory"):
        recorder.close()
    assert open_ensemble(tmp_path / "mine").epochs.tolist() == [0]
    assert open_run(tmp_path / "mine").metadata.status == "failed"


KILLED = """
import json, os, select, signal, sys, time
import torch
from epochord.recorders import EnsembleRecorder
import runlog.tensorboard

torch.set_num_threads(1)
grid = torch.linspace(0, 1, 50)

def train(directory, format, pipe):
    state = torch.zeros(3, 50)
    recorder = EnsembleRecorder(
        lambda x: state[:, :len(x)], directory, grid=grid, format=format, flush_seconds=0.01
    )
    for epoch in range(10_000_000):
        state.fill_(epoch)
        recorder.record(state[:, 0])
        if epoch % 3 == 0:
            recorder.flush()
            os.write(pipe, f"{epoch}\\n".encode())

for directory, format, after in json.loads(sys.argv[1]):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            train(directory, format, writing)
        finally:
            os._exit(1)
    os.close(writing)
    assert select.select([reading], [], [], 60)[0]
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    with os.fdopen(reading) as pipe:
        print([line for line in pipe.read().splitlines(keepends=True) if line[-1] == "\\n"][-1])
"""


def test_what_flush_has_returned_for_survives_a_kill(tmp_path):
    """After kill -9 in the middle: every acknowledged epoch is there, and it is what was said."""
    jobs = [
        (str(tmp_path / f"{format}{after}"), format, after)
        for format in ("parquet", "tensorboard", "both")
        for after in (0.05, 0.3)
    ]
    script = tmp_path / "script.py"
    script.write_text(KILLED, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), json.dumps(jobs)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    acknowledged = [int(line) for line in done.stdout.split()]
    for (directory, _, _), last in zip(jobs, acknowledged, strict=True):
        ensemble = open_ensemble(directory)
        count = len(ensemble.epochs)
        assert count > last
        assert ensemble.epochs.tolist() == list(range(count))
        assert [p.grid[1, 7] for p in ensemble] == list(range(count))
        assert ensemble.run["loss/01"].values.tolist()[: last + 1] == list(range(last + 1))
        assert ensemble.run.metadata.status == "running"
    assert max(acknowledged) > 10
