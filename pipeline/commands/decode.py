"""`epochord decode`: read a sound back, and compare it with its log."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from epochord.pipeline.commands.arguments.choices import Method
from epochord.pipeline.commands.arguments.results import AsJson
from epochord.pipeline.console import bar, result
from epochord.pipeline.tables import table

if TYPE_CHECKING:
    from epochord.renderers.audio.readback import ReadBack

__all__ = ["decode"]

COLUMNS = ("frames", "median error, %", "95th percentile, %", "silence mistaken")


def decode(
    audio: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A sound of 'epochord render audio --voicing lanes'."),
    ],
    method: Annotated[
        Method, typer.Option("--method", help="joint is exact, fft is quick.")
    ] = "joint",
    as_json: AsJson = False,
) -> None:
    """Estimate the values from the sound alone, and show how far they are from the log.

    Only sounds of the voicing 'lanes' can be read back.
    """
    from epochord.renderers.audio.readback import read_back

    with bar(f"decode {audio.name}") as progress:
        voices = read_back(audio, method=method, progress=progress.update)
    rows = [_row(voice) for voice in voices]
    if as_json:
        for row in rows:
            result(json.dumps(row))
        return
    table(("voice", *COLUMNS), [_cells(row) for row in rows])


def _row(voice: "ReadBack") -> dict[str, str | int | float | None]:
    import numpy as np

    errors = voice.errors
    some = errors.size > 0
    return {
        "voice": voice.voice,
        "frames": int(errors.size),
        "median_percent": float(np.median(errors)) if some else None,
        "p95_percent": float(np.quantile(errors, 0.95)) if some else None,
        "missed": voice.missed,
    }


def _cells(row: dict[str, str | int | float | None]) -> list[str]:
    errors = _number(row["median_percent"]), _number(row["p95_percent"])
    return [str(row["voice"]), str(row["frames"]), *errors, str(row["missed"])]


def _number(value: str | float | None) -> str:
    return "–" if value is None else f"{value:.2g}"
