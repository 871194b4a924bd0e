"""The numbers are in the sound: what was put in is read out, far better than anyone hears it."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from epochord.renderers.audio.decoding import Layout, decode, find_offset
from epochord.renderers.audio.decoding.normal import normal_equations
from epochord.renderers.audio.decoding.sums import products
from epochord.renderers.audio.scoring.events import Event, Kind
from epochord.renderers.audio.scoring.registers import registers
from epochord.renderers.audio.synthesis.earcons import BANDS, overlay
from epochord.renderers.audio.synthesis.glide import glide_blocks, pan_gains

RATE = 44_100  # Hz
RMS = 0.07
MP3 = {"format": "MP3", "compression_level": 0.55, "bitrate_mode": "CONSTANT"}  # 160 kbit/s


def layout(voices: int, milliseconds: int, frames: int) -> Layout:
    length = round(milliseconds / 1000 * RATE)
    pan = np.linspace(-0.8, 0.8, voices) if voices > 1 else [0.0]
    return Layout(registers(voices), pan, length, round(0.12 * length), RATE, frames)


def walk(voices: int, frames: int, seed: int = 0) -> np.ndarray:
    """Positions in the registers."""
    rng = np.random.default_rng(seed)
    steps = rng.random((voices, 1)) + rng.normal(0, 0.05, (voices, frames)).cumsum(axis=1)
    return np.abs((steps + 1) % 2 - 1)


def pitches(place: Layout, position: np.ndarray) -> np.ndarray:
    low, high = np.asarray(place.registers).T[..., None]
    return low * (high / low) ** position


def sound(place: Layout, pitch: np.ndarray, sounding: np.ndarray | bool = True) -> np.ndarray:
    gain = np.where(sounding, RMS * (4 / place.voices) ** 0.5, 0.0) * np.ones(pitch.shape)
    lengths = {"frame_length": place.frame_length, "glide_length": place.glide_length}
    return np.concatenate(list(glide_blocks(pitch, gain, place.pan, sample_rate=RATE, **lengths)))


def sixteen_bits(samples: np.ndarray) -> np.ndarray:
    return np.rint(samples * 2.0**15) / 2.0**15


def through_mp3(samples: np.ndarray) -> np.ndarray:
    encoded = io.BytesIO()
    soundfile.write(encoded, samples, RATE, **MP3)
    encoded.seek(0)
    return soundfile.read(encoded)[0]


def with_noise(samples: np.ndarray) -> np.ndarray:
    level = 0.1 * np.sqrt(np.mean(np.square(samples)))
    return samples + np.random.default_rng(1).normal(0, level, samples.shape)


def percent(place: Layout, heard: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Errors of metrics that span four decades a register."""
    low, high = np.asarray(place.registers).T[..., None]
    return 100 * np.abs((heard / pitch) ** (4 * np.log(10) / np.log(high / low)) - 1)


@pytest.mark.parametrize(
    ("voices", "milliseconds", "frames", "median", "high"),
    [
        (4, 300, 40, 6e-5, 6e-4),
        (4, 60, 200, 1.5e-3, 9e-3),
        (12, 300, 24, 3e-4, 3e-3),
        (12, 60, 120, 6e-3, 9e-2),
    ],
)
def test_metrics_come_back_from_sixteen_bits(voices, milliseconds, frames, median, high):
    """A walk over four decades is read to within a few millionths of its value."""
    place = layout(voices, milliseconds, frames)
    pitch = pitches(place, walk(voices, frames))
    errors = percent(place, decode(sixteen_bits(sound(place, pitch)), place).pitch, pitch)
    assert np.median(errors) <= median
    assert np.quantile(errors, 0.95) <= high


