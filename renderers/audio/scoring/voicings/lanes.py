"""All layers at once, each in a lane of its own: a register, and a place in the stereo field.

The first layer is the lowest and leftmost.  Pitch is logarithmic in the value,
held in each frame and gliding into the next, so that it can be read back.
"""

import numpy as np

from epochord.renderers.audio.scoring.marks import state_events
from epochord.renderers.audio.scoring.pitching import pitched, places
from epochord.renderers.audio.scoring.registers import registers
from epochord.renderers.audio.scoring.score import Glide, Score
from epochord.renderers.audio.scoring.style import TIMBRES, Style
from epochord.renderers.timeline.reduction import Frames

__all__ = ["lanes"]

SAMPLE_RATE = 44_100  # Hz
GLIDE_SHARE = 0.12  # of a frame
RELEASE = 0.002  # s; the sound ends without a click
LEVEL = 0.25  # RMS of all voices together, over both channels


def lanes(frames: Frames, style: Style) -> Score:
    """Score frames as voices that sound all at once.

    Parameters
    ----------
    frames : Frames
        At most twelve voices.
    style : Style
        Length of a frame, scales, polarity and timbre.

    Returns
    -------
    Score
        Stereo.
    """
    voices = len(frames.names)
    frame_length = max(2, round(style.frame * SAMPLE_RATE))
    bands = registers(voices)
    pitch, gain, state = pitched(frames, style, bands)
    amplitude = np.float32(LEVEL * (2 / voices) ** 0.5)
    return Score(
        frames=frames,
        voicing="lanes",
        sample_rate=SAMPLE_RATE,
        channels=2,
        frame_length=frame_length,
        articulation=Glide(
            max(1, round(GLIDE_SHARE * frame_length)), release=round(RELEASE * SAMPLE_RATE)
        ),
        pitch=pitch,
        gain=amplitude * gain,
        pan=places(voices),
        state=state,
        partials=TIMBRES[style.timbre],
        events=state_events(state, frame_length, SAMPLE_RATE),
        registers=bands,
    )
