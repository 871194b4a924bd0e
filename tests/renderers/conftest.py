"""What tests of several kinds of results use."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from epochord.renderers.audio.scoring.score import Score

Hold = Callable[[Score, Mapping[int, int]], Score]


@pytest.fixture
def hold() -> Hold:
    """Let some frames of a score, by number, sound several times in a row."""

    def held(score: Score, lengths: Mapping[int, int]) -> Score:
        times = np.ones(score.frames.count, int)
        times[list(lengths)] = list(lengths.values())
        first = np.cumsum(times) - times

        def repeated(whole, names):
            arrays = {name: getattr(whole, name) for name in names}
            return {
                name: np.repeat(array, times, axis=-1)
                for name, array in arrays.items()
                if array is not None and array.shape[-1:] == (len(times),)
            }

        frames = replace(score.frames, **repeated(score.frames, (
            "steps", "low", "high", "values", "low_step", "high_step", "measured", "nan",
            "positive_infinity", "negative_infinity",
        )))  # fmt: skip
        length = score.frame_length
        events = tuple(
            replace(each, sample=int(first[each.sample // length]) * length + each.sample % length)
            for each in score.events
        )
        moved = repeated(score, ("pitch", "gain", "state", "pan", "brightness"))
        return replace(score, frames=frames, events=events, **moved)

    return held
