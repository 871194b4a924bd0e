"""What measures during training and writes the log."""

from epochord.runlog.extras import needing

with needing("recording", "record"):
    from epochord.recorders.dropout import MCDropout
    from epochord.recorders.ensemble import EnsembleRecorder
    from epochord.recorders.gradients import GradientRecorder
    from epochord.recorders.watching import watch

__all__ = ["EnsembleRecorder", "GradientRecorder", "MCDropout", "watch"]
