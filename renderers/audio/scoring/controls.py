"""Other series that drive a voice's loudness, brightness or place, beside its pitch."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.pitching import WIDEST, held
from epochord.renderers.audio.scoring.scale import robust
from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.audio.scoring.settings import AudioSettings
from epochord.renderers.timeline.choice import Choice
from epochord.renderers.timeline.reduction import summarised
from epochord.renderers.timeline.timeline import timeline
from epochord.runlog import Run

__all__ = ["controlled"]

QUIETEST_DB = -18.0  # at the low end of the tag that drives the loudness

Positions = npt.NDArray[np.float64]


def controlled(score: Score, run: Run, settings: AudioSettings) -> Score:
    """Let other tags drive a score.

    Parameters
    ----------
    score : Score
        Of a voicing.
    run : Run
        Where the tags are.
    settings : AudioSettings
        With tags for all voices, or for single ones in its `voices`.

    Returns
    -------
    Score
        Each tag from the low to the high end of its own range: loudness from
        -18 dB to the voice's own, brightness from a sine to the whole timbre,
        place from left to right.

    Raises
    ------
    LogError
        If the run has no such tag.
    """
    voices = len(score.frames.names)
    each = settings.voices or (None,) * voices
    loudness = [(voice and voice.loudness) or settings.loudness for voice in each]
    brightness = [(voice and voice.brightness) or settings.brightness for voice in each]
    pans = [voice.pan if voice else None for voice in each]
    gain = score.gain
    if any(loudness):
        rows = [_positions(score, run, tag, missing=1.0) for tag in loudness]
        gain = gain * (10 ** (QUIETEST_DB / 20 * (1 - np.stack(rows)))).astype(np.float32)
    bright = score.brightness
    if any(brightness):
        rows = [_positions(score, run, tag, missing=1.0) for tag in brightness]
        bright = np.stack(rows).astype(np.float32) * (1 if bright is None else bright)
    pan = score.pan
    if any(place is not None for place in pans):
        rows = [_places(score, run, place, voice) for voice, place in enumerate(pans)]
        pan = np.stack(rows).astype(np.float32)
    return replace(score, gain=gain, brightness=bright, pan=pan)


def _places(score: Score, run: Run, place: str | float | None, voice: int) -> Positions:
    if isinstance(place, str):
        return WIDEST * (2 * _positions(score, run, place, missing=0.5) - 1)
    return np.full(score.frames.count, score.places[voice] if place is None else float(place))


def _positions(score: Score, run: Run, tag: str, *, missing: float) -> Positions:
    """Return where a tag lies in its range in each frame; `missing` where it says nothing."""
    frames = score.frames
    if not tag:
        return np.full(frames.count, missing)
    line = timeline(run, Choice(voices=((tag, tag),)))
    first, place = np.unique(frames.steps, return_inverse=True)
    starts = np.searchsorted(frames.axis, first)
    values = summarised(line.on(frames.axis), starts).values[0][place]
    position = robust([line.values[0][line.measured[0]]]).positions(values)
    return held(position, missing)
