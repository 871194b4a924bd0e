"""What measures during training and writes the log."""

from recorders.gradients import GradientRecorder

__all__ = ["GradientRecorder"]
