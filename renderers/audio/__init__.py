"""A log as sound: Timeline → Frames → Score → blocks of samples → loudness → file."""

from epochord.renderers.audio.render import render_audio
from epochord.renderers.audio.result import AudioResult
from epochord.renderers.audio.samples import Sound, sound
from epochord.renderers.audio.scoring.settings import AudioSettings

__all__ = ["AudioResult", "AudioSettings", "Sound", "render_audio", "sound"]
