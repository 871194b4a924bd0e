"""Which steps of runs lie side by side, and what of them does not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from epochord.renderers.comparison.listening import Heard
from epochord.renderers.comparison.names import listed
from epochord.renderers.comparison.series import Logged
from epochord.renderers.timeline.side_by_side import usual_gap
from epochord.runlog import Run

__all__ = ["overlap_sentences", "span_sentences"]

MOST_LACKING = 3  # sentences about tags that not all have
SLOWER = 2  # times the shortest gap
COLUMN = "steps are the column "  # as `runlog` says it of a table
ROWS = "no step column: "


@dataclass(frozen=True)
class _Span:
    """First and last step of what is heard of a run, and how far apart they usually lie."""

    name: str
    first: int
    last: int
    gap: int

    @classmethod
    def of(cls, log: Logged) -> "_Span":
        steps = log.run.steps
        if log.heard:
            steps = replace(log.run, series={tag: log.run[tag] for tag in log.heard}).steps
        return cls(log.run.name, int(steps[0]), int(steps[-1]), max(1, usual_gap(steps)))

    @property
    def held(self) -> int:
        """The step up to which the last value holds."""
        return self.last + self.gap - 1

    def __str__(self) -> str:
        if self.first == self.last:
            return f"{self.name} (step {self.first})"
        return f"{self.name} ({self.first}…{self.last})"


def overlap_sentences(logs: Sequence[Logged]) -> list[str]:
    """Say that runs have no stretch of steps in common, if it is so.

    Parameters
    ----------
    logs : sequence of Logged
        Those that are compared.
    """
    spans = [_Span.of(each) for each in logs]
    one = min(spans, key=lambda span: span.held)
    other = max(spans, key=lambda span: span.first)
    if other.first <= one.held:
        return []
    return [f"the steps of {one} and {other} do not overlap: each is compared with silence"]


def span_sentences(logs: Sequence[Logged], heard: Sequence[Heard]) -> list[str]:
    """Say which runs begin or end apart from others, go at another pace, or lack a tag.

    Parameters
    ----------
    logs : sequence of Logged
        Those that are compared.
    heard : sequence of Heard
        Their sounds, which tell where each of them is there.
    """
    spans = [_Span.of(each) for each in logs]
    known = [*_counting([each.run for each in logs]), *_lacking(logs)]
    return known if overlap_sentences(logs) else [*_ends(spans, heard), *_pace(spans), *known]


def _ends(spans: Sequence[_Span], heard: Sequence[Heard]) -> Iterator[str]:
    """Say where runs begin or end; one whose last value holds to the end of all does not end."""
    both = [*zip(spans, heard, strict=True)]
    late = [f"{span.name} begins at step {span.first}" for span, each in both if each.begin > 0]
    early = [
        f"{span.name} ends at step {span.last}" for span, each in both if each.end < float("inf")
    ]
    if late:
        yield f"{listed(late)}; what is before is not compared"
    if early:
        yield f"{listed(early)}; what follows is not compared"


def _pace(spans: Sequence[_Span]) -> Iterator[str]:
    """Say which runs are logged less often than others."""
    several = [span for span in spans if span.first < span.last]
    least = min((span.gap for span in several), default=1)
    slow = [span for span in several if span.gap >= SLOWER * least]
    if not slow:
        return
    gaps = sorted({span.gap for span in slow}, reverse=True)[:2]
    said: list[str] = []
    for gap in [*gaps, least]:
        names = [span.name for span in several if span.gap == gap]
        verb = "" if said else "is logged " if len(names) == 1 else "are logged "
        said.append(f"{listed(names)} {verb}every {'step' if gap == 1 else f'{gap} steps'}")
    whose = "its" if len(slow) == 1 else "their"
    yield f"{', '.join(said)}: between {whose} steps a value holds"


def _counting(runs: Sequence[Run]) -> Iterator[str]:
    """Say that steps are not of one kind, as far as tables tell it by the names of columns."""
    names: dict[str, list[str]] = {}
    for run in runs:
        if what := _counted(run):
            names.setdefault(what, []).append(run.name)
    if len(names) > 1:
        each = ", ".join(f"{what} in {listed(of)}" for what, of in names.items())
        yield f"steps do not count the same: {each}"


def _counted(run: Run) -> str:
    for note in run.notes:
        if note.startswith(COLUMN):
            return "epochs" if "epoch" in note.lower() else "steps"
        if note.startswith(ROWS):
            return "rows"
    return ""


def _lacking(logs: Sequence[Logged]) -> list[str]:
    """Say which tags not all runs have, what is heard first."""
    tags = dict.fromkeys(
        tag for which in ("heard", "wanted") for each in logs for tag in getattr(each, which)
    )
    by_owners: dict[tuple[str, ...], list[str]] = {}
    for tag in tags:
        owners = tuple(each.run.name for each in logs if tag in each.run.series)
        if len(owners) < len(logs):
            by_owners.setdefault(owners, []).append(tag)
    said = [
        f"only {listed(owners)} {'has' if len(owners) == 1 else 'have'} {listed(of)}"
        for owners, of in by_owners.items()
    ]
    more = sum(map(len, [*by_owners.values()][MOST_LACKING:]))
    return [*said[:MOST_LACKING], *([f"{more} more tags are not in all runs"] if more else [])]
