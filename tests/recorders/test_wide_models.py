"""Models of very many parameters: what is written while they train is packed, the log is not."""

import shutil

import torch
from torch import nn

from epochord.recorders import GradientRecorder
from epochord.runlog import open_run, parquet
from epochord.runlog.parquet import PARTS
from epochord.runlog.run.run import GRAD_NORM

STEPS = 40


def record(directory, every: int, *, close: bool = True) -> None:
    """Record 300 parameters whose gradients name step and place, flushing every so often."""
    model = nn.ParameterList([nn.Parameter(torch.zeros(1)) for _ in range(300)])
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    recorder = GradientRecorder(model, optimizer, directory, flush_seconds=3600)
    for step in range(STEPS):
        for place, parameter in enumerate(model):
            there = (step + place) % 7
            parameter.grad = torch.tensor([step + place / 512]) if there else None
        optimizer.step()
        if step % 3:
            recorder.log("x", step)
        if step % every == 0:
            recorder.flush()
    if close:
        recorder.close()
    else:
        recorder.flush()
        shutil.copytree(directory, directory.with_name("killed"))
        recorder.close()


def test_a_wide_run_has_one_hash_however_it_was_written(tmp_path, monkeypatch):
    """At once, in many parts that are joined on the way, or killed before they were merged."""
    monkeypatch.setattr(parquet, "PARTS_BEFORE_JOINING", 8)
    record(tmp_path / "once", 1000)
    record(tmp_path / "parts", 1)
    record(tmp_path / "left", 12, close=False)
    killed = open_run(tmp_path / "killed")
    assert killed.metadata.status == "running"
    assert (tmp_path / "killed" / PARTS).is_dir()
    once = open_run(tmp_path / "once")
    assert {open_run(tmp_path / name).log_hash() for name in ("once", "parts", "left")} == {
        killed.log_hash()
    }
    for place in (0, 255, 256, 299):
        series = once[f"{GRAD_NORM}{place}"]
        steps = [step for step in range(STEPS) if (step + place) % 7]
        assert series.steps.tolist() == steps
        assert series.values.tolist() == [step + place / 512 for step in steps]
