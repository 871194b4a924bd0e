"""All layers sound at once, each in its own register and place; what is no number is silent."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.audio.scoring.registers import registers
from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.score import State
from epochord.renderers.audio.scoring.style import Style
from epochord.renderers.audio.scoring.voicings import lanes

RATE = 44_100  # Hz
DECADES = {"norm": Scale(1e-3, 10.0, "log")}
values = st.floats(1e-3, 10)


def alone(score, voice):
    """Leave one voice of a score, without earcons."""
    others = np.arange(len(score.gain)) != voice
    return replace(score, gain=np.where(others[:, None], np.float32(0), score.gain), events=())


def rms(samples):
    return float(np.sqrt(np.square(samples, dtype=np.float64).sum(axis=-1).mean()))


@pytest.mark.parametrize("voices", range(1, 13))
def test_registers_never_overlap_and_stay_below_the_earcons(voices):
    """From low to high, all of one width in octaves, with room between them."""
    low, high = registers(voices).T
    assert (low < high).all()
    assert (low[1:] - high[:-1] > 6).all()
    assert low[0] >= 220 * (1 - 1e-9)
    assert high[-1] <= 2800 * (1 + 1e-9)
    np.testing.assert_allclose(high / low, high[0] / low[0])


def test_one_voice_alone_has_three_octaves():
    """As the issue asks."""
    ((low, high),) = registers(1)
    assert high / low == pytest.approx(8)


@pytest.mark.parametrize("voices", [0, 13])
def test_other_numbers_of_voices_are_refused(voices):
    """With how many there may be."""
    with pytest.raises(ValueError, match=f"{voices} voices; there are registers for 1 to 12"):
        registers(voices)


@given(st.lists(st.lists(values, min_size=4, max_size=4), min_size=1, max_size=12))
def test_pitch_is_logarithmic_in_the_value(make_frames, rows):
    """A decade is a quarter of the register here, wherever it begins, up or down."""
    frames = make_frames(rows)
    score = lanes(frames, Style(scales=DECADES))
    low, high = score.registers[:, :1], score.registers[:, 1:]
    along = (np.log10(np.array(rows)) + 3) / 4
    np.testing.assert_allclose(np.log(score.pitch / low) / np.log(high / low), along, atol=1e-9)
    mirrored = lanes(frames, Style(scales=DECADES, polarity=-1))
    np.testing.assert_allclose(score.pitch * mirrored.pitch, np.tile(low * high, 4))


def test_the_first_voice_is_the_lowest_and_leftmost(make_frames, sound):
    """And so on, in equal steps, from left to right and from low to high."""
    score = lanes(make_frames(np.ones((5, 4))), Style(scales=DECADES))
    left, right = np.array(
        [np.square(sound(alone(score, voice)), dtype=np.float64).sum(axis=0) for voice in range(5)]
    ).T
    angle = np.arctan2(right**0.5, left**0.5)
    np.testing.assert_allclose(np.diff(angle), np.diff(angle)[0], rtol=1e-4)
    assert angle[0] < 0.2
    assert angle[2] == pytest.approx(np.pi / 4, abs=1e-4)
    assert (np.diff(score.pitch[:, 0]) > 0).all()
    assert lanes(make_frames([[1.0]]), Style(scales=DECADES)).pan == [0]


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
@pytest.mark.parametrize("at", [0, 3, 6])
def test_what_is_no_number_silences_its_voice_in_its_frame_only(
    make_frames, sound, value, state, at
):
    """After the glide into that frame; the other voices sound as if nothing had happened."""
    rows = np.random.default_rng(0).uniform(0.1, 1, (3, 7)).astype(object)
    usual = lanes(make_frames(rows), Style(scales=DECADES))
    rows[1, at] = value
    score = lanes(make_frames(rows), Style(scales=DECADES))
    expected = np.full((3, 7), State.SOUNDING)
    expected[1, at] = state
    np.testing.assert_array_equal(score.state, expected)
    assert np.isfinite(score.pitch).all()
    for voice in (0, 2):
        np.testing.assert_array_equal(sound(alone(score, voice)), sound(alone(usual, voice)))
    glide, length = score.articulation.length, score.frame_length
    samples = sound(alone(score, 1))[: 7 * length].reshape(7, length, 2)
    for frame in range(7):
        held = samples[frame, glide:]
        if frame == at:
            assert not held.any()
        else:
            assert rms(held) == pytest.approx(score.gain[1, frame] / 2**0.5, rel=0.05)
            assert score.gain[1, frame] == score.gain[0, 0] > 0


def test_a_silent_voice_keeps_its_pitch(make_frames):
    """So that it comes back without a sweep; at the beginning it waits at its first one."""
    rows = [[np.nan, 1.0, np.nan, np.nan, 2.0], [np.inf] * 5]
    pitch = lanes(make_frames(rows), Style(scales=DECADES)).pitch
    one, two = pitch[0, 1], pitch[0, 4]
    assert pitch[0].tolist() == [one, one, one, one, two]
    assert one < two
    low, high = registers(2)[1]
    np.testing.assert_allclose(pitch[1], (low * high) ** 0.5)


def test_values_beyond_the_range_are_held_at_its_ends(make_frames):
    """And it is said."""
    score = lanes(make_frames([[1e-9, 1e-3, 10.0, 1e9]]), Style(scales=DECADES))
    low, high = registers(1)[0]
    np.testing.assert_allclose(score.pitch, [[low, low, high, high]])
    assert score.state.tolist() == [[State.HELD, State.SOUNDING, State.SOUNDING, State.HELD]]
    assert np.ptp(score.gain) == 0


def test_zero_is_a_value_like_any_other_on_a_linear_scale(make_frames):
    """Where it lies between others, it sounds between them."""
    style = Style(scales={"norm": Scale(-1.0, 1.0, "linear")})
    score = lanes(make_frames([[-1.0, 0.0, 1.0]]), style)
    assert (score.state == State.SOUNDING).all()
    np.testing.assert_allclose(np.diff(np.log2(score.pitch)), 1.5)


@pytest.mark.parametrize("voices", [1, 4, 12])
def test_all_voices_together_are_as_loud_as_one(make_frames, sound, voices):
    """Their power is shared, so that no number of them overloads."""
    rows = np.random.default_rng(0).uniform(0.01, 10, (voices, 30))
    samples = sound(lanes(make_frames(rows), Style(scales=DECADES)))
    assert rms(samples) == pytest.approx(0.25, rel=0.05)


def test_the_sound_ends_in_a_fade(make_frames, sound):
    """Two milliseconds behind the last frame, which itself is held to its end."""
    score = lanes(make_frames(np.ones((1, 3))), Style(scales=DECADES))
    samples = sound(score)
    assert len(samples) == score.samples == 3 * score.frame_length + 88
    steps = np.abs(np.diff(np.append(samples[:, 0], 0)))
    assert steps[-1] < 1e-3
    assert steps[-89:].max() <= steps[:-89].max() * 1.01
    assert rms(samples[-188:-88]) == pytest.approx(rms(samples[-1000:-900]), rel=0.2)
