"""Loudness and true peak are what the standards and an independent meter say."""

import gc
import math
import tracemalloc

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import signal

from epochord.renderers.audio.level.loudness import LoudnessMeter, gain, k_weighting
from epochord.renderers.audio.level.true_peak import SAMPLES_A_CHUNK, TAPS, TruePeakMeter

BLOCK = 10_000  # samples; no divisor of anything in the meters

# ITU-R BS.1770-4, Annex 1, tables 1 and 2: b0 b1 b2 a0 a1 a2 at 48 kHz
STANDARD = [
    [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585],
    [1, -2, 1, 1, -1.99004745483398, 0.99007225036621],
]


def feed(meter, samples, size=BLOCK):
    for start in range(0, len(samples), size):
        meter.add(samples[start : start + size])
    return meter


def loudness(samples, rate=48_000) -> float:
    return feed(LoudnessMeter(rate, samples.shape[1]), samples).integrated()


def true_peak(samples) -> float:
    return feed(TruePeakMeter(samples.shape[1]), samples).peak()


def dbtp(samples) -> float:
    return 20 * math.log10(true_peak(samples))


def sine(dbfs, seconds, rate=48_000, frequency=1000.0, channels=2):
    time = np.arange(round(seconds * rate)) / rate
    wave = 10 ** (dbfs / 20) * np.sin(2 * np.pi * frequency * time)
    return np.repeat(wave[:, None], channels, axis=1)


def noise(rate, channels):
    return 0.1 * np.random.default_rng(0).normal(size=(5 * rate, channels))


def music(rate, channels):
    """Tones of random pitch, loudness and place, dying away; with rests."""
    random = np.random.default_rng(1)
    time = np.arange(rate // 5) / rate
    tones = [
        random.choice([0, 0.02, 0.2, 0.7])
        * np.exp(-5 * time)[:, None]
        * np.sin(2 * np.pi * random.uniform(50, 3000) * time)[:, None]
        * random.uniform(size=channels)
        for _ in range(30)
    ]
    return np.concatenate(tones)


def high_sine(rate, channels):
    return sine(-12, 3, rate, 3000, channels)


def low_sine(rate, channels):
    return sine(-6, 3, rate, 60, channels)


def cuts(samples, sizes):
    borders = np.minimum(np.cumsum(sizes), len(samples))
    return np.split(samples, borders)


def test_the_filter_at_48_khz_is_the_standards():
    """Both tables of BS.1770-4, to the last digit they have."""
    np.testing.assert_allclose(k_weighting(48_000), STANDARD, rtol=0, atol=1e-13)


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 96_000, 192_000])
def test_the_filter_weighs_pitches_alike_at_every_rate(rate):
    """Only near half the sample rate does the bilinear transform bend the shelf."""
    pitches = np.array([20.0, 38.0, 100.0, 300.0, 1000.0, 1682.0])
    _, expected = signal.sosfreqz(STANDARD, pitches, fs=48_000)
    _, found = signal.sosfreqz(k_weighting(rate), pitches, fs=rate)
    off = 20 * np.log10(np.abs(found / expected))
    assert np.abs(off).max() < (0.025 if rate >= 22_050 else 0.21)


@pytest.mark.parametrize("make", [noise, music, high_sine, low_sine])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000, 96_000])
def test_loudness_agrees_with_pyloudnorm(rate, channels, make):
    """Within 0.1 LU with its own filters, 0.01 LU with the standard's."""
    samples = make(rate, channels)
    found = loudness(samples, rate)
    assert found == pytest.approx(pyloudnorm.Meter(rate).integrated_loudness(samples), abs=0.1)
    if rate in (44_100, 48_000):  # at others, the gain of its high-pass is not that at 48 kHz
        expected = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(samples)
        assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("make", [music, high_sine, low_sine])
