"""Mel spectrograms: those of librosa, whatever the blocks."""

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.pictures import spectrogram
from epochord.renderers.pictures.spectrogram import FLOOR_DB, mel_spectrogram

RATE = 22_050


def _noise(samples: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)


@given(
    st.integers(2048, 40_000), st.lists(st.integers(0, 9_000), max_size=4), st.sampled_from([2, 9])
)
def test_blocks_do_not_show(samples: int, cuts: list[int], frames: int) -> None:
    """Cut anywhere and analysed in pieces, a sound has the spectrogram of the whole."""
    whole = _noise(samples)
    power = librosa.feature.melspectrogram(y=whole, sr=RATE, pad_mode="constant")
    expected = librosa.power_to_db(power, ref=1.0, top_db=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spectrogram, "PIECE_FRAMES", frames)
        found = mel_spectrogram(np.split(whole, np.minimum(np.cumsum(cuts), samples)), RATE)
    assert found.db.shape == (128, 1 + samples // 512)
    np.testing.assert_allclose(found.db, expected, atol=1e-3)


def test_a_sine_lies_in_its_band_at_its_time() -> None:
    """A tone between 1 s and 2 s shows there, in the band around its frequency."""
    time = np.arange(3 * RATE) / RATE
    tone = np.where((time >= 1) & (time < 2), np.sin(2 * np.pi * 1000 * time), 0)
    found = mel_spectrogram([tone.astype(np.float32)], RATE)
    band, frame = np.unravel_index(found.db.argmax(), found.db.shape)
    assert abs(found.frequencies[band] - 1000) < 40
    assert 1 <= found.times[frame] <= 2
    loud = found.times[found.db[band] > found.db.max() - 6]
    assert loud[0] == pytest.approx(1, abs=0.03)
    assert loud[-1] == pytest.approx(2, abs=0.03)


def test_decibels_are_absolute() -> None:
    """A sound 20 dB softer is 20 dB lower everywhere; silence is the floor."""
    loud = _noise(RATE)
    difference = mel_spectrogram([loud], RATE).db - mel_spectrogram([loud / 10], RATE).db
    np.testing.assert_allclose(difference, 20, atol=1e-3)
    assert (mel_spectrogram([0 * loud], RATE).db == FLOOR_DB).all()


def test_channels_are_averaged() -> None:
    """Two channels of opposite sign are silence."""
    sound = _noise(RATE)
    assert (mel_spectrogram([np.stack([sound, -sound], 1)], RATE).db == FLOOR_DB).all()
