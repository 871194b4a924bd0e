"""Spoken sentences over a sound, in its middle."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.events import Utterance

__all__ = ["spoken_over"]

Samples = npt.NDArray[np.float32]


def spoken_over(
    blocks: Iterable[Samples], speech: Sequence[Utterance], gain: float
) -> Iterator[Samples]:
    """Add what is said to a sound, the same in both channels.

    Parameters
    ----------
    blocks : iterable of np.ndarray [shape=(n, 2), float32]
        The sound, in order; it is changed in place.
    speech : sequence of Utterance
        In the order of time, each behind the one before.
    gain : float
        Linear.

    Yields
    ------
    np.ndarray [shape=(n, 2), float32]
    """
    begin = 0
    waiting = deque(speech)
    for block in blocks:
        end = begin + len(block)
        for each in waiting:
            if each.sample >= end:
                break
            first, samples = max(begin, each.sample), each.clip.samples
            part = samples[first - each.sample : end - each.sample, None] * np.float32(gain)
            block[first - begin :][: len(part)] += part
        while waiting and waiting[0].sample + len(waiting[0].clip.samples) <= end:
            waiting.popleft()
        yield block
        begin = end
