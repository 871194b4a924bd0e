"""What an ensemble disagrees about is heard: measured on the samples, by other means."""

from itertools import pairwise

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from epochord.renderers.audio.scoring.events import Kind
from epochord.renderers.audio.synthesis.blocks import blocks
from epochord.renderers.ensemble.sound import (
    MOST_SEMITONES,
    MOST_VOICES,
    Disagreement,
    ensemble_score,
    write_sound,
)
from epochord.runlog import OutputError

RATE = 44_100  # Hz
FRAME = 735  # samples of a frame of video
SECOND = 60  # frames of video
nan, inf = float("nan"), float("inf")

# Of these the lowest and the highest are the ends of the scale.
SPREADS = [0.1, 1.0, 10.0]


def part(spread, deviation, name="run"):
    return Disagreement(name, np.array(spread, float), np.array(deviation, float))


def agreeing(spread, members=1, name="run"):
    return part(spread, np.zeros((members, len(spread))), name)


def each_shown(epochs, frames=SECOND):
    return np.repeat(np.arange(epochs), frames)


def samples(score):
    return np.concatenate(list(blocks(score))).astype(np.float64)


def between(sound, start, stop):
    """Cut out what lies between two times in seconds."""
    return sound[round(start * RATE) : round(stop * RATE)]


def peaks(sound, count):
    """Frequencies of the strongest spectral lines in Hz, ascending: parabolas through peaks."""
    wave = sound.sum(axis=1) if sound.ndim == 2 else sound
    spectrum = np.abs(np.fft.rfft(wave * signal.windows.blackmanharris(len(wave)), 4 * len(wave)))
    level = np.log(spectrum + 1e-12)
    tops = signal.argrelmax(level)[0]
    found = tops[np.argsort(level[tops])[::-1][:count]]
    left, top, right = level[found - 1], level[found], level[found + 1]
    places = found + (left - right) / (2 * (left - 2 * top + right))
    return np.sort(places * RATE / (4 * len(wave)))


def line(sound, frequency):
    """Level in dB at one frequency."""
    wave = sound.sum(axis=1) * signal.windows.blackmanharris(len(sound))
    turning = np.exp(-2j * np.pi * frequency * np.arange(len(wave)) / RATE)
    return 20 * np.log10(np.abs((wave * turning).sum()) + 1e-12)


def crossings(sound):
    """Frequency in Hz of a single tone, by its rising zero crossings."""
    wave = sound.sum(axis=1)
    before = np.flatnonzero((wave[:-1] < 0) & (wave[1:] >= 0))
    times = before + wave[before] / (wave[before] - wave[before + 1])
    return RATE * (len(times) - 1) / (times[-1] - times[0])


def cents(one, other):
    return 1200 * np.log2(np.asarray(one) / other)


def decibels(sound):
    return 10 * np.log10(np.square(sound).sum(axis=-1).mean() + 1e-30)


def band(sound, low, high):
    return signal.sosfiltfilt(
        signal.butter(8, [low, high], "bandpass", fs=RATE, output="sos"), sound, axis=0
    )


def cluster(members, epochs, seed=0, top=SPREADS[-1]):
    return np.random.default_rng(seed).normal(0, top / 2, (members, 1)) * np.ones(epochs)


def test_the_logarithm_of_the_spread_is_the_pitch():
    """The middle of the scale is the middle of the register, and its ends are the ends."""
    score = ensemble_score([agreeing(SPREADS, 5)], each_shown(3))
    low, high = score.registers[0]
    sound = samples(score)
    heard = [crossings(between(sound, t + 0.1, t + 0.9)) for t in range(3)]
    np.testing.assert_allclose(cents(heard, [low, np.sqrt(low * high), high]), 0, atol=1)


@given(st.floats(0.1, 10), st.floats(0.1, 10))
def test_equal_ratios_of_spreads_are_equal_intervals(one, other):
    """Two decades are a register: of the spreads' ratio, the interval is a fixed power."""
    score = ensemble_score([agreeing([0.1, 0.1, one, other, 10, 10])], each_shown(6, 1))
    low, high = score.registers[0]
    pitch = score.pitch[0, [2, 3]]
    expected = cents(high, low) / 2 * np.log10(other / one)
    assert cents(pitch[1], pitch[0]) == pytest.approx(expected, abs=0.01)


def test_agreement_is_unison():
    """Forty members without deviation make one spectral line, which does not beat."""
    sound = between(samples(ensemble_score([agreeing([1.0], 40)], each_shown(1, 120))), 0.1, 1.9)
    wave = sound[:, 0] * signal.windows.blackmanharris(len(sound))
    power = np.abs(np.fft.rfft(wave)) ** 2
    top = int(power.argmax())
    assert 10 * np.log10(1 - power[top - 5 : top + 6].sum() / power.sum() + 1e-12) < -80
    envelope = np.abs(signal.hilbert(sound[:, 0]))[10_000:-10_000]
    assert np.ptp(20 * np.log10(envelope)) < 0.05


