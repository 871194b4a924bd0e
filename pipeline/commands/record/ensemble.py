"""`epochord record ensemble`: train many small networks at once."""

from collections.abc import Callable
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Annotated

import typer

from epochord.pipeline.commands.arguments.results import (
    LogFormat,
    Overwrite,
    checked_folder,
    run_folder,
)
from epochord.pipeline.commands.arguments.settings import given
from epochord.pipeline.console import result
from epochord.pipeline.experiments.ensemble_settings import (
    EPOCHS,
    MEMBERS,
    SETTINGS,
    EnsembleRecording,
    SettingName,
)
from epochord.pipeline.folders import RUNS
from epochord.pipeline.recording import Progress, record

__all__ = ["ensemble"]


def ensemble(
    context: typer.Context,
    setting: Annotated[
        SettingName,
        typer.Option("--setting", help="What makes members differ, beside their weights."),
    ] = "prior-bootstrap",
    members: Annotated[
        int, typer.Option("--members", metavar="N", min=1, help="Number of networks.")
    ] = MEMBERS,
    epochs: Annotated[
        int, typer.Option("--epochs", metavar="N", min=1, help="Number of full-batch steps.")
    ] = EPOCHS,
    prior_scale: Annotated[
        float,
        typer.Option("--prior-scale", metavar="FACTOR", help="What priors are multiplied with."),
    ] = 1.0,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", metavar="N", min=0, max=2**63 - 1, help="For weights, priors and bootstrap."
        ),
    ] = 0,
    every: Annotated[
        int,
        typer.Option("--every", metavar="N", min=1, help="Keep predictions of every N epochs."),
    ] = 1,
    format: LogFormat = "parquet",
    half: Annotated[bool, typer.Option("--half", help="Keep predictions in float16.")] = False,
    out: Annotated[Path | None, run_folder("runs/ensemble-SETTING")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Ensemble of 1-20-20-1 networks on ten noisy points, with randomized priors."""
    if not isfinite(prior_scale):
        raise typer.BadParameter(f"{prior_scale} is no finite number", param_hint="--prior-scale")
    if SETTINGS[setting].prior is None and given(context, {"prior_scale": prior_scale}):
        raise typer.BadParameter(
            f"--prior-scale is of no use with --setting {setting}, which has no priors"
        )
    directory = checked_folder(out or RUNS / f"ensemble-{setting}")
    recording = EnsembleRecording(
        SETTINGS[setting], directory, members, epochs, prior_scale, seed, every, format, half
    )
    record(recording, partial(_ensembles, recording), epochs, overwrite=overwrite)
    result(directory)


def _ensembles(recording: EnsembleRecording) -> Callable[[Progress], None]:
    from epochord.pipeline.experiments.ensembles import train

    return partial(train, recording)
