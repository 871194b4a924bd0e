"""Races of 2 to 8 writers for one run, started, resumed and killed at random.

Exactly one owns the run at a time, no acknowledged row is lost, no row is of two writers, and who
is refused has touched nothing.  ``python -m benchmarks.races --races 200 --seed 0`` prints what
happened, and each violation with the seed of its race, whose folder is kept.
"""

import argparse
import ctypes
import gc
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from benchmarks.forks import answer_of, ended, forked
from benchmarks.race_verdicts import Attempt, Line, attempts_of, read_lines, violations
from benchmarks.race_writers import CHILD, MODES, RUN, Plan, notes_of, plan_for, write
from benchmarks.tables import table
from epochord.runlog.writing.ownership import LOCK

__all__ = ["Outcome", "held", "race", "report"]

RACES = 200
MOST_WRITERS = 8
FORMATS = ("parquet", "tensorboard", "both")
MOST_LETTERS = 300  # of a violation
FINAL = CHILD - 1  # the number of the writer that goes on in the end
SECONDS_TO_END = 30.0
PR_SET_CHILD_SUBREAPER = 36  # prctl(2): orphans become children of this process

Snapshot = dict[str, tuple[int, int, int, int]]


class Outcome(NamedTuple):
    """What happened in a race."""

    seed: int
    counts: Counter[str]
    violations: list[str]


class _Race:
    """Starts, stops and kills writers."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.chance = random.Random(seed)
        self.folder = folder
        self.format = self.chance.choice(FORMATS)
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self.codes: dict[int, int] = {}  # by process: how it ended
        self.gone: dict[int, int] = {}  # and when that was seen (ns)
        self.living: set[int] = set()
        self.numbers = iter(range(1, FINAL))
        self.stop, self.stopping = os.pipe()

    def start(self, **changes: object) -> int:
        """Start a writer."""
        plan = plan_for(next(self.numbers), self.format, self.chance)
        return self._start(replace(plan, **changes))  # type: ignore[arg-type]

    def _start(self, plan: Plan) -> int:
        program = partial(self._write, plan)
        child = forked(program, self.folder / f"{plan.number}.txt")
        self.living.add(child)
        self.counts["writers"] += 1
        return child

    def _write(self, plan: Plan) -> None:
        os.close(self.stopping)
        write(plan, self.folder, self.stop)

    def reap(self) -> None:
        """Note who has ended."""
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self._ended(*found)

    def _ended(self, child: int, status: int) -> None:
        self.codes[child] = os.waitstatus_to_exitcode(status)
        self.gone[child] = time.monotonic_ns()
        self.living.discard(child)

    def everyone(self) -> list[int]:
        """All processes that live, grandchildren too."""
        told = [note for notes in notes_of(self.folder).values() for note in notes]
        seen = {int(note.value) for note in told if note.event in ("lives", "forks")}
        return [each for each in self.living | seen - set(self.codes) if _state(each) not in "ZX"]

    def kill(self) -> None:
        """Kill one of those who live, most often by kill -9."""
        living = self.everyone()
        if living:
            number = self.chance.choices(
                (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP), (5, 3, 1)
            )[0]
            self.counts[f"sent {signal.Signals(number).name}"] += 1
            with suppress(ProcessLookupError):
                os.kill(self.chance.choice(sorted(living)), number)

    def quiet(self) -> None:
        """Let an owner stand still, and see that who is refused leaves everything as it is."""
        for each in self.everyone():
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGSTOP)
        still = [each for each in self.everyone() if _stands(each)]
        if self._owner() in still:
            before = _snapshot(self.folder / RUN)
            modes = self.chance.sample(MODES, 2)
            for mode in modes:
                code = ended(self.start(mode=mode, child=""), SECONDS_TO_END)
                if code is None:
                    self.problems.append(f"a writer ({mode}) hangs while the owner stands still")
            after = _snapshot(self.folder / RUN)
            self.counts["quiet moments"] += 1
            if changed := {k for k in before | after if before.get(k) != after.get(k)}:
                self.problems.append(f"one of {modes} was refused and changed {sorted(changed)}")
        for each in still:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGCONT)

    def _owner(self) -> int | None:
        with suppress(OSError, ValueError):  # it has just gone, or is being written
            holder = json.loads((self.folder / RUN / LOCK).read_text(encoding="utf-8"))["pid"]
            for notes in notes_of(self.folder).values():
                lives = [note for note in notes if note.event == "lives"][-1]
                if notes[-1].event in ("owns", "did", "safe") and int(lives.value) == holder:
                    return int(holder)
        return None

    def finish(self) -> None:
        """Let all come to their end: told so, or killed."""
        how = self.chance.choice((None, signal.SIGKILL, signal.SIGTERM))
        os.close(self.stopping)
        if how is not None:
            for each in self.everyone():
                with suppress(ProcessLookupError):
                    os.kill(each, how)
        limit = time.monotonic() + SECONDS_TO_END
        while self._any() and time.monotonic() < limit:
            self.reap()
            time.sleep(0.005)
        for each in self.everyone() if self._any() else []:
            who = [n for n, notes in notes_of(self.folder).items() if str(each) in
                   {note.value for note in notes}]  # fmt: skip
            self.problems.append(f"process {each} (of writers {who}) has not ended")
            os.kill(each, signal.SIGKILL)
        while self._any():
            self.reap()
        os.close(self.stop)

    def _any(self) -> bool:
        with suppress(ChildProcessError):
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            return True
        return False

    def go_on(self) -> None:
        """Start a last writer that resumes: nothing that has been may be in its way."""
        self.stop, self.stopping = os.pipe()
        plan = plan_for(FINAL, self.format, self.chance)
        plan = replace(plan, mode="resume", steps=3, every=1, ending="close", child="")
        child = self._start(plan)
        code = ended(child, SECONDS_TO_END)
        self.codes[child], self.gone[child] = 9 if code is None else code, time.monotonic_ns()
        os.close(self.stop)
        os.close(self.stopping)

    def attempts(self) -> list[Attempt]:
        """All attempts, from the journals."""
        found: list[Attempt] = []
        for number, notes in notes_of(self.folder).items():
            process = int(next(note.value for note in notes if note.event == "lives"))
            gone = self.gone.get(process, time.monotonic_ns())
            found += attempts_of(notes, number, self.codes.get(process), gone)
        return found


def race(seed: int, folder: Path) -> Outcome:
    """Hold one race.

    Parameters
    ----------
    seed : int
        Draws who starts when, and who is killed.
    folder : Path
        An empty folder; gets the run and the journals.
    """
    this = _Race(seed, folder)
    for _ in range(this.chance.randint(2, 5)):
        this.start()
    for _ in range(this.chance.randint(4, 14)):
        time.sleep(this.chance.choice([0.0, 0.005, 0.03, 0.1]))
        this.reap()
        act = this.chance.choices((this.start, this.kill, this.quiet), (5, 4, 2))[0]
        if act is not this.start or len(this.everyone()) < MOST_WRITERS:
            act()
    this.finish()
    before = answer_of(partial(read_lines, folder), folder / "read.txt")
    problems = [*this.problems, *violations(this.attempts(), before)]
    this.go_on()
    after = answer_of(partial(read_lines, folder), folder / "read.txt")
    problems += [f"resumed: {each}" for each in violations(this.attempts(), after)]
    problems += _continued(this, before.get(RUN), after.get(RUN))
    problems += _tracebacks(folder)
    _count(this, after)
    return Outcome(seed, this.counts, list(dict.fromkeys(problems)))


def _continued(this: _Race, before: Line | None, after: Line | None) -> list[str]:
    """Check that the run has gone on behind what there was, and is finished."""
    rows = before.rows if before else {}
    if after is None or after.status != "finished":
        said = [note.value for note in notes_of(this.folder)[FINAL] if note.event == "refused"]
        return [f"resumed in the end, the run is not finished: {said or (after and after.status)}"]
    kept = {step: row for step, row in after.rows.items() if step in rows}
    if kept != rows:
        return [f"resumed in the end, {len(rows)} rows have become {len(kept)} others"]
    added = len(after.rows) - len(rows)
    return [] if added == 3 else [f"resumed in the end for 3 steps, {added} were added"]


def _tracebacks(folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.glob("[0-9]*.txt")):
        text = path.read_text(encoding="utf-8")
        if "Traceback" in text and not text.rstrip().endswith("RuntimeError: as planned"):
            found.append(f"writer {path.stem} says: {text.rstrip().splitlines()[-1]}")
    return found


def _count(this: _Race, lines: dict[str, Line]) -> None:
    attempts = this.attempts()
    for each in attempts:
        what = "won" if each.last("owns") else "died asking" if each.undecided else "refused"
        this.counts[f"{what} ({each.asks.value})"] += 1
        this.counts["rows promised"] += len(each.promised)
        this.counts["forks"] += each.last("forks") is not None
    this.counts["rows in the end"] += len(lines[RUN].rows) if RUN in lines else 0
    this.counts["segments"] += sum(name.startswith("segment") for name in lines)


def _state(process: int) -> str:
    """Return a process's state as of proc(5); X if there is none."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return "X"
    return status.rpartition(")")[2].split()[0]


