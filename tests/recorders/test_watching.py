"""Recording in one line: a free name, a cell that runs again, copies, children, other folders."""

import copy
import io
import os
import pickle
import re
import threading
from pathlib import Path

import pytest
import torch
from torch import nn

import epochord
from epochord.runlog import OutputError, RunExistsError, open_run
from epochord.runlog.run.run import GRAD_NORM
from epochord.runlog.writing.ownership import LOCK


@pytest.fixture(autouse=True)
def there(tmp_path, monkeypatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def small() -> tuple[nn.ParameterDict, torch.optim.Optimizer]:
    model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(1))})
    return model, torch.optim.SGD(model.parameters(), 0.0)


def steps(model, optimizer, numbers) -> None:
    for number in numbers:
        model["p"].grad = torch.tensor([number + 0.5])
        optimizer.step()


def test_without_a_directory_each_run_takes_a_free_name(there):
    """Numbered by the day; what lies there already, of whatever kind, is left alone."""
    model, optimizer = small()
    with epochord.watch(model, optimizer) as first:
        steps(model, optimizer, range(2))
    day, number = re.fullmatch(r"(\d{4}-\d\d-\d\d)-(\d+)", first.path.name).groups()
    assert (first.path.parent, number) == (there / "runs", "1")
    (there / "runs" / f"{day}-2").write_text("a file of somebody's")
    with epochord.watch(model, optimizer) as second:
        steps(model, optimizer, range(3))
    assert second.path.name == f"{day}-3"
    assert [len(open_run(each.path).steps) for each in (first, second)] == [2, 3]


def test_recorders_that_begin_at_once_get_names_of_their_own(there):
    """Whoever makes the directory has it."""
    together, recorders = threading.Barrier(6, timeout=60), []

    def begin() -> None:
        model, optimizer = small()
        together.wait()
        recorders.append((epochord.watch(model, optimizer), model))

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for recorder, _ in recorders:
        recorder.close()
    assert len({recorder.path for recorder, _ in recorders}) == 6
    assert {recorder.path for recorder, _ in recorders} == set((there / "runs").iterdir())


def test_what_is_refused_leaves_no_name_behind(there):
    """The next run has the number."""
    model, optimizer = small()
    _, stranger = small()
    with pytest.raises(ValueError, match="holds no parameter"):
        epochord.watch(model, stranger)
    assert list(there.iterdir()) == []
    with epochord.watch(model, optimizer) as recorder:
        assert recorder.path.name.endswith("-1")


def test_a_cell_that_runs_again_begins_anew_or_goes_on():
    """The recorder that is still open there is closed first; it says nothing more."""
    model, optimizer = small()
    first = epochord.watch(model, optimizer, "runs/mine", overwrite=True)
    steps(model, optimizer, range(5))
    epochord.watch(model, optimizer, "runs/mine", overwrite=True)
    steps(model, optimizer, range(10, 13))
    first.flush()
    third = epochord.watch(model, optimizer, "runs/mine", resume=True)
    assert third.step == 2
    steps(model, optimizer, range(13, 15))
    third.close()
    assert open_run("runs/mine")[GRAD_NORM + "p"].values.tolist() == [
        n + 0.5 for n in range(10, 15)
    ]


@pytest.mark.parametrize("another", ["runs/mine", "runs/../runs/mine", "link"])
def test_a_run_that_is_open_in_this_process_is_refused_in_a_line(another, there):
    """Whatever path leads there; the one that records goes on."""
    model, optimizer = small()
    with epochord.watch(model, optimizer, "runs/mine") as recorder:
        (there / "link").symlink_to(there / "runs" / "mine")
        steps(model, optimizer, range(2))
        recorder.flush()
        before = sorted(each.name for each in recorder.path.iterdir())
        with pytest.raises(RunExistsError, match=r"this process is recording there") as caught:
            epochord.watch(model, optimizer, another)
        assert "\n" not in str(caught.value)
        assert sorted(each.name for each in recorder.path.iterdir()) == before
        steps(model, optimizer, range(2, 4))
    assert open_run("runs/mine").steps.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("directory", [None, "runs/mine"])
def test_other_ranks_make_nothing(directory, there, monkeypatch):
    """Before there is a process group, torchrun's RANK says who writes."""
    monkeypatch.setenv("RANK", "1")
    model, optimizer = small()
    with epochord.watch(model, optimizer, directory) as recorder:
        steps(model, optimizer, range(3))
        recorder.log("x", 1.0)
        assert recorder.flush()
        assert recorder.step == 2
    assert list(there.iterdir()) == []


def test_what_cannot_be_written_to_is_refused_without_a_trace(there):
    """A file lies where the folder of runs would be."""
    (there / "runs").write_text("")
    model, optimizer = small()
    with pytest.raises(OutputError, match=r"cannot record there") as caught:
        epochord.watch(model, optimizer)
    assert "\n" not in str(caught.value)


