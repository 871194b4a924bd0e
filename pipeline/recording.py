"""Recording an experiment from the command line: what is there already stays or is replaced."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from epochord.pipeline.console import bar, note
from epochord.runlog.errors import OutputError, RunExistsError, one_line
from epochord.runlog.extras import needing
from epochord.runlog.run.metadata import RunMetadata

__all__ = ["Progress", "Recordable", "record"]

Progress = Callable[[int, float], None]
"""Takes how much is done, and the loss."""

Train = Callable[[Progress], None]


class Recordable(Protocol):
    """An experiment to be recorded, and where and how."""

    @property
    def name(self) -> str:
        """What the run is called by default, and in ``make record-NAME``."""

    @property
    def directory(self) -> Path:
        """The run's directory."""

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What `run.json` is to say; ``experiment`` is the name."""

    def differences(self, run: RunMetadata) -> list[str]:
        """Say in what a run is not this recording; nothing if it is, and complete."""


def record(
    recording: Recordable, prepare: Callable[[], Train], total: int, *, overwrite: bool
) -> None:
    """Record an experiment, unless it is there already.

    Parameters
    ----------
    recording : Recordable
        The experiment.
    prepare : callable
        Loads all that is needed, torch among it, and returns what trains, which
        replaces an earlier recording.
    total : int
        How much there is to do, in the unit of the progress.
    overwrite : bool
        Whether another recording of this experiment may be replaced.

    Raises
    ------
    RunExistsError
        If something else is there that must not, or may not, be replaced.
    EpochordError
        If something that is needed is not installed, or could not be had.
    OutputError
        If the log cannot be written.
    """
    if _made(recording, overwrite):
        return
    with needing("recording", "record"):
        train = prepare()
    from epochord.runlog.reading.sources import holds_run

    with bar(f"record {recording.name}", total=total) as progress, warnings.catch_warnings():
        warnings.showwarning = _note_warning  # type: ignore[assignment]  # takes any others
        try:
            train(lambda done, loss: progress.update(done, total, f"loss {loss:.4g}"))
        except KeyboardInterrupt:
            if recording.directory.is_dir() and holds_run(recording.directory):
                note(f"{recording.directory}: stopped; what was recorded is kept")
            raise
        except OSError as error:
            raise OutputError(
                f"{recording.directory}: cannot write the log ({error.strerror or error}); "
                "what was written before is kept"
            ) from error


def _note_warning(message: Warning | str, *_: object) -> None:
    note(f"warning: {one_line(message)}")


def _made(recording: Recordable, overwrite: bool) -> bool:
    """Tell whether the recording is there already."""
    from epochord.runlog.reading.opening import open_run
    from epochord.runlog.reading.sources import holds_run

    directory = recording.directory
    if not (directory.is_dir() and holds_run(directory)):
        return False
    before = open_run(directory).metadata
    differences = ", ".join(recording.differences(before))
    if not differences:
        note(f"{directory}: was recorded with these settings already; nothing to do")
        return True
    if before.hyperparameters.get("experiment") != recording.name:
        raise RunExistsError(
            f"{directory}: holds a run that is not this experiment's; record elsewhere with --out"
        )
    if not overwrite:
        raise RunExistsError(
            f"{directory}: holds another recording of this experiment ({differences}); replace it "
            "with --overwrite or record elsewhere with --out"
        )
    note(f"{directory}: replaces an earlier recording ({differences})")
    return False
