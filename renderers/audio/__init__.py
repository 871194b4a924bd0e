"""A log as sound: Timeline → Frames → Score → blocks of samples → loudness → file."""

from renderers.audio.render import render_audio
from renderers.audio.result import AudioResult
from renderers.audio.settings import AudioSettings

__all__ = ["AudioResult", "AudioSettings", "render_audio"]
