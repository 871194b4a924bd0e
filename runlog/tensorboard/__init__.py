"""TensorBoard event files: a writer that TensorBoard itself reads, and a reader."""

from runlog.tensorboard.reader import event_files, last_step, read_event_files
from runlog.tensorboard.writer import TensorBoardWriter

__all__ = ["TensorBoardWriter", "event_files", "last_step", "read_event_files"]