@pytest.mark.parametrize(("medium", "high"), [(through_mp3, 0.009), (with_noise, 0.3)])
def test_metrics_come_back_from_mp3_and_from_noise(medium, high):
    """160 kbit/s and a noise 20 dB below the sound leave every value readable, and no delay."""
    place = layout(4, 300, 40)
    pitch = pitches(place, walk(4, 40))
    heard = medium(sound(place, pitch))
    assert len(heard) == place.samples
    errors = percent(place, decode(heard, place).pitch, pitch)
    assert np.quantile(errors, 0.95) <= high


@pytest.mark.parametrize("method", ["joint", "fft"])
def test_the_decoder_errs_little_more_than_any_can(method):
    """In white noise errors spread as the Cramér–Rao bound, from a numerical Jacobian, has it."""
    place = layout(2, 60, 60)
    pitch = pitches(place, 0.2 + 0.6 * walk(2, 60))
    samples = sound(place, pitch)
    noise = 1e-3
    heard = decode(samples + np.random.default_rng(3).normal(0, noise, samples.shape), place)
    wide = decode(samples, place, method=method)
    time = (np.arange(place.hold_length) - (place.hold_length - 1) / 2) / RATE
    sides = pan_gains(place.pan)
    phases = np.random.default_rng(4).uniform(0, 2 * np.pi, pitch.shape)
    bound = np.empty(pitch.shape)
    for frame in range(place.frames):
        columns = []
        for voice in range(place.voices):
            angle = 2 * np.pi * pitch[voice, frame] * time + phases[voice, frame]
            amplitude = wide.gain[voice, frame]
            slopes = (2 * np.pi * time * amplitude * np.cos(angle), np.sin(angle), np.cos(angle))
            columns += [np.outer(sides[:, voice], slope).ravel() for slope in slopes]
        jacobian = np.stack(columns, axis=1)
        covariance = noise**2 * np.linalg.inv(jacobian.T @ jacobian)
        bound[:, frame] = np.sqrt(np.diag(covariance)[::3])
    spread = np.std((heard.pitch - pitch) / bound)
    assert 0.8 <= spread <= 1.2


@pytest.mark.parametrize("medium", [sixteen_bits, through_mp3, with_noise])
@pytest.mark.parametrize(("voices", "milliseconds"), [(4, 300), (12, 60)])
def test_a_silent_voice_is_read_as_silent_and_no_other_is(medium, voices, milliseconds):
    """A fifth of the slots is silent at random: each is NaN with gain zero, and no other one."""
    frames = 30 if milliseconds == 300 else 80
    place = layout(voices, milliseconds, frames)
    pitch = pitches(place, walk(voices, frames))
    sounding = np.random.default_rng(2).random(pitch.shape) > 0.2
    heard = decode(medium(sound(place, pitch, sounding)), place)
    np.testing.assert_array_equal(np.isfinite(heard.pitch), sounding)
    np.testing.assert_array_equal(heard.gain > 0, sounding)


@pytest.mark.parametrize("method", ["joint", "fft"])
@pytest.mark.parametrize("share", [0.0, 0.03])
def test_a_run_that_is_dead_most_of_the_time_is_read_as_that(method, share):
    """How many voices sound does not change what silence is."""
    place = layout(4, 60, 100)
    pitch = pitches(place, walk(4, 100))
    sounding = np.random.default_rng(2).random(pitch.shape) < share
    heard = decode(sixteen_bits(sound(place, pitch, sounding)), place, method=method)
    np.testing.assert_array_equal(np.isfinite(heard.pitch), sounding)


@given(st.floats(1e-3, 1e3))
@settings(max_examples=10)
def test_loudness_does_not_matter(factor):
    """The same sound louder has the same pitches, and gains as many times higher."""
    place = layout(4, 60, 6)
    pitch = pitches(place, walk(4, 6))
    samples = sound(place, pitch).astype(np.float64)
    one, other = decode(samples, place), decode(factor * samples, place)
    np.testing.assert_allclose(other.pitch, one.pitch, rtol=1e-10)
    np.testing.assert_allclose(other.gain, factor * one.gain, rtol=1e-6)
    np.testing.assert_allclose(one.gain, RMS, rtol=1e-5)


