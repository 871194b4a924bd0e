"""Earcons by what their spectra and shapes are: families two octaves apart, and no clicks."""

from itertools import combinations

import numpy as np
import pytest
from scipy import signal

from epochord.renderers.audio.scoring.events import Kind
from epochord.renderers.audio.scoring.marks import BREATH, KNELL, LONGEST, SHORTEST
from epochord.renderers.audio.scoring.registers import registers
from epochord.renderers.audio.synthesis.earcons import earcon

RATE = 44_100  # Hz
# Hz: what each says lies here, and nowhere else.
HIGH = {
    Kind.NAN: (3000, 3450), Kind.POSITIVE_INFINITY: (3550, 4000),
    Kind.NEGATIVE_INFINITY: (4100, 4550), Kind.END: (4700, 4700),
    Kind.ABOVE: (4900, 5400), Kind.BELOW: (4900, 5400),
}  # fmt: skip
LENGTHS = [round(seconds * RATE) for seconds in (SHORTEST, 0.054, LONGEST)]


def made(kind, seconds):
    return earcon(kind, round(seconds * RATE), RATE).astype(np.float64)


def spectrum(wave):
    """Power by frequency in Hz, which adds up to one."""
    power = np.abs(np.fft.rfft(wave * signal.windows.hann(len(wave)), 1 << 17)) ** 2
    return np.fft.rfftfreq(1 << 17, 1 / RATE), power / power.sum()


def within(wave, low, high):
    """Return the share of a sound's power between two frequencies; it fades by itself."""
    power = np.abs(np.fft.rfft(wave, 1 << 17)) ** 2
    hertz = np.fft.rfftfreq(1 << 17, 1 / RATE)
    return power[(hertz >= low) & (hertz <= high)].sum() / power.sum()


def middle(wave):
    """Return the frequency below and above which there is as much power, in Hz."""
    hertz, power = spectrum(wave)
    return hertz[np.searchsorted(np.cumsum(power), 0.5)]


def lowest_partial(wave):
    """Return the lowest frequency, in Hz, at which there is a tenth of the greatest power."""
    hertz, power = spectrum(wave)
    peaks, _ = signal.find_peaks(power, height=power.max() / 10)
    return hertz[peaks[0]]


@pytest.mark.parametrize("kind", HIGH)
@pytest.mark.parametrize("length", LENGTHS)
def test_what_leaves_the_numbers_is_high(kind, length):
    """At least 99 % in its band, above all voices, and next to nothing in another kind's."""
    wave = earcon(kind, length, RATE).astype(np.float64)
    low, high = HIGH[kind]
    parts = 2 if kind in (Kind.ABOVE, Kind.BELOW) else 1
    margin = 2.2 * parts * RATE / length  # half of the main lobe of a Hann window
    assert within(wave, low - margin, high + margin) > 0.99
    assert within(wave, 0, registers(12).max()) < 1e-2
    for other, (begin, end) in HIGH.items():
        if end > begin and not (low <= end and begin <= high) and length == LENGTHS[-1]:
            assert within(wave, begin, end) < 0.05, other


def test_a_death_is_two_strokes_of_a_bell_that_falls():
    """From B3 to E3, each with the partials of a bell, as soft at its end as no other is."""
    wave = made(Kind.DEAD, KNELL)
    first, second = np.array_split(wave, 2)
    assert lowest_partial(first) == pytest.approx(247, abs=4)
    assert lowest_partial(second) == pytest.approx(165, abs=4)
    for stroke, hum in ((first, 247), (second, 165)):
        hertz, power = spectrum(stroke)
        found, _ = signal.find_peaks(power, height=power.max() / 100)
        for ratio in (1, 2, 2.4, 3, 4):  # hum, prime, tierce, quint, nominal
            assert np.abs(hertz[found] - ratio * hum).min() < 6
        quarters = [np.square(each).mean() for each in np.array_split(stroke, 4)]
        assert quarters[3] < quarters[0] / 4
    assert within(wave, 150, 1500) > 0.99


@pytest.mark.parametrize("kind", HIGH)
def test_families_are_two_octaves_and_a_shape_apart(kind):
    """A bell that falls is below a quarter of anything else's pitch, and longer."""
    bell, high = made(Kind.DEAD, KNELL), made(kind, LONGEST)
    assert middle(high) > 4 * middle(bell)
    assert middle(high) > 4 * lowest_partial(bell)
    # The bell is at its loudest at once, twice; the others rise and fall.
    (peak,) = np.nonzero(np.abs(bell) == np.abs(bell).max())[0][:1]
    assert peak < 0.1 * len(bell) or len(bell) / 2 < peak < 0.6 * len(bell)
    assert KNELL > 4 * LONGEST


def test_the_breath_lies_between_them():
    """Noise from 400 to 700 Hz, that neither begins nor ends at once."""
    wave = made(Kind.RUNNING, BREATH)
    assert within(wave, 390, 710) > 0.99
    parts = [np.sqrt(np.square(part).mean()) for part in np.array_split(wave, 10)]
    assert max(parts[0], parts[-1]) < 0.2 * max(parts)


@pytest.mark.parametrize(
    ("kind", "sign"),
    [
        (Kind.POSITIVE_INFINITY, 1), (Kind.ABOVE, 1), (Kind.NEGATIVE_INFINITY, -1),
        (Kind.BELOW, -1), (Kind.DEAD, -1),
    ],
)  # fmt: skip
def test_what_goes_up_sounds_so(kind, sign):
    """The middle of its second half lies above that of its first, or below."""
    first, second = np.array_split(made(kind, KNELL if kind == Kind.DEAD else LONGEST), 2)
    assert sign * (lowest_partial(second) - lowest_partial(first)) > 50


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("length", [*LENGTHS, round(BREATH * RATE), round(KNELL * RATE)])
def test_nothing_clicks(kind, length):
    """Its ends are next to zero, and within, no step is beyond what its own frequencies make."""
    wave = earcon(kind, length, RATE).astype(np.float64)
    rest = np.concatenate([np.zeros(500), wave, np.zeros(500)])
    assert np.abs(wave[[0, -1]]).max() < 0.01
    # A click has power at all frequencies: far above its own there is none.
    click = signal.sosfilt(signal.butter(8, 12_000, "highpass", fs=RATE, output="sos"), rest)
    assert np.abs(click).max() < 0.01
    assert np.mean(wave**2) == pytest.approx(1, rel=1e-5)


def test_no_two_kinds_are_alike():
    """Even where they share a band their shapes differ: none is most of another."""
    waves = {kind: made(kind, LONGEST) for kind in HIGH}
    for (one, first), (other, second) in combinations(waves.items(), 2):
        alike = np.abs(signal.fftconvolve(first, second[::-1])).max() / len(first)
        assert alike < 0.75, (one, other)
