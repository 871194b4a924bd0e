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
    (first, second), scales = scores_together([long, short], AudioSettings("lanes"))
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


def test_an_exploding_run_does_not_flatten_the_others(make_run: Callable[..., Run]) -> None:
    """Beside four that explode or die, a healthy one moves as far as alone, or nearly."""
    rng = np.random.default_rng(0)

    def norms(factor: np.ndarray) -> dict[str, np.ndarray]:
        course = np.exp(0.3 * rng.standard_normal((2, 200)) + np.linspace(0, 1, 200))
        return {"a.weight": course[0] * factor, "b.weight": course[1] * factor}

    steps = np.arange(200)
    healthy = make_run(norms(np.ones(200)), "healthy")
    other = make_run(norms(np.full(200, 1.2)), "other")
    ill = [
        make_run(norms(10.0 ** np.clip(steps - 150, 0, 18)), "explodes"),
        make_run(norms(np.where(steps < 20, 1.0, 0.0)), "dies"),
        make_run(norms(np.where(steps < 190, 1.0, np.nan)), "NaN"),
    ]

    def movement(runs: list[Run]) -> np.ndarray:
        score, *_ = scores_together(runs, AudioSettings())[0]
        pitch = 1200 * np.log2(score.pitch)
        return np.quantile(pitch, 0.98, axis=1) - np.quantile(pitch, 0.02, axis=1)

    assert (movement([healthy, other, *ill]) >= 0.7 * movement([healthy])).all()


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


def test_the_norm_of_an_exploding_run_moves_no_other(make_run: Callable[..., Run]) -> None:
    """On one scale with it, the summary of a healthy run sounds as it does alone."""
    rng = np.random.default_rng(0)
    well = {f"{name}.weight": rng.lognormal(0, 0.2, 60) for name in "abc"}
    broken = {name: values * np.where(np.arange(60) > 40, 1e17, 1) for name, values in well.items()}
    (alone,), _ = scores_together([make_run(well, "well")], AudioSettings())
    (beside, _), _ = scores_together([make_run(well, "well"), make_run(broken)], AudioSettings())
    pitch = dict(zip(beside.frames.steps.tolist(), beside.pitch[0].tolist(), strict=True))
    np.testing.assert_array_equal([pitch[step] for step in alone.frames.steps], alone.pitch[0])
