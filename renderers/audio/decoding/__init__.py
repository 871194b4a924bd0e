"""The way back: from sound to pitch, and so to the numbers, voice by voice and frame by frame.

A sound as `epochord.renderers.audio.synthesis.glide` makes it, and its `Layout` → `Decoded`.
"""

from epochord.renderers.audio.decoding.decoder import Decoded, Method, decode
from epochord.renderers.audio.decoding.estimation import Progress
from epochord.renderers.audio.decoding.layout import Layout
from epochord.renderers.audio.decoding.offset import find_offset

__all__ = ["Decoded", "Layout", "Method", "Progress", "decode", "find_offset"]
