"""The log of an ensemble: what it predicts, epoch by epoch, and what stays fixed meanwhile."""

from typing import Any

from epochord.runlog.ensemble.setup import EnsembleSetup, Predictions

__all__ = ["EnsembleSetup", "Predictions", "open_ensemble"]


def __getattr__(name: str) -> Any:
    """Find `open_ensemble`, which lives with all that reads, one floor up, when it is asked for."""
    if name != "open_ensemble":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return import_module("epochord.runlog.reading.ensemble").open_ensemble
