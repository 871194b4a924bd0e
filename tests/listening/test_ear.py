"""The ear against published tables and another model: bandwidths, loudness, masking, roughness."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import mannwhitneyu

from tests.listening.auditory import CENTRES, MASKING, THRESHOLD, cams, erb, hertz, transferred
from tests.listening.excitation import excitation
from tests.listening.listeners import area, standard_error
from tests.listening.loudness import partial_loudness, phons, sones, specific_loudness
from tests.listening.roughness import pair_roughness

# ANSI S3.4-2007, table 7: a tone of 1 kHz in a free field, heard with both ears.
ONE_KHZ = {
    10: 0.029, 20: 0.142, 30: 0.422, 40: 0.997, 50: 2.098, 60: 4.166, 70: 8.102, 80: 15.980,
}  # fmt: skip
# The same, examples: frequencies in Hz, dB SPL of each, sones.
EXAMPLES = [
    ([3000], 20, 0.35),
    ([3000], 40, 1.8),
    ([3000], 60, 7.1),
    ([100], 50, 0.345),
    ([1500, 1600, 1700], 60, 6.35),
    ([1000, 1600, 2400], 60, 12.62),
    (range(100, 1100, 100), 30, 1.99),
]
# ISO 532-1 (Zwicker) by mosqito 1.2.1, `loudness_zwst(x, 48000, field_type="free")` of 1 s of
# sines with phases of `default_rng(0)`: another model, which differs by up to a fifth.
ZWICKER = [
    ([1000], [60], 4.122),
    ([500], [50], 1.900),
    ([4000], [60], 6.154),
    ([1000, 1600, 2400], [60] * 3, 11.11),
    ([220, 440, 660, 880], [65, 59, 55, 50], 8.111),
    (110 * 2 ** (np.arange(12) * 4.447 / 11), [59.21] * 12, 19.35),
]
# ISO 226:2003: dB SPL at 40 phons.
FORTY_PHONS = {125: 60.59, 250: 50.40, 500: 43.05, 1000: 40.01, 2000: 39.23, 4000: 36.65}


def excited(frequencies, level):
    pitch = np.array(frequencies, float)
    power = 10 ** ((level + transferred(pitch)) / 10)
    one_moment = np.zeros(len(pitch), int)
    return excitation(pitch, np.stack([power, power], axis=1), one_moment).sum(axis=1)


def loudness(frequencies, level):
    return float(sones(specific_loudness(excited(frequencies, np.asarray(level)))).sum())


@pytest.mark.parametrize(("frequency", "width"), [(100, 35.5), (1000, 132.6), (4000, 456.5)])
def test_bandwidths(frequency, width):
    """Glasberg & Moore 1990, eq. 3."""
    assert erb(frequency) == pytest.approx(width, abs=0.1)


def test_cams_count_bandwidths():
    """A small step of frequency is that many ERBs, and `hertz` goes back."""
    frequency = np.geomspace(50, 15_000, 50)
    step = (cams(frequency * 1.001) - cams(frequency)) / (0.001 * frequency)
    np.testing.assert_allclose(step, 1 / erb(frequency), rtol=5e-3)
    np.testing.assert_allclose(hertz(cams(frequency)), frequency)


@pytest.mark.parametrize(("level", "expected"), ONE_KHZ.items())
def test_loudness_of_one_kilohertz(level, expected):
    """One sone at 40 dB, and nearly twice that for 10 dB more."""
    assert loudness([1000], level) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("frequencies", "level", "expected"), EXAMPLES)
def test_loudness_of_the_standard_s_examples(frequencies, level, expected):
    """One tone or several, within a critical band and apart."""
    assert loudness(frequencies, level) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(("frequencies", "levels", "expected"), ZWICKER)
def test_loudness_is_near_that_of_another_model(frequencies, levels, expected):
    """Of the same sounds, by ISO 532-1."""
    assert loudness(frequencies, levels) == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize(("frequency", "level"), FORTY_PHONS.items())
def test_what_is_equally_loud(frequency, level):
    """As people judged it, within 5 dB."""
    found = brentq(lambda db: loudness([frequency], db) - loudness([1000], 40), 10, 90)
    assert found == pytest.approx(level, abs=5)


def test_a_filter_passes_its_own_frequency_whole():
    """And its neighbours less; the louder, the farther upwards."""
    centre = CENTRES[30]
    soft, loud = (excited([centre], level)[0] / 10 ** (level / 10) for level in (40, 80))
    np.testing.assert_allclose(soft[30], 10 ** (transferred(centre) / 10), rtol=1e-3)
    assert np.argmax(soft) == 30
    assert (loud[31:50] > soft[31:50]).all()
    np.testing.assert_allclose(loud[:30], soft[:30], rtol=1e-3)


def test_alone_a_part_is_as_loud_as_the_whole():
    """Nothing masks it; and among others it is softer, in the end inaudible."""
    tone = excited([1000], 60).astype(np.float32)
    alone = sones(partial_loudness(tone, np.zeros_like(tone))).sum()
    assert alone == pytest.approx(loudness([1000], 60), rel=0.01)
    masked = [
        sones(partial_loudness(tone, excited([1000], level).astype(np.float32))).sum()
        for level in (40, 50, 60, 70, 80)
    ]
    assert (np.diff([alone, *masked]) < 0).all()
    assert masked[-1] < 0.01 * alone


def test_at_its_masked_threshold_a_tone_is_as_loud_as_at_threshold_in_quiet():
    """Moore, Glasberg & Baer 1997: that is how K is meant."""
    noise = np.float32(1e5)
    just = MASKING * noise + THRESHOLD
    masked = partial_loudness(just.astype(np.float32), np.full(len(just), noise))
    quiet = partial_loudness(THRESHOLD.astype(np.float32), np.zeros(len(just), np.float32))
    np.testing.assert_allclose(masked, quiet, rtol=0.05)


def test_phons():
    """40 at a sone, 10 more for every doubling."""
    np.testing.assert_allclose(phons([0.5, 1, 4]), [30, 40, 60])


def test_roughness_is_greatest_a_quarter_of_a_critical_band_apart():
    """Plomp & Levelt 1965; none in unison, hardly any at an octave, none from silence."""
    apart = np.linspace(0, 500, 2001)
    one = np.ones_like(apart)
    rough = pair_roughness(500 * one, 500 + apart, one, one)
    assert rough[0] == 0
    assert 0.2 < apart[np.argmax(rough)] / erb(500) < 0.5
    assert rough[-1] < 0.01 * rough.max()
    assert pair_roughness(500.0, 520.0, 1.0, 0.0) == 0


def test_roughness_of_a_pair_by_hand():
    """Vassilakis 2001, eq. 6.23, of 440 and 460 Hz with amplitudes 1 and 0.5."""
    s = 0.24 / (0.0207 * 440 + 18.96)
    beats = np.exp(-3.5 * s * 20) - np.exp(-5.75 * s * 20)
    expected = 0.5**0.1 * 0.5 * (2 * 0.5 / 1.5) ** 3.11 * beats
    assert pair_roughness(440.0, 460.0, 1.0, 0.5) == pytest.approx(expected)
    assert pair_roughness(460.0, 440.0, 0.5, 1.0) == pytest.approx(expected)


def test_area_is_mann_and_whitney_s():
    """U over the number of pairs, ties half."""
    rng = np.random.default_rng(0)
    low, high = rng.integers(0, 8, 30), rng.integers(2, 10, 20)
    statistic = mannwhitneyu(high, low).statistic
    assert area(low, high) == pytest.approx(statistic / 600)


def test_standard_error_of_an_area():
    """It is that of repeated draws of two normal distributions, which the formula was made for."""
    rng = np.random.default_rng(1)
    areas = [area(rng.normal(size=40), rng.normal(1.2, 1, 30)) for _ in range(2000)]
    assert standard_error(float(np.mean(areas)), 40, 30) == pytest.approx(np.std(areas), rel=0.1)