@pytest.mark.parametrize(
    ("deviation", "semitones"), [(10, 1), (5, 0.5), (30, 3), (1e9, MOST_SEMITONES)]
)
def test_a_member_is_detuned_by_its_deviation(deviation, semitones):
    """A semitone at the top of the scale of spreads, up or down, and never more than three."""
    off = [[0, deviation, 0], [0, -deviation, 0]]
    score = ensemble_score([part(SPREADS, off)], each_shown(3))
    low, high = score.registers[0]
    heard = peaks(between(samples(score), 1.05, 1.95), 2)
    expected = np.array([-100, 100]) * semitones
    np.testing.assert_allclose(cents(heard, np.sqrt(low * high)), expected, atol=1)


def test_pitch_changes_with_the_picture():
    """An epoch sounds from the first sample of its first frame of video to that of the next."""
    frames = np.array([0] * 7 + [2] * 20 + [1] * 13)
    sound = samples(ensemble_score([agreeing(SPREADS)], frames))
    glide = 300 / RATE
    edges = np.array([0, 7, 27, 40]) * FRAME / RATE
    # The fade at the end lies in the last half frame.
    heard = [
        crossings(between(sound, begin + glide, end - (end == edges[-1]) * FRAME / 2 / RATE))
        for begin, end in pairwise(edges)
    ]
    low, high = ensemble_score([agreeing(SPREADS)], frames).registers[0]
    np.testing.assert_allclose(cents(heard, [low, high, np.sqrt(low * high)]), 0, atol=1)


