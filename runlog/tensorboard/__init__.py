"""TensorBoard event files: a writer that TensorBoard itself reads, and a reader."""

from epochord.runlog.tensorboard.assembly import last_step, read_event_files
from epochord.runlog.tensorboard.files import candidates, event_files
from epochord.runlog.tensorboard.writer import TensorBoardWriter

__all__ = [
    "TensorBoardWriter",
    "candidates",
    "event_files",
    "last_step",
    "read_event_files",
]
