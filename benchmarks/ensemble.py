"""Ensembles: training and recording all members at once, scoring them, and videos' frames."""

from benchmarks import ensemble_frames, ensemble_scores, ensemble_training
from benchmarks.targets import joined

__all__ = ["report"]


def report() -> str:
    """Run all parts and return their tables."""
    parts = (ensemble_training, ensemble_scores, ensemble_frames)
    return joined([part.measured() for part in parts])
