"""Voices hold and glide exactly as the closed form says, however long the sound is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from epochord.renderers.audio.synthesis import glide
from epochord.renderers.audio.synthesis.glide import glide_blocks, pan_gains, phases

RATE = 44_100  # Hz
SMOOTHSTEP = Polynomial([0, 0, 3, -2])


def transcription(pitch, gain, pan, frame_length, glide_length, release_length=0, first=None):
    """Sum sines in float64, sample by sample's own phase; frequencies integrated as polynomials."""
    voices, frames = np.shape(pitch)
    x = np.arange(glide_length) / glide_length
    risen, integral = SMOOTHSTEP(x), glide_length * SMOOTHSTEP.integ()(x)
    held = np.arange(frame_length - glide_length)
    out = np.zeros((frames * frame_length + release_length, 2))
    for voice in range(voices):
        phase = 0.0 if first is None else first[voice]
        old, old_gain, pieces = pitch[voice][0], 0.0, []
        for new, loud in zip(pitch[voice], gain[voice], strict=True):
            gliding = phase + (old * np.arange(glide_length) + (new - old) * integral) / RATE
            phase = (phase + (old + new) / 2 * glide_length / RATE) % 1
            amplitude = old_gain + (loud - old_gain) * risen
            pieces += [amplitude * np.sin(2 * np.pi * gliding)]
            pieces += [loud * np.sin(2 * np.pi * (phase + new * held / RATE))]
            phase = (phase + new * len(held) / RATE) % 1
            old, old_gain = new, loud
        x = np.arange(release_length) / max(1, release_length)
        last = np.sin(2 * np.pi * (phase + old * np.arange(release_length) / RATE))
        wave = np.concatenate([*pieces, old_gain * (1 - SMOOTHSTEP(x)) * last])
        angle = (pan[voice] + 1) * np.pi / 4
        out += wave[:, None] * [np.cos(angle), np.sin(angle)]
    return out


def made(pitch, gain, pan, frame_length, glide_length, release_length=0, phase=0.0):
    blocks = glide_blocks(
        pitch,
        gain,
        pan,
        frame_length=frame_length,
        glide_length=glide_length,
        release_length=release_length,
        sample_rate=RATE,
        phase=phase,
    )
    return np.concatenate(list(blocks))


def error_db(samples, expected):
    assert samples.shape == expected.shape
    return 10 * np.log10((np.square(samples - expected).sum() + 1e-30) / np.square(expected).sum())


@st.composite
def lanes(draw):
    voices, frames = draw(st.integers(1, 5)), draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    frame_length = draw(st.integers(2, 700))
    glide_length = draw(st.integers(1, frame_length - 1) | st.just(1))
    pitch = np.exp(rng.uniform(np.log(20), np.log(19_000), (voices, frames)))
    gain = rng.uniform(0.1, 1, (voices, frames)) * (rng.random((voices, frames)) > 0.2)
    gain[0, 0] = 1  # so that there is something to compare with
    lengths = frame_length, glide_length, draw(st.integers(0, 100))
    return pitch, gain.astype(np.float32), rng.uniform(-1, 1, voices), *lengths


@given(lanes())
def test_the_sound_is_a_sum_of_sines_with_the_closed_form_phase(given_lanes):
    """To -120 dB, for any pitches, gains, places and lengths."""
    assert error_db(made(*given_lanes), transcription(*given_lanes)) < -120


def test_voices_begin_with_any_phase():
    """The sound follows from it, and so do the phases with which later frames begin."""
    rng = np.random.default_rng(0)
    pitch, first = np.repeat(rng.uniform(110, 2400, (5, 1)), 9, axis=1), rng.random(5)
    gain, lengths = np.full((5, 9), np.float32(0.1)), (735, 294)
    samples = made(pitch, gain, np.zeros(5), *lengths, phase=first)
    assert error_db(samples, transcription(pitch, gain, np.zeros(5), *lengths, first=first)) < -120
    begin = phases(pitch, frame_length=735, glide_length=294, sample_rate=RATE, phase=first)[:, 4]
    later = made(pitch[:, 4:], gain[:, 4:], np.zeros(5), *lengths, phase=begin)
    assert error_db(later[294:], samples[4 * 735 + 294 :]) < -120


def test_the_phase_does_not_drift():
    """Twelve voices, 500 frames of 60 ms: the last second is as exact as the first."""
    rng = np.random.default_rng(0)
    pitch = np.exp(rng.uniform(np.log(110), np.log(2400), (12, 500)))
    given_lanes = pitch, np.full((12, 500), np.float32(0.1)), np.linspace(-0.8, 0.8, 12), 2646, 318
    samples, expected = made(*given_lanes), transcription(*given_lanes)
    assert error_db(samples[-RATE:], expected[-RATE:]) < -120
    assert error_db(samples, expected) < -120


@pytest.mark.parametrize("size", [1, 3000, 1 << 20])
def test_the_sound_does_not_depend_on_the_batches(monkeypatch, size):
    """One frame at a time, some, or all at once: equal to float32's rounding."""
    rng = np.random.default_rng(0)
    pitch, gain = rng.uniform(110, 2400, (4, 60)), rng.random((4, 60)).astype(np.float32)
    given_lanes = pitch, gain, np.linspace(-1, 1, 4), 1323, 159
    before = made(*given_lanes)
    monkeypatch.setattr(glide, "SAMPLES_A_BATCH", size)
    after = made(*given_lanes)
    assert after.shape == before.shape
    assert np.abs(after - before).max() <= 2**-22


@pytest.mark.parametrize("size", [1, 3000])
def test_a_voice_silent_for_a_while_fades_and_comes_back(monkeypatch, size):
    """Wherever the batches begin, and in those in which it is silent all the time."""
    monkeypatch.setattr(glide, "SAMPLES_A_BATCH", size)
    rng = np.random.default_rng(1)
    pitch, gain = rng.uniform(110, 2400, (6, 40)), np.full((6, 40), np.float32(0.2))
    for voice in range(5):
        gain[voice, voice * 3 : voice * 7 + 3] = 0
    gain[4, :] = 0  # from beginning to end
    given_lanes = pitch, gain, np.linspace(-1, 1, 6), 735, 294, 100
    assert error_db(made(*given_lanes), transcription(*given_lanes)) < -120


def test_what_is_silent_adds_nothing_to_the_bit(monkeypatch):
    """Whether its sines are left out, or are made because it sounds later in the batch."""
    rng = np.random.default_rng(2)
    pitch, gain = rng.uniform(110, 2400, (5, 24)), np.full((5, 24), np.float32(0.2))
    gain[1:4, :-1] = 0
    given_lanes = pitch, gain, np.linspace(-1, 1, 5), 735, 294
    monkeypatch.setattr(glide, "SAMPLES_A_BATCH", 24 * 735)
    whole = made(*given_lanes)
    monkeypatch.setattr(glide, "SAMPLES_A_BATCH", 735)
    np.testing.assert_array_equal(made(*given_lanes), whole)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12))
def test_panning_keeps_the_power(pan):
    """The squares of left and right add up to one; -1 is left, 1 is right, 0 the middle."""
    left, right = pan_gains(pan)
    np.testing.assert_allclose(left**2 + right**2, 1, atol=1e-6)
    order = np.argsort(pan)
    assert (np.diff(right[order]) >= 0).all()
    assert (np.diff(left[order]) <= 0).all()
    np.testing.assert_allclose(
        pan_gains([-1, 0, 1]), [[1, 0.5**0.5, 0], [0, 0.5**0.5, 1]], atol=1e-7
    )
