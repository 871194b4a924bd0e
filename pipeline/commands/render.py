"""`earshot render`: turn logs into something to hear."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.commands.arguments import Paths
from pipeline.console import bar, fail, note, plural, result
from pipeline.inputs import RUNS, Found, find, results_folders
from runlog.errors import EarshotError

__all__ = ["app"]

app = typer.Typer(name="render", help="Turn logs into something to hear.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `audio` a command of its own while it is the only one."""


@app.command()
def audio(
    paths: Paths = None,
    voicing: Annotated[str, typer.Option(help="How numbers become sound: original.")] = "original",
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
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("renders"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a result.")
    ] = False,
) -> None:
    """Render WAV files: renders/<run>/audio.wav, its score and its description."""
    from renderers.audio import AudioSettings

    chosen = tuple(name.strip() for name in layers.split(",") if name.strip())
    try:
        settings = AudioSettings(voicing, chosen, parameters, tone, silence)  # type: ignore[arg-type]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    found, errors = find(paths or [str(RUNS)])
    for problem in errors:
        fail(problem)
    folders = results_folders(found, out)
    outcomes = [_render(one, folder, settings, as_json) for folder, one in folders.items()]
    if errors or False in outcomes:
        raise typer.Exit(1)
    if outcomes and not any(outcomes):
        fail(f"nothing to hear in {plural(len(outcomes), 'run')}")
        raise typer.Exit(1)


def _render(one: Found, folder: Path, settings: Any, as_json: bool) -> bool | None:
    """Render one run; True if done, None if it has nothing to hear, False if it failed."""
    from renderers.audio import render_audio
    from renderers.timeline import NothingToHearError

    try:
        run = one.open()
        for line in run.damage:
            note(f"warning: {line}")
        with bar(f"render {run.name}") as progress:
            made = render_audio(run, folder, settings, progress=progress.update)
    except NothingToHearError as error:
        if one.named:
            fail(error)
            return False
        note(f"passed over: {error}")
        return None
    except EarshotError as error:
        fail(error)
        return False
    _say(made)
    result(json.dumps({"path": str(made.path), **made.description}) if as_json else made.path)
    return True


def _say(made: Any) -> None:
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
