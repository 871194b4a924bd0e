"""From the paths on a command line to runs or audio files to compare, each with its own name."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from epochord.pipeline.console import fail
from epochord.pipeline.inputs import Found, find, none_called
from epochord.pipeline.together import going_together, opened_parts
from epochord.runlog import EpochordError, LogError, Run
from epochord.runlog.run.segments import Segments

if TYPE_CHECKING:
    from epochord.renderers.audio import AudioSettings
    from epochord.renderers.comparison import Clip

__all__ = ["Reading", "find_clips", "find_compared", "open_compared"]


@dataclass(frozen=True)
class Reading:
    """How logs are to be read.

    Parameters
    ----------
    segments : {"auto", "all", "split", "last"}
        See `epochord.runlog.run.segments.split_segments`.
    x : str, optional
        Of tables: the column that holds the step.
    """

    segments: Segments = "auto"
    x: str | None = None


def find_compared(paths: Sequence[str], names: Sequence[str]) -> tuple[list[Found], bool]:
    """Find the runs that paths stand for, path by path, saying what is amiss.

    Parameters
    ----------
    paths : sequence of str
        Each a run, a folder of runs, a table, a URL, or a name under ``runs/``; one
        that is named twice is there twice, and compared with itself.
    names : sequence of str
        Globs; only runs whose name matches one of them.

    Returns
    -------
    found : list of Found
        The runs.
    complete : bool
        Whether every path could be used.
    """
    found: list[Found] = []
    complete = True
    for path in paths:
        some, errors = find([path])
        found += some
        for problem in errors:
            fail(LogError(f"{problem}{_hint(Path(path))}"))
            complete = False
    wanted = [
        one for one in found if not names or any(fnmatchcase(one.source.name, n) for n in names)
    ]
    if found and not wanted:
        fail(none_called(names, [one.source.name for one in found]))
        complete = False
    return wanted, complete


def open_compared(
    found: Sequence[Found], reading: Reading, audio: "AudioSettings"
) -> tuple[list[Run], bool]:
    """Open runs to compare, saying what is amiss.

    Parameters
    ----------
    found : sequence of Found
        See `find_compared`.
    reading : Reading
        How they are to be read.
    audio : AudioSettings
        What of them is to be heard.

    Returns
    -------
    runs : list of Run
        Those that can be heard, each with a name of its own.
    complete : bool
        Whether every one of them could be used.
    """
    from epochord.renderers.comparison.names import distinct_names, short_names

    errors: list[EpochordError] = []
    parts = opened_parts(found, reading.segments, reading.x, errors)
    together = going_together(parts, audio, errors)
    for error in errors:
        fail(error)
    if not together:
        return [], False
    runs = [one.run for one in together]
    places = [one.found.source.path for one in together]
    names = short_names(distinct_names([run.name for run in runs], places))
    named = [replace(run, name=name) for run, name in zip(runs, names, strict=True)]
    return named, not errors


def find_clips(paths: Sequence[str]) -> tuple[list["Clip"], bool]:
    """Look at audio files, saying which cannot be used.

    Returns
    -------
    clips : list of Clip
        Those that can be read, each with a name of its own.
    complete : bool
        Whether all could be.
    """
    from epochord.renderers.comparison import open_clip
    from epochord.renderers.comparison.names import distinct_names, short_names

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


def _hint(place: Path) -> str:
    """Say how the sounds in a folder that holds no run are compared."""
    from epochord.renderers.comparison import is_audio

    sounds: list[Path] = []
    with suppress(OSError):
        sounds = sorted(each for each in place.iterdir() if is_audio(str(each)))
    if not sounds:
        return ""
    return f"; to compare the sounds in it, name the files themselves: {sounds[0]} …"
