"""What must be true after a race, whatever happened in it: journals and log to violations.

Of each owner, rows are promised up to the last step that `flush` has acknowledged, or, if it could
end as programs and signals end, up to its last one.
"""

import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from benchmarks.race_writers import RUN, STEPS, Note, mark
from epochord.runlog import LogError, open_run
from epochord.runlog.run.contents import damage_lines
from epochord.runlog.run.run import GRAD_NORM
from epochord.runlog.tensorboard import event_files, read_event_files

__all__ = ["Attempt", "Line", "attempts_of", "read_lines", "violations"]

TAGS = (GRAD_NORM + "p", "writer", "mark")
EVENTS = "event files"
HOLDING = ("owns", "did", "safe", "forks", "forked", "ends")
KNOWN_DAMAGE = (
    "not a whole record",  # of an event file whose writer was killed
    "behind the last whole record",
    "(the run was resumed after them)",  # rewinding to a step that the run had not reached
)
GENTLE = (-signal.SIGTERM, -signal.SIGHUP)  # deaths before which the log is closed


@dataclass(frozen=True)
class Attempt:
    """One time that a writer asked for the run.

    Parameters
    ----------
    number : int
        The writer.
    notes : tuple of Note
        From its ``asks`` on.
    code : int or None
        How its process ended, as of `benchmarks.forks.ended`; None if that is not known.
    gone : int
        When its process was seen to have gone (ns).
    """

    number: int
    notes: tuple[Note, ...]
    code: int | None
    gone: int

    def last(self, *events: str) -> Note | None:
        """Return the last note of some kinds."""
        return next((note for note in reversed(self.notes) if note.event in events), None)

    @property
    def asks(self) -> Note:
        """When, and how, it asked."""
        return self.notes[0]

    @property
    def overwrites(self) -> bool:
        """Whether what was there before goes if it wins."""
        return self.asks.value == "overwrite"

    @property
    def undecided(self) -> bool:
        """Whether it died while it asked."""
        return self.last("owns", "refused") is None

    @property
    def promised(self) -> range:
        """The steps whose rows have to be there."""
        owns = self.last("owns")
        ends = self.last("ends")
        whole = self.last("closed") or self.code in GENTLE
        whole = whole or (ends is not None and ends.value != "vanish" and self.code in (0, 1))
        done = self.last("did") if whole else self.last("safe")
        return range(0) if owns is None or done is None else range(owns.step, done.step + 1)


class Line(NamedTuple):
    """One log as it is read: steps in order, by tag their values; what its reader says of it."""

    steps: Mapping[str, list[int]]
    values: Mapping[str, list[float]]
    damage: Sequence[str]
    holes: frozenset[int] = frozenset()
    status: str = ""
    error: str | None = None

    @property
    def rows(self) -> dict[int, list[float | None]]:
        """By step the values of `TAGS`."""
        found: dict[int, list[float | None]] = {}
        for place, tag in enumerate(TAGS):
            for step, value in zip(self.steps.get(tag, []), self.values.get(tag, []), strict=True):
                found.setdefault(step, [None] * len(TAGS))[place] = value
        return dict(sorted(found.items()))


def attempts_of(
    notes: Sequence[Note], number: int, code: int | None, gone: int
) -> Iterator[Attempt]:
    """Take a journal apart at each ``asks``."""
    starts = [place for place, note in enumerate(notes) if note.event == "asks"]
    for start, stop in pairwise([*starts, len(notes)]):
        yield Attempt(number, tuple(notes[start:stop]), code, gone)


def read_lines(folder: Path) -> dict[str, Line]:
    """Read the log of a race: the run itself under its name, its segments under theirs.

    Parameters
    ----------
    folder : Path
        The race's folder.
    """
    run = folder / RUN
    lines = {}
    for place in [run, *sorted(run.glob("segment-*"))]:
        if (place / "run.json").exists():
            lines[place.name] = _line(place)
    if RUN in lines and (events := event_files(run)):
        contents = read_event_files(events)
        lines[EVENTS] = Line(
            {tag: series.steps.tolist() for tag, series in contents.series.items()},
            {tag: series.values.tolist() for tag, series in contents.series.items()},
            damage_lines(contents.files),
            lines[RUN].holes,
        )
    return lines


def _line(place: Path) -> Line:
    try:
        run = open_run(place)
    except LogError as error:
        return Line({}, {}, [str(error)])
    about = run.metadata
    return Line(
        {tag: series.steps.tolist() for tag, series in run.items()},
        {tag: series.values.tolist() for tag, series in run.items()},
        run.damage,
        frozenset(step for hole in about.holes for step in range(hole.first, hole.last + 1)),
        about.status,
        about.error,
    )


def violations(attempts: Sequence[Attempt], lines: Mapping[str, Line]) -> list[str]:
    """Say in a line each what is not as it must be.

    Parameters
    ----------
    attempts : sequence of Attempt
        Of all writers.
    lines : mapping of str to Line
        Of `read_lines`.
    """
    owners = sorted(
        (each for each in attempts if each.last("owns")), key=lambda each: _when(each, "owns")
    )
    return [
        *_overlapping(owners),
        *_refusals(attempts),
        *_beginnings(attempts, owners),
        *(said for name, line in lines.items() for said in _mixed(name, line, owners)),
        *_missing(_Story(attempts, owners), lines),
    ]


def _when(attempt: Attempt, *events: str) -> int:
    note = attempt.last(*events)
    assert note is not None
    return note.time


