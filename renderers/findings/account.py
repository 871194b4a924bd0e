"""A run in words: what it is, how each voice went, and what happened, in the order of time."""

from dataclasses import dataclass
from typing import Any

from epochord.renderers.findings.course import Course, courses
from epochord.renderers.findings.diagnosis import Diagnosis, diagnose
from epochord.renderers.findings.find import find
from epochord.renderers.findings.finding import Finding
from epochord.renderers.timeline.choice import Choice
from epochord.renderers.timeline.reduction import reduce
from epochord.renderers.timeline.timeline import StepRange, timeline
from epochord.runlog import Run
from epochord.runlog.run.given import require_run

__all__ = ["Account", "describe"]

FRAMES = 1000  # in which a course is followed


@dataclass(frozen=True)
class Account:
    """What can be said of a run.

    Parameters
    ----------
    name : str
        Of the run.
    steps : int
        How many have a value.
    first, last : int
        The first and the last of them.
    courses : tuple of Course
        How each voice went.
    findings : tuple of Finding
        What happened, in the order of steps.
    notes : tuple of str
        What was chosen or moved, in a line each.
    diagnoses : tuple of Diagnosis
        Which troubles the run looks like.
    """

    name: str
    steps: int
    first: int
    last: int
    courses: tuple[Course, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """What can be said, in sentences; what was looked for in vain is said, too."""
        steps = "1 step" if self.steps == 1 else f"{self.steps} steps ({self.first}…{self.last})"
        found = [finding.sentence for finding in self.findings]
        found += [diagnosis.sentence for diagnosis in self.diagnoses]
        nothing = (
            "nothing found: no spike, explosion, dead or stuck gradient, layer that leaves the "
            "others, NaN or infinity, and no trouble that has a name"
        )
        return [
            f"{self.name}: {steps}",
            *(course.sentence for course in self.courses),
            *(found or [nothing]),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "run": self.name,
            "steps": {"count": self.steps, "first": self.first, "last": self.last},
            "voices": [course.to_dict() for course in self.courses],
            "findings": [finding.to_dict() for finding in self.findings],
            "diagnoses": [diagnosis.to_dict() for diagnosis in self.diagnoses],
            "notes": list(self.notes),
            "sentences": self.sentences,
        }


def describe(run: Run, choice: Choice | None = None, *, steps: StepRange = (None, None)) -> Account:
    """Say of a run what one would hear.

    Parameters
    ----------
    run : Run
        Any run with measurements.
    choice : Choice, optional
        Which series; by default those that are heard by default.
    steps : (int or None, int or None)
        First step, and the step before which to stop.

    Raises
    ------
    NothingToHearError
        If the run has no measurement.
    LogError
        If nothing matches the choice.
    TypeError
        If `run` is no run.
    """
    require_run(run)
    line = timeline(run, choice, steps=steps)
    return Account(
        run.name,
        line.frames,
        int(line.steps[0]),
        int(line.steps[-1]),
        tuple(courses(reduce(line, FRAMES))),
        tuple(find(line)),
        line.notes,
        diagnose(run, choice, steps=steps),
    )
