"""Runs to one page."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.description import clock
from epochord.renderers.audio.scoring.compose import Scales, scores_together, sounding
from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.page.contents import Part, Progress, run_contents, shared_contents
from epochord.renderers.page.document import document, fingerprint, fingerprint_of
from epochord.renderers.page.extras import Extras
from epochord.renderers.results.destination import Destination, StrPath, destination
from epochord.renderers.results.output import output_error, writing
from epochord.renderers.results.shown import page_html, result_repr
from epochord.renderers.timeline.side_by_side import shared_timelines
from epochord.runlog import OutputError, Run
from epochord.runlog.run.given import require_runs

__all__ = ["LONGEST", "MOST_RUNS", "PageResult", "render_page"]

STEM, SUFFIX = "page", ".html"
SCHEMA_VERSION = 2
LONGEST = 1200.0  # s
LONGEST_TRACKS = 3600.0  # s of all tracks together; a browser holds them in memory, 21 MB a minute
MOST_RUNS = 9  # what the digits of a keyboard choose from


@dataclass(frozen=True, repr=False)
class PageResult:
    """What was made.

    Parameters
    ----------
    path : Path
        The HTML file.
    made : bool
        False if it was there already, from the same logs and settings.
    notes : tuple of str
        What was chosen or left out, in a line each.
    """

    path: Path
    made: bool
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return result_repr(self, [self.path], made=self.made)

    def _repr_html_(self) -> str | None:
        return page_html(self.path)


def render_page(
    runs: Run | Sequence[Run],
    out: StrPath | Destination | None = None,
    settings: AudioSettings | None = None,
    *,
    stems: bool = False,
    scales: Scales | None = None,
    extras: Sequence[Extras] = (),
    progress: Progress | None = None,
) -> PageResult:
    """Render a page to listen to runs and to look at them.

    Parameters
    ----------
    runs : Run or sequence of Run
        One to nine, with measurements.  Several have a tag in common, and share
        one axis, one scale and one gain.
    out : str or PathLike, optional
        The HTML file, which needs no other file and no network; or a folder, for
        `page.html`.  By default ``renders/<run>``, of several ``renders``.
    settings : AudioSettings, optional
        How the runs are to be heard.  The sounds in the page are MP3.
    stems : bool
        One track a voice, so that voices can be muted.
    scales : mapping of str to Scale, optional
        By default one that these runs share.
    extras : sequence of Extras, optional
        Pictures and videos of each run.
    progress : callable, optional
        Called with the samples done and the samples in all.

    Returns
    -------
    PageResult
        Nothing is written if the same page is there already.

    Raises
    ------
    LogError
        If a run has nothing to hear, or the runs have no tag in common.
    OutputError
        If the sound is too long for a page, there are too many runs, or the file
        cannot be written.
    """
    settings = settings or AudioSettings()
    runs = [runs] if isinstance(runs, Run) else require_runs(runs)
    folder = Path("renders", runs[0].name if len(runs) == 1 else "")
    path = destination(out, folder=folder, stem=STEM, suffixes=(SUFFIX,)).path(SUFFIX)
    if len(runs) > MOST_RUNS:
        raise OutputError(f"{path}: {len(runs)} runs; a page holds at most {MOST_RUNS}")
    lines = shared_timelines(runs, settings.choice, steps=settings.steps)
    scores, used = scores_together(runs, settings, scales, lines)
    lines = [sounding(line, settings) for line in lines]
    _require_room(path, scores, stems=stems)
    beside = [*extras, *[Extras()] * (len(runs) - len(extras))]
    parts = [Part(*each) for each in zip(runs, lines, scores, beside, strict=True)]
    about = _about(parts, settings, used, stems)
    notes = tuple(note for part in parts for note in part.notes)
    inputs = fingerprint(about)
    if fingerprint_of(path) == inputs:
        return PageResult(path, made=False, notes=notes)
    title = " · ".join(run.name for run in runs)
    try:
        runs_in_it = run_contents(parts, settings.lufs, stems=stems, progress=progress)
    except OSError as error:  # tracks are encoded into temporary files
        raise output_error(path, error) from error
    data = about | shared_contents(parts[0]) | runs_in_it
    with writing(path) as temporary:
        temporary.write_text(document(title, data, inputs), encoding="utf-8")
    return PageResult(path, made=True, notes=notes)


def _require_room(path: Path, scores: Sequence[Score], *, stems: bool) -> None:
    """Refuse what a browser could not hold."""
    seconds = scores[0].duration
    if seconds > LONGEST:
        raise OutputError(
            f"{path}: {seconds / 60:.1f} min of sound; a page holds at most {LONGEST / 60:g}: make "
            "it shorter with --duration or --steps"
        )
    tracks = len(scores) * (len(scores[0].frames.names) + 1 if stems else 1)
    if tracks * seconds > LONGEST_TRACKS:
        raise OutputError(
            f"{path}: {tracks} tracks of {seconds / 60:.1f} min; a page holds at most "
            f"{LONGEST_TRACKS / 60:g} min of all tracks together: make it shorter with --duration, "
            "or name fewer runs" + (", or leave out --stems" if stems else "")
        )


def _about(
    parts: Sequence[Part], settings: AudioSettings, scales: Scales, stems: bool
) -> dict[str, Any]:
    """Say what a page is made from."""
    return {
        "schema_version": SCHEMA_VERSION,
        "settings": settings.to_dict(),
        "stems": stems,
        "clocks": [clock(part.score) for part in parts] if settings.time == "wall" else [],
        "scales": {group: scale.to_dict() for group, scale in scales.items()},
        "about": [
            {
                "name": part.run.name,
                "log_hash": part.run.log_hash(),
                "status": part.run.metadata.status,
                "hyperparameters": json.dumps(part.run.metadata.hyperparameters, default=str),
                "extra_digests": [extra.digest() for extra in part.extras.found],
                "notes": part.notes,
            }
            for part in parts
        ],
    }