@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 44_100, 96_000])
def test_a_sound_reads_the_same_at_every_rate(rate, make):
    """As resampled to the rate of the standard; its shelf is a little bent at low rates."""
    samples = make(rate, 2)
    resampled = signal.resample(samples, len(samples) * 48_000 // rate)
    assert loudness(samples, rate) == pytest.approx(
        loudness(resampled), abs=0.05 if rate >= 22_050 else 0.25
    )


@pytest.mark.parametrize(
    "parts",
    [
        [(-23, 20)],
        [(-36, 10), (-23, 60), (-36, 10)],
        [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)],
        [(-26, 20), (-20, 20.1), (-26, 20)],
    ],
    ids=["case 1", "case 3", "case 4", "case 5"],
)
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_ebu_tech_3341_loudness(parts, rate):
    """Stereo 1 kHz sines of these levels (dBFS) and lengths (s) read -23.0 ±0.1 LUFS."""
    samples = np.concatenate([sine(dbfs, seconds, rate) for dbfs, seconds in parts])
    assert loudness(samples, rate) == pytest.approx(-23, abs=0.1)


def test_ebu_tech_3341_loudness_of_a_quiet_sine():
    """Case 2: -33 dBFS read -33.0 ±0.1 LUFS."""
    assert loudness(sine(-33, 20)) == pytest.approx(-33, abs=0.1)


@pytest.mark.parametrize(
    ("divisor", "degrees", "amplitude", "expected"),
    [(4, 0, 0.5, -6), (4, 45, 0.5, -6), (6, 60, 0.5, -6), (8, 67.5, 0.5, -6), (4, 45, 1.41, 3)],
    ids=[f"case {case}" for case in range(15, 20)],
)
def test_ebu_tech_3341_true_peak(divisor, degrees, amplitude, expected):
    """Sines of a fraction of the sample rate read their amplitude, +0.2 −0.4 dB."""
    sample = np.arange(48_000)
    wave = amplitude * np.sin(2 * np.pi * sample / divisor + np.radians(degrees))
    wave *= signal.windows.tukey(len(wave), 0.1)  # no click, whose peak would be higher
    assert -0.4 <= dbtp(wave[:, None]) - expected <= 0.2


@given(st.floats(0.001, 0.4535), st.floats(0, 2 * np.pi))
def test_a_sine_up_to_20_khz_reads_its_amplitude(frequency, phase):
    """At 44.1 kHz, wherever its samples fall, within 0.16 dB."""
    wave = np.sin(2 * np.pi * frequency * np.arange(4410) + phase)
    wave *= signal.windows.tukey(len(wave), 0.5)
    assert -0.16 <= dbtp(wave[:, None]) <= 0.02


@given(st.integers(0, 2**32 - 1), st.integers(1, 2))
def test_the_true_peak_is_that_of_the_sound_at_a_much_higher_rate(seed, channels):
    """Noise of up to 0.45 of the sample rate, against its Fourier series, within 0.15 dB."""
    spectrum = np.random.default_rng(seed).normal(size=(2, 501, channels))
    spectrum[:, 451:] = 0
    period = np.fft.irfft(spectrum[0] + 1j * spectrum[1], 1000, axis=0)
    expected = 20 * np.log10(np.abs(signal.resample(period, 64_000)).max())
    fades = signal.windows.tukey(3000, 2 / 3)  # leave the middle period as it is
    assert -0.15 <= dbtp(np.tile(period, (3, 1)) * fades[:, None]) - expected <= 0.02


@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(0, 300), st.integers(1, 2)),
        elements=st.floats(-2, 2, width=32),
    )
)
def test_the_true_peak_is_never_below_a_sample(samples):
    """Whatever the samples, and not more than the interpolation can make of them."""
    largest = float(np.abs(samples).max(initial=0))
    assert largest <= true_peak(samples) <= 3 * largest


