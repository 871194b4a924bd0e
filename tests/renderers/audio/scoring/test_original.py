"""The voicing `original` gives the original's samples, bit for bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.audio.scoring.score import State
from epochord.renderers.audio.scoring.style import Style
from epochord.renderers.audio.scoring.voicings import original
from epochord.renderers.audio.synthesis.blocks import SAMPLES_A_BLOCK, blocks
from epochord.renderers.timeline.reduction import reduce
from epochord.renderers.timeline.timeline import timeline


def transcription(steps: list[list[np.float32]]) -> np.ndarray:
    """Do what the original's loop does: a tone a layer, 882 zeros after a batch."""
    frames = []
    for norms in steps:
        for norm in norms:
            frequency = 200.0 + norm * 100.0  # float32, as a tensor's .numpy() gives it
            sine = np.sin(2 * np.pi * np.arange(44100 * 0.01) * frequency / 44100)
            frames.append(0.1 * sine.astype(np.float32))
        frames.append(np.zeros(882, dtype=np.float32))
    return np.concatenate(frames)


def sound(run, tone: float = 0.01, silence: float = 0.02) -> np.ndarray:
    score = original(reduce(timeline(run)), Style(tone=tone, silence=silence))
    return np.concatenate(list(blocks(score)))


def test_the_samples_equal_the_original_generators(make_run):
    """201 steps of four layers up to norm 198, across several blocks."""
    rng = np.random.default_rng(0)
    norms = np.exp(rng.uniform(np.log(1e-6), np.log(198), (4, 201))).astype(np.float32)
    norms[0, :3] = [0, 198, 1e-45]
    run = make_run({f"layer{i}.weight": row for i, row in enumerate(norms)})
    samples = sound(run)
    assert len(samples) == 531_846  # 12.06 s
    assert len(samples) > 2 * SAMPLES_A_BLOCK
    expected = transcription([list(column) for column in norms.T])
    np.testing.assert_array_equal(samples.view(np.uint32), expected.view(np.uint32))


@given(st.lists(st.floats(0, 198, width=32), min_size=1, max_size=5))
def test_any_norms_up_to_198_sound_as_in_the_original(make_run, norms):
    """Bit for bit, whatever the numbers."""
    data = [np.float32(norm) for norm in norms]
    samples = sound(make_run({"a.weight": data}))
    expected = transcription([[norm] for norm in data])
    np.testing.assert_array_equal(samples.view(np.uint32), expected.view(np.uint32))


@given(st.lists(st.floats(width=32), min_size=1, max_size=20))
def test_every_number_gives_a_finite_bounded_sound_below_the_alias(make_run, norms):
    """Neither NaN nor an alias reaches the file."""
    score = original(reduce(timeline(make_run({"a.weight": norms}))), Style())
    assert np.isfinite(score.pitch).all()
    assert np.abs(score.pitch).max() <= 20_000
    samples = np.concatenate(list(blocks(score)))
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= np.float32(0.1)


def test_what_lies_above_or_is_not_finite_holds_the_top_tone_and_is_counted(make_run):
    """20 kHz for each, told apart in the score; 198 itself is still simply heard."""
    values = [198.0, 198.1, 1e30, 3e38, np.nan, np.inf, -np.inf]
    score = original(reduce(timeline(make_run({"a.weight": values}))), Style())
    assert score.pitch[0].tolist() == [20_000.0] * 7
    assert [State(state) for state in score.state[0]] == [
        State.SOUNDING, State.HELD, State.HELD, State.HELD,
        State.NAN, State.POSITIVE_INFINITY, State.NEGATIVE_INFINITY,
    ]  # fmt: skip
    assert score.counts() == {
        "held": 3, "nan": 1, "positive_infinity": 1, "negative_infinity": 1, "missing": 0,
        "zero": 0,
    }  # fmt: skip
    tone = sound(make_run({"a.weight": [np.nan]}))[:441]
    peak = np.abs(np.fft.rfft(tone, 44_100)).argmax()
    assert peak == pytest.approx(20_000, abs=20)


def test_a_value_that_was_not_measured_is_silence(write_run, tmp_path):
    """The rhythm stays; only the tone is missing."""
    from epochord.runlog import open_run

    columns = {"grad_norm/a.weight": [1.0, None], "grad_norm/b.weight": [1.0, 2.0]}
    run = open_run(write_run(tmp_path / "r", columns))
    samples = sound(run).reshape(2, -1)
    assert not samples[1, :441].any()
    assert samples[1, 441:882].any()
    assert samples.shape == (2, 2 * 441 + 882)


@pytest.mark.parametrize(("tone", "silence"), [(0.005, 0.0), (0.03, 0.1)])
def test_tone_and_silence_set_the_rhythm(make_run, tone, silence):
    """Lengths in seconds; each tone begins at phase zero."""
    samples = sound(make_run({"a.weight": [1.0, 1.0]}), tone, silence).reshape(2, -1)
    length = round(tone * 44_100)
    assert samples.shape[1] == length + round(silence * 44_100)
    assert samples[0, 0] == samples[1, 0] == 0
    assert not samples[:, length:].any()
    np.testing.assert_array_equal(samples[0], samples[1])