@given(st.data())
def test_any_pitches_come_back(data):
    """However up to eight voices stand in their registers, each is read to a tenth of a percent.

    Twelve in 60 ms lie so close that a few extreme chords (all of them at the bottom) are misread.
    """
    voices = data.draw(st.integers(1, 8))
    position = st.lists(st.floats(0, 1), min_size=voices, max_size=voices)
    positions = np.array(data.draw(st.lists(position, min_size=1, max_size=3))).T
    place = layout(voices, 60, positions.shape[1])
    pitch = pitches(place, positions)
    errors = percent(place, decode(sixteen_bits(sound(place, pitch)), place).pitch, pitch)
    assert errors.max() <= 0.1


def test_both_methods_agree():
    """Peaks of a spectrum, found one by one, are where the joint fit has them."""
    place = layout(4, 300, 30)
    pitch = pitches(place, walk(4, 30))
    samples = sixteen_bits(sound(place, pitch))
    joint, peaks = decode(samples, place), decode(samples, place, method="fft")
    apart = percent(place, peaks.pitch, joint.pitch)
    assert np.quantile(apart, 0.95) <= 0.002
    np.testing.assert_allclose(peaks.gain, joint.gain, rtol=0.01)


def test_the_mean_of_both_channels_is_enough():
    """A mono mix has all pitches."""
    place = layout(4, 60, 50)
    pitch = pitches(place, walk(4, 50))
    heard = decode(sound(place, pitch).mean(axis=1), place)
    assert percent(place, heard.pitch, pitch).max() <= 0.01


@pytest.mark.parametrize(("milliseconds", "most"), [(300, 2e-3), (60, 3e-2)])
def test_earcons_do_little_harm(milliseconds, most):
    """Values beside a burst of noise or a chirp are read a few times less exactly than others.

    `read_back` takes earcons away first.
    """
    frames = 60
    place = layout(4, milliseconds, frames)
    pitch = pitches(place, walk(4, frames))
    length = min(round(0.9 * place.frame_length), round(0.12 * RATE))
    high = [kind for kind in Kind if min(BANDS[kind]) > 2800]
    events = [
        Event(frame * place.frame_length, high[frame % len(high)], frame % 4, length, RMS / 4)
        for frame in range(0, frames, 2)
    ]
    sides = pan_gains(place.pan)
    samples = np.concatenate(list(overlay([sound(place, pitch)], events, sides, RATE)))
    heard = decode(sixteen_bits(samples), place)
    assert np.quantile(percent(place, heard.pitch, pitch)[:, ::2], 0.95) <= most
    np.testing.assert_allclose(heard.gain, RMS, rtol=1e-3)


@pytest.mark.parametrize("delay", [0, 1105, 2000])
def test_silence_before_the_sound_is_found(delay):
    """What an encoder puts before the sound is known to within a small part of a glide."""
    place = layout(4, 60, 60)
    pitch = pitches(place, walk(4, 60))
    samples = np.pad(sixteen_bits(sound(place, pitch)), ((delay, 2304 - delay), (0, 0)))
    offset = find_offset(samples, place)
    assert abs(offset - delay) <= place.glide_length / 16
    errors = percent(place, decode(samples[offset:], place).pitch, pitch)
    assert np.quantile(errors[:, 1:-1], 0.95) <= 9e-3


def test_a_sound_as_long_as_its_layout_has_no_offset():
    """There is nothing to look for."""
    place = layout(4, 60, 2)
    assert find_offset(np.ones((place.samples, 2)), place) == 0