def test_a_crest_behind_the_last_sample_and_between_chunks_is_found():
    """The tail is measured, and so are the borders of what is measured at once."""
    expected = true_peak(np.array([[1.0], [1.0]]))
    assert expected == pytest.approx(4 / np.pi, rel=2e-3)  # sinc(½) + sinc(−½)
    for start in (0, 1, 400, SAMPLES_A_CHUNK - 1, SAMPLES_A_CHUNK, 2 * SAMPLES_A_CHUNK - 1):
        for behind in (0, 1, 19, 20, 39, 40, SAMPLES_A_CHUNK):
            samples = np.zeros((start + 2 + behind, 1))
            samples[start : start + 2] = 1
            assert true_peak(samples) == pytest.approx(expected, rel=1e-12)


def test_low_samples_that_ring_high_between_are_not_passed_over():
    """The worst there is for the interpolation, behind a louder chunk of a lower true peak."""
    place = np.arange(-19, 21) - 0.5
    worst = 0.5 * np.sign(np.sinc(place))[:, None]
    loud = np.full((SAMPLES_A_CHUNK, 1), 0.9) * signal.windows.tukey(SAMPLES_A_CHUNK)[:, None]
    assert 0.9 <= true_peak(loud) < 1.3 < true_peak(worst)
    assert true_peak(np.concatenate([loud, worst])) >= 1.3


def everywhere(samples) -> float:
    """Return the largest of the samples and of all points between them, by SciPy's filter."""
    taps = signal.firwin(8 * TAPS + 1, 1 / 8, window=("kaiser", signal.kaiser_beta(60)))
    points = np.abs(signal.upfirdn(8 * taps[:-1], samples, 8, axis=0))
    points[::8] = 0  # where the samples themselves are, as they are
    return float(max(points.max(initial=0), np.abs(samples).max(initial=0)))


def tones(random, length):
    """Steady sines, whose crests come again and again."""
    pitches = random.uniform(0.001, 0.5, random.integers(1, 4))[:, None]
    return np.sin(2 * np.pi * (pitches * np.arange(length) + random.random(pitches.shape))).sum(0)


def bursts(random, length):
    """Silence, and here and there a few samples of anything."""
    return random.normal(size=length) * (random.random(length) < 0.003)


def wanders(random, length):
    """Next to no bends, and a jump at times."""
    return np.cumsum(random.normal(size=length) * random.choice([1e-3, 1], length, p=[0.99, 0.01]))


def hiss(random, length):
    return random.normal(size=length)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([tones, bursts, wanders, hiss]),
            st.integers(1, SAMPLES_A_CHUNK + 500),
            st.sampled_from([1.0, 0.99, 0.4, 1e-3]),
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 2),
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 40_000), max_size=6),
)
def test_the_true_peak_is_that_of_all_points_wherever_none_was_made(parts, channels, seed, sizes):
    """Of any sound in any blocks: where it is not oversampled, there was nothing higher."""
    random = np.random.default_rng(seed)
    pieces = [
        np.stack([make(random, length) for _ in range(channels)], axis=1)
        for make, length, _ in parts
    ]
    levels = [level for _, _, level in parts]
    samples = np.concatenate(
        [
            piece * level / max(np.abs(piece).max(), 1e-9)
            for piece, level in zip(pieces, levels, strict=True)
        ]
    )
    meter = TruePeakMeter(channels)
    for block in cuts(samples, sizes):
        meter.add(block)
    assert meter.peak() == pytest.approx(everywhere(samples), rel=1e-12, abs=1e-300)


@given(
    arrays.arrays(np.float64, st.integers(TAPS, 60), elements=st.floats(-1, 1)),
    st.floats(1, 2),
)
def test_the_true_peak_is_that_of_all_points_behind_a_louder_sound(tail, factor):
    """A peak that any samples only just pass, or do not pass, between them."""
    highest = everywhere(tail[:, None])
    before = np.zeros((SAMPLES_A_CHUNK, 1))
    before[100] = highest / factor
    samples = np.concatenate([before, tail[:, None]])
    assert true_peak(samples) == pytest.approx(everywhere(samples), rel=1e-12, abs=1e-300)


