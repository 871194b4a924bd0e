"""A log as sound: Timeline → Frames → Score → blocks of samples → loudness → file."""

from renderers.audio.render import AudioResult, render_audio
from renderers.audio.settings import AudioSettings

__all__ = ["AudioResult", "AudioSettings", "render_audio"]
