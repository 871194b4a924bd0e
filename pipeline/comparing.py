"""From the paths on a command line to runs or audio files to compare, each with its own name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.console import fail, note
from pipeline.inputs import Found, find, open_aloud
from runlog import EarshotError, LogError, Run
from runlog.segments import Segments, split_segments

if TYPE_CHECKING:
    from renderers.audio import AudioSettings
    from renderers.comparison import Clip

__all__ = ["Reading", "find_clips", "find_compared"]


@dataclass(frozen=True)
class Reading:
    """How logs are to be read.

    Parameters
    ----------
    names : tuple of str
        Globs; only runs whose name matches one of them.
    segments : {"auto", "all", "split", "last"}
        See `runlog.segments.split_segments`.
    x : str, optional
        Of tables: the column that holds the step.
    """

    names: tuple[str, ...] = ()
    segments: Segments = "auto"
    x: str | None = None


def find_compared(
    paths: Sequence[str], reading: Reading, audio: "AudioSettings"
) -> tuple[list[Run], bool]:
    """Find and open the runs that paths stand for, saying what is amiss.

    Parameters
    ----------
    paths : sequence of str
        Each a run, a folder of runs, a table, a URL, or a name under ``runs/``; one
        that is named twice is compared with itself.
    reading : Reading
        How they are to be read.
    audio : AudioSettings
        What of them is to be heard.

    Returns
    -------
    runs : list of Run
        Those that can be heard, each with a name of its own.
    complete : bool
        Whether every path could be used.
    """
    from renderers.comparison.names import distinct_names, short_names

    found, complete = _found(paths, reading.names)
    runs: list[Run] = []
    places: list[Path] = []
    shared: set[str] = set()
    for one in found:
        parts, usable = _heard_parts(one, reading, audio)
        complete &= usable
        for part in parts:
            if not one.named and runs and not shared.intersection(part.series):
                note(f"passed over: run {part.name!r} has no tag in common with {runs[0].name!r}")
                continue
            shared = shared.intersection(part.series) if runs else set(part.series)
            runs.append(part)
            places.append(one.source.path)
    names = short_names(distinct_names([run.name for run in runs], places)) if runs else []
    return [replace(run, name=name) for run, name in zip(runs, names, strict=True)], complete


def find_clips(paths: Sequence[str]) -> tuple[list["Clip"], bool]:
    """Look at audio files, saying which cannot be used.

    Returns
    -------
    clips : list of Clip
        Those that can be read, each with a name of its own.
    complete : bool
        Whether all could be.
    """
    from renderers.comparison import open_clip
    from renderers.comparison.names import distinct_names, short_names

    places = [Path(path) for path in paths]
    stems, files = [place.stem for place in places], [place.name for place in places]
    # a.wav and a.flac are told apart by their suffixes, not by their folder.
    called = files if len(set(stems)) < len(set(files)) == len(set(places)) else stems
    names = short_names(distinct_names(called, [place.absolute() for place in places]))
    clips: list[Clip] = []
    for place, name in zip(places, names, strict=True):
        try:
            clips.append(open_clip(place, name))
        except LogError as error:
            fail(error)
    return clips, len(clips) == len(places)


def _found(paths: Sequence[str], names: Sequence[str]) -> tuple[list[Found], bool]:
    """Find runs path by path, so that one named twice is there twice."""
    found: list[Found] = []
    complete = True
    for path in paths:
        some, errors = find([path])
        found += some
        for problem in errors:
            fail(problem)
            complete = False
    wanted = [
        one for one in found if not names or any(fnmatchcase(one.source.name, n) for n in names)
    ]
    if found and not wanted:
        has = ", ".join(one.source.name for one in found[:8])
        fail(f"no run is called {' or '.join(names)}; there are {has}")
        complete = False
    return wanted, complete


def _heard_parts(one: Found, reading: Reading, audio: "AudioSettings") -> tuple[list[Run], bool]:
    """Return the parts of a run in which there is something to hear, and whether all is well."""
    try:
        parts = split_segments(open_aloud(one, x=reading.x), reading.segments)
    except EarshotError as error:
        fail(error)
        return [], False
    heard, complete = [], True
    for part in parts:
        try:
            if _is_heard(part, one.named, audio):
                heard.append(part)
        except LogError as error:
            fail(error)
            complete = False
    return heard, complete


def _is_heard(run: Run, named: bool, audio: "AudioSettings") -> bool:
    """Tell whether there is anything to hear; raises LogError if the user named the run."""
    from renderers.choice import NothingToHearError
    from renderers.timeline import timeline

    try:
        timeline(run, audio.choice, steps=audio.steps)
    except NothingToHearError as error:
        if named:
            raise
        note(f"passed over: {error}")
        return False
    return True
