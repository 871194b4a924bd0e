"""The log of an ensemble: what it predicts, epoch by epoch, and what stays fixed meanwhile."""

from runlog.ensemble.opening import Ensemble, NoEnsembleError, open_ensemble
from runlog.ensemble.setup import EnsembleSetup, Predictions

__all__ = ["Ensemble", "EnsembleSetup", "NoEnsembleError", "Predictions", "open_ensemble"]
