"""From a path to runs: what lies there, and under which names."""

import re
from pathlib import Path

from epochord.runlog.atomic import leftovers
from epochord.runlog.errors import LogError
from epochord.runlog.formats import recognise
from epochord.runlog.locations import (
    EVENT_FILE,
    Location,
    folders_below,
    location,
    name_of,
    printable,
    relative_name,
)
from epochord.runlog.parquet import METRICS, PARTS, is_parquet_log, parts_folder, table_file
from epochord.runlog.reading.source import RunSource
from epochord.runlog.reading.tables import TABLES
from epochord.runlog.run.metadata import RUN_JSON

__all__ = ["SEGMENTS", "RunSource", "find_runs", "holds_run", "log_files"]

EXPECTED = (
    f"a run ({RUN_JSON}, {METRICS}), a log of TensorBoard, Lightning, Hugging Face or MLflow, a "
    "folder of those, or a CSV, JSONL or Parquet file"
)
OWN = frozenset({RUN_JSON, METRICS, PARTS})
SEGMENTS = "segment-[0-9]*"  # what a run held before it was rewound
CHECKPOINT = re.compile(r"checkpoint-(\d+)")


def find_runs(path: Location) -> list[RunSource]:
    """Find every run at or below a path.

    Parameters
    ----------
    path : str or path-like
        A run in any format, a folder with runs at any depth, a single event
        file or table, or the URL of one of these.

    Returns
    -------
    list of RunSource
        In the order of their names, which are TensorBoard's: the path below
        the folder given; that folder itself, if it is a run, goes by its name.

    Raises
    ------
    LogError
        If there is no such path, or nothing that can be read as a run.
    """
    root = location(path)
    if not root.exists():
        raise LogError(f"{root}: no such file or folder; expected {EXPECTED}")
    if not root.is_dir():
        return [_file_source(root)]
    found = [RunSource(name_of(root), root)] if _may_hold_run(root) else []
    found += [
        RunSource(relative_name(folder, root), folder)
        for folder in folders_below(root)
        if _may_hold_run(folder)
    ]
    found = _without_earlier_checkpoints(found)
    if not found:
        raise LogError(f"{root}: no run here or below; {_tables(root)}expected {EXPECTED}")
    return sorted(found, key=lambda source: source.name)


def _file_source(file: Path) -> RunSource:
    """Understand the name of a single file."""
    if file in (file.parent / RUN_JSON, file.parent / METRICS) and holds_run(file.parent):
        return RunSource(name_of(file.parent), file.parent)
    if EVENT_FILE in file.name:
        return RunSource(printable(file.name), file)
    kind = recognise(file)
    if kind is None:
        raise LogError(f"{file}: is a file of no known kind; expected {EXPECTED}")
    # What is found in folders has one name for its file everywhere.
    return RunSource(name_of(file.parent) if kind.IN_FOLDERS else printable(file.stem), file)


def _may_hold_run(folder: Path) -> bool:
    try:
        # By names alone: a logdir can hold thousands of runs.
        inside = list(folder.iterdir())
        if OWN.intersection(path.name for path in inside):
            return True
        if any(EVENT_FILE in path.name and not path.is_dir() for path in inside):
            return True
        kind = recognise(folder)
        return kind is not None and kind.IN_FOLDERS
    except OSError:
        return True  # opening it will say why it cannot be read


def _without_earlier_checkpoints(found: list[RunSource]) -> list[RunSource]:
    """Leave out Hugging Face checkpoints whose history a later one repeats and continues."""
    numbers = {one: CHECKPOINT.fullmatch(one.path.name) for one in found}
    newest: dict[Path, int] = {}
    for one, match in numbers.items():
        if match:
            newest[one.path.parent] = max(newest.get(one.path.parent, 0), int(match[1]))
    finished = {one.path for one in found}
    return [
        one
        for one, match in numbers.items()
        if not match
        or (int(match[1]) == newest[one.path.parent] and one.path.parent not in finished)
    ]


def _tables(folder: Path) -> str:
    """Name a file that would be read if it was named, if a folder has one."""
    named = next((path for path in sorted(folder.iterdir()) if recognise(path)), None)
    return f"to read {named.name}, name the file; " if named else ""


def _is_own(directory: Path) -> bool:
    return (directory / RUN_JSON).is_file() or is_parquet_log(directory)


def holds_run(directory: Path) -> bool:
    """Tell whether a directory holds a log as the recorders write it, in any format."""
    return _is_own(directory) or bool(_event_files(directory))


def log_files(directory: Path) -> list[Path]:
    """List what makes up a recorder's log, in any format, with what a kill left half-written."""
    # What is removed in this order keeps its first rows and its name to the end.
    tables = [place(directory, name) for name in TABLES for place in (parts_folder, table_file)]
    own = [*tables, *(directory / name for name in (PARTS, METRICS, RUN_JSON))]
    whole = [path for path in own if path.exists()]
    segments = [path for path in directory.glob(SEGMENTS) if path.is_dir() and _is_own(path)]
    return leftovers(directory) + _event_files(directory) + segments + whole


def _event_files(directory: Path) -> list[Path]:
    # Importing TensorBoard takes longer than looking; so look first.
    if not any(directory.glob(f"*{EVENT_FILE}*")):
        return []
    from epochord.runlog.tensorboard import event_files

    return event_files(directory)
