"""What the user sees: results on stdout, everything else on stderr, one line an event."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from epochord.runlog.errors import one_line

__all__ = ["Bar", "bar", "fail", "note", "plural", "result", "stderr", "stdout"]

# A table for a file or a pipe is not squeezed into 80 columns.
stdout = Console(width=None if sys.stdout.isatty() else 160)
stderr = Console(stderr=True)


def result(line: object) -> None:
    """Print a result, such as a path, on stdout."""
    print(line, flush=True)


def note(line: str) -> None:
    """Print a remark or a warning on stderr."""
    print(f"epochord: {line}", file=sys.stderr, flush=True)


def fail(line: object) -> None:
    """Print an error on stderr, as one line whatever is in it."""
    note(f"error: {one_line(line)}")


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


class Bar:
    """A progress bar that is advanced by setting how much is done."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
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
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}", markup=False),
    )
    with Progress(
        *columns, console=stderr, transient=True, disable=not stderr.is_terminal
    ) as progress:
        yield Bar(progress, progress.add_task(label, total=total, text=""))
