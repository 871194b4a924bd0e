"""Hugging Face's `trainer_state.json`: what a Trainer logged, in each checkpoint."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from epochord.runlog.errors import LogError, described
from epochord.runlog.formats.columns import contents
from epochord.runlog.formats.first_look import glance, is_file, is_folder, opened, require_text
from epochord.runlog.formats.records import sheet_of
from epochord.runlog.run.contents import Contents

__all__ = ["FILE", "IN_FOLDERS", "NAME", "matches", "read"]

NAME = "Hugging Face trainer state"
IN_FOLDERS = True
FILE = "trainer_state.json"
HISTORY = "log_history"


def matches(path: Path) -> bool:
    """Tell whether a path is such a file, under whatever name, or a folder that holds one."""
    if path.name == FILE or is_folder(path):
        return is_file(path if path.name == FILE else path / FILE)
    return path.suffix == ".json" and f'"{HISTORY}"'.encode() in glance(path)


def read(path: Path, *, x: str | None = None) -> Contents:
    """Read the log history.

    Parameters
    ----------
    path : Path
        The file, or the checkpoint's folder.
    x : str, optional
        The key to take steps from; by default the Trainer's own, ``step``.

    Raises
    ------
    LogError
        If nothing of it can be used.
    """
    file = path / FILE if is_folder(path) else path
    with opened(file, NAME) as stream:
        raw = stream.read()
    history = _history(require_text(raw, file, NAME), file)
    skipped: dict[str, int] = {}
    sheet = sheet_of(str(file), _entries(history, skipped), skipped)
    return contents(sheet, x=x, step="step")


def _history(text: str, file: Path) -> list[Any]:
    try:
        state = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LogError(
            f"{file}: damaged JSON ({described(error)}); an earlier checkpoint has its own {FILE}"
        ) from error
    history = state.get(HISTORY) if isinstance(state, dict) else None
    if not isinstance(history, list):
        raise LogError(f"{file}: has no list {HISTORY!r}; expected {NAME}")
    return history


def _entries(history: Iterable[Any], skipped: dict[str, int]) -> Iterator[dict[str, Any]]:
    for entry in history:
        if isinstance(entry, dict):
            yield entry
        else:
            skipped["entry that is no object"] = skipped.get("entry that is no object", 0) + 1