@given(st.integers(2, 16), st.sampled_from([10, 15, 25, 30, 60]))
def test_the_sound_is_exactly_as_long_as_the_video(frames, fps):
    """In samples, also for two frames, which are heard; it ends in silence."""
    score = ensemble_score([agreeing([1.0], 3)], np.zeros(frames, int), fps)
    sound = samples(score)
    assert sound.shape == (frames * RATE // fps, 2)
    assert score.samples == len(sound)
    assert np.abs(sound[0]).max() < 1e-3
    assert np.abs(sound[-1]).max() == 0
    assert decibels(sound) > -40


def test_nothing_clicks():
    """Epochs that jump over the whole scale every other frame, 40 members: -80 dB above 8 kHz."""
    rng = np.random.default_rng(0)
    given_part = part(10 ** rng.uniform(-1, 1, 30), rng.normal(0, 5, (40, 30)))
    sound = samples(ensemble_score([given_part], each_shown(30, 4)))
    padded = np.pad(sound, ((1000, 1000), (0, 0)))
    high = signal.sosfilt(signal.butter(8, 8000, "high", fs=RATE, output="sos"), padded, axis=0)
    assert decibels(high) - decibels(padded) < -80
    assert 20 * np.log10(np.abs(high).max() / np.abs(sound).max()) < -60


@pytest.mark.parametrize("seed", range(4))
def test_unison_is_as_loud_as_disagreement(seed):
    """Wherever the phases are when it comes and goes: every second to 2 dB, without a burst."""
    deviation = cluster(40, 5, seed) * [0, 1, 0, 1, 0]
    sound = samples(ensemble_score([part([1, 10, 1, 10, 1], deviation)], each_shown(5, 120)))
    seconds = [decibels(between(sound, t + 0.05, t + 0.95)) for t in range(10)]
    tenths = [decibels(between(sound, t / 10, t / 10 + 0.1)) for t in range(100)]
    assert np.abs(np.array(seconds) - decibels(sound)).max() < 2
    assert max(tenths) < decibels(sound) + 6


@pytest.mark.parametrize("members", [7, 40, 64])
def test_disagreement_does_not_begin_with_a_burst(members):
    """Voices that were in phase at first would add up for a moment: to 4 dB, each 50 ms."""
    deviation = np.linspace(-10, 10, members)[:, None] * np.ones(3)
    sound = samples(ensemble_score([part(SPREADS, deviation)], each_shown(3)))
    pieces = [decibels(between(sound, t / 20, t / 20 + 0.05)) for t in range(10)]
    assert max(pieces) < decibels(sound) + 4


@pytest.mark.parametrize("runs", [2, 4])
def test_several_runs_are_as_loud_as_one(runs):
    """To 1.5 dB, so that earcons stand out equally."""
    alone, *parts = [part(SPREADS, cluster(9, 3, seed)) for seed in range(runs + 1)]
    levels = [decibels(samples(ensemble_score(p, each_shown(3)))) for p in ([alone], parts)]
    assert levels[1] == pytest.approx(levels[0], abs=1.5)


@pytest.mark.parametrize("members", [1, 2, 7, 40, 64, 200])
@pytest.mark.parametrize("top", [0, 10])
def test_every_ensemble_is_equally_loud(members, top):
    """Whatever the number of members: to 1.5 dB of a single one, agreeing or not."""
    alone = samples(ensemble_score([agreeing(SPREADS)], each_shown(3)))
    choir = part(SPREADS, cluster(members, 3, top=top))
    sound = samples(ensemble_score([choir], each_shown(3)))
    assert decibels(sound) == pytest.approx(decibels(alone), abs=1.5)


def test_the_file_is_as_loud_as_every_other(tmp_path):
    """-23 LUFS by pyloudnorm, 16 bit, of the video's length, and what is said of it is true."""
    score = ensemble_score([part(SPREADS, cluster(40, 3))], each_shown(3, 80))
    said = write_sound(score, tmp_path / "a.wav")
    sound, rate = soundfile.read(tmp_path / "a.wav")
    assert soundfile.info(tmp_path / "a.wav").subtype == "PCM_16"
    assert (rate, sound.shape) == (RATE, (240 * FRAME, 2))
    assert pyloudnorm.Meter(rate).integrated_loudness(sound) == pytest.approx(-23, abs=0.3)
    assert said["lufs"] == pytest.approx(-23)
    assert said["true_peak_dbtp"] == pytest.approx(20 * np.log10(np.abs(sound).max()), abs=0.5)


def test_equal_ensembles_give_equal_bytes(tmp_path):
    """And a file that cannot be written is one clear error."""
    for name in "ab":
        deviation = cluster(9, 3)
        deviation[3, 1:] = nan
        score = ensemble_score([part(SPREADS, deviation)], each_shown(3, 3))
        write_sound(score, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with pytest.raises(OutputError, match="cannot write"):
        write_sound(score, tmp_path / "a" / "c")


def test_a_member_that_is_not_finite_is_silent_and_marked():
    """Its line goes, the other's stays; noise in NaN's band says so, a ping that it is over."""
    off = [[10, 10, 10], [-10, nan, -10]]
    score = ensemble_score([part([1, 1, 10], off)], each_shown(3))
    sound = samples(score)
    both, left = peaks(between(sound, 0.1, 0.9), 2), peaks(between(sound, 1.1, 1.6), 1)
    assert cents(left[0], both[1]) == pytest.approx(0, abs=2)
    before, after = (line(between(sound, t, t + 0.5), both[0]) for t in (0.1, 1.1))
    assert after < before - 70
    marks = [(e.sample, e.kind, e.voice) for e in score.events if e.mark]
    assert marks == [(60 * FRAME, Kind.NAN, 1), (120 * FRAME, Kind.END, 1)]
    noise = band(sound, 2550, 3000)
    assert decibels(between(noise, 1, 1.1)) > decibels(between(noise, 0.1, 0.9)) + 40
    assert score.counts()["nan"] == 60


def test_when_all_are_gone_only_the_marks_are_heard():
    """No member is finite from the second epoch on: silence below the earcons' band."""
    off = np.zeros((12, 2))
    off[:, 1] = nan
    score = ensemble_score([part([1, nan], off)], each_shown(2))
    sound = samples(score)
    low = band(sound, 60, 1800)
    assert decibels(between(low, 1.2, 1.5)) < decibels(between(low, 0.1, 0.9)) - 70
    noise = band(sound, 2550, 3000)
    assert decibels(between(noise, 1, 1.1)) > decibels(between(low, 0.1, 0.9)) - 20
    assert sum(event.mark for event in score.events) == 12


@pytest.mark.parametrize("spread", [0, nan])
def test_where_there_is_no_spread_the_lowest_tone_is_heard(spread):
    """A single member, or members that are all equal: a steady tone."""
    score = ensemble_score([agreeing([spread] * 3)], each_shown(3))
    heard = crossings(between(samples(score), 0.1, 2.9))
    assert cents(heard, score.registers[0, 0]) == pytest.approx(0, abs=1)


@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from([0.0, 1.0, 1e30, 1e-30, inf, nan]),
    st.sampled_from([0.0, 1.0, 1e30, inf, -inf, nan]),
)
def test_whatever_is_logged_can_be_heard(members, epochs, spread, deviation):
    """No number breaks it: the sound is finite and of the right length."""
    given_part = part([spread] * epochs, [[deviation] * epochs] * members)
    sound = samples(ensemble_score([given_part], each_shown(epochs, 1)))
    assert np.isfinite(sound).all()
    assert len(sound) == epochs * FRAME


@pytest.mark.parametrize("explosion", [1e12, inf])
def test_an_explosion_does_not_flatten_the_rest(explosion):
    """One epoch far off is heard at the top; all others keep their pitch."""
    spread = np.geomspace(0.1, 10, 12)
    before, after = (
        ensemble_score([agreeing([*spread, last])], each_shown(13, 1)) for last in (10, explosion)
    )
    np.testing.assert_allclose(after.pitch, before.pitch, rtol=1e-9)


def test_runs_share_one_scale():
    """Each is where its spread lies among those of all, in its own register and place."""
    parts = [agreeing([0.1, 1], 9, "a"), agreeing([1, 10], 9, "b")]
    score = ensemble_score(parts, each_shown(2))
    sound = samples(score)
    (low, high), (low_b, high_b) = score.registers[0], score.registers[-1]
    assert high * 2 ** (MOST_SEMITONES / 12) < low_b / 2 ** (MOST_SEMITONES / 12)
    heard = [peaks(between(sound, t + 0.1, t + 0.9), 2) for t in range(2)]
    expected = [[low, np.sqrt(low_b * high_b)], [np.sqrt(low * high), high_b]]
    np.testing.assert_allclose(cents(heard, expected), 0, atol=1)
    for tone, side in ((heard[0][0], 0), (heard[0][1], 1)):
        level = decibels(band(sound[: SECOND * FRAME, [side]], tone * 0.9, tone * 1.1))
        other = decibels(band(sound[: SECOND * FRAME, [1 - side]], tone * 0.9, tone * 1.1))
        assert level > other + 3


@pytest.mark.parametrize("runs", [1, 2, 4, 12])
def test_runs_never_meet(runs):
    """However far the members are off, no voice reaches another run's, nor the earcons' band."""
    wild = [part(SPREADS, [[1e9] * 3, [-1e9] * 3], str(run)) for run in range(runs)]
    score = ensemble_score(wild, each_shown(3, 1))
    lowest, highest = (each(score.pitch.reshape(runs, -1), axis=1) for each in (np.min, np.max))
    assert (highest[:-1] <= lowest[1:] * (1 + 1e-9)).all()
    assert highest[-1] < 2950
    places = score.pan.reshape(runs, -1)
    assert (places[:-1, -1] < places[1:, 0]).all()


def test_runs_may_show_different_epochs():
    """A run that was recorded more rarely holds what it has."""
    parts = [agreeing(SPREADS, name="a"), agreeing([0.1, 10], name="b")]
    score = ensemble_score(parts, [[0, 1, 2, 2], [0, 0, 1, 1]])
    low, high = score.registers.T
    np.testing.assert_allclose(score.pitch[:, [0, 2]], np.stack([low, high], axis=1))
    assert score.pitch[0, 1] == pytest.approx(np.sqrt(low[0] * high[0]))
    assert score.pitch[1, 1] == pytest.approx(low[1])


def test_a_large_ensemble_is_heard_by_evenly_spaced_ranks():
    """The extremes are among them; one without a voice that turns NaN is marked in the middle."""
    shuffled = np.random.default_rng(0).permutation(1000)
    deviation = np.tile(shuffled[:, None] / 100, 2)
    choir = part([1, 10], deviation)
    ranks = np.sort(shuffled[choir.heard])
    assert len(ranks) == MOST_VOICES
    assert (ranks[0], ranks[-1]) == (0, 999)
    assert set(np.diff(ranks)) <= {15, 16}
    silent = np.setdiff1d(np.arange(1000), choir.heard)[0]
    deviation[silent, 1] = nan
    score = ensemble_score([part([1, 10], deviation)], [0, 1])
    assert [(e.sample, e.kind, e.voice) for e in score.events] == [(FRAME, Kind.NAN, -1)]
    assert any("64 of 1000" in note for note in score.frames.notes)


def test_earcons_end_with_the_sound():
    """One that begins in the last frame is short enough not to be cut."""
    score = ensemble_score([part([1, 1], [[0, 0], [0, nan]])], [0, 0, 0, 1])
    assert [event.sample + event.length for event in score.events] == [4 * FRAME]


@pytest.mark.parametrize(
    ("shown", "fps", "message"),
    [
        ([0, 3], 30, "0 to 3 are shown; expected 0 to 2"),
        ([-1, 0], 30, "-1 to 0 are shown"),
        ([], 30, "expected some of both"),
        ([0], 24, "fps is 24"),
        ([0], 0, "fps is 0"),
    ],
)
def test_a_clock_that_does_not_fit_is_refused(shown, fps, message):
    """With what was given and what was expected."""
    with pytest.raises(ValueError, match=message):
        ensemble_score([agreeing(SPREADS)], shown, fps)


@pytest.mark.parametrize(
    ("spread", "deviation"), [([1, 2], [[0]]), ([], np.empty((3, 0))), ([1], np.empty((0, 1)))]
)
def test_shapes_that_do_not_fit_are_refused(spread, deviation):
    """An ensemble has at least one member and one epoch, and a spread for each epoch."""
    with pytest.raises(ValueError, match="at least one of each"):
        part(spread, deviation)
