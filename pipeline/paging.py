"""Runs to pages: one for all, or one each, with what else was made of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from epochord.pipeline.console import bar, note
from epochord.pipeline.folders import RENDERS
from epochord.pipeline.inputs import Found, results_folders
from epochord.pipeline.together import Opened, going_together, opened_parts
from epochord.runlog.errors import EpochordError, LogError
from epochord.runlog.run.segments import Segments
from epochord.runlog.words import plural

if TYPE_CHECKING:
    from epochord.renderers.audio import AudioSettings

__all__ = ["PAGE", "PageJob", "make_pages"]

PAGE = "page.html"


@dataclass(frozen=True)
class PageJob:
    """How pages are to be made.

    Parameters
    ----------
    settings : AudioSettings
        How the runs are to be heard.
    folder : Path
        Where results are: for pages, and to find pictures in.
    file : Path, optional
        The page, if it is to lie elsewhere.
    each : bool
        A page for each run.
    stems : bool
        One track a voice.
    scale_from : Path, optional
        The folder of a result whose scale is to be used.
    segments : {"auto", "all", "split", "last"}
        See `epochord.runlog.run.segments.split_segments`.
    x : str, optional
        Of tables: the column that holds the step.
    """

    settings: "AudioSettings"
    folder: Path = RENDERS
    file: Path | None = None
    each: bool = False
    stems: bool = False
    scale_from: Path | None = None
    segments: Segments = "auto"
    x: str | None = None


def make_pages(found: Sequence[Found], job: PageJob, errors: list[EpochordError]) -> Iterator[Path]:
    """Make one page of all runs, or one of each, and say what is in it.

    Parameters
    ----------
    found : sequence of Found
        The runs.
    job : PageJob
        How.
    errors : list of EpochordError
        What went wrong is added to it.  If there is something already, one page of
        the other runs would not be what was asked for, and is not made.

    Yields
    ------
    Path
        Each page that was made, or was up to date.
    """
    folders = {one: folder for folder, one in results_folders(found, job.folder).items()}
    made = 0
    for path, members in _planned(found, job, folders, errors):
        beside = [(one, _folder(one, folders)) for one in members]
        if _made(path, beside, job, errors):
            made += 1
            yield path
    if found and not made and not errors:
        errors.append(LogError(f"nothing to hear in {plural(len(found), 'run')}"))


def _planned(
    found: Sequence[Found],
    job: PageJob,
    folders: Mapping[Found, Path],
    errors: list[EpochordError],
) -> Iterable[tuple[Path, list[Opened]]]:
    """Say which page is to hold which runs."""
    from epochord.renderers.page.render import MOST_RUNS

    if errors and not job.each:
        return []
    opened = opened_parts(found, job.segments, job.x, errors)
    if job.each:
        return ((_folder(one, folders) / PAGE, [one]) for one in opened)
    together = going_together(opened, job.settings, errors, most=MOST_RUNS)
    if errors or not together:
        return []
    folder = _folder(together[0], folders) if len(together) == 1 else job.folder
    return [(job.file or folder / PAGE, together)]


def _folder(one: Opened, folders: Mapping[Found, Path]) -> Path:
    """Return where the other results of a run, or of a part of one, are."""
    folder = folders[one.found]
    return folder.with_name(folder.name + one.run.name[len(one.found.source.name) :])


def _made(
    path: Path,
    members: Sequence[tuple[Opened, Path]],
    job: PageJob,
    errors: list[EpochordError],
) -> bool:
    """Make one page, and say so; what went wrong is added to the errors."""
    from epochord.renderers.audio.description import stored_scales
    from epochord.renderers.page import render_page
    from epochord.renderers.page.extras import extras
    from epochord.renderers.timeline.choice import NothingToHearError

    try:
        scales = stored_scales(job.scale_from) if job.scale_from else None
        with bar(f"render {path.name}") as progress:
            made = render_page(
                [one.run for one, _ in members],
                path,
                job.settings,
                stems=job.stems,
                scales=scales,
                extras=[extras(one.run, one.found.source.path, folder) for one, folder in members],
                progress=progress.update,
            )
    except EpochordError as error:
        if isinstance(error, NothingToHearError) and not any(one.found.named for one, _ in members):
            note(f"passed over: {error}")
        else:
            errors.append(error)
        return False
    for line in dict.fromkeys(made.notes):
        note(line)
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    note(f"{plural(len(members), 'run')}, {size}" + ("" if made.made else ", up to date"))
    return True
