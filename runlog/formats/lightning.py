"""Lightning's CSVLogger: `metrics.csv`, wide, blank where nothing was measured."""

from pathlib import Path

from epochord.runlog.formats.cells import read_sheet
from epochord.runlog.formats.columns import contents
from epochord.runlog.formats.first_look import LFS_POINTER, glance, is_folder
from epochord.runlog.formats.sheet import is_long
from epochord.runlog.run.contents import Contents

__all__ = ["FILE", "IN_FOLDERS", "NAME", "matches", "read"]

NAME = "Lightning CSV"
IN_FOLDERS = True
FILE = "metrics.csv"


def matches(path: Path) -> bool:
    """Tell whether a path is such a file or a folder that holds one."""
    head = glance(path if path.name == FILE else path / FILE)
    names = head.partition(b"\n")[0].decode(errors="replace").strip().split(",")
    # A pointer is claimed by its name, so that reading can say what it is.
    return head.startswith(LFS_POINTER) or ("step" in names and not is_long(names))


def read(path: Path, *, x: str | None = None) -> Contents:
    """Read a run's metrics.

    Parameters
    ----------
    path : Path
        The file or its folder.
    x : str, optional
        The column to take steps from; by default Lightning's own, ``step``.

    Raises
    ------
    LogError
        If nothing of it can be used.
    """
    file = path / FILE if is_folder(path) else path
    return contents(read_sheet(file, NAME, x=x), x=x, step="step")
