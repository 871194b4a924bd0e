"""The voicing of the experiment that Epochord grew from, to the bit up to norm 198.

Christian Perone, "Listening to the neural network gradient norms during
training" (2019): in each step one short sine a layer, in turn, then silence.
The pitch rises by 100 Hz for each unit of the norm, from 200 Hz.
"""

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.score import Score, State, Tones, states
from epochord.renderers.audio.scoring.style import Style
from epochord.renderers.timeline.reduction import Frames

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


def original(frames: Frames, style: Style) -> Score:
    """Score frames as the original did.

    Parameters
    ----------
    frames : Frames
        Gradient norms, a voice each.
    style : Style
        Length of a voice's tone and of the pause after each step; the
        original's are 0.01 s and 0.02 s.

    Returns
    -------
    Score
        Mono.  A value that was not measured is silence.
    """
    voices = len(frames.names)
    tone = round(style.tone * SAMPLE_RATE)
    silence = round(style.silence * SAMPLE_RATE)
    values = frames.values
    state = states(frames)
    state[(state == State.SOUNDING) & (np.abs(values) > TOP_NORM)] = State.HELD
    return Score(
        frames=frames,
        voicing="original",
        sample_rate=SAMPLE_RATE,
        channels=1,
        frame_length=voices * tone + silence,
        articulation=Tones(tone, tuple(voice * tone for voice in range(voices))),
        pitch=original_pitch(values),
        gain=np.where(frames.measured > 0, AMPLITUDE, np.float32(0)),
        pan=np.zeros(voices, dtype=np.float32),
        state=state,
    )
