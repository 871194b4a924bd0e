"""What measures during training and writes the log."""

from epochord.runlog.extras import needing

with needing("recording", "record"):
    from epochord.recorders.ensemble import EnsembleRecorder
    from epochord.recorders.gradients import GradientRecorder

__all__ = ["EnsembleRecorder", "GradientRecorder"]
