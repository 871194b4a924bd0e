"""Sentences as sound, by a program that speaks: espeak-ng, or the system's own voice."""

from epochord.renderers.audio.speech.clips import Clip, clip
from epochord.renderers.audio.speech.speakers import Speaker, SpeechError, speaker

__all__ = ["Clip", "Speaker", "SpeechError", "clip", "speaker"]
