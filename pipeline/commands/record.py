"""`epochord record`: train one of the experiments and write its log."""

from collections.abc import Callable
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Annotated

import typer

from epochord.pipeline.commands.record_benford import benford
from epochord.pipeline.console import result
from epochord.pipeline.experiments.ensemble_settings import (
    EPOCHS,
    MEMBERS,
    SETTINGS,
    EnsembleRecording,
    SettingName,
)
from epochord.pipeline.experiments.settings import (
    BATCHES,
    EXPERIMENTS,
    DataName,
    Experiment,
    Recording,
)
from epochord.pipeline.inputs import RUNS
from epochord.pipeline.recording import Progress, record
from epochord.runlog.run.metadata import Format

__all__ = ["app"]

app = typer.Typer(
    name="record", help="Train an experiment and write its log.", no_args_is_help=True
)

FormatOption = Annotated[Format, typer.Option(help="How to write the log.")]
OutOption = Annotated[Path | None, typer.Option(help="The run's directory.  [default: runs/NAME]")]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace an earlier recording of it.")
]


def _command(experiment: Experiment) -> Callable[..., None]:
    def command(
        data: Annotated[
            DataName, typer.Option(help="Embedded, no network; or downloaded once.")
        ] = "digits",
        data_dir: Annotated[Path, typer.Option(help="Where MNIST lies, or is put.")] = Path("data"),
        steps: Annotated[int, typer.Option(min=1, help="Number of batches.")] = BATCHES,
        seed: Annotated[int, typer.Option(help="For weights and order of images.")] = 0,
        format: FormatOption = "parquet",
        out: OutOption = None,
        overwrite: OverwriteOption = False,
    ) -> None:
        directory = out or RUNS / experiment.name
        recording = Recording(experiment, directory, data, data_dir, steps, seed, format)
        record(recording, partial(_gradient_norms, recording), steps, overwrite=overwrite)
        result(directory)

    command.__doc__ = f"{experiment}."
    return command


for _experiment in EXPERIMENTS.values():
    app.command(_experiment.name)(_command(_experiment))


app.command("benford")(benford)


@app.command("ensemble")
def ensemble(
    setting: Annotated[
        SettingName, typer.Option(help="What makes the members differ, beside their weights.")
    ] = "prior-bootstrap",
    members: Annotated[int, typer.Option(min=1, help="Number of networks.")] = MEMBERS,
    epochs: Annotated[int, typer.Option(min=1, help="Number of full-batch steps.")] = EPOCHS,
    prior_scale: Annotated[float, typer.Option(help="What the priors are multiplied with.")] = 1.0,
    seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="For weights, priors and bootstrap.")
    ] = 0,
    every: Annotated[int, typer.Option(min=1, help="Keep predictions of every N epochs.")] = 1,
    format: FormatOption = "parquet",
    half: Annotated[bool, typer.Option("--half", help="Keep predictions in float16.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="The run's directory.  [default: runs/ensemble-SETTING]")
    ] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Ensemble of 1-20-20-1 networks on ten noisy points, with randomized priors."""
    if not isfinite(prior_scale):
        raise typer.BadParameter(f"{prior_scale} is no finite number", param_hint="--prior-scale")
    directory = out or RUNS / f"ensemble-{setting}"
    recording = EnsembleRecording(
        SETTINGS[setting], directory, members, epochs, prior_scale, seed, every, format, half
    )
    record(recording, partial(_ensembles, recording), epochs, overwrite=overwrite)
    result(directory)


def _gradient_norms(recording: Recording) -> Callable[[Progress], None]:
    from epochord.pipeline.experiments.gradient_norms import load, train

    return partial(train, recording, load(recording))


def _ensembles(recording: EnsembleRecording) -> Callable[[Progress], None]:
    from epochord.pipeline.experiments.ensembles import train

    return partial(train, recording)
