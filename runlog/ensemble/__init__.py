"""The log of an ensemble: what it predicts, epoch by epoch, and what stays fixed meanwhile."""

from epochord.runlog.ensemble.setup import EnsembleSetup, Predictions

__all__ = ["EnsembleSetup", "Predictions"]
