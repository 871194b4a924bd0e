"""The log of a training run: what recorders write and renderers read."""

from runlog.errors import EarshotError, LogError, OutputError, RunExistsError
from runlog.metadata import Layer, Parameter, RunMetadata
from runlog.opening import open_run
from runlog.run import Run
from runlog.series import Series
from runlog.sources import RunSource, find_runs

__all__ = [
    "EarshotError",
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