def copied(model):
    return copy.deepcopy(model)


def pickled(model):
    return pickle.loads(pickle.dumps(model))


def saved(model):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("way", [copied, pickled, saved, copy.copy])
def test_a_model_that_holds_its_recorder_can_be_copied(way):
    """For an average of the weights, a checkpoint, a worker: the copy is not recorded."""
    model, optimizer = small()
    model.recorder = epochord.watch(model, optimizer, "runs/mine")
    steps(model, optimizer, range(2))
    other = way(model)
    if way is not copy.copy:  # which shares the parameters
        steps(other, torch.optim.SGD(other.parameters(), 0.0), range(50, 53))
    if way in (pickled, saved):
        other.recorder.log("x", 1.0)
        other.recorder.close()
    steps(model, optimizer, range(2, 4))
    model.recorder.log("y", 1.0)
    model.recorder.close()
    run = open_run("runs/mine")
    assert run[GRAD_NORM + "p"].values.tolist() == [0.5, 1.5, 2.5, 3.5]
    assert set(run.series) == {GRAD_NORM + "p", "y"}


@pytest.mark.parametrize("format", ["parquet", "tensorboard", "both"])
def test_whoever_trains_may_change_directories(format, there):
    """The log stays where it began, and is completed there."""
    model, optimizer = small()
    (there / "elsewhere").mkdir()
    with epochord.watch(model, optimizer, "runs/mine", format=format) as recorder:
        steps(model, optimizer, range(2))
        os.chdir(there / "elsewhere")
        recorder.flush()
        steps(model, optimizer, range(2, 4))
    assert open_run(there / "runs" / "mine").steps.tolist() == [0, 1, 2, 3]
    assert list((there / "elsewhere").iterdir()) == []


CHILDREN = """
import multiprocessing, os, sys, torch, warnings
from torch import nn
import epochord

torch.set_num_threads(1)
os.chdir(sys.argv[1])

def small():
    model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(1))})
    return model, torch.optim.SGD(model.parameters(), 0.0)

def steps(model, optimizer, count):
    for number in range(count):
        model["p"].grad = torch.tensor([number + 0.5])
        optimizer.step()

def child(name, fails=False):
    sys.stderr = open(os.devnull, "w")
    model, optimizer = small()
    recorder = epochord.watch(model, optimizer, name and f"runs/{name}")
    steps(model, optimizer, 3)
    recorder.log("x", 1.0)
    if fails:
        raise ValueError("in a child")

model, optimizer = small()
mine = epochord.watch(model, optimizer, "runs/parent")
steps(model, optimizer, 2)
fork = multiprocessing.get_context("fork")
jobs = [("well",), ("badly", True), (None,), (None,), (None,)]
children = [fork.Process(target=child, args=job) for job in jobs]
for each in children:
    each.start()
for each in children:
    each.join()
print([each.exitcode for each in children])
steps(model, optimizer, 2)
"""


def test_children_with_recorders_of_their_own(there, run_script):
    """They finish their logs, fail them, take free names at once, and leave the parent's alone."""
    done = run_script(CHILDREN, there)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "[0, 1, 0, 0, 0]"
    runs = {path.name: open_run(path) for path in (there / "runs").iterdir()}
    named = {name: runs.pop(name) for name in ("parent", "well", "badly")}
    assert {name: (len(run.steps), run.metadata.status) for name, run in named.items()} == {
        "parent": (4, "finished"),
        "well": (3, "finished"),
        "badly": (3, "failed"),
    }
    assert named["badly"].metadata.error == "ValueError: in a child"
    assert named["well"]["x"].steps.tolist() == [2]
    assert [(len(run.steps), run.metadata.status) for run in runs.values()] == [(3, "finished")] * 3
    assert not [*there.rglob(LOCK)]


@pytest.mark.parametrize("resume", [True, 3])
def test_what_has_no_directory_cannot_be_gone_on_with(resume, tmp_path, monkeypatch):
    """A new name holds nothing to resume: refused, and nothing is made."""
    monkeypatch.chdir(tmp_path)
    model = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="resume needs a directory"):
        epochord.watch(model, torch.optim.SGD(model.parameters(), 0.1), resume=resume)
    assert list(tmp_path.iterdir()) == []


def test_a_cell_without_a_directory_that_runs_again_ends_its_earlier_run(tmp_path, monkeypatch):
    """Else both would record the second training."""
    monkeypatch.chdir(tmp_path)
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    recorders = []
    for steps in (3, 2):
        recorders.append(epochord.watch(model, optimizer))
        for _ in range(steps):
            model(torch.ones(1, 2)).sum().backward()
            optimizer.step()
    recorders[-1].close()
    runs = [open_run(recorder.path) for recorder in recorders]
    assert [run.metadata.status for run in runs] == ["finished", "finished"]
    assert [run.steps.tolist() for run in runs] == [[0, 1, 2], [0, 1]]
