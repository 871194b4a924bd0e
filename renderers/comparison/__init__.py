"""Runs or audio files side by side: where they part, by how much, and which one went wrong."""

from renderers.comparison.clips import Clip, is_audio, open_clip
from renderers.comparison.render import ComparisonResult, compare_clips, compare_runs
from renderers.comparison.settings import ComparisonSettings

__all__ = [
    "Clip",
    "ComparisonResult",
    "ComparisonSettings",
    "compare_clips",
    "compare_runs",
    "is_audio",
    "open_clip",
]
