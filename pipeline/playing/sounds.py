"""From what a user names to sound files: those that are there, and those that are made first."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from epochord.pipeline.console import bar, note
from epochord.pipeline.inputs import Found, find, results_folders
from epochord.pipeline.playing.players import PlayerError, kind_of, players_of
from epochord.pipeline.rendering import AudioJob, on_one_scale, render_one
from epochord.runlog import Run, find_runs
from epochord.runlog.errors import EpochordError, LogError
from epochord.runlog.run.segments import split_segments
from epochord.runlog.words import plural

if TYPE_CHECKING:
    from epochord.renderers.audio import AudioSettings

__all__ = ["Sound", "played", "sound_files", "sounds"]

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".opus", ".aac", ".m4a", ".aif", ".aiff", ".au")


@dataclass(frozen=True)
class Sound:
    """A sound file, and the run that it is of, if any."""

    path: Path
    found: Found | None = None


def sound_files(path: str) -> list[Path]:
    """Return the sound files that a path names: itself, or what lies in a folder without runs.

    Parameters
    ----------
    path : str
        Whatever the user named; a sound file need not be there.
    """
    place = Path(path)
    if _is_sound(place):
        return [place]
    if not place.is_dir():
        return []
    try:
        find_runs(place)
    except LogError:
        return sorted(each for each in place.rglob("*") if _is_sound(each) and each.is_file())
    return []


def sounds(
    paths: Sequence[str], runs: Sequence[str] | None, errors: list[object]
) -> Iterator[Sound]:
    """Yield the sounds of what was named, files first; what is missing is rendered before.

    Parameters
    ----------
    paths : sequence of str
        Sound files, folders of them, and whatever `find` takes.
    runs : sequence of str, optional
        Globs; only runs whose name matches one of them.
    errors : list
        What cannot be used is added to it.
    """
    files = {path: sound_files(path) for path in paths}
    found, problems = find([path for path in paths if not files[path]], runs)
    errors += problems
    made = _of_runs(found, errors)
    for path in dict.fromkeys(each for several in files.values() for each in several):
        if path.is_file():
            yield Sound(path)
        else:
            errors.append(LogError(f"{path}: no such file; expected a sound, or a run"))
    yield from made


def played(path: Path) -> bool:
    """Play a sound file to its end; tell whether there is a player that did."""
    for player in players_of([kind_of(path)]):
        try:
            player.play(path)
        except PlayerError as error:
            note(str(error))
        else:
            return True
    return False


def _is_sound(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _of_runs(found: Sequence[Found], errors: list[object]) -> list[Sound]:
    """Return the sounds of runs; those that have none are rendered, on one scale."""
    there: dict[Found, list[Path]] = {}
    places = results_folders(found)
    for folder, one in places.items():
        try:
            there[one] = _rendered_before(one, folder)
        except EpochordError as error:
            errors.append(error)
    jobs = [AudioJob(one, folder, _defaults()) for folder, one in places.items() if one in there]
    jobs = on_one_scale([job for job in jobs if not there[job.found]])
    with bar(f"render {plural(len(jobs), 'run')}", total=len(jobs)) as progress:
        for done, job in enumerate(jobs, start=1):
            outcome = render_one(job)
            for line in outcome.notes:
                note(line)
            errors += outcome.errors
            there[job.found] = [made.path for made in outcome.results]
            progress.update(done, len(jobs))
    return [Sound(path, one) for one, several in there.items() for path in several]


def _rendered_before(found: Found, folder: Path) -> list[Path]:
    """Return the sounds of a run, or of its parts, whatever their settings; none if one is old."""
    run = found.open()
    parts = split_segments(run, "auto")
    folders = [folder.with_name(folder.name + part.name[len(run.name) :]) for part in parts]
    made = [_sound_in(*each) for each in zip(folders, parts, strict=True)]
    return [path for path in made if path] if all(made) else []


def _sound_in(folder: Path, run: Run) -> Path | None:
    from epochord.renderers.audio.description import DESCRIPTION, place_of
    from epochord.renderers.results.output import is_up_to_date

    beside = place_of(folder).path(DESCRIPTION)
    if not is_up_to_date(beside, {"log_hash": run.log_hash()}):
        return None
    names = json.loads(beside.read_text(encoding="utf-8"))["files"]
    return next((folder / name for name in names if name.endswith(SUFFIXES)), None)


def _defaults() -> "AudioSettings":
    from epochord.renderers.audio import AudioSettings

    return AudioSettings.of()
