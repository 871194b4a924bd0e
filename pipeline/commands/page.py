"""`earshot page`: runs to a page to listen and to look; `earshot gallery`: all results in one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.arguments import (
    Column,
    Duration,
    Layers,
    Parameters,
    Paths,
    Runs,
    ScaleFrom,
    SegmentMode,
    Steps,
    StepsPerSecond,
    Tags,
    listed,
    parse_steps,
)
from pipeline.commands.audio_settings import audio_settings, given
from pipeline.console import bar, fail, note, plural, result
from pipeline.inputs import RUNS, Found, find, open_aloud, results_folders
from runlog import Run
from runlog.errors import EarshotError, LogError
from runlog.segments import Segments, split_segments

if TYPE_CHECKING:
    from renderers.audio import AudioSettings

__all__ = ["gallery", "page"]

PAGE = "page.html"
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="The page.  [default: renders/<run>/page.html, of several runs renders/page.html]",
    ),
]


@dataclass(frozen=True)
class _Opened:
    """A run for a page, where it was read from, and where its other results are."""

    run: Run
    source: Path
    folder: Path
    named: bool


def page(
    context: typer.Context,
    paths: Paths = None,
    output: Output = None,
    each: Annotated[
        bool, typer.Option("--each", help="A page for each run, instead of one for all.")
    ] = False,
    stems: Annotated[
        bool, typer.Option("--stems", help="One track a voice, so that voices can be muted.")
    ] = False,
    voicing: Annotated[str, typer.Option(help="lanes, sequence or original.")] = "lanes",
    tags: Tags = None,
    runs: Runs = None,
    steps: Steps = "",
    segments: SegmentMode = "auto",
    x: Column = None,
    layers: Layers = "",
    parameters: Parameters = "weight",
    duration: Duration = None,
    steps_per_second: StepsPerSecond = None,
    scale_from: ScaleFrom = None,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("renders"),
) -> None:
    """Render one HTML file that needs no network: play, see, compare.

    Several runs share one axis, one scale and one gain, and can be switched while they
    play.  Videos and pictures that 'earshot render' made of a run are put in, too.
    """
    options = {
        "voicing": voicing,
        "tags": tuple(tags or ()),
        "steps": parse_steps(steps),
        "layers": listed(layers),
        "parameters": parameters,
        "duration": duration,
        "steps_per_second": steps_per_second,
    }
    if each and output is not None:
        raise typer.BadParameter("--each makes several pages; -o names one: give one of them")
    settings = audio_settings(given(context, options))
    found, errors = find(paths or [str(RUNS)], runs)
    opened = _opened(results_folders(found, out), segments, x, errors)
    pages: Iterable[tuple[Path, list[_Opened]]]
    if each:
        pages = ((one.folder / PAGE, [one]) for one in opened)
    else:
        together = _together(opened, settings, errors)
        folder = together[0].folder if len(together) == 1 else out
        pages = [(output or folder / PAGE, together)] if together else []
    made = 0
    for path, members in pages:
        made += _made(path, members, settings, stems, scale_from, errors)
    if found and not made and not errors:
        errors.append(LogError(f"nothing to hear in {plural(len(found), 'run')}"))
    for error in errors:
        fail(error)
    if errors:
        raise typer.Exit(1)


def _opened(
    folders: Mapping[Path, Found],
    segments: Segments,
    x: str | None,
    errors: list[EarshotError],
) -> Iterator[_Opened]:
    """Read runs, each in its parts; what cannot be read is added to the errors."""
    for folder, one in folders.items():
        try:
            run = open_aloud(one, x=x)
        except EarshotError as error:
            errors.append(error)
            continue
        for part in split_segments(run, segments):
            place = folder.with_name(folder.name + part.name[len(run.name) :])
            yield _Opened(part, one.source.path, place, one.named)


def _together(
    opened: Iterable[_Opened], settings: "AudioSettings", errors: list[EarshotError]
) -> list[_Opened]:
    """Choose runs for one page: those that were named, and of a folder those that go with them."""
    from renderers.choice import NothingToHearError, choose
    from renderers.page.render import MOST_RUNS

    chosen: list[_Opened] = []
    shared: set[str] = set()
    passed_over: dict[str, list[str]] = {}  # names by reason
    for one in opened:
        try:
            names = {voice.name for voice in choose(one.run, settings.choice).voices}
        except EarshotError as error:
            if one.named or not isinstance(error, NothingToHearError):
                errors.append(error)
            else:
                passed_over.setdefault("no measurement at all", []).append(one.run.name)
            continue
        reason = ""
        if shared and not shared & names:
            reason = f"no voice in common with {chosen[0].run.name}; --tags chooses others"
        elif len(chosen) == MOST_RUNS:
            reason = f"a page holds {MOST_RUNS} runs"
        if reason and not one.named:
            passed_over.setdefault(reason, []).append(one.run.name)
        else:
            chosen.append(one)
            shared = shared & names or names
    for reason, several in passed_over.items():
        more = f" and {len(several) - 3} more" if len(several) > 3 else ""
        note(f"passed over ({reason}): {', '.join(several[:3])}{more}")
    return chosen


def _made(
    path: Path,
    members: Sequence[_Opened],
    settings: "AudioSettings",
    stems: bool,
    scale_from: Path | None,
    errors: list[EarshotError],
) -> bool:
    """Make one page, and say so; what went wrong is added to the errors."""
    from renderers.audio.description import stored_scales
    from renderers.choice import NothingToHearError
    from renderers.page import render_page
    from renderers.page.extras import extras

    try:
        scales = stored_scales(scale_from) if scale_from else None
        with bar(f"render {path.name}") as progress:
            made = render_page(
                [one.run for one in members],
                path,
                settings,
                stems=stems,
                scales=scales,
                extras=[extras(one.run, one.source, one.folder) for one in members],
                progress=progress.update,
            )
    except EarshotError as error:
        if isinstance(error, NothingToHearError) and not any(one.named for one in members):
            note(f"passed over: {error}")
        else:
            errors.append(error)
        return False
    for line in dict.fromkeys(made.notes):
        note(line)
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    note(f"{plural(len(members), 'run')}, {size}" + ("" if made.made else ", up to date"))
    result(path)
    return True


def gallery(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of results.")] = Path(
        "renders"
    ),
) -> None:
    """Write an index of all results in a folder: FOLDER/index.html."""
    from renderers.page import render_gallery

    with bar(f"look through {folder}") as progress:
        path = render_gallery(folder, progress=progress.update)
    result(path)
