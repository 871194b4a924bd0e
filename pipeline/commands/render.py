"""`earshot render`: turn logs into something to hear."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.arguments import Column, Paths, Runs, SegmentMode, Steps, Tags, parse_steps
from pipeline.console import bar, fail, note, plural, result
from pipeline.inputs import RUNS, find, results_folders
from pipeline.rendering import AudioJob, Outcome, render_all, render_one

if TYPE_CHECKING:
    from renderers.audio import AudioResult

__all__ = ["app"]

app = typer.Typer(name="render", help="Turn logs into something to hear.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `audio` a command of its own while it is the only one."""


@app.command()
def audio(
    paths: Paths = None,
    voicing: Annotated[str, typer.Option(help="How numbers become sound: original.")] = "original",
    tags: Tags = None,
    runs: Runs = None,
    steps: Steps = "",
    segments: SegmentMode = "auto",
    x: Column = None,
    layers: Annotated[
        str,
        typer.Option(
            metavar="A,B,…",
            help="Layers and their order: module prefixes or globs.  [default: all]",
        ),
    ] = "",
    parameters: Annotated[
        str, typer.Option(help="Of each layer: weight, or all its parameters.")
    ] = "weight",
    tone: Annotated[float, typer.Option(help="Length of a layer's tone, s.")] = 0.01,
    silence: Annotated[float, typer.Option(help="Silence after each step, s.")] = 0.02,
    jobs: Annotated[
        int, typer.Option("--jobs", min=-1, help="Runs to render at once; -1: one a processor.")
    ] = 1,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("renders"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a result.")
    ] = False,
) -> None:
    """Render WAV files: renders/<run>/audio.wav, its score and its description.

    Without --tags: gradient norms, else losses, else the tags with the most points.
    """
    from renderers.audio import AudioSettings

    try:
        settings = AudioSettings(
            voicing,
            _listed(layers),
            parameters,  # type: ignore[arg-type]
            tone,
            silence,
            tuple(tags or ()),
            parse_steps(steps),
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    found, errors = find(paths or [str(RUNS)], runs)
    for problem in errors:
        fail(problem)
    folders = results_folders(found, out)
    work = [AudioJob(one, folder, settings, segments, x) for folder, one in folders.items()]
    outcomes = [_said(outcome, as_json) for outcome in _watched(work, jobs)]
    if errors or any(outcome.errors for outcome in outcomes):
        raise typer.Exit(1)
    if outcomes and not any(outcome.results for outcome in outcomes):
        fail(f"nothing to hear in {plural(len(outcomes), 'run')}")
        raise typer.Exit(1)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _watched(work: Sequence[AudioJob], jobs: int) -> Iterator[Outcome]:
    """Do the work under one progress bar: over the samples of one run, or over all runs."""
    with bar(f"render {plural(len(work), 'run')}", total=len(work)) as progress:
        if len(work) == 1:
            yield render_one(work[0], progress=progress.update)
            return
        for done, outcome in enumerate(render_all(work, jobs), start=1):
            progress.update(done, len(work), work[done - 1].found.source.name)
            yield outcome


def _said(outcome: Outcome, as_json: bool) -> Outcome:
    for line in outcome.notes:
        note(line)
    for error in outcome.errors:
        fail(error)
    for made in outcome.results:
        _say(made)
        result(json.dumps({"path": str(made.path), **made.description}) if as_json else made.path)
    return outcome


def _say(made: "AudioResult") -> None:
    about = made.description
    steps, voices = plural(about["steps"], "step"), plural(len(about["voices"]), "voice")
    said = [f"{about['run']}: {steps} of {voices}", f"{about['duration']:.2f} s"]
    if not made.made:
        said.append("up to date")
    note(", ".join(said) + _exceptions(about))


def _exceptions(about: Any) -> str:
    """Say how many tones are not at a pitch of their own, and why."""
    counts, tones = about["counts"], about["steps"] * len(about["voices"])
    reasons = {
        "held": "above the range",
        "nan": "NaN",
        "positive_infinity": "+inf",
        "negative_infinity": "-inf",
    }
    top = [f"{counts[kind]} {words}" for kind, words in reasons.items() if counts[kind]]
    text = f"; of {tones} tones, held at the top pitch: {', '.join(top)}" if top else ""
    return text + (f"; silent: {counts['missing']} not measured" if counts["missing"] else "")
