"""Where results go: into a folder under names of their own, or to a file that was named."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from epochord.runlog import OutputError
from epochord.runlog.locations import expanded

__all__ = ["Destination", "StrPath", "destination"]

StrPath = str | os.PathLike[str]

# What any of our results can end in: a name that ends so was meant for a file.
AUDIO = (".wav", ".flac", ".ogg", ".mp3")
PICTURES = (".png", ".svg", ".mp4", ".webp", ".html")
TABLES = (".json", ".txt", ".parquet", ".csv", ".tsv", ".jsonl")
# What none of them ends in, but others' files do, so that it is no folder either.
OTHERS = (
    ".aac", ".aiff", ".arrow", ".feather", ".gif", ".htm", ".jpeg", ".jpg", ".m4a", ".mov", ".opus",
    ".pdf", ".webm", ".xls", ".xlsx",
)  # fmt: skip
FILES = frozenset((*AUDIO, *PICTURES, *TABLES, *OTHERS))


@dataclass(frozen=True)
class Destination:
    """A folder, and what the names of all results in it begin with.

    Where a place for results is asked for, one of these says it without any doubt.

    Parameters
    ----------
    folder : Path
        Where results go.
    stem : str
        Such as ``"audio"`` of ``audio.wav``, ``audio.json``, ….
    suffix : str
        Of the file that was named, such as ``".flac"``; empty if a folder was.
    """

    folder: Path
    stem: str
    suffix: str = ""

    def path(self, ending: str) -> Path:
        """Return the path of one result, such as ``path(".json")``."""
        return self.folder / f"{self.stem}{ending}"


def destination(
    out: "StrPath | Destination | None", *, folder: StrPath, stem: str, suffixes: Collection[str]
) -> Destination:
    """Understand what a user named as the place for results.

    Parameters
    ----------
    out : str, PathLike or Destination, optional
        A file, if it ends in a suffix of our results and is no folder yet; else a
        folder.  A ``~`` at its beginning is the home folder.
    folder : str or PathLike
        Where results go by default.
    stem : str
        What their names begin with by default.
    suffixes : collection of str
        Those of the files that can be named, such as ``(".wav", ".flac")``.

    Returns
    -------
    Destination
        Of a file ``dir/name.suffix``: the folder ``dir`` and the stem ``name``.

    Raises
    ------
    OutputError
        If a file was named that is of another kind than is made here.
    """
    if isinstance(out, Destination):
        return out
    if out is None:
        return Destination(Path(folder), stem)
    path = expanded(out)
    suffix = path.suffix.lower()
    if suffix not in FILES or path.is_dir():
        return Destination(path, stem)
    if suffix not in suffixes:
        expected = ", ".join(suffixes)
        raise OutputError(
            f"{path}: {suffix} is not made here; expected {expected}, or the name of a folder"
        )
    return Destination(path.parent, path.stem, suffix)
