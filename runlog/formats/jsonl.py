"""JSONL: one JSON object a line, such as loggers of many a training script write."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from epochord.runlog.formats.columns import contents
from epochord.runlog.formats.first_look import GLANCE, glance, is_file, opened, refuse_binary
from epochord.runlog.formats.records import sheet_of
from epochord.runlog.run.contents import Contents

__all__ = ["IN_FOLDERS", "NAME", "matches", "read"]

NAME = "JSONL"
IN_FOLDERS = False
SUFFIXES = (".jsonl", ".ndjson")


def matches(path: Path) -> bool:
    """Tell whether a file is called so, or its first line is a JSON object."""
    if path.suffix.lower() in SUFFIXES:
        return is_file(path)
    return _object(glance(path).lstrip().partition(b"\n")[0]) is not None


def read(path: Path, *, x: str | None = None) -> Contents:
    """Read the objects of a file.

    Parameters
    ----------
    path : Path
        The file.  Objects within objects give tags ``outer/inner``.
    x : str, optional
        The key to take steps from; by default it is guessed.

    Returns
    -------
    Contents
        Lines that are no object, such as one that a kill cut short, are counted
        in its report.

    Raises
    ------
    LogError
        If nothing of it can be used.
    """
    skipped: Counter[str] = Counter()
    with opened(path, NAME) as stream:
        # Not all of it has to be UTF-8: a broken line costs itself.
        refuse_binary(stream.read(GLANCE), path, NAME)
        stream.seek(0)
        sheet = sheet_of(str(path), _objects(stream, skipped), skipped)
    return contents(sheet, x=x)


def _objects(lines: Iterable[bytes], skipped: Counter[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if not line.strip():
            continue
        record = _object(line)
        if record is None:
            skipped["line that is no JSON object"] += 1
        else:
            yield record


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
