"""Several runs as sounds that can be compared: at every moment, and in loudness."""

from collections.abc import Callable

import numpy as np
import pytest

from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.level.measure import common_level, measure
from epochord.renderers.audio.scoring.compose import scores_together
from epochord.renderers.audio.scoring.score import State
from epochord.runlog import Run


def test_together_the_same_moment_is_the_same_step(make_run: Callable[..., Run]) -> None:
    """Scores of several runs share voices, registers, frames and scale; who has ended is silent."""
    long = make_run({"a.weight": np.geomspace(1, 100, 40), "b.weight": np.ones(40)}, "long")
    short = make_run({"b.weight": np.full(10, 10.0)}, "short")
    (first, second), scales = scores_together([long, short], AudioSettings())
    assert first.frames.names == second.frames.names == ("a", "b")
    np.testing.assert_array_equal(first.frames.steps, second.frames.steps)
    np.testing.assert_array_equal(first.registers, second.registers)
    assert list(scales) == ["gradient norm"]
    assert (second.state[0] == State.MISSING).all()
    assert (second.gain[1, :10] > 0).all()
    assert (second.gain[1, 10:] == 0).all()
    value = np.flatnonzero(long["grad_norm/a.weight"].values >= 10)[0]
    position = scales["gradient norm"].positions([long["grad_norm/a.weight"].values[value], 10.0])
    for pitch, register, place in (
        (first.pitch[0, value], first.registers[0], position[0]),
        (second.pitch[1, 0], second.registers[1], position[1]),
    ):
        low, high = register
        assert np.log(pitch / low) / np.log(high / low) == pytest.approx(place)


def test_a_common_gain_keeps_differences_of_loudness() -> None:
    """The loudest of several sounds reaches the target; the others stay as much softer."""
    time = np.arange(88_200) / 44_100
    loud = np.repeat(np.sin(2 * np.pi * 440 * time)[:, None], 2, axis=1).astype(np.float32)
    shape = {"sample_rate": 44_100, "channels": 2, "target_lufs": -23.0}
    levels = [measure([factor * loud], **shape) for factor in (0.1, 1.0, 0.0)]
    soft, top, silence = common_level(levels)
    assert top == levels[1]
    assert soft.gain == silence.gain == top.gain
    assert top.lufs - soft.lufs == pytest.approx(20, abs=1e-3)
    assert top.true_peak_dbtp - soft.true_peak_dbtp == pytest.approx(20, abs=1e-3)
    assert silence.lufs is None
