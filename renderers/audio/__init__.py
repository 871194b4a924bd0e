"""A log as sound: Timeline → Score → blocks of samples → file."""

from renderers.audio.render import AudioResult, AudioSettings, render_audio

__all__ = ["AudioResult", "AudioSettings", "render_audio"]
