"""`epochord page`: runs to a page to listen and to look; `epochord gallery`: all results in one."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from epochord.pipeline.commands.arguments import (
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
from epochord.pipeline.commands.audio_settings import audio_settings, given
from epochord.pipeline.console import bar, fail, note, plural, result
from epochord.pipeline.inputs import RUNS, Found, find, results_folders
from epochord.pipeline.together import Opened, going_together, opened_parts
from epochord.runlog.errors import EpochordError, LogError

if TYPE_CHECKING:
    from epochord.renderers.audio import AudioSettings

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
    out: Annotated[
        Path,
        typer.Option(help="Folder of all results: for pages without -o, and to find pictures in."),
    ] = Path("renders"),
) -> None:
    """Render one HTML file that needs no network: play, see, compare.

    Several runs share one axis, one scale and one gain, and can be switched while they
    play.  Videos and pictures that 'epochord render' made of a run are put in, too.
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
    from epochord.renderers.page.render import MOST_RUNS

    found, errors = find(paths or [str(RUNS)], runs)
    if errors and not each:
        opened: Iterable[Opened] = []  # a page of fewer runs would not be what was asked for
    else:
        opened = opened_parts(found, segments, x, errors)
    folders = {one: folder for folder, one in results_folders(found, out).items()}
    pages: Iterable[tuple[Path, list[Opened]]]
    if each:
        pages = ((_folder(one, folders) / PAGE, [one]) for one in opened)
    else:
        together = going_together(opened, settings, errors, most=MOST_RUNS)
        folder = _folder(together[0], folders) if len(together) == 1 else out
        pages = [(output or folder / PAGE, together)] if together and not errors else []
    made = 0
    for path, members in pages:
        beside = [(one, _folder(one, folders)) for one in members]
        made += _made(path, beside, settings, stems, scale_from, errors)
    if found and not made and not errors:
        errors.append(LogError(f"nothing to hear in {plural(len(found), 'run')}"))
    for error in errors:
        fail(error)
    if errors:
        raise typer.Exit(1)


def _folder(one: Opened, folders: Mapping[Found, Path]) -> Path:
    """Return where the other results of a run, or of a part of one, are."""
    folder = folders[one.found]
    return folder.with_name(folder.name + one.run.name[len(one.found.source.name) :])


def _made(
    path: Path,
    members: Sequence[tuple[Opened, Path]],
    settings: "AudioSettings",
    stems: bool,
    scale_from: Path | None,
    errors: list[EpochordError],
) -> bool:
    """Make one page, and say so; what went wrong is added to the errors."""
    from epochord.renderers.audio.description import stored_scales
    from epochord.renderers.page import render_page
    from epochord.renderers.page.extras import extras
    from epochord.renderers.timeline.choice import NothingToHearError

    try:
        scales = stored_scales(scale_from) if scale_from else None
        with bar(f"render {path.name}") as progress:
            made = render_page(
                [one.run for one, _ in members],
                path,
                settings,
                stems=stems,
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
    result(path)
    return True


def gallery(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of results.")] = Path(
        "renders"
    ),
) -> None:
    """Write an index of all results in a folder: FOLDER/index.html."""
    from epochord.renderers.page import render_gallery

    with bar(f"look through {folder}") as progress:
        path = render_gallery(folder, progress=progress.update)
    result(path)