def worst(phase, drop, bend):
    """Return a sound that rings as high as bends can between a sample of 1 and one a bit lower."""
    taps = signal.firwin(8 * TAPS + 1, 1 / 8, window=("kaiser", signal.kaiser_beta(60)))
    weights = 8 * taps[:-1].reshape(TAPS, 8)[::-1, phase]
    line = np.zeros(TAPS)
    line[[19, 20]] = np.linalg.solve([[1, 1], [19, 20]], [weights.sum(), np.arange(40) @ weights])
    signs = np.sign(np.cumsum(np.cumsum(weights - line))[:-2])
    window = np.concatenate([[0, 0], np.cumsum(np.cumsum(bend * signs))])
    slope, place = window[20] - window[19] + drop, np.arange(TAPS) - 19
    return 1 + window - window[19] - slope * place


def run_out(samples, bend):
    """Go on until the slope is nothing, with bends as large at most."""
    slope = samples[-1] - samples[-2]
    slopes = np.linspace(slope, 0, math.ceil(abs(slope) / bend) + 1)[1:]
    return np.append(samples, samples[-1] + np.cumsum(slopes))


@pytest.mark.parametrize("phase", range(1, 8))
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("drop", [0, 0.1, 0.3, 0.4, 0.5])
def test_bends_between_a_high_sample_and_a_low_one_are_not_passed_over(phase, backwards, drop):
    """Behind a sound that is nearly as high, the higher sample on either side."""
    bend = 0.01
    window = run_out(run_out(worst(phase, drop * bend, bend), bend)[::-1], bend)
    window = window[:: 1 if backwards else -1]
    rise = np.sin(np.linspace(0, np.pi / 2, SAMPLES_A_CHUNK)) ** 2
    ringing = np.concatenate([rise * window[0], window, rise[::-1] * window[-1]])[:, None]
    before = np.concatenate([rise, rise[::-1]])[:, None] * (everywhere(ringing) - 0.02 * bend)
    samples = np.concatenate([before, ringing])
    assert true_peak(samples) == pytest.approx(everywhere(samples), rel=1e-12)


def test_the_ripple_of_the_filter_counts():
    """A steady level, slowly reached, reads a little more between its samples."""
    fade = np.sin(np.linspace(0, np.pi / 2, 2 * SAMPLES_A_CHUNK)) ** 2
    samples = np.concatenate([fade, np.ones(3 * SAMPLES_A_CHUNK), fade[::-1]])[:, None]
    assert true_peak(samples) == pytest.approx(everywhere(samples), rel=1e-12)
    assert true_peak(samples) > 1


@given(
    st.lists(st.integers(0, 40_000), max_size=8),
    st.integers(1, 2),
    st.sampled_from([8000, 11_025, 22_051]),
)
def test_the_blocks_make_no_difference(sizes, channels, rate):
    """To the last bit, whatever their sizes, of rates too that 100 ms do not divide."""
    samples = music(rate, channels).astype(np.float32)
    meter, peak = LoudnessMeter(rate, channels), TruePeakMeter(channels)
    for block in cuts(samples, sizes):
        meter.add(block)
        peak.add(block)
    assert meter.integrated() == loudness(samples, rate)
    assert peak.peak() == true_peak(samples)


def test_one_sample_at_a_time_makes_no_difference_either():
    """The smallest blocks there are."""
    samples = noise(8000, 2)[:5000]
    assert feed(LoudnessMeter(8000, 2), samples, 1).integrated() == loudness(samples, 8000)
    assert feed(TruePeakMeter(2), samples, 1).peak() == true_peak(samples)


def test_asking_in_between_does_not_disturb():
    """Each answer is that of the sound up to there."""
    samples = noise(8000, 2)
    meter, peak = LoudnessMeter(8000, 2), TruePeakMeter(2)
    for start in range(0, len(samples), BLOCK):
        meter.add(samples[start : start + BLOCK])
        peak.add(samples[start : start + BLOCK])
        assert meter.integrated() == loudness(samples[: start + BLOCK], 8000)
        assert peak.peak() == true_peak(samples[: start + BLOCK])