@given(
    st.lists(st.floats(1e-4, 3.0), min_size=1, max_size=4, unique_by=lambda x: round(x, 3)),
    st.integers(2, 400),
)
def test_closed_forms_equal_the_sums(frequencies, length):
    """Inner products of sines are what adding up their samples gives."""
    frequency = np.array(frequencies)
    time = np.arange(length) - (length - 1) / 2
    cos, sin = np.cos(np.outer(frequency, time)), np.sin(np.outer(frequency, time))
    found = products(frequency, length)
    scale = length * np.array([1, 1, length, length**2, length**2])
    direct = (cos @ cos.T, sin @ sin.T, cos @ (time * sin).T)
    direct += ((time * cos) @ (time * cos).T, (time * sin) @ (time * sin).T)
    for one, other, size in zip(found, direct, scale, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7 * size)


def test_the_slope_is_the_errors_derivative():
    """Moving one frequency changes the error as the equations say."""
    rng = np.random.default_rng(0)
    holds, frequency = rng.normal(size=(3, 2, 500)), np.array([[0.05, 0.11, 0.3]] * 3)
    everyone, sides, step = np.ones((3, 3), bool), pan_gains([-0.5, 0, 0.5]), 1e-7
    slope = normal_equations(holds, frequency, everyone, sides).slope
    for voice in range(3):
        moved = [frequency + sign * step * (np.arange(3) == voice) for sign in (-1, 1)]
        low, high = (normal_equations(holds, each, everyone, sides).error for each in moved)
        np.testing.assert_allclose(-(high - low) / (4 * step), slope[:, voice], rtol=1e-4)


@pytest.mark.parametrize("method", ["joint", "fft"])
def test_progress_counts_frames(method):
    """It rises to the number of frames."""
    place = layout(2, 300, 50)
    calls = []
    samples = sound(place, pitches(place, walk(2, 50)))
    decode(samples, place, method=method, progress=lambda done, total: calls.append((done, total)))
    assert calls == sorted(calls)
    assert len(calls) > 1
    assert calls[-1] == (50, 50)


@pytest.mark.parametrize("method", ["joint", "fft"])
def test_no_frames_give_no_pitches(method):
    """An empty layout is no error."""
    heard = decode(np.empty((0, 2)), layout(3, 60, 0), method=method)
    assert heard.pitch.shape == heard.gain.shape == (3, 0)


def test_the_first_frames_of_a_longer_sound_can_be_read():
    """What is behind the layout's end is left alone."""
    place, shorter = layout(4, 60, 20), layout(4, 60, 15)
    samples = sound(place, pitches(place, walk(4, 20)))
    whole, part = decode(samples, place), decode(samples, shorter)
    np.testing.assert_allclose(part.pitch, whole.pitch[:, :15], rtol=1e-9)


def test_sounds_that_cannot_be_read_are_refused():
    """The reason says what there is and what was expected."""
    place = layout(2, 60, 3)
    with pytest.raises(ValueError, match=r"shape \(7938, 3\); expected \(n,\) or \(n, 2\)"):
        decode(np.zeros((place.samples, 3)), place)
    with pytest.raises(ValueError, match="has 7937 samples; expected 7938: 3 frames of 2646"):
        decode(np.zeros(place.samples - 1), place)
    with pytest.raises(ValueError, match="NaN or infinite"):
        decode(np.full(place.samples, np.nan), place)
    with pytest.raises(ValueError, match="method is 'ear'; expected one of joint, fft"):
        decode(np.zeros(place.samples), place, method="ear")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"registers": [100, 200]}, r"shape \(2,\)"),
        ({"registers": [[100, 200], [150, 300]]}, "do not overlap"),
        ({"registers": [[100, 200], [300, 30_000]]}, "between 0 and 22050"),
        ({"pan": [0]}, r"pan \(1,\)"),
        ({"glide_length": 10}, "glide_length=10"),
        ({"frames": -1}, "frames=-1"),
    ],
)
def test_what_is_no_layout_is_refused(change, reason):
    """Before anything is decoded."""
    usual = {"registers": [[100, 200], [300, 400]], "pan": [-1, 1], "frames": 1}
    lengths = {"frame_length": 10, "glide_length": 1, "sample_rate": RATE}
    with pytest.raises(ValueError, match=reason):
        Layout(**(usual | lengths | change))
