"""The words that options choose from, so that help, completion and errors show them.

They are the library's own (a test compares them), said again since importing the
library takes longer than to show a help.
"""

from typing import Literal

__all__ = [
    "Animation",
    "AudioFormat",
    "Clock",
    "Method",
    "Parameters",
    "PictureSize",
    "Polarity",
    "Segments",
    "Spacing",
    "Theme",
    "Timbre",
]

Animation = Literal["webp", "gif", "none"]
AudioFormat = Literal["wav16", "wav24", "wav32f", "flac", "ogg", "mp3"]
Clock = Literal["movement", "linear"]
Method = Literal["joint", "fft"]
Parameters = Literal["weight", "all"]
PictureSize = Literal["1280x720", "1920x1080", "3840x2160", "square", "vertical"]
Polarity = Literal["+", "-"]
Segments = Literal["auto", "all", "split", "last"]
Spacing = Literal["logged", "steps", "wall"]
Theme = Literal["light", "dark"]
Timbre = Literal["sine", "warm"]
