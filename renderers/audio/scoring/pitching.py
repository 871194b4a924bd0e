"""From frames to pitch, gain and state: what the voicings with registers share."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.score import State, states
from epochord.renderers.audio.scoring.style import Style, groups
from epochord.renderers.timeline.reduction import Frames

__all__ = ["WIDEST", "Pitched", "held", "pitched", "places"]

# Outer voices lie near the sides, so that headphones do not isolate them.
WIDEST = 0.8


class Pitched(NamedTuple):
    """Pitch in Hz, relative gain (0 or 1) and `State`, each [shape=(voices, frames)]."""

    pitch: npt.NDArray[np.float64]
    gain: npt.NDArray[np.float32]
    state: npt.NDArray[np.int8]


def pitched(frames: Frames, style: Style, registers: npt.NDArray[np.float64]) -> Pitched:
    """Map each voice's values into its register, logarithmically in pitch.

    Parameters
    ----------
    frames : Frames
        What is to be heard.
    style : Style
        With a scale for each group of voices.
    registers : np.ndarray [shape=(voices, 2)]
        Hz.

    Returns
    -------
    Pitched
        Where a value is not finite, exactly zero on a logarithmic scale, or
        missing, the voice is silent and keeps its pitch.
    """
    values = frames.values.astype(np.float64)
    state = states(frames)
    pitch = np.empty(values.shape)
    for voice, group in enumerate(groups(frames)):
        scale = style.scales[group]
        own = values[voice]
        sounding = state[voice] == State.SOUNDING
        outside = (own < scale.low) | (own > scale.high)
        state[voice, sounding & outside] = State.HELD
        if scale.kind == "log":
            state[voice, sounding & (own == 0)] = State.ZERO
        position = scale.positions(own)
        low, high = registers[voice]
        along = position if style.polarity > 0 else 1 - position
        pitch[voice] = held(low * (high / low) ** along, (low * high) ** 0.5)
    # A frame of many steps still sounds if only some of them are not finite.
    silent = np.isin(state, (State.ZERO, State.MISSING)) | ~np.isfinite(values)
    gain = (~silent).astype(np.float32)
    return Pitched(pitch, gain, state)


def places(voices: int) -> npt.NDArray[np.float32]:
    """Return each voice's place in the stereo field, from left to right."""
    if voices == 1:
        return np.zeros(1, np.float32)
    return np.linspace(-WIDEST, WIDEST, voices, dtype=np.float32)


def held(pitch: npt.NDArray[Any], otherwise: float) -> npt.NDArray[np.float64]:
    """Replace NaN by what is before it, at the beginning by the first one.

    Parameters
    ----------
    pitch : np.ndarray [shape=(frames,)]
        Numbers or NaN.
    otherwise : float
        What to use where all are NaN.
    """
    known = np.isfinite(pitch)
    if not known.any():
        return np.full(pitch.shape, otherwise)
    place = np.maximum.accumulate(np.where(known, np.arange(len(pitch)), 0))
    place = np.maximum(place, int(np.argmax(known)))
    return np.asarray(pitch[place], np.float64)