def _stands(process: int) -> bool:
    limit = time.monotonic() + 5
    while _state(process) not in "TZX" and time.monotonic() < limit:
        time.sleep(0.001)
    return _state(process) == "T"


def _snapshot(folder: Path) -> Snapshot:
    found = {}
    for path in [folder, *folder.rglob("*")]:
        about = path.stat()
        found[str(path.relative_to(folder))] = (
            about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns
        )  # fmt: skip
    return found


def report() -> str:
    """Hold all races and return the table."""
    return held(RACES, 0)[0]


def held(races: int, seed: int) -> tuple[str, bool]:
    """Hold the races.

    Returns
    -------
    text : str
        Tables of what happened and of what should not have.
    good : bool
        Whether nothing should not have.
    """
    _prepare()
    counts: Counter[str] = Counter()
    found: list[str] = []
    for number in range(seed, seed + races):
        folder = Path(tempfile.mkdtemp(prefix=f"race-{number}-"))
        outcome = race(number, folder)
        counts += outcome.counts
        fresh = [f"seed {number}: {each[:MOST_LETTERS]}" for each in outcome.violations]
        if fresh:
            found += [*fresh, f"seed {number}: its folder is {folder}"]
            print(*fresh, sep="\n", file=sys.stderr, flush=True)
        else:
            shutil.rmtree(folder)
    rows = [[what, f"{count:,}"] for what, count in sorted(counts.items())]
    text = table(f"{races} races, seeds {seed} to {seed + races - 1}", ["what", "times"], rows)
    said = "\n".join(f"- {each}" for each in found)
    return f"{text}\n\n{said or 'No violation.'}", not found


def _prepare() -> None:
    """Become a process of which children can be forked as if each had just been started."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    torch.set_num_threads(1)
    # What torch imports at a first step, it imports once, not in every child.
    torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))]).step()
    gc.freeze()  # a child that collects garbage would copy all of it


def main() -> None:
    """Hold as many races as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.races", description=__doc__)
    parser.add_argument("--races", type=int, default=RACES)
    parser.add_argument("--seed", type=int, default=0, help="of the first race; then one more each")
    arguments = parser.parse_args()
    text, good = held(arguments.races, arguments.seed)
    print(text)
    sys.exit(not good)


if __name__ == "__main__":
    main()
