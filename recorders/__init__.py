"""What measures during training and writes the log."""

from recorders.ensemble import EnsembleRecorder
from recorders.gradients import GradientRecorder

__all__ = ["EnsembleRecorder", "GradientRecorder"]
