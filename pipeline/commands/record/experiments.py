"""`epochord record sgd` and its like: train a network on handwritten digits."""

from collections.abc import Callable
from functools import partial
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
from epochord.pipeline.experiments.settings import BATCHES, DataName, Experiment, Recording
from epochord.pipeline.folders import RUNS
from epochord.pipeline.recording import Progress, record

__all__ = ["recording"]


def recording(experiment: Experiment) -> Callable[..., None]:
    """Return the command that records an experiment."""

    def command(
        context: typer.Context,
        data: Annotated[
            DataName, typer.Option("--data", help="Embedded, no network; or downloaded once.")
        ] = "digits",
        data_dir: Annotated[
            Path,
            typer.Option("--data-dir", metavar="FOLDER", help="Where MNIST lies, or is put."),
        ] = Path("data"),
        steps: Annotated[
            int, typer.Option("--steps", metavar="N", min=1, help="Number of batches.")
        ] = BATCHES,
        seed: Annotated[
            int, typer.Option("--seed", metavar="N", help="For weights and order of images.")
        ] = 0,
        format: LogFormat = "parquet",
        out: Annotated[Path | None, run_folder("runs/NAME")] = None,
        overwrite: Overwrite = False,
    ) -> None:
        if data != "mnist" and given(context, {"data_dir": data_dir}):
            raise typer.BadParameter(f"--data-dir is of no use with --data {data}, which is here")
        directory = checked_folder(out or RUNS / experiment.name)
        wanted = Recording(experiment, directory, data, data_dir, steps, seed, format)
        record(wanted, partial(_gradient_norms, wanted), steps, overwrite=overwrite)
        result(directory)

    command.__doc__ = f"{experiment}."
    return command


def _gradient_norms(recording: Recording) -> Callable[[Progress], None]:
    from epochord.pipeline.experiments.gradient_norms import load, train

    return partial(train, recording, load(recording))
