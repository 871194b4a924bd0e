"""The voicing of the experiment that Earshot grew from, to the bit up to norm 198.

Christian Perone, "Listening to the neural network gradient norms during
training" (2019): in each step one short sine a layer, in turn, then silence.
The pitch rises by 100 Hz for each unit of the norm, from 200 Hz.
"""

import numpy as np
import numpy.typing as npt

from renderers.audio.score import Score, State, states
from renderers.timeline import Timeline

__all__ = ["original", "original_pitch"]

SAMPLE_RATE = 44_100  # Hz
BASE_HZ = np.float32(200.0)
HZ_PER_NORM = np.float32(100.0)
# The original goes on rising: past half the sampling rate, so above norm 218.5,
# its tones fold back to lower ones. Here the pitch stops at norm 198.
TOP_HZ = np.float32(20_000.0)
TOP_NORM = (TOP_HZ - BASE_HZ) / HZ_PER_NORM
AMPLITUDE = np.float32(0.1)


def original_pitch(norms: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Map norms to pitches.

    Parameters
    ----------
    norms : array-like
        Gradient norms, float32.

    Returns
    -------
    np.ndarray [same shape, float32]
        ``200 + 100·norm`` Hz in float32 arithmetic, at most 20,000 Hz; what is
        not finite gets 20,000 Hz.
    """
    with np.errstate(over="ignore"):
        pitch = BASE_HZ + np.asarray(norms, dtype=np.float32) * HZ_PER_NORM
    return np.where(np.isfinite(pitch), np.clip(pitch, -TOP_HZ, TOP_HZ), TOP_HZ)


def original(timeline: Timeline, tone_seconds: float, silence_seconds: float) -> Score:
    """Score a timeline as the original did.

    Parameters
    ----------
    timeline : Timeline
        Gradient norms, a voice each.
    tone_seconds, silence_seconds : float
        Length of a voice's tone and of the pause after each step; the
        original's are 0.01 s and 0.02 s.

    Returns
    -------
    Score
        Mono.  A value that was not measured is silence.
    """
    voices = len(timeline.names)
    tone = round(tone_seconds * SAMPLE_RATE)
    silence = round(silence_seconds * SAMPLE_RATE)
    state = states(timeline)
    pitch = original_pitch(timeline.values)
    state[(state == State.SOUNDING) & (np.abs(timeline.values) > TOP_NORM)] = State.HELD
    return Score(
        timeline=timeline,
        voicing="original",
        sample_rate=SAMPLE_RATE,
        frame_length=voices * tone + silence,
        tone_length=tone,
        onsets=tuple(voice * tone for voice in range(voices)),
        pitch=pitch,
        gain=np.where(timeline.measured, AMPLITUDE, np.float32(0)),
        pan=np.zeros(voices, dtype=np.float32),
        state=state,
    )