@given(st.floats(-40, 40))
def test_a_gain_moves_loudness_and_peak_by_as_much(decibels):
    """20·log10(g) LU and dB, as long as the gate at -70 LUFS lets all through."""
    samples = noise(8000, 2)
    factor = 10 ** (decibels / 20)
    assert loudness(samples * factor, 8000) == pytest.approx(
        loudness(samples, 8000) + decibels, abs=1e-9
    )
    assert true_peak(samples * factor) == pytest.approx(true_peak(samples) * factor, rel=1e-12)


def test_one_channel_reads_half_the_energy_of_the_same_in_two():
    """3.01 LU less; left or right makes no difference."""
    both = noise(8000, 1).repeat(2, axis=1)
    one = loudness(both[:, :1], 8000)
    assert one == pytest.approx(loudness(both, 8000) - 10 * math.log10(2), abs=1e-9)
    assert loudness(both * [0, 1], 8000) == loudness(both * [1, 0], 8000) == pytest.approx(one)


def test_a_block_of_one_channel_may_be_flat():
    """As `synthesis.blocks` yields them."""
    samples = noise(8000, 1)
    assert feed(LoudnessMeter(8000, 1), samples[:, 0]).integrated() == loudness(samples, 8000)
    assert feed(TruePeakMeter(1), samples[:, 0]).peak() == true_peak(samples)


@pytest.mark.parametrize(("dbfs", "heard"), [(-69.8, True), (-70.2, False)])
def test_the_absolute_gate_lies_at_minus_70_lufs(dbfs, heard):
    """A stereo sine of 1 kHz reads its level above, and nothing below."""
    expected = dbfs if heard else -math.inf
    assert loudness(sine(dbfs, 2)) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    "samples", [np.zeros((9000, 2)), sine(-75, 2, 8000), sine(0, 9, 8000, 0.1)]
)
def test_silence_is_minus_infinity(samples):
    """So is all below -70 LUFS, and what is too low to be heard."""
    assert loudness(samples, 8000) == -math.inf


@pytest.mark.parametrize(("length", "measured"), [(0, False), (3199, False), (3200, True)])
def test_less_than_one_gating_block_has_no_loudness(length, measured):
    """NaN below 0.4 s, a number from there on; a peak there is always."""
    samples = np.ones((length, 1), np.float32) * np.resize([0.5, -0.5], (length, 1))
    assert math.isfinite(loudness(samples, 8000)) is measured
    assert math.isnan(loudness(samples, 8000)) is not measured
    assert true_peak(samples) >= (0.5 if length else 0)


@given(
    st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(1, 2000)),
        min_size=1,
    )
)
def test_finite_samples_give_finite_numbers(runs):
    """Even float32's largest and smallest: no overflow and no NaN."""
    values, lengths = zip(*runs, strict=True)
    samples = np.repeat(np.array(values, np.float32), lengths)
    samples = np.resize(samples, (max(len(samples), 3200), 1))
    found, peak = loudness(samples, 8000), true_peak(samples)
    assert found < math.inf  # false of NaN, too
    assert peak < math.inf
    assert 0 < gain(found, peak) < math.inf


def test_memory_is_bounded():
    """Ten minutes leave their 100 ms energies behind and nothing else."""
    samples = noise(8000, 2).astype(np.float32)
    meter, peak = LoudnessMeter(8000, 2), TruePeakMeter(2)
    meter.add(samples)
    peak.add(samples)
    tracemalloc.start()
    try:
        for _ in range(120):
            meter.add(samples)
            peak.add(samples)
        gc.collect()
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 100_000  # 6,000 energies of 8 bytes, and room to grow; samples: 38 MB
    assert most < 8 << 20


