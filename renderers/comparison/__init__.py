"""Runs or audio files side by side: where they part, by how much, and which one went wrong."""

from epochord.renderers.comparison.clips import Clip, is_audio, open_clip
from epochord.renderers.comparison.comparison import Comparison, compare
from epochord.renderers.comparison.render import ComparisonResult, compare_clips, compare_runs
from epochord.renderers.comparison.settings import ComparisonSettings

__all__ = [
    "Clip",
    "Comparison",
    "ComparisonResult",
    "ComparisonSettings",
    "compare",
    "compare_clips",
    "compare_runs",
    "is_audio",
    "open_clip",
]
