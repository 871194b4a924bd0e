"""Layers sound in turn, as in the original, at pitches that every value can be heard in."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.score import State
from epochord.renderers.audio.scoring.style import Style
from epochord.renderers.audio.scoring.voicings import sequence

RATE = 44_100  # Hz
DECADES = {"norm": Scale(1e-3, 10.0, "log")}
STYLE = Style(tone=0.02, silence=0.03, scales=DECADES)
TONE, PAUSE = 882, 1323  # samples


def pieces(samples, voices=3):
    """Cut a sound into the tones [shape=(frames, voices, TONE, 2)] and the pauses of its frames."""
    frames = samples.reshape(-1, voices * TONE + PAUSE, 2)
    tones = frames[:, : voices * TONE].reshape(len(frames), voices, TONE, 2)
    return tones, frames[:, voices * TONE :]


def test_each_step_is_a_tone_a_layer_and_a_pause(make_frames, sound):
    """A sine of the mapped pitch, from phase zero, rising and falling along half cosines."""
    rows = 10 ** np.random.default_rng(0).uniform(-3, 1, (3, 50))
    tones, pauses = pieces(sound(sequence(make_frames(rows), STYLE)))
    assert not pauses.any()
    middle = np.sqrt(220 * 2800)
    pitch = middle * 2 ** (3 * ((np.log10(rows) + 3) / 4 - 0.5))
    time = np.arange(TONE) / RATE
    ramp = np.sin(np.pi / 2 * np.clip((time * RATE + 0.5) / 88, 0, 1)) ** 2
    wave = 0.3 * ramp * ramp[::-1] * np.sin(2 * np.pi * pitch.T[..., None] * time)
    angle = (np.array([-0.8, 0, 0.8]) + 1) * np.pi / 4
    sides = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    np.testing.assert_allclose(tones, wave[..., None] * sides[:, None], atol=1e-5)


@given(st.lists(st.floats(1e-3, 10), min_size=1, max_size=20))
def test_pitch_is_logarithmic_and_the_same_for_all_layers(make_frames, row):
    """Three octaves for the whole range, mirrored by polarity."""
    along = (np.log10(row) + 3) / 4
    up = sequence(make_frames([row, row]), STYLE).pitch
    down = sequence(make_frames([row, row]), Style(scales=DECADES, polarity=-1)).pitch
    np.testing.assert_array_equal(up[0], up[1])
    np.testing.assert_allclose(np.log2(up[0] / np.sqrt(220 * 2800)), 3 * (along - 0.5), atol=1e-9)
    np.testing.assert_allclose(up * down, 220 * 2800)


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (np.nan, State.NAN),
        (np.inf, State.POSITIVE_INFINITY),
        (-np.inf, State.NEGATIVE_INFINITY),
        (0.0, State.ZERO),
        (None, State.MISSING),
    ],
)
def test_what_is_no_number_leaves_its_tone_out(make_frames, sound, value, state):
    """All others sound as before, to the bit."""
    rows = np.full((3, 6), 1.0, dtype=object)
    before = pieces(sound(sequence(make_frames(rows), STYLE)))[0]
    rows[1, 4] = value
    score = sequence(make_frames(rows), STYLE)
    assert score.state[1, 4] == state
    assert np.count_nonzero(score.state) == 1
    after = pieces(sound(replace(score, events=())))[0]
    expected = before.copy()
    expected[4, 1] = 0
    np.testing.assert_array_equal(after, expected)
