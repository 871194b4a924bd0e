"""`earshot record`: train one of the experiments and write its log."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pipeline.console import bar, note, result
from pipeline.experiments.settings import (
    BATCHES,
    EXPERIMENTS,
    DataName,
    Experiment,
    Recording,
)
from pipeline.inputs import RUNS
from runlog.errors import EarshotError, OutputError, RunExistsError
from runlog.metadata import Format

__all__ = ["app"]

app = typer.Typer(
    name="record", help="Train an experiment and write its log.", no_args_is_help=True
)


def _command(experiment: Experiment) -> Callable[..., None]:
    def record(
        data: Annotated[
            DataName, typer.Option(help="Embedded, no network; or downloaded once.")
        ] = "digits",
        data_dir: Annotated[Path, typer.Option(help="Where MNIST lies, or is put.")] = Path("data"),
        steps: Annotated[int, typer.Option(min=1, help="Number of batches.")] = BATCHES,
        seed: Annotated[int, typer.Option(help="For weights and order of images.")] = 0,
        format: Annotated[Format, typer.Option(help="How to write the log.")] = "parquet",
        out: Annotated[
            Path | None, typer.Option(help="The run's directory.  [default: runs/NAME]")
        ] = None,
        overwrite: Annotated[
            bool, typer.Option("--overwrite", help="Replace an earlier recording of it.")
        ] = False,
    ) -> None:
        directory = out or RUNS / experiment.name
        recording = Recording(experiment, directory, data, data_dir, steps, seed, format)
        if not _made(recording, overwrite):
            _train(recording)
        result(directory)

    record.__doc__ = f"{experiment}."
    return record


for _experiment in EXPERIMENTS.values():
    app.command(_experiment.name)(_command(_experiment))


def _made(recording: Recording, overwrite: bool) -> bool:
    """Tell whether the recording is there already.

    Raises
    ------
    RunExistsError
        If something else is there that must not, or may not, be replaced.
    """
    from runlog.opening import open_run
    from runlog.sources import holds_run

    directory = recording.directory
    if not (directory.is_dir() and holds_run(directory)):
        return False
    before = open_run(directory).metadata
    differences = ", ".join(recording.differences(before))
    if not differences:
        note(f"{directory}: was recorded with these settings already; nothing to do")
        return True
    if before.hyperparameters.get("experiment") != recording.experiment.name:
        raise RunExistsError(
            f"{directory}: holds a run that is not this experiment's; record elsewhere with --out"
        )
    if not overwrite:
        raise RunExistsError(
            f"{directory}: holds another recording of this experiment ({differences}); replace it "
            "with --overwrite or record elsewhere with --out"
        )
    note(f"{directory}: replaces an earlier recording ({differences})")
    return False


def _train(recording: Recording) -> None:
    """Train; an earlier recording goes when nothing is in the way any more."""
    try:
        from pipeline.experiments.gradient_norms import load, train
    except ModuleNotFoundError as error:
        raise EarshotError(
            f"recording needs {error.name}, which is not installed: run 'make "
            f"record-{recording.experiment.name}', or pip install 'earshot[record]'"
        ) from error
    from runlog.writing import remove_log

    dataset = load(recording)
    remove_log(recording.directory)
    steps = recording.steps
    with bar(f"record {recording.experiment.name}", total=steps) as progress:
        try:
            train(
                recording,
                dataset,
                lambda done, loss: progress.update(done, steps, f"loss {loss:.4g}"),
            )
        except KeyboardInterrupt:
            note(f"{recording.directory}: stopped; what was recorded is kept")
            raise
        except OSError as error:
            raise OutputError(
                f"{recording.directory}: cannot write the log ({error.strerror or error}); "
                "what was written before is kept"
            ) from error
