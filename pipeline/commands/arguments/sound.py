"""How runs are to be heard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from epochord.pipeline.commands.arguments import choices

__all__ = [
    "Duration",
    "Layers",
    "Parameters",
    "Range",
    "ScaleFrom",
    "StepsPerSecond",
    "Time",
    "Voicing",
    "voicings",
]


def voicings() -> Iterator[tuple[str, str]]:
    """Yield the names of all voicings, each with what it is."""
    from epochord.renderers.audio.scoring.voicings import explain, voicing_names

    for name in voicing_names():
        yield name, explain(name)


Voicing = Annotated[
    str,
    typer.Option(
        "--voicing",
        metavar="roll|lanes|sequence|original|…",
        autocompletion=voicings,
        help="How numbers become sound ('epochord render audio --list-voicings' explains them).",
    ),
]
Layers = Annotated[
    str,
    typer.Option(
        "--layers",
        metavar="A,B,…",
        help="Layers and their order: module prefixes or globs.  [default: all]",
    ),
]
Parameters = Annotated[
    choices.Parameters,
    typer.Option("--parameters", help="Of each layer its weight, or all its parameters."),
]
Duration = Annotated[
    float | None,
    typer.Option(
        "--duration", metavar="SECONDS", help="Length of the sound.  [default: at most 60]"
    ),
]
StepsPerSecond = Annotated[
    float | None,
    typer.Option("--steps-per-second", metavar="STEPS", help="Pace, instead of a duration."),
]
Time = Annotated[
    choices.Spacing,
    typer.Option(
        "--time", help="What takes equal time: a logged step, any step, or a second of training."
    ),
]
Range = Annotated[
    str,
    typer.Option("--range", metavar="LO:HI", help="Values at the ends of each voice's range."),
]
ScaleFrom = Annotated[
    Path | None,
    typer.Option(
        "--scale-from", metavar="RENDER", help="Use the scale of this folder of an audio result."
    ),
]
