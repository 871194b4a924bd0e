"""What the recorder's tests share: an oracle that measures for itself, and a tiny net."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.forks import Programs
from epochord.runlog import Run, open_run
from epochord.runlog.run.run import GRAD_NORM

SECONDS_A_SCRIPT = 120  # importing torch takes 2 to 4 s, on a busy machine much more


class Oracle:
    """Gradient norms in double precision, noted by a test's own loop."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, float]] = {}

    def see(self, model: nn.Module, step: int, only: Iterable[nn.Parameter] | None = None) -> None:
        """Note the gradients that are there now; a second look at a step replaces the first."""
        chosen = None if only is None else {id(parameter) for parameter in only}
        for name, parameter in model.named_parameters():
            if chosen is None or id(parameter) in chosen:
                self.note(name, step, parameter.grad)

    def note(self, name: str, step: int, gradient: torch.Tensor | None) -> None:
        """Note one gradient; None takes back what was noted."""
        if gradient is None:
            self.rows.get(name, {}).pop(step, None)
            return
        dense = gradient.to_dense() if gradient.is_sparse else gradient
        wide = dense if dense.is_complex() else dense.detach().double()
        self.rows.setdefault(name, {})[step] = torch.linalg.vector_norm(wide).item()

    def assert_recorded(self, run: Run, rtol: float = 1e-5) -> None:
        """Assert that a run holds these norms, at these steps, and no others."""
        expected = {name: rows for name, rows in self.rows.items() if rows}
        recorded = {t.removeprefix(GRAD_NORM) for t in run.series if t.startswith(GRAD_NORM)}
        assert recorded == set(expected)
        for name, rows in expected.items():
            series = run[GRAD_NORM + name]
            assert series.steps.tolist() == sorted(rows), name
            values = [rows[step] for step in sorted(rows)]
            np.testing.assert_allclose(series.values, values, rtol=rtol, err_msg=name)


@pytest.fixture
def one():
    """Give a model of one parameter, its optimizer, and a function that does a step."""
    model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(1))})
    optimizer = torch.optim.SGD(model.parameters(), 0.0)

    def step(number: int) -> None:
        model["p"].grad = torch.tensor([number + 0.5])
        optimizer.step()

    return model, optimizer, step


@pytest.fixture
def oracle() -> Oracle:
    """Give an oracle that has seen nothing yet."""
    return Oracle()


def _net(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))


@pytest.fixture
def net() -> Callable[..., nn.Sequential]:
    """Make a net with two linear layers, equal for equal seeds."""
    return _net


@pytest.fixture
def loss_of() -> Callable[[nn.Module, int], torch.Tensor]:
    """Compute a loss on the batch of a step; equal steps give equal batches."""

    def compute(model: nn.Module, step: int) -> torch.Tensor:
        random = torch.Generator().manual_seed(1000 + step)
        batch = torch.randn(6, 4, generator=random)
        target = torch.randn(6, 3, generator=random)
        return ((model(batch) - target) ** 2).mean()

    return compute


@pytest.fixture
def run_script(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python code in a process of its own, in which every warning is an error."""

    def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        script = tmp_path / "script.py"
        script.write_text(code, encoding="utf-8")
        command = [sys.executable, "-W", "error", str(script), *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS_A_SCRIPT, check=False
        )

    return run


@pytest.fixture
def points() -> Callable[[Path, str], list[tuple[int, float]]]:
    """Read one tag back as a list of (step, value)."""

    def read(directory: Path, tag: str) -> list[tuple[int, float]]:
        series = open_run(directory)[tag]
        return list(zip(series.steps.tolist(), series.values.tolist(), strict=True))

    return read


# What `programs` begin with: a model whose norm tells the step.
PRELUDE = """
import json, os, signal, sys, threading, time, warnings
import torch
from torch import nn
from epochord.recorders import GradientRecorder
model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(1))})
optimizer = torch.optim.SGD(model.parameters(), 0.0)
directory = sys.argv[1]
def step(recorder):
    model["p"].grad = torch.tensor([recorder.step + 1.5])
    optimizer.step()
    recorder.log("x", -recorder.step)
def say(*words):
    print(*words, flush=True)
"""


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Run programs about a directory, each in a forked process: importing torch once is enough."""
    running = Programs(tmp_path_factory.mktemp("programs"), PRELUDE)
    yield running
    running.close()


@pytest.fixture
def whole_steps() -> Callable[[Path], int]:
    """Count the whole steps of a run that `programs` recorded; all that is there is right.

    A program that was interrupted may have done one more, to which it has logged nothing.
    """

    def count(directory: Path) -> int:
        run = open_run(directory)
        steps, whole = run[GRAD_NORM + "p"].steps.tolist(), run["x"].steps.tolist()
        assert steps == list(range(len(steps)))
        assert whole in (steps, steps[:-1])
        assert run[GRAD_NORM + "p"].values.tolist() == [number + 0.5 for number in steps]
        assert run["x"].values.tolist() == [-float(number) for number in whole]
        assert not run.damage
        return len(whole)

    return count
