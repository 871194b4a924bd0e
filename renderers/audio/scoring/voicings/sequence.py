"""The original's rhythm, one tone a layer and a pause, with pitch that every value can be heard in.

Pitch is logarithmic over three octaves, the same for all layers; tones rise and
fall without a click; each layer has its place in the stereo field.
"""

import numpy as np

from epochord.renderers.audio.scoring.marks import state_events
from epochord.renderers.audio.scoring.pitching import pitched, places
from epochord.renderers.audio.scoring.registers import registers
from epochord.renderers.audio.scoring.score import Score, Tones
from epochord.renderers.audio.scoring.style import TIMBRES, Style
from epochord.renderers.timeline.reduction import Frames

__all__ = ["sequence"]

SAMPLE_RATE = 44_100  # Hz
RAMP = 0.002  # s
AMPLITUDE = np.float32(0.3)


def sequence(frames: Frames, style: Style) -> Score:
    """Score frames as tones in turn.

    Parameters
    ----------
    frames : Frames
        What is to be heard.
    style : Style
        Lengths of tones and pauses, scales, polarity and timbre.

    Returns
    -------
    Score
        Stereo.
    """
    voices = len(frames.names)
    tone = max(2, round(style.tone * SAMPLE_RATE))
    frame_length = voices * tone + round(style.silence * SAMPLE_RATE)
    bands = np.repeat(registers(1), voices, axis=0)
    pitch, gain, state = pitched(frames, style, bands)
    return Score(
        frames=frames,
        voicing="sequence",
        sample_rate=SAMPLE_RATE,
        channels=2,
        frame_length=frame_length,
        articulation=Tones(
            tone,
            tuple(voice * tone for voice in range(voices)),
            ramp=min(round(RAMP * SAMPLE_RATE), tone // 2),
        ),
        pitch=pitch,
        gain=AMPLITUDE * gain,
        pan=places(voices),
        state=state,
        partials=TIMBRES[style.timbre],
        events=state_events(state, frame_length, SAMPLE_RATE),
        registers=bands,
    )
