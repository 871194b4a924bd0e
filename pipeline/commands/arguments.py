"""Arguments and options that several commands share."""

import re
from pathlib import Path
from typing import Annotated

import typer

from epochord.renderers.timeline.timeline import StepRange
from epochord.runlog.run.segments import Segments

__all__ = [
    "Column",
    "Duration",
    "Layers",
    "Parameters",
    "Paths",
    "Range",
    "Runs",
    "ScaleFrom",
    "SegmentMode",
    "Steps",
    "StepsPerSecond",
    "Tags",
    "listed",
    "parse_range",
    "parse_steps",
]

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH",
        help="Runs, folders of runs, TensorBoard logdirs, tables (CSV, JSONL, Parquet, …), their "
        "URLs, or names under runs/; default: runs",
    ),
]
Runs = Annotated[
    list[str] | None,
    typer.Option("--runs", metavar="GLOB", help="Only runs of such a name; may be repeated."),
]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tags",
        metavar="GLOB",
        help="Only such tags; !GLOB leaves tags out; may be repeated.",
    ),
]
Steps = Annotated[
    str, typer.Option("--steps", metavar="A:B", help="Only steps from A to before B.")
]
SegmentMode = Annotated[
    Segments,
    typer.Option(
        "--segments",
        help="Logs of several files: apart where they overlap, all joined, each by itself, or "
        "only the last.",
    ),
]
Column = Annotated[
    str | None,
    typer.Option("--x", metavar="NAME", help="Of tables: the column that holds the step."),
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
    str, typer.Option("--parameters", help="Of each layer: weight, or all its parameters.")
]
Duration = Annotated[
    float | None,
    typer.Option("--duration", help="Length of the sound, s.  [default: at most 60]"),
]
StepsPerSecond = Annotated[
    float | None, typer.Option("--steps-per-second", help="Pace, instead of a duration.")
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


def parse_steps(text: str) -> StepRange:
    """Understand ``A:B``, where either end may be left out.

    Raises
    ------
    typer.BadParameter
        If it is something else.
    """
    match = re.fullmatch(r"(-?\d*):(-?\d*)", text.strip() or ":")
    ends = [int(end) if end else None for end in match.groups()] if match else []
    if not match or (None not in ends and ends[0] >= ends[1]):  # type: ignore[operator]
        raise typer.BadParameter(f"--steps is {text!r}; expected A:B, such as 100:200 or :1000")
    return ends[0], ends[1]


def parse_range(text: str, option: str) -> tuple[float, float] | None:
    """Understand ``LO:HI``; None if nothing is given.

    Raises
    ------
    typer.BadParameter
        If it is something else.
    """
    if not text:
        return None
    low, colon, high = text.partition(":")
    try:
        if colon:
            return float(low), float(high)
    except ValueError:
        pass
    raise typer.BadParameter(f"{option} is {text!r}; expected LO:HI, such as 0.001:100")


def listed(text: str) -> tuple[str, ...]:
    """Understand ``A,B,…``."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
