"""The log of a training run: what recorders write and renderers read.

What is named here is imported when it is used, so that an error or a word of it costs no
Arrow.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from epochord.runlog.errors import (
    EpochordError,
    LogError,
    OutputError,
    RecordingWarning,
    RunExistsError,
)

if TYPE_CHECKING:
    from epochord.runlog.reading.opening import open_run
    from epochord.runlog.reading.source import RunSource
    from epochord.runlog.reading.sources import find_runs
    from epochord.runlog.run.metadata import Layer, Parameter, RunMetadata
    from epochord.runlog.run.run import Run
    from epochord.runlog.run.series import Series

__all__ = [
    "EpochordError",
    "Layer",
    "LogError",
    "OutputError",
    "Parameter",
    "RecordingWarning",
    "Run",
    "RunExistsError",
    "RunMetadata",
    "RunSource",
    "Series",
    "find_runs",
    "open_run",
]

_PLACES = {
    "Layer": "run.metadata",
    "Parameter": "run.metadata",
    "Run": "run.run",
    "RunMetadata": "run.metadata",
    "RunSource": "reading.source",
    "Series": "run.series",
    "find_runs": "reading.sources",
    "open_run": "reading.opening",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
