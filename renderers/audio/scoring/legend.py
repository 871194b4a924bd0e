"""A legend to be heard: each voice's lowest and highest tone, one after the other."""

from dataclasses import replace

import numpy as np

from epochord.renderers.audio.scoring.score import Score, State, Tones
from epochord.renderers.timeline.reduction import reduce
from epochord.renderers.timeline.timeline import Timeline

__all__ = ["legend"]

TONE = 0.35  # s
PAUSE = 0.15  # s
RAMP = 0.01  # s


def legend(score: Score) -> Score:
    """Score a legend.

    Parameters
    ----------
    score : Score
        Of any voicing.

    Returns
    -------
    Score
        Of one frame for the low and one for the high end of each voice.
    """
    voices = len(score.frames.names)
    lowest, highest = score.pitch.min(axis=1), score.pitch.max(axis=1)
    if score.registers is not None:
        lowest, highest = score.registers.T
    ends = np.stack([lowest, highest], axis=1)  # voices × 2
    count = 2 * voices
    alone = np.repeat(np.eye(voices, dtype=np.float32), 2, axis=1)
    tone = round(TONE * score.sample_rate)
    zeros = np.zeros((voices, count))
    bright = None
    if score.brightness is not None:
        bright = np.repeat(score.brightness.max(axis=1, keepdims=True), count, axis=1)
    line = Timeline(np.arange(count), score.frames.names, zeros, np.zeros_like(zeros, bool))
    return replace(
        score,
        frames=reduce(line),
        frame_length=tone + round(PAUSE * score.sample_rate),
        articulation=Tones(tone, (0,) * voices, ramp=round(RAMP * score.sample_rate)),
        pitch=np.tile(ends, voices).astype(score.pitch.dtype),
        gain=alone * score.gain.max(initial=np.float32(0.1)),
        pan=score.places.mean(axis=1),
        state=np.full((voices, count), State.SOUNDING, np.int8),
        brightness=bright,
        events=(),
        speech=(),
        findings=(),
    )
