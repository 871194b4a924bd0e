"""`epochord render benford`: the digits of what runs hold, against Benford's law."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from epochord.pipeline.commands.arguments.logs import Paths, Runs, Tags, found_runs
from epochord.pipeline.commands.arguments.results import AsJson, chosen, out_option, placed
from epochord.pipeline.commands.arguments.settings import given
from epochord.pipeline.console import fail, note, result
from epochord.pipeline.folders import RUNS
from epochord.pipeline.inputs import results_folders
from epochord.runlog.errors import EpochordError

if TYPE_CHECKING:
    from epochord.renderers.benford import BenfordResult

__all__ = ["benford"]

Which = Literal["first", "second", "first-two", "last", "1", "2", "3", "4", "5", "6"]
CONSTANTS = "constants"  # the results of the physical constants


def benford(
    context: typer.Context,
    paths: Paths = None,
    runs: Runs = None,
    tags: Tags = None,
    digit: Annotated[
        Which,
        typer.Option("--digit", help="Of values, which digit of each; last is of whole numbers."),
    ] = "first",
    constants: Annotated[
        bool | None,
        typer.Option(
            "--constants/--no-constants",
            help="Also the physical constants (CODATA).  [default: without PATH]",
        ),
    ] = None,
    video: Annotated[
        bool,
        typer.Option(
            "--video/--no-video", help="Of digits counted while training: whether to make videos."
        ),
    ] = True,
    out: Annotated[Path | None, out_option("renders/<run>/benford.png", ".png", ".svg")] = None,
    as_json: AsJson = False,
) -> None:
    """Draw first digits, or others: renders/<run>/benford.png and what may be said of them.

    Those of a language model, if the run has them ('epochord record benford'), else
    those of gradient norms, losses or what --tags chooses.
    """
    if digit != "first" and given(context, {"video": video}):
        raise typer.BadParameter("--video is of no use with --digit; videos show first digits")
    if tags and given(context, {"video": video}):
        raise typer.BadParameter(
            "--video is of no use with --tags; videos show digits that were counted while training"
        )
    place = chosen(out, ".png", ".svg")
    found, errors = ([], []) if not paths and not RUNS.exists() else found_runs(paths, runs)
    constants = not paths if constants is None else constants
    for problem in errors:
        fail(problem)
    failed = bool(errors)
    if place.suffix and constants:
        raise typer.BadParameter(
            "--out names one file, and the constants make another; name a folder, or add "
            "--no-constants"
        )
    work = placed(place, results_folders(found, place.folder))
    if not work and not constants:
        raise typer.Exit(int(failed))
    from epochord.renderers.benford import render_benford, render_constants
    from epochord.renderers.benford.render import STEM
    from epochord.renderers.results.destination import Destination

    for folder, one in work.items():
        try:
            run = one.open()
            for line in run.damage:
                note(f"warning: {line}")
            there = folder if place.suffix else Destination(folder, STEM)
            made = render_benford(run, there, tags=tags or (), digit=digit, video=video)
        except EpochordError as error:
            failed |= _refused(error, one.named)
        else:
            _say(made, as_json)
    if constants:
        failed |= not _attempted(
            lambda: render_constants(place.folder / CONSTANTS, digit=digit), as_json
        )
    if failed:
        raise typer.Exit(1)


def _refused(error: EpochordError, named: bool) -> bool:
    """Say why a run has no picture; that is an error only if the user named it."""
    if named:
        fail(error)
    else:
        note(f"passed over: {error}")
    return named


def _attempted(work: Callable[[], "BenfordResult"], as_json: bool) -> bool:
    try:
        _say(work(), as_json)
    except EpochordError as error:
        fail(error)
        return False
    return True


def _say(made: "BenfordResult", as_json: bool) -> None:
    for subject in made.description["subjects"]:
        note(f"{subject['name']}: {subject['sentence']}")
    if as_json:
        result(json.dumps({"path": str(made.paths[0]), **made.description}))
        return
    for path in made.paths:
        result(path)
