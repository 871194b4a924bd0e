"""Ensembles: training and recording all members at once, and the frames of their videos."""

from benchmarks import ensemble_frames, ensemble_training
from benchmarks.targets import joined

__all__ = ["report"]


def report() -> str:
    """Run both parts and return their tables."""
    return joined([ensemble_training.measured(), ensemble_frames.measured()])
