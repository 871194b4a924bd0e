"""What is named on seeds that nobody has tuned on, and what of healthy runs."""

from collections.abc import Iterator
from pathlib import Path

from epochord.pipeline.experiments.field_guide import TRAININGS
from epochord.pipeline.field_guide.entries import UNSEEN, Entry, entries
from epochord.pipeline.field_guide.recordings import HEALTHY, recorded
from epochord.renderers.findings import diagnose
from epochord.runlog import Run

__all__ = ["NAMED", "Tried", "check", "first_named"]

NAMED = 16  # of eighteen, at least

Tried = tuple[str, str, list[str]]
"""A training, the trouble it has, and what was named on each seed; empty for none."""


def first_named(run: Run) -> str:
    """Return the key of the most serious trouble that a run looks like; empty for none."""
    return next((one.trouble.name.lower() for one in diagnose(run)), "")


def check(folder: Path) -> tuple[list[Tried], list[Tried]]:
    """Try the diagnoses on unseen seeds.

    Parameters
    ----------
    folder : Path
        Where the runs are, or are recorded.

    Returns
    -------
    (list of Tried, list of Tried)
        The eighteen entries, and the healthy runs.
    """
    return [_tried(entry, folder) for entry in entries()], list(_healthy(folder))


def _tried(entry: Entry, folder: Path) -> Tried:
    runs = (recorded(TRAININGS[entry.training], seed, folder) for seed in UNSEEN)
    return entry.training, entry.trouble, [first_named(run) for run in runs]


def _healthy(folder: Path) -> Iterator[Tried]:
    for place, training in enumerate(HEALTHY):
        yield training.name, "", [first_named(recorded(training, UNSEEN[0] + place, folder))]
