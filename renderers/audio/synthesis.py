"""From a score to samples, block by block, in bounded memory."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from renderers.audio.score import Score

__all__ = ["blocks"]

# Sine arguments computed at once, in float64: 512 KiB, which stays in the cache.
SAMPLES_A_BLOCK = 1 << 16


def blocks(score: Score) -> Iterator[npt.NDArray[np.float32]]:
    """Synthesise a score of tones in turn.

    Parameters
    ----------
    score : Score
        Its voices' tones must not overlap.

    Yields
    ------
    np.ndarray [shape=(n,), float32]
        Mono samples, whole frames, in order; a tone is
        ``gain · float32(sin(2π·i·pitch / sample_rate))`` for its sample i, with
        the phase in float64, evaluated from left to right as in the original.
    """
    frames = max(1, SAMPLES_A_BLOCK // max(1, score.frame_length))
    angle = 2 * np.pi * np.arange(score.tone_length, dtype=np.float64)
    for start in range(0, score.timeline.frames, frames):
        span = slice(start, min(start + frames, score.timeline.frames))
        block = np.zeros((span.stop - span.start, score.frame_length), dtype=np.float32)
        for voice, onset in enumerate(score.onsets):
            pitch = score.pitch[voice, span, None]
            tone = np.sin(angle * pitch / score.sample_rate).astype(np.float32)
            block[:, onset : onset + score.tone_length] = score.gain[voice, span, None] * tone
        yield block.ravel()
