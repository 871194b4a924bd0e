"""How fast a log becomes sound, and how much memory that takes, against peers and the original."""

from benchmarks import (
    audio_files,
    audio_long,
    audio_memory,
    audio_original,
    audio_peak,
    audio_speed,
)
from benchmarks.targets import joined

__all__ = ["report"]

PARTS = (audio_speed, audio_files, audio_peak, audio_original, audio_memory, audio_long)


def report() -> str:
    """Measure speed and memory and return the tables."""
    return joined([part.measured() for part in PARTS])
