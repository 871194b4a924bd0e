"""What races for a run: a writer whose every row says who wrote it, and who keeps a journal.

The journal is a file of the writer's own, a line a note: the time (ns, one clock for all
processes), what happened, and a value.  What is noted is true however the writer ends.
"""

import os
import random
import select
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from benchmarks.forks import ended, forked
from epochord.recorders import GradientRecorder
from epochord.runlog import RunExistsError

__all__ = ["CHILD", "MODES", "RUN", "Note", "Plan", "mark", "notes_of", "plan_for", "write"]

RUN = "run"  # the directory in a race's folder that all writers want
STEPS = 1 << 16  # less than this many a writer, so that a float32 holds `mark` exactly
CHILD = 128  # what is added to a writer's number for the child that it forks
SECONDS_A_STEP = 0.0005

MODES = ("plain", "resume", "rewind", "overwrite")
WEIGHTS = (3, 5, 2, 1)  # how often each is drawn
ENDINGS = ("close", "raise", "leave", "vanish", "forever")
CHILDREN = ("exits", "vanishes", "uses what it has inherited", "records")


class Note(NamedTuple):
    """One line of a journal."""

    time: int
    event: str
    value: str

    @property
    def step(self) -> int:
        """The value as a step."""
        return int(self.value)


@dataclass(frozen=True)
class Plan:
    """How a writer goes about it.

    Parameters
    ----------
    number : int
        Who it is; from 1 to 127, of forked children 128 more.
    mode : str
        One of `MODES`; ``rewind`` is ``resume=STEP``.
    at : int
        That STEP.
    format : str
        Of the log.
    flush_seconds : float
        Of the recorder.
    every : int
        `flush` is called after so many steps.
    steps : int
        After so many it ends.
    ending : str
        One of `ENDINGS`: closes the log, raises, leaves it to the end of the program, vanishes
        without a word (``os._exit``), or goes on until it is told to stop.
    child : str
        One of `CHILDREN`, or empty.
    child_at : int
        After how many steps it is forked.
    awaited : bool
        Whether the child is waited for.
    """

    number: int
    mode: str
    at: int
    format: str
    flush_seconds: float
    every: int
    steps: int
    ending: str
    child: str = ""
    child_at: int = 0
    awaited: bool = True

    @property
    def arguments(self) -> dict[str, Any]:
        """What the recorder is given."""
        chosen: Mapping[str, dict[str, Any]] = {
            "plain": {},
            "resume": {"resume": True},
            "rewind": {"resume": self.at},
            "overwrite": {"overwrite": True},
        }
        return {"format": self.format, "flush_seconds": self.flush_seconds, **chosen[self.mode]}


def plan_for(number: int, format: str, chance: random.Random) -> Plan:
    """Draw a writer."""
    return Plan(
        number=number,
        mode=chance.choices(MODES, WEIGHTS)[0],
        at=chance.choice([0, 1, 5, 20, 60]),
        format=format,
        flush_seconds=chance.choice([0.0, 0.01, 1.0]),
        every=chance.choice([1, 3, 10]),
        steps=chance.choice([0, 5, 50, 500]),
        ending=chance.choice(ENDINGS),
        child=chance.choice(CHILDREN) if chance.random() < 0.4 else "",
        child_at=chance.choice([0, 4, 30]),
        awaited=chance.random() < 0.5,
    )


def mark(number: int, step: int) -> float:
    """Return the number that a writer's row of a step holds."""
    return float(number * STEPS + step)


def notes_of(folder: Path) -> dict[int, list[Note]]:
    """Read all journals of a race: the notes of each writer, in their order."""
    journals = sorted(folder.glob("*.journal"), key=lambda path: int(path.stem))
    found = {int(path.stem): list(_notes(path)) for path in journals}
    return {number: notes for number, notes in found.items() if notes}  # killed at once: nothing


def write(plan: Plan, folder: Path, stop: int) -> None:
    """Ask for the run; record if it is given, and end as planned.

    Parameters
    ----------
    plan : Plan
        How.
    folder : Path
        The race's folder.
    stop : int
        A pipe; when its other end is closed, the writer closes the log and ends.
    """
    journal = _Journal(folder, plan.number)
    model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(1))})
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    journal.note("asks", plan.mode)
    try:
        recorder = GradientRecorder(model, optimizer, folder / RUN, **plan.arguments)
    except RunExistsError as error:
        journal.note("refused", str(error).replace("\n", "\\n"))
        return
    journal.note("owns", recorder.step + 1)
    for count in range(STEPS):
        if count == plan.child_at and plan.child:
            _fork(plan, folder, stop, partial(_use, recorder, model, optimizer), journal)
        if _told(stop) or (count >= plan.steps and plan.ending != "forever"):
            break
        _step(plan.number, recorder, model, optimizer)
        journal.note("did", recorder.step)
        if count % plan.every == 0 and recorder.flush():
            journal.note("safe", recorder.step)
        time.sleep(SECONDS_A_STEP)
    _end(plan, recorder, journal, _told(stop))


class _Journal:
    def __init__(self, folder: Path, number: int) -> None:
        place = folder / f"{number}.journal"
        self._file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.note("lives", os.getpid())

    def note(self, event: str, value: object = "") -> None:
        os.write(self._file, f"{time.monotonic_ns()}\t{event}\t{value}\n".encode())


def _notes(path: Path) -> Iterator[Note]:
    for line in path.read_text(encoding="utf-8").splitlines():
        when, event, value = line.split("\t", 2)
        yield Note(int(when), event, value)


def _step(number: int, recorder: GradientRecorder, model: Any, optimizer: Any) -> None:
    value = mark(number, recorder.step + 1)
    model["p"].grad = torch.tensor([value])
    optimizer.step()
    recorder.log("writer", number)
    recorder.log("mark", value)


def _told(stop: int) -> bool:
    return bool(select.select([stop], [], [], 0)[0])


def _end(plan: Plan, recorder: GradientRecorder, journal: _Journal, told: bool) -> None:
    journal.note("ends", "close" if told else plan.ending)
    if plan.ending == "vanish" and not told:
        os._exit(0)
    if plan.ending == "raise" and not told:
        raise RuntimeError("as planned")
    if plan.ending != "leave" or told:
        recorder.close()
        journal.note("closed")


def _fork(plan: Plan, folder: Path, stop: int, use: Any, journal: _Journal) -> None:
    """Fork a child of a process that is recording."""
    number = plan.number + CHILD
    programs: dict[str, Callable[[], object]] = {
        "exits": lambda: None,
        "vanishes": lambda: os._exit(0),
        "uses what it has inherited": partial(use, number),
        "records": partial(_write_anew, replace(plan, number=number, child=""), folder, stop),
    }
    child = forked(programs[plan.child], folder / f"{number}.txt")
    journal.note("forks", child)
    if plan.awaited and plan.child != "records":
        journal.note("forked", ended(child))


def _use(recorder: GradientRecorder, model: Any, optimizer: Any, number: int) -> None:
    for _ in range(50):
        _step(number, recorder, model, optimizer)
    recorder.flush()
    recorder.close()


def _write_anew(plan: Plan, folder: Path, stop: int) -> None:
    for _ in range(3):  # while the parent lives, and perhaps when it has gone
        write(plan, folder, stop)
        if "owns" in {note.event for note in notes_of(folder)[plan.number]}:
            break
        time.sleep(0.05)
