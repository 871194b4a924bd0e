"""`epochord render benford`: the first digits of what runs hold, against Benford's law."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from epochord.pipeline.commands.arguments import Paths, Runs, Tags
from epochord.pipeline.console import fail, note, result
from epochord.pipeline.inputs import RUNS, find, results_folders
from epochord.runlog.errors import EpochordError

if TYPE_CHECKING:
    from epochord.renderers.benford import BenfordResult

__all__ = ["benford"]

CONSTANTS = "constants"  # the results of the physical constants


def benford(
    paths: Paths = None,
    runs: Runs = None,
    tags: Tags = None,
    constants: Annotated[
        bool | None,
        typer.Option(help="Also the physical constants (CODATA).  [default: without PATH]"),
    ] = None,
    video: Annotated[
        bool, typer.Option(help="Of digits counted while training: whether to make videos.")
    ] = True,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("renders"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a result.")
    ] = False,
) -> None:
    """Draw first digits: renders/<run>/benford.png and what may be said of them.

    Those of a language model, if the run has them ('epochord record benford'), else
    those of gradient norms, losses or what --tags chooses.
    """
    from epochord.renderers.benford import render_benford, render_constants

    found, errors = (
        ([], []) if not paths and not RUNS.exists() else find(paths or [str(RUNS)], runs)
    )
    for problem in errors:
        fail(problem)
    failed = bool(errors)
    for folder, one in results_folders(found, out).items():
        try:
            run = one.open()
            for line in run.damage:
                note(f"warning: {line}")
            made = render_benford(run, folder, tags=tags or (), video=video)
        except EpochordError as error:
            failed |= _refused(error, one.named)
        else:
            _say(made, as_json)
    if constants or (constants is None and not paths):
        failed |= not _attempted(lambda: render_constants(out / CONSTANTS), as_json)
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
