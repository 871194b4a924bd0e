"""What is heard of a sound: librosa's features, whatever the blocks."""

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.comparison.listening import HEARD_DB, MOST_FRAMES, Framing, listen
from epochord.renderers.pictures import spectrogram

RATE = 22_050


def _sound(seconds: float = 1.0) -> np.ndarray:
    """Make a tone in noise that grows out of silence."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(0).normal(0, 0.1, len(time)) * time
    return np.where(time < 0.2, 0, noise + 0.2 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)


@given(st.lists(st.integers(0, 9_000), max_size=4), st.sampled_from([2, 9, 512]))
def test_features_are_those_of_librosa_for_the_whole_sound(cuts: list[int], frames: int) -> None:
    """Cut anywhere and analysed in pieces: spectrogram, centroid, bandwidth, flatness, onsets."""
    whole = _sound()
    framing = Framing.fitting(RATE, len(whole))
    size = {"n_fft": framing.window, "hop_length": framing.hop}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spectrogram, "PIECE_FRAMES", frames)
        heard = listen("x", np.split(whole, np.cumsum(cuts)), framing)
    magnitude = np.abs(librosa.stft(whole, pad_mode="constant", **size))
    mel = librosa.feature.melspectrogram(
        S=magnitude**2, sr=RATE, n_fft=framing.window, fmax=framing.highest
    )
    decibels = librosa.power_to_db(mel, ref=1.0, top_db=None)
    np.testing.assert_allclose(heard.decibels, decibels, atol=1e-3)
    expected = {
        "centroid": librosa.feature.spectral_centroid(S=magnitude, sr=RATE)[0],
        "bandwidth": librosa.feature.spectral_bandwidth(S=magnitude, sr=RATE)[0],
        "flatness": librosa.feature.spectral_flatness(S=magnitude)[0],
        "onset_strength": librosa.onset.onset_strength(S=decibels, sr=RATE, **size),
    }
    assert list(heard.features) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(heard.features[name], values, rtol=1e-3, atol=2e-3)


def test_silence_has_no_centre() -> None:
    """Where nothing can be heard, no feature of it is told."""
    heard = listen("x", [_sound()], Framing.fitting(RATE, RATE))
    silent = ~(heard.decibels > HEARD_DB).any(axis=0)
    assert silent.any()
    for name in ("centroid", "bandwidth", "flatness"):
        np.testing.assert_array_equal(np.isnan(heard.feature(name)), silent)


def test_the_level_is_the_mean_square() -> None:
    """A full-scale sine has -3.01 dB, silence none at all."""
    time = np.arange(RATE) / RATE
    sine = np.sin(2 * np.pi * 441 * time).astype(np.float32)
    framing = Framing.fitting(RATE, RATE)
    assert listen("x", [sine], framing).level == pytest.approx(-3.0103, abs=1e-3)
    assert listen("x", [0 * sine], framing).level == -np.inf


def test_equal_samples_have_equal_digests_whatever_the_blocks() -> None:
    """And two channels are not one."""
    sound, framing = _sound(), Framing.fitting(RATE, RATE)
    digests = {listen("x", np.split(sound, cut), framing).digest for cut in ([7], [500, 9000])}
    assert len(digests) == 1
    assert listen("x", [np.stack([sound, sound], 1)], framing).digest not in digests


@pytest.mark.parametrize("rate", [4_000, 8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_frames_are_about_as_long_at_every_rate(rate: int) -> None:
    """So that every mel band holds a bin; only a very low rate has longer ones."""
    framing = Framing.fitting(rate, rate)
    assert 0.032 <= framing.window / rate <= 0.13
    assert framing.hop * 4 == framing.window
    listen("x", [np.ones(1000, np.float32)], framing)  # librosa warns of empty bands


def test_hours_are_heard_in_longer_frames() -> None:
    """Memory stays bounded."""
    framing = Framing.fitting(44_100, 5 * 3600 * 44_100)
    assert 5 * 3600 * 44_100 // framing.hop < MOST_FRAMES


def test_channels_of_opposite_sign_are_as_loud_as_equal_ones() -> None:
    """The level is that of all channels, not of their average, which is silence."""
    tone = _sound()
    framing = Framing.fitting(RATE, RATE)
    alike, opposite = (listen("x", [np.stack([tone, sign * tone], 1)], framing) for sign in (1, -1))
    assert opposite.level == pytest.approx(alike.level)
