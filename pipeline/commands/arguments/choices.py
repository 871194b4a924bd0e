"""The words that options choose from, so that help, completion and errors show them.

They are the library's own (a test compares them), said again since importing the
library takes longer than to show a help.
"""

from typing import Literal

__all__ = [
    "Animation",
    "AudioFormat",
    "Method",
    "Parameters",
    "Polarity",
    "Segments",
    "Spacing",
    "Timbre",
]

Animation = Literal["webp", "gif", "none"]
AudioFormat = Literal["wav16", "wav24", "wav32f", "flac", "ogg", "mp3"]
Method = Literal["joint", "fft"]
Parameters = Literal["weight", "all"]
Polarity = Literal["+", "-"]
Segments = Literal["auto", "all", "split", "last"]
Spacing = Literal["logged", "steps", "wall"]
Timbre = Literal["sine", "warm"]
