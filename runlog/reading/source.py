"""Where one run lies."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from epochord.runlog.locations import Location, location

if TYPE_CHECKING:
    from epochord.runlog.run.run import Run

__all__ = ["RunSource", "place_and_name"]


@dataclass(frozen=True)
class RunSource:
    """Where a run lies, and what it is called among the others.

    Parameters
    ----------
    name : str
        With ``/`` between the folders below the one that was searched.
    path : Path
        The run's folder or file.
    """

    name: str
    path: Path

    def open(self, *, x: str | None = None) -> "Run":
        """Read the run (see `open_run`)."""
        from epochord.runlog.reading.opening import open_run

        return open_run(self, x=x)


def place_and_name(path: Location | RunSource, name: str | None) -> tuple[Path, str | None]:
    """Return where a run lies, and what to call it: as was asked, else as a source calls it."""
    if isinstance(path, RunSource):
        return path.path, name or path.name
    return location(path), name
