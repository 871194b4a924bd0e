"""Frames from plain arrays, and scores as samples."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.audio.synthesis.blocks import blocks
from epochord.renderers.timeline.reduction import Frames, reduce
from epochord.renderers.timeline.timeline import Timeline


@pytest.fixture
def make_frames() -> Callable[..., Frames]:
    """Make one frame a step of values [shape=(voices, steps)]; None is not measured."""

    def make(values: npt.ArrayLike, *, unit: str = "norm") -> Frames:
        given = np.array(values, dtype=object)
        measured = given != None  # noqa: E711
        numbers = np.where(measured, given, 0).astype(np.float64)
        names = tuple(f"layer{voice}" for voice in range(len(given)))
        return reduce(Timeline(np.arange(given.shape[1]), names, numbers, measured, unit))

    return make


@pytest.fixture
def sound() -> Callable[[Score], npt.NDArray[np.float32]]:
    """Synthesise a whole score."""
    return lambda score: np.concatenate(list(blocks(score)))