@pytest.mark.parametrize("meter", [LoudnessMeter(8000, 2), TruePeakMeter(2)])
@pytest.mark.parametrize("shape", [(5,), (5, 1), (2, 5), (5, 2, 1)])
def test_blocks_of_another_shape_are_refused(meter, shape):
    """With what came and what was expected."""
    with pytest.raises(ValueError, match=r"block has shape \(.*; expected \(n, 2\)"):
        meter.add(np.zeros(shape))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e39])
def test_samples_that_are_not_finite_are_refused_and_leave_no_trace(value):
    """A meter goes on as if the block had never come."""
    samples = noise(8000, 1)
    meter, peak = feed(LoudnessMeter(8000, 1), samples), feed(TruePeakMeter(1), samples)
    for each in (meter, peak):
        with pytest.raises(ValueError, match="expected finite float32"):
            each.add(np.array([[0.1], [value]]))
    assert meter.integrated() == loudness(samples, 8000)
    assert peak.peak() == true_peak(samples)


def test_what_cannot_be_measured_is_refused():
    """Surround sound has other weights; below 8 kHz there is no room for the shelf."""
    with pytest.raises(ValueError, match="channels is 6; expected 1 or 2"):
        LoudnessMeter(48_000, 6)
    with pytest.raises(ValueError, match="channels is 0; expected 1 or 2"):
        TruePeakMeter(0)
    with pytest.raises(ValueError, match="sample_rate is 4000 Hz; expected 8000 Hz up"):
        LoudnessMeter(4000, 1)


finite_loudness = st.floats(-69.9, 40)
peaks = st.floats(1e-6, 1e3)
targets = st.floats(-60, 0)
ceilings = st.floats(-20, 0)


@given(finite_loudness, peaks, targets, ceilings)
def test_the_gain_reaches_the_target_or_the_ceiling_and_passes_neither(level, peak, target, most):
    """One of them exactly."""
    factor = gain(level, peak, target_lufs=target, ceiling_dbtp=most)
    under_target = target - (level + 20 * math.log10(factor))
    under_ceiling = most - 20 * math.log10(peak * factor)
    assert min(under_target, under_ceiling) == pytest.approx(0, abs=1e-9)


@given(st.sampled_from([-math.inf, math.nan]) | finite_loudness, st.floats(0, 1e30), ceilings)
def test_no_gain_lifts_a_peak_above_the_ceiling(level, peak, most):
    """Nor is there a sound without a gain."""
    factor = gain(level, peak, ceiling_dbtp=most)
    assert 0 < factor < math.inf
    assert peak * factor <= 10 ** (most / 20) * (1 + 1e-12)


@pytest.mark.parametrize(("level", "peak"), [(-math.inf, 0), (math.nan, 0), (-math.inf, 1e-5)])
def test_silence_stays_as_it_is(level, peak):
    """A factor of 1, short or long; noise below -70 LUFS is not made a roar."""
    assert gain(level, peak) == 1
    assert gain(math.nan, 1e-40) == 1


def test_a_short_tone_becomes_as_loud_as_a_long_one():
    """A stereo sine of 1 kHz ends at the same amplitude."""
    short, long = sine(-40, 0.3), sine(-40, 5)
    assert math.isnan(loudness(short))
    of_short = gain(loudness(short), true_peak(short))
    of_long = gain(loudness(long), true_peak(long))
    assert 20 * math.log10(of_short / of_long) == pytest.approx(0, abs=0.1)
    assert gain(math.nan, 1.0, target_lufs=0.0) == pytest.approx(10 ** (-1 / 20))


@pytest.mark.parametrize("make", [noise, music, high_sine, low_sine])
def test_a_sound_with_its_gain_reads_the_target(make):
    """Measured again, it needs no more gain."""
    samples = make(44_100, 2)
    samples *= gain(loudness(samples, 44_100), true_peak(samples))
    found, peak = loudness(samples, 44_100), true_peak(samples)
    assert found == pytest.approx(-23, abs=0.01) or dbtp(samples) == pytest.approx(-1, abs=0.01)
    assert gain(found, peak) == pytest.approx(1, rel=1e-3)
