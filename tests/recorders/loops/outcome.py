"""What is left of a program that ran bare and watched."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from epochord.runlog import Run, open_run
from epochord.runlog.run.run import GRAD_NORM
from tests.recorders.loops.witness import FILE

__all__ = ["ERRORS", "EXIT", "Outcome", "Points", "places", "run_programs", "worst"]

ERRORS, EXIT = "stderr.txt", "exit.txt"
ROOT = Path(__file__).parents[3]
SECONDS = 600

Points = dict[str, dict[int, float]]
"""By name, then by step."""


def run_programs(folder: Path, names: Iterable[str]) -> dict[str, "Outcome"]:
    """Run programs, which are modules with a ``main``, bare and watched.

    Parameters
    ----------
    folder : Path
        Where each finds a folder of its own.
    names : iterable of str
        Such as ``tests.recorders.loops.mnist``.
    """
    names = list(names)
    command = [sys.executable, "-m", "tests.recorders.loops", str(folder), *names]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=SECONDS)
    return {name: Outcome(folder / name) for name in names}


@dataclass(frozen=True)
class Outcome:
    """What a program left in its folder.

    Parameters
    ----------
    folder : Path
        With the folders ``bare`` and ``watched``.
    """

    folder: Path

    def ended(self, kind: str) -> int:
        """Return a run's exit status."""
        return int(self.folder.joinpath(kind, EXIT).read_text("ascii"))

    def said(self, kind: str) -> str:
        """Return what a run said to standard error."""
        return self.folder.joinpath(kind, ERRORS).read_text("utf-8")

    def seen(self, kind: str) -> dict[str, Any]:
        """Return what a run's witness noted."""
        return json.loads(self.folder.joinpath(kind, FILE).read_text("utf-8"))

    def course(self, kind: str) -> dict[str, Any]:
        """Return what a recorder must not change: losses, weights, random numbers."""
        return {key: self.seen(kind)[key] for key in ("losses", "rows", "weights", "chance")}

    def run(self) -> Run:
        """Open the log."""
        return open_run(self.folder / "watched" / "run")

    def norms(self) -> Points:
        """Return the norms that the witness took."""
        return {
            name: {int(row): norm for row, norm in rows.items()}
            for name, rows in self.seen("watched")["norms"].items()
        }

    def recorded(self) -> Points:
        """Return the norms that the log holds."""
        norms = _points(self.run(), lambda tag: tag.startswith(GRAD_NORM))
        return {tag.removeprefix(GRAD_NORM): points for tag, points in norms.items()}

    def noted(self) -> Points:
        """Return what the log has to hold of what was logged.

        A tag that is logged before the first step is of the coming one, then and later; all
        else is of the step just done.  Of several values the last one counts, also of those for
        a step that never comes, which are of the last one.
        """
        seen = self.seen("watched")
        ahead = {tag for tag, _, rows in seen["notes"] if rows == 0}
        expected: Points = {}
        for tag, value, rows in seen["notes"]:
            step = min(rows, seen["rows"] - 1) if tag in ahead else rows - 1
            expected.setdefault(tag, {})[step] = float(np.float32(value))
        return expected

    def logged(self) -> Points:
        """Return what the log does hold of it."""
        return _points(self.run(), lambda tag: not tag.startswith(GRAD_NORM))


def places(points: Points) -> dict[str, list[int]]:
    """Return the steps alone."""
    return {name: sorted(rows) for name, rows in points.items()}


def worst(expected: Points, got: Points) -> float:
    """Return the largest relative error, of what is in both."""
    pairs = [
        (rows[step], got[name][step])
        for name, rows in expected.items()
        for step in set(rows) & set(got.get(name, {}))
    ]
    return max(abs(found - true) / abs(true) if true else abs(found) for true, found in pairs)


def _points(run: Run, wanted: Callable[[str], bool]) -> Points:
    return {
        tag: dict(zip(series.steps.tolist(), series.values.tolist(), strict=True))
        for tag, series in run.series.items()
        if wanted(tag)
    }
