"""What a decoder may know of a score: where its voices can be, never where they are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.synthesis.glide import pan_gains

__all__ = ["Floats", "Layout", "Sound"]

Floats = npt.NDArray[np.float64]
Sound = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Layout:
    """A score without its values.

    Parameters
    ----------
    registers : array-like [shape=(voices, 2)]
        Lowest and highest pitch of each voice in Hz; they do not overlap.
    pan : array-like [shape=(voices,)]
        -1 left, 0 middle, 1 right.
    frame_length, glide_length : int
        Samples; the pitch is held in a frame after its glide.
    sample_rate : int
        Hz.
    frames : int
        How many there are.

    Raises
    ------
    ValueError
        If that is no layout.
    """

    registers: npt.ArrayLike
    pan: npt.ArrayLike
    frame_length: int
    glide_length: int
    sample_rate: int
    frames: int

    def __post_init__(self) -> None:
        registers, pan = np.asarray(self.registers, np.float64), np.asarray(self.pan, np.float64)
        if registers.ndim != 2 or registers.shape[1:] != (2,) or pan.shape != registers.shape[:1]:
            raise ValueError(
                f"registers have shape {registers.shape} and pan {pan.shape}; "
                "expected (voices, 2) and (voices,)"
            )
        edges = registers[np.argsort(registers[:, 0])].ravel()
        if not (edges[0] > 0 and (np.diff(edges) > 0).all() and edges[-1] < self.sample_rate / 2):
            raise ValueError(
                f"registers are {registers.tolist()} Hz; expected some that rise, do not overlap, "
                f"and lie between 0 and {self.sample_rate / 2:g}"
            )
        if not 0 <= self.glide_length < self.frame_length or self.frames < 0:
            raise ValueError(
                f"frame_length={self.frame_length}, glide_length={self.glide_length}, "
                f"frames={self.frames}; expected 0 <= glide_length < frame_length and frames >= 0"
            )

    @property
    def voices(self) -> int:
        """How many there are."""
        return len(np.asarray(self.pan))

    @property
    def samples(self) -> int:
        """Length of the sound in samples."""
        return self.frames * self.frame_length

    @property
    def hold_length(self) -> int:
        """Length of a frame's hold in samples."""
        return self.frame_length - self.glide_length

    def bands(self) -> Floats:
        """Return the registers in radians a sample [shape=(voices, 2)]."""
        return np.asarray(self.registers, np.float64) * (2 * np.pi / self.sample_rate)

    def sides(self, channels: int) -> Floats:
        """Return the gains of the channels [shape=(channels, voices)].

        One channel is the mean of left and right.
        """
        sides = pan_gains(self.pan).astype(np.float64)
        return sides if channels == 2 else sides.mean(axis=0, keepdims=True)
