"""`epochord page`: runs to a page to listen and to look."""

from pathlib import Path
from typing import Annotated

import typer

from epochord.pipeline.commands.arguments.logs import (
    Column,
    Paths,
    Runs,
    SegmentMode,
    Steps,
    Tags,
    found_runs,
)
from epochord.pipeline.commands.arguments.parsing import listed, parse_steps
from epochord.pipeline.commands.arguments.results import chosen, out_option
from epochord.pipeline.commands.arguments.settings import audio_settings, given, refuse_idle
from epochord.pipeline.commands.arguments.sound import (
    Duration,
    Layers,
    Parameters,
    ScaleFrom,
    StepsPerSecond,
    Time,
    Voicing,
)
from epochord.pipeline.console import fail, result
from epochord.pipeline.folders import RENDERS
from epochord.pipeline.paging import PageJob, make_pages

__all__ = ["page"]


def page(
    context: typer.Context,
    paths: Paths = None,
    each: Annotated[
        bool, typer.Option("--each", help="A page for each run, instead of one for all.")
    ] = False,
    stems: Annotated[
        bool, typer.Option("--stems", help="One track a voice, so that voices can be muted.")
    ] = False,
    voicing: Voicing = "roll",
    tags: Tags = None,
    runs: Runs = None,
    steps: Steps = "",
    segments: SegmentMode = "auto",
    x: Column = None,
    layers: Layers = "",
    parameters: Parameters = "weight",
    duration: Duration = None,
    steps_per_second: StepsPerSecond = None,
    time: Time = "logged",
    scale_from: ScaleFrom = None,
    out: Annotated[
        Path | None, out_option("renders/<run>/page.html, of several renders/page.html", ".html")
    ] = None,
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
        "time": time,
    }
    place = chosen(out, ".html")
    file = out if place.suffix else None
    if each and file:
        raise typer.BadParameter(f"--each makes several pages, and {file} is one; name a folder")
    asked = given(context, options | {"scale_from": scale_from})
    settings = audio_settings({name: asked[name] for name in options if name in asked})
    refuse_idle(asked, settings)
    found, errors = found_runs(paths, runs, x)
    folder = RENDERS if file else place.folder
    job = PageJob(settings, folder, file, each, stems, scale_from, segments, x)
    for path in make_pages(found, job, errors):
        result(path)
    for error in errors:
        fail(error)
    if errors:
        raise typer.Exit(1)
