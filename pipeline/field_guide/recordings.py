"""The runs of the field guide: recorded when they are asked for, unless they are there."""

from dataclasses import replace
from pathlib import Path

from epochord.pipeline.experiments.field_guide import TRAININGS, Training
from epochord.runlog import Run, open_run
from epochord.runlog.reading.sources import holds_run

__all__ = ["HEALTHY", "recorded"]

# What a healthy run may be: other rates, batches, optimizers, networks and lengths.
HEALTHY = tuple(
    replace(TRAININGS[name], name=f"healthy-{place}", **changes)  # type: ignore[arg-type]
    for place, (name, changes) in enumerate(
        [
            *(("healthy", {"lr": lr, "batch_size": size}) for lr in (0.05, 0.1, 0.15)
              for size in (48, 64, 128)),
            *(("healthy", {"optimizer": "Adam", "lr": lr}) for lr in (0.001, 0.002)),
            *(("healthy", {"momentum": 0.9, "lr": lr}) for lr in (0.01, 0.02)),
            ("healthy", {"steps": 600}),
            ("text", {"lr": 0.03}),
            ("text", {"optimizer": "Adam", "lr": 0.003}),
            ("steady", {}),
            ("normalised", {"weights": 1.0, "lr": 0.05}),
            ("batch-256", {"lr": 0.02}),
            ("warm-up", {}),
        ]
    )
)  # fmt: skip


def recorded(training: Training, seed: int, folder: Path) -> Run:
    """Return a run, recorded now if it is not there with these settings.

    Parameters
    ----------
    training : Training
        What to train.
    seed : int
        For initial weights and the order of the examples.
    folder : Path
        Where the runs are.
    """
    directory = folder / f"{training.name}-{seed}"
    if directory.is_dir() and holds_run(directory):
        run = open_run(directory)
        there = run.metadata.hyperparameters
        wanted = training.hyperparameters
        if run.metadata.status == "finished" and wanted.items() <= there.items():
            return run
    import torch

    from epochord.pipeline.experiments.field_guide.training import train

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small that several only wait for each other
    try:
        train(training, directory, seed)
    finally:
        torch.set_num_threads(threads)
    return open_run(directory)
