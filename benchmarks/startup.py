"""What it costs to start: whole commands, against the import of what every log needs.

Each command is a process of its own, from starting Python to its last line, and so is what it
is compared with: ``import numpy, pyarrow.parquet``.  A machine's speed is in both.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.measure import interleaved, ratios, spread
from benchmarks.tables import table
from benchmarks.targets import Part, at_most, joined
from epochord.runlog.run.metadata import RunMetadata
from epochord.runlog.run.rows import rows_table
from epochord.runlog.writing.start import RunLog

__all__ = ["report"]

ROUNDS = 9
STEPS, LAYERS = 201, 8  # as of `make record-sgd`
PLAIN = "import numpy, pyarrow.parquet"
MOST = {"epochord --version": 0.5, "epochord inspect RUN": 2.0, "epochord render audio CSV": 4.0}


def report() -> str:
    """Measure the commands in turn and return the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_logs(folder)
        works: dict[str, Callable[[], object]] = {
            PLAIN: partial(_run, folder, "-c", PLAIN),
            "import epochord": partial(_run, folder, "-c", "import epochord"),
            "epochord --version": partial(_command, folder, "--version"),
            "epochord inspect RUN": partial(_command, folder, "inspect", "runs/sgd"),
            "epochord render audio CSV": partial(_render, folder),
        }
        times = interleaved(works, rounds=ROUNDS)
    rows = [
        [name, spread(times[name]).text(), ratios(times, name, to=PLAIN).text(2)] for name in works
    ]
    title = f"Whole processes, {ROUNDS} rounds: median (quartiles)"
    costs = table(title, ["process", "CPU s", "÷ plain import"], rows)
    targets = [
        at_most(f"{name} ÷ plain import", ratios(times, name, to=PLAIN).median, most)
        for name, most in MOST.items()
    ]
    notes = [
        f"RUN: {STEPS} steps of {LAYERS} layers and a loss, Parquet.  CSV: ten lines of a step and "
        "a loss; the sound is new in each round."
    ]
    return joined([Part([costs], targets, notes)])


def _write_logs(folder: Path) -> None:
    steps = np.arange(STEPS)
    norms = np.random.default_rng(0).lognormal(size=(LAYERS + 1, STEPS)).astype(np.float32)
    tags = ["loss", *(f"grad_norm/{layer}.weight" for layer in range(LAYERS))]
    columns = {tag: (row, np.ones(STEPS, bool)) for tag, row in zip(tags, norms, strict=True)}
    log = RunLog(folder / "runs" / "sgd", RunMetadata("sgd"), format="parquet")
    log.writer.submit(partial(rows_table, steps, steps.astype(np.float64), columns))
    log.close(STEPS)
    lines = ["step,loss", *(f"{step},{1 / (step + 1)}" for step in range(9))]
    (folder / "ten.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _render(folder: Path) -> None:
    shutil.rmtree(folder / "renders", ignore_errors=True)
    _command(folder, "render", "audio", "ten.csv")


def _command(folder: Path, *arguments: str) -> None:
    _run(folder, "-m", "epochord", *arguments)


def _run(folder: Path, *arguments: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, check=True, capture_output=True
    )
