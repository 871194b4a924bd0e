"""Trainings whose disk fails for a while: what becomes of their steps, and of their rows.

EMFILE, ENOSPC, EIO and a disk that hangs, in each format, from a quarter to three quarters of a
training.  ``python -m benchmarks.faults --seconds 30`` lets each fault last so long.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.disk_faults import FAULTS, Fault
from benchmarks.forks import answer_of
from benchmarks.processes import forget_peak, peak_mib, tells_peak
from benchmarks.tables import table
from epochord.recorders import GradientRecorder
from epochord.runlog import open_run
from epochord.runlog.run.run import GRAD_NORM

__all__ = ["Result", "report", "trained"]

SECONDS = 30.0
FORMATS = ("parquet", "tensorboard", "both")
MOST_MEDIANS = 10.0  # a step may take
FLUSH_SECONDS = 1.0
TAG = GRAD_NORM + "0.weight"


@dataclass
class Result:
    """What became of a training."""

    fault: str
    format: str
    steady: bool = True
    seconds: list[float] = field(default_factory=list)  # of each step
    true: list[float] = field(default_factory=list)  # norms, as they were
    warned: list[str] = field(default_factory=list)
    safe: bool = True  # what the last flush said
    grown_mib: float = float("nan")
    error: str = ""
    status: str = ""
    steps: list[int] = field(default_factory=list)  # that the log has
    wrong: int = 0  # of their values
    holes: list[tuple[int, int]] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)

    @property
    def slowest(self) -> float:
        """The slowest step, in medians."""
        return float(np.max(self.seconds) / np.median(self.seconds))

    @property
    def lost(self) -> list[int]:
        """Steps that are neither in the log nor in a hole that is named."""
        named = {step for first, last in self.holes for step in range(first, last + 1)}
        return sorted(set(range(len(self.true))) - set(self.steps) - named)

    def problems(self, most: float) -> list[str]:
        """Say in a line each what must not be; a step may take so many medians."""
        # An event file is open already; a disk that hangs, or fails now and then, says nothing new.
        warns = self.steady and (self.fault, self.format) != ("EMFILE", "tensorboard")
        found = {
            f"raised {self.error}": bool(self.error),
            f"{len(self.lost)} steps are gone without a word: {self.lost[:5]} …": bool(self.lost),
            f"{self.wrong} values are wrong": self.wrong > 0,
            f"{len(self.warned)} warnings: {self.warned}": len(self.warned) != warns
            and (self.steady or self.fault == "hang"),
            f"the slowest step took {self.slowest:.0f} medians": self.slowest > most,
            f"its status is {self.status}": self.status != "finished",
            "the last flush did not say that all is safe": not self.safe and not self.holes,
            f"damage but no hole: {self.damage}": bool(self.damage) and not self.holes,
            f"holes that are not named in Run.damage: {self.holes}": bool(self.holes)
            and not self.damage,
        }
        return [f"{self.fault}, {self.format}: {said}" for said, is_so in found.items() if is_so]


def report() -> str:
    """Train with all faults and return the table."""
    return trained(SECONDS, list(FAULTS), FORMATS)[0]


def trained(seconds: float, faults: Sequence[str], formats: Sequence[str]) -> tuple[str, bool]:
    """Train with each fault in each format.

    Returns
    -------
    text : str
        A table, and what is not as it must be.
    good : bool
        Whether all is.
    """
    torch.set_num_threads(1)
    bare = partial(_in_child, "none", "no recorder", seconds)
    results = [bare(), _in_child("none", "parquet", seconds)]
    results += [_in_child(fault, format, seconds) for fault in faults for format in formats]
    results.append(bare())
    most = max(MOST_MEDIANS, results[0].slowest, results[-1].slowest)  # others use this machine
    problems = [said for result in results[2:-1] for said in result.problems(most)]
    head = ["fault", "format", "steps", "rows", "in holes", "gone", "median step, ms"]
    head += ["slowest ÷ median", "warnings", "grown by, MiB", "status"]
    title = f"Trainings whose disk fails for {seconds:g} s"
    said = "\n".join(f"- {each}" for each in problems) or "All as it must be."
    return f"{table(title, head, [_row(each) for each in results])}\n\n{said}", not problems


def _row(result: Result) -> list[str]:
    in_holes = sum(last - first + 1 for first, last in result.holes)
    return [
        result.fault,
        result.format,
        *(f"{n:,}" for n in (len(result.true), len(result.steps), in_holes, len(result.lost))),
        f"{1e3 * np.median(result.seconds):.2f}",
        f"{result.slowest:.1f}",
        f"{len(result.warned)}",
        f"{result.grown_mib:.0f}",
        result.status or "–",
    ]


def _in_child(fault: str, format: str, seconds: float) -> Result:
    place: Any = FAULTS.get(fault, lambda folder: nullcontext((folder, None)))
    folder = Path(tempfile.mkdtemp())  # a TemporaryDirectory would go when the child ends
    (folder / "disk").mkdir()
    with place(folder / "disk") as (disk, failing):
        about = getattr(failing, "name", fault), format, getattr(failing, "steady", True)
        result = Result(*about)
        work = partial(_train, result, disk / "run", failing, seconds)
        found: Result = answer_of(work, folder / "said.txt", 4 * seconds + 120)
    shutil.rmtree(folder)
    return found


def _train(result: Result, directory: Path, fault: Fault | None, seconds: float) -> Result:
    model = nn.Sequential(nn.Linear(64, 512), nn.Tanh(), nn.Linear(512, 512), nn.Linear(512, 1))
    optimizer = torch.optim.SGD(model.parameters(), 0.001)
    inputs = torch.randn(160, 64)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _record(result, model, optimizer, inputs, directory, fault, seconds)
        except Exception as error:  # noqa: BLE001 - that is what must not be
            result.error = repr(error)
    result.warned = [str(each.message) for each in caught]
    if result.format != "no recorder":
        _read(result, directory)
    return result


def _record(
    result: Result,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    inputs: torch.Tensor,
    directory: Path,
    fault: Fault | None,
    seconds: float,
) -> None:
    recorder: Any = None
    if result.format != "no recorder":
        settings: Any = {"format": result.format, "flush_seconds": FLUSH_SECONDS}
        recorder = GradientRecorder(model, optimizer, directory, **settings)
    _loop(result, model, optimizer, inputs, recorder, 0.5 * seconds)
    before = _forget()
    with _failing(fault):
        _loop(result, model, optimizer, inputs, recorder, seconds)
    result.grown_mib = (peak_mib() if tells_peak() else float("nan")) - before
    _loop(result, model, optimizer, inputs, recorder, 0.5 * seconds)
    if recorder:
        result.safe = recorder.flush()
        recorder.close()


@contextmanager
def _failing(fault: Fault | None) -> Iterator[None]:
    if fault:
        fault.begin()
    try:
        yield
    finally:
        if fault:
            fault.end()


def _forget() -> float:
    if tells_peak():
        forget_peak()
        return peak_mib()
    return float("nan")


def _loop(
    result: Result,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    inputs: torch.Tensor,
    recorder: Any,
    seconds: float,
) -> None:
    weight = next(model.parameters())
    limit = time.perf_counter() + seconds
    while (began := time.perf_counter()) < limit:
        optimizer.zero_grad()
        loss = model(inputs).square().mean()
        loss.backward()
        optimizer.step()
        if recorder:
            recorder.log("loss", loss)
        result.seconds.append(time.perf_counter() - began)
        assert weight.grad is not None
        result.true.append(torch.linalg.vector_norm(weight.grad.double()).item())


def _read(result: Result, directory: Path) -> None:
    run = open_run(directory)
    result.status, result.damage = run.metadata.status, list(run.damage)
    result.steps = run[TAG].steps.tolist() if TAG in run else []
    if TAG in run:
        true = np.array(result.true)[run[TAG].steps]
        result.wrong = int((~np.isclose(run[TAG].values, true, rtol=1e-6)).sum())
        result.wrong += run["loss"].steps.tolist() != result.steps
    document = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    result.holes = [_span(hole) for hole in document.get("holes", ())]


def _span(hole: Any) -> tuple[int, int]:
    return (hole["first"], hole["last"]) if isinstance(hole, dict) else (hole[0], hole[1])


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="that each fault lasts")
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=list(FAULTS))
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    arguments = parser.parse_args()
    text, good = trained(arguments.seconds, arguments.faults, arguments.formats)
    print(text)
    sys.exit(not good)


if __name__ == "__main__":
    main()
