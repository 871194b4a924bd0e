"""The log of a training run: what recorders write and renderers read."""

from epochord.runlog.errors import EpochordError, LogError, OutputError, RunExistsError
from epochord.runlog.reading.opening import open_run
from epochord.runlog.reading.sources import RunSource, find_runs
from epochord.runlog.run.metadata import Layer, Parameter, RunMetadata
from epochord.runlog.run.run import Run
from epochord.runlog.run.series import Series

__all__ = [
    "EpochordError",
    "Layer",
    "LogError",
    "OutputError",
    "Parameter",
    "Run",
    "RunExistsError",
    "RunMetadata",
    "RunSource",
    "Series",
    "find_runs",
    "open_run",
]
