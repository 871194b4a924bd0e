"""Run each program bare and watched, and say where its log is wrong."""

import re
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from benchmarks.loops.programs import PROGRAMS, REFUSED, Program
from benchmarks.tables import table
from tests.recorders.loops.outcome import Outcome, places, run_programs, worst

__all__ = ["report"]

MOST = 1e-6  # relative error of a norm, against double precision
TROUBLE = re.compile(r"Traceback|Exception ignored|RecordingWarning|epochord")


def report() -> str:
    """Run all programs whose framework is there, and return a table and what is wrong."""
    there = [program for program in PROGRAMS if all(map(_version, program.needs))]
    absent = sorted({name for program in PROGRAMS for name in program.needs if not _version(name)})
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run_programs(Path(folder), [program.module for program in there])
        rows, wrong = [], []
        for program in there:
            outcome = outcomes[program.module]
            found = _refusal(outcome) if program.refused else _complaints(outcome)
            wrong += [f"- {program.name}: {complaint}" for complaint in found]
            rows.append(
                [program.name, _version(program.needs[0]), *_figures(program, outcome, found)]
            )
    head = ["program", "framework", "steps", "parameters", "worst norm", "result"]
    title = "Programs with one line inserted: relative error of all norms"
    missing = [f"Not installed, so not run: {', '.join(absent)}."] if absent else []
    return "\n\n".join([table(title, head, rows), *missing, *(["\n".join(wrong)] if wrong else [])])


def _version(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""


def _figures(program: Program, outcome: Outcome, complaints: list[str]) -> list[str]:
    verdict = "wrong" if complaints else "refused" if program.refused else "right"
    if program.refused or "no log" in complaints:
        return ["", "", "", verdict]
    norms = outcome.norms()
    error = worst(norms, outcome.recorded())
    return [str(outcome.seen("bare")["rows"]), str(len(norms)), f"{error:.1e}", verdict]


def _complaints(outcome: Outcome) -> list[str]:
    """Return what is wrong with a program that was watched."""
    found = _ends(outcome)
    if not outcome.folder.joinpath("watched", "run").exists():
        return [*found, "no log"]
    run, rows = outcome.run(), outcome.seen("bare")["rows"]
    norms, recorded = outcome.norms(), outcome.recorded()
    noted, logged = outcome.noted(), outcome.logged()
    checks = {
        f"status {run.metadata.status}: {run.metadata.error}": run.metadata.status == "finished",
        f"{len(run.steps)} rows of {rows}": run.steps.tolist() == list(range(rows)),
        "norms at other steps": places(recorded) == places(norms),
        "wrong norms": worst(norms, recorded) <= MOST,
        "logged values at other steps": places(logged) == places(noted),
        "wrong logged values": places(logged) != places(noted)
        or all(_same(noted[tag], logged[tag]) for tag in noted),
    }
    return found + [complaint for complaint, right in checks.items() if not right]


def _refusal(outcome: Outcome) -> list[str]:
    """Return what is wrong with a program that cannot be watched."""
    place = outcome.folder / "watched"
    said = place / REFUSED
    checks = {
        "not refused": said.exists(),
        "refused in several lines": not said.exists() or len(said.read_text().splitlines()) == 1,
        "refused for something else": not said.exists() or "optimizer" in said.read_text(),
        "something was created": not place.joinpath("run").exists(),
    }
    return _ends(outcome) + [complaint for complaint, right in checks.items() if not right]


def _ends(outcome: Outcome) -> list[str]:
    checks = {
        "the bare program fails": outcome.ended("bare") == 0,
        f"exit status {outcome.ended('watched')}": outcome.ended("watched") == 0,
        "it complains": not TROUBLE.search(outcome.said("watched")),
        "training differs": outcome.course("watched") == outcome.course("bare"),
    }
    return [complaint for complaint, right in checks.items() if not right]


def _same(expected: dict[int, float], got: dict[int, float]) -> bool:
    return np.array_equal([*expected.values()], [got[step] for step in expected], equal_nan=True)