def _overlapping(owners: Sequence[Attempt]) -> Iterator[str]:
    for place, one in enumerate(owners):
        for other in owners[place + 1 :]:
            if _when(one, *HOLDING) > _when(other, "owns"):
                yield f"writers {one.number} and {other.number} own the run at the same time"


def _refusals(attempts: Sequence[Attempt]) -> Iterator[str]:
    for each in attempts:
        refused = each.last("refused")
        if refused is None:
            continue
        who = f"writer {each.number} ({each.asks.value}) is refused"
        if "\\n" in refused.value:
            yield f"{who} in several lines: {refused.value}"
        holders = [
            other
            for other in attempts
            if other is not each
            and (other.last("owns") or other.undecided)
            and other.asks.time < refused.time
        ]
        recording = [other for other in holders if _end(other) > each.asks.time]
        if not (recording or (each.asks.value == "plain" and holders)):
            yield f"{who} though nobody records: {refused.value}"


def _end(attempt: Attempt) -> int:
    closed = attempt.last("closed")
    return closed.time if closed else attempt.gone


def _beginnings(attempts: Sequence[Attempt], owners: Sequence[Attempt]) -> Iterator[str]:
    """Check where owners begin, as far as it does not hang on what was lost."""
    for place, each in enumerate(owners):
        owns = each.last("owns")
        assert owns is not None
        known = owns.step == 0 or each.asks.value not in ("plain", "overwrite")
        if not known:
            yield f"writer {each.number} ({each.asks.value}) begins with step {owns.step}"
        earlier = [other for other in owners[:place] if other.promised]
        wiped = any(
            other.overwrites and (other.undecided or other in owners[:place])
            for other in attempts
            if other.asks.time < owns.time
        )
        if each.asks.value == "plain" and earlier and not wiped:
            yield f"writer {each.number} (plain) owns a run that has rows already"
        if each.asks.value == "resume" and earlier and not wiped:
            after = earlier[-1].promised.stop
            if owns.step < after and not any(o.asks.value == "rewind" for o in attempts):
                yield f"writer {each.number} resumes at {owns.step}, {after} steps were safe"


def _mixed(name: str, line: Line, owners: Sequence[Attempt]) -> Iterator[str]:
    """Check that each row is one writer's, under its step, and that writers follow each other."""
    order = {each.number: place for place, each in enumerate(owners)}
    for tag, steps in line.steps.items():
        if steps != sorted(set(steps)):
            yield f"{name}: {tag} has steps twice, or not in order"
    rows = line.rows
    absent = sorted(set(range(max(rows, default=0))) - set(rows) - line.holes)
    if absent and name in (RUN, EVENTS):
        yield f"{name}: of {len(rows)} steps, {_spans(absent)} are not there"
    latest = -1
    for step, (norm, writer, marked) in rows.items():
        number = int(norm or marked or 0) // STEPS
        if {norm, marked} - {None, mark(number, step)} or writer not in (None, number):
            yield f"{name}: step {step} is mixed: norm {norm}, mark {marked}, writer {writer}"
        elif number not in order:
            yield f"{name}: step {step} is of writer {number}, who never owned the run"
        elif order[number] < latest:
            yield f"{name}: step {step} is of writer {number}, behind a later one's"
        latest = max(latest, order.get(number, -1))
    for said in line.damage:
        if not any(known in said for known in KNOWN_DAMAGE) or "nothing of" in said:
            yield f"{name}: damage: {said}"


@dataclass
class _Story:
    """Who owned the run, in turn, and whose rows may be gone."""

    attempts: Sequence[Attempt]
    owners: Sequence[Attempt]
    promised: list[Attempt] = field(init=False)

    def __post_init__(self) -> None:
        wiping = [each for each in self.attempts if each.overwrites]
        last = max((_when(each, "owns") for each in wiping if each.last("owns")), default=0)
        unsure = max((each.gone for each in wiping if each.undecided), default=0)
        self.promised = [
            each
            for each in self.owners
            if _when(each, "owns") >= last and _when(each, "owns") > unsure
        ]


def _missing(story: _Story, lines: Mapping[str, Line]) -> Iterator[str]:
    """Check that each promised row is there once, whole: in the run, or kept in a segment."""
    places: dict[float, list[str]] = {}
    for name, line in lines.items():
        for step, row in line.rows.items():
            number = int(row[0] or row[2] or 0) // STEPS
            if row == [mark(number, step), number, mark(number, step)] and name != EVENTS:
                places.setdefault(mark(number, step), []).append(name)
    for each in story.promised:
        lost = [step for step in each.promised if mark(each.number, step) not in places]
        if lost:
            yield f"{_spans(lost)} of writer {each.number} were promised and are not there"
        twice = [step for step in each.promised if len(places.get(mark(each.number, step), [])) > 1]
        if twice and not any(o.undecided and o.asks.value == "rewind" for o in story.attempts):
            # A kill between making the segment and shortening the run leaves both.
            found = places[mark(each.number, twice[0])]
            yield f"{_spans(twice)} of writer {each.number} are there in {' and '.join(found)}"
    if story.promised and story.promised[-1] is story.owners[-1]:
        own = story.owners[-1]
        aside = [
            step for step in own.promised if RUN not in places.get(mark(own.number, step), [RUN])
        ]
        if aside and not any(each.undecided for each in story.attempts):
            yield f"{_spans(aside)} of the last owner, {own.number}, are not in the run itself"


def _spans(steps: Sequence[int]) -> str:
    return f"steps {steps[0]} to {steps[-1]} ({len(steps)})"
