"""What the user sees: results on stdout, everything else on stderr, one line an event.

rich is imported when there is something for it to draw: a bar on a terminal.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from epochord.runlog.errors import one_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["Bar", "bar", "fail", "hush", "note", "result"]

_quiet = False


def hush(quiet: bool) -> None:
    """Leave out notes and bars from now on, or no longer."""
    global _quiet
    _quiet = quiet


def result(line: object) -> None:
    """Print a result, such as a path, on stdout."""
    print(line, flush=True)


def note(line: str) -> None:
    """Print a remark or a warning on stderr."""
    if not _quiet:
        _say(line)


def fail(line: object) -> None:
    """Print an error on stderr, as one line whatever is in it."""
    _say(f"error: {one_line(line)}")


class Bar:
    """A progress bar that is advanced by setting how much is done.

    Parameters
    ----------
    progress : rich.progress.Progress, optional
        What draws it; without it nothing is seen.
    task : int
        Which of its tasks.
    """

    def __init__(self, progress: "Progress | None" = None, task: "TaskID | None" = None) -> None:
        self._progress = progress
        self._task = task

    def update(self, done: int, total: int, text: str = "") -> None:
        """Show how much is done.

        Parameters
        ----------
        done, total : int
            In any unit.
        text : str
            A few words behind the bar.
        """
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, total=total, text=text)


@contextmanager
def bar(label: str, total: int | None = None) -> Iterator[Bar]:
    """Show a progress bar on stderr while the block runs; nothing if that is no terminal.

    Parameters
    ----------
    label : str
        What is being done.
    total : int, optional
        Known from the start, or given with each update.
    """
    if _quiet or not sys.stderr.isatty():
        yield Bar()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bar(progress, progress.add_task(label, total=total, text=""))


def _say(line: str) -> None:
    print(f"epochord: {line}", file=sys.stderr, flush=True)
