"""Pictures and videos of a run that lie among its results already."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epochord.runlog import EpochordError, Run
from epochord.runlog.reading.ensemble import open_ensemble

__all__ = ["Extra", "Extras", "extras"]

LARGEST = 16 << 20  # bytes; a page has to be sent and opened
MEDIA_TYPES = {".png": "image/png", ".mp4": "video/mp4"}
# By description: the files it stands for and what they are, in order.
KINDS = {
    "ensemble.json": {
        "ensemble.mp4": "The ensemble's predictions over its training",
        "members.png": "Members of the ensemble",
        "scores.png": "Scores of the ensemble",
    },
    "benford.json": {
        "benford.png": "First digits",
        "benford.gradient.png": "First digits of the gradients over the training",
        "benford.weight.png": "First digits of the weights over the training",
    },
}


@dataclass(frozen=True)
class Extra:
    """A picture or a video.

    Parameters
    ----------
    path : Path
        The file.
    title : str
        What it shows.
    """

    path: Path
    title: str

    @property
    def media_type(self) -> str:
        """Such as ``image/png``."""
        return MEDIA_TYPES[self.path.suffix]

    def digest(self) -> str:
        """Return the SHA-256 of the file, hexadecimal."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Extras:
    """What was found beside a run, and what was left out, in a line each."""

    found: tuple[Extra, ...] = ()
    notes: tuple[str, ...] = ()


def extras(run: Run, log: Path, folder: Path) -> Extras:
    """Look for pictures and videos of a run.

    Parameters
    ----------
    run : Run
        What was read.
    log : Path
        Where it was read from.
    folder : Path
        Where its results are.

    Returns
    -------
    Extras
        Only of this very log: what was made of another one is left out.
    """
    found: list[Extra] = []
    notes: list[str] = []
    for name, titles in KINDS.items():
        about = _described(folder / name)
        if about is None:
            continue
        if not _is_of(run, log, about):
            notes.append(f"{folder / name}: made from another log; render it again to show it")
            continue
        for extra in _complete(folder, about, titles):
            if extra.path.stat().st_size <= LARGEST:
                found.append(extra)
            else:
                notes.append(f"{extra.path}: left out; it is larger than {LARGEST >> 20} MiB")
    return Extras(tuple(found), tuple(notes))


def _described(path: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        about = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(about, dict) and isinstance(about.get("files"), dict):
            return about
    return None


def _is_of(run: Run, log: Path, about: dict[str, Any]) -> bool:
    if "log_hash" in about:
        return bool(about["log_hash"] == run.log_hash())
    with suppress(EpochordError, KeyError, IndexError, TypeError):
        return bool(about["runs"][0]["log_hash"] == open_ensemble(log).log_hash())
    return False


def _complete(folder: Path, about: dict[str, Any], titles: dict[str, str]) -> Iterator[Extra]:
    for name, title in titles.items():
        path = folder / name
        if about["files"].get(name) and path.is_file():
            yield Extra(path, title)
