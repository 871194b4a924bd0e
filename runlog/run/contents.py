"""What one log holds, and what became of each of its files: what every format's reader returns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from epochord.runlog.run.series import Series

__all__ = ["Contents", "FileReport", "damage_lines"]


@dataclass(frozen=True)
class FileReport:
    """What was read of one file, and what was not.

    Parameters
    ----------
    file : str
        Path or URL.
    records : int
        Records (rows, lines) that are whole.
    points : int
        Measurements taken from them.
    skipped : mapping of str to int
        Records that could not be used, by reason.
    skipped_bytes : int
        Bytes between records that belong to none.
    tail_bytes : int
        Bytes behind the last whole record.
    purged_steps : int
        Steps that a restart of the training superseded.
    others : mapping of str to int
        Intact entries that are no measurements (images, histograms, text
        columns, …), by kind.
    problem : str
        Why nothing of the file could be used; empty if it was used.
    """

    file: str
    records: int = 0
    points: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    skipped_bytes: int = 0
    tail_bytes: int = 0
    purged_steps: int = 0
    others: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""

    @property
    def damage(self) -> str:
        """One line about what is missing, or an empty text if nothing is."""
        if self.problem:
            return f"{self.file}: {self.problem}"
        missing = [f"{count} × {reason}" for reason, count in self.skipped.items() if count]
        if self.skipped_bytes:
            missing.append(f"{self.skipped_bytes} bytes between records")
        if self.tail_bytes:
            missing.append(f"{self.tail_bytes} bytes behind the last whole record")
        return f"{self.file}: not read: {', '.join(missing)}" if missing else ""


@dataclass(frozen=True)
class Contents:
    """A log's measurements as its reader found them.

    Parameters
    ----------
    series : mapping of str to Series
        By tag, each with at least one point, in write order.
    tables : mapping of str to pyarrow.Table
        What is not one number a step.
    segments : sequence of str
        Names of the files that `Series.segments` counts.
    files : sequence of FileReport
        One a file.
    notes : sequence of str
        One line for each thing that was ambiguous and how it was understood,
        such as the column taken for the step.
    """

    series: Mapping[str, Series]
    tables: Mapping[str, pa.Table] = field(default_factory=dict)
    segments: tuple[str, ...] = ()
    files: tuple[FileReport, ...] = ()
    notes: tuple[str, ...] = ()


def damage_lines(files: Iterable[FileReport]) -> list[str]:
    """Say what is missing, in a line for each file or for each group with one problem."""
    lines: list[str] = []
    unused: dict[str, list[str]] = {}
    for file in files:
        if file.problem:
            unused.setdefault(file.problem, []).append(file.file)
        elif file.damage:
            lines.append(file.damage)
    for problem, names in unused.items():
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        lines.append(f"{names[0]}{others}: {problem}")
    return lines
