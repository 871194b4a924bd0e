"""What is not a number is heard, and told apart, by a detector that knows only bands and frames."""

import json
from itertools import pairwise

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from epochord.renderers.audio import AudioSettings, render_audio
from epochord.renderers.audio.scoring.events import Event, Kind
from epochord.renderers.audio.scoring.registers import registers
from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.score import EVENTS
from epochord.renderers.audio.scoring.style import Style
from epochord.renderers.audio.scoring.voicings import lanes
from epochord.renderers.audio.synthesis.blocks import blocks
from epochord.renderers.audio.synthesis.earcons import BANDS, earcon, overlay
from epochord.renderers.audio.synthesis.glide import pan_gains

RATE = 44_100  # Hz
FRAME = 2646  # samples: 60 ms
LAYERS = 4
KINDS = {Kind.NAN: np.nan, Kind.POSITIVE_INFINITY: np.inf, Kind.NEGATIVE_INFINITY: -np.inf}
# To the voices' power: well below any of these earcons, and below a tick.
HEARD_DB, TICK_DB = -18.0, -30.0
HIGH = [kind for kind in BANDS if min(BANDS[kind]) > 2800]  # those above the voices


def norms(steps, seed=0):
    """Random walks of each layer within two decades."""
    walk = np.cumsum(np.random.default_rng(seed).normal(0, 0.1, (LAYERS, steps)), axis=1)
    return 10 ** (np.abs(walk % 4 - 2) - 1)


def powers(path):
    """Mean squares of each frame by frequency, both channels together; and the frequencies."""
    samples, rate = soundfile.read(path)
    assert rate == RATE
    return spectra(samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME, 2))


def spectra(frames):
    window = signal.windows.hann(FRAME, sym=False)[:, None]
    squares = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    return squares.sum(axis=2) * 2 / (FRAME * np.square(window).sum()), np.fft.rfftfreq(
        FRAME, 1 / RATE
    )


def within(power, hertz, low, high):
    return power[:, (hertz >= low) & (hertz <= high)].sum(axis=1)


def found(path, threshold_db=HEARD_DB):
    """Tell in which frames each kind of earcon sounds louder than that to the voices."""
    power, hertz = powers(path)
    voices = np.median(within(power, hertz, 0, 2850))
    frames = {}
    for kind in HIGH:
        band = BANDS[kind]
        margin = 40 if band[0] == band[1] else 0
        loud = within(power, hertz, min(band) - margin, max(band) + margin)
        frames[kind] = set(np.flatnonzero(loud > voices * 10 ** (threshold_db / 10)).tolist())
    return frames


def silent(path):
    """Tell which voices are silent in which frames, by their registers [shape=(voices, frames)]."""
    power, hertz = powers(path)
    own = np.array(
        [within(power, hertz, low * 0.97, high * 1.03) for low, high in registers(LAYERS)]
    )
    return own < np.median(own, axis=1, keepdims=True) * 0.05


def stretches(row):
    """Give (begin, end, value) of each stretch of equal values."""
    edges = [0, *(np.flatnonzero(np.diff(row)) + 1).tolist(), len(row)]
    return [(begin, end, row[begin]) for begin, end in pairwise(edges)]


def render(make_run, tmp_path, values, settings=None, **others):
    run = make_run(
        {f"{layer}.weight": row for layer, row in zip("abcd", values, strict=True)}, **others
    )
    return render_audio(run, tmp_path, settings or AudioSettings("lanes"))


@pytest.mark.parametrize("seed", range(20))
def test_an_independent_detector_finds_each_kind_where_it_was_put(make_run, tmp_path, seed):
    """A hundred random places in three hundred steps, in a 16-bit file: all, and nothing else."""
    rng = np.random.default_rng(seed)
    values, put = norms(300, seed), np.zeros((LAYERS, 300), int)
    places = rng.choice(values.size, 100, replace=False)
    put.flat[places] = rng.integers(1, 4, 100)
    for number, value in enumerate(KINDS.values(), start=1):
        values[put == number] = value
    result = render(make_run, tmp_path, values)
    assert soundfile.info(result.path).subtype == "PCM_16"
    heard = found(result.path)
    each = [stretch for row in put for stretch in stretches(row)]
    for number, kind in enumerate(KINDS, start=1):
        assert heard[kind] == {begin for begin, _, what in each if what == number}
        assert result.description["events"][kind] == sum(what == number for _, _, what in each)
    ends = {
        end for row in put for _, end, what in stretches(row) if what and end < 300 and not row[end]
    }
    assert heard[Kind.END] == ends
    assert not heard[Kind.EPOCH] | heard[Kind.ABOVE]
    np.testing.assert_array_equal(silent(result.path), put > 0)


@pytest.mark.parametrize("voicing", ["lanes", "sequence"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_lasts_is_one_alarm_and_soft_pulses(make_run, tmp_path, kind, voicing):
    """180 steps of it: at the onset, then a little softer each 0.6 s, and a ping at the end."""
    values = norms(260)
    values[2, 40:220] = KINDS[kind]
    result = render(make_run, tmp_path, values, AudioSettings(voicing))
    heard = found(result.path)
    assert sorted(heard[kind]) == list(range(40, 220, 10))
    assert heard[Kind.END] == {220}
    power, hertz = powers(result.path)
    own = within(power, hertz, min(BANDS[kind]), max(BANDS[kind]))
    assert 10 * np.log10(own[40] / own[50]) == pytest.approx(2, abs=0.2)
    assert result.description["events"] == {kind: 1, "end": 1}


def test_what_lasts_to_the_end_has_no_end(make_run, tmp_path):
    """And what becomes another kind is an alarm of that kind instead."""
    values = norms(70)
    values[0, 10:20] = np.inf
    values[0, 20:] = np.nan
    heard = found(render(make_run, tmp_path, values).path)
    assert heard[Kind.POSITIVE_INFINITY] == {10}
    assert heard[Kind.NAN] == set(range(20, 70, 10))
    assert not heard[Kind.END]


def test_all_layers_at_once_are_heard_as_that_kind_only(make_run, tmp_path):
    """The usual way for a run to end."""
    for kind, value in KINDS.items():
        values = norms(70)
        values[:, 45:] = value
        heard = found(render(make_run, tmp_path, values).path)
        assert min(heard[kind]) == 45
        assert not set.union(*(frames for other, frames in heard.items() if other != kind))


@pytest.mark.parametrize("kind", KINDS)
def test_many_layers_at_once_do_not_shout(make_frames, kind):
    """Twelve onsets together are 3 dB louder than one."""
    values = np.ones((12, 20))
    values[:, 10:] = KINDS[kind]
    values[0, 5] = KINDS[kind]
    score = lanes(make_frames(values), Style(scales={"norm": Scale(0.1, 10.0)}))
    frames = np.concatenate(list(blocks(score)))[: 20 * FRAME].reshape(20, FRAME, 2)
    power, hertz = spectra(frames)
    voices = within(power, hertz, 0, 2850)[3]
    own = within(power, hertz, min(BANDS[kind]), max(BANDS[kind]))
    assert own[10] == pytest.approx(2 * own[5], rel=0.2)
    assert own[5] > voices * 10 ** (HEARD_DB / 10)


def test_a_dead_layer_says_so_once(make_run, tmp_path):
    """Each time that it dies for long; it is silent meanwhile, and that is no alarm."""
    values = norms(80)
    values[3, 30:50] = 0
    values[3, 60:] = 0
    result = render(make_run, tmp_path, values)
    assert not set.union(*found(result.path).values())
    np.testing.assert_array_equal(silent(result.path)[3], values[3] == 0)
    score = pq.read_schema(tmp_path / "audio.score.parquet")
    bells = json.loads(score.metadata[EVENTS.encode()])
    assert [(bell["sample"] // FRAME, bell["voice"]) for bell in bells] == [(30, 3), (60, 3)]
    assert result.description["events"] == {"dead": 2}


def test_a_run_of_zeros_only_says_so_and_breathes(make_run, tmp_path):
    """One bell a layer, and then nothing above the breath, which never stops."""
    result = render(make_run, tmp_path, np.zeros((LAYERS, 100)))
    power, hertz = powers(result.path)
    low, high = BANDS[Kind.RUNNING]
    behind = slice(12, 90)
    assert (within(power, hertz, high + 60, 20_000)[behind] < 1e-8).all()
    assert np.convolve(within(power, hertz, low, high)[behind], np.ones(10)).min() > 0
    assert result.description["events"] == {"dead": LAYERS}
    assert result.description["counts"]["zero"] == 100 * LAYERS


@pytest.mark.parametrize(
    ("epoch", "ends"),
    [
        (np.arange(100) // 25, {25, 50, 75}),
        (np.arange(100) / 25, {25, 50, 75}),
        (np.where(np.arange(100) == 60, np.nan, np.arange(100) // 25), {25, 50, 75}),
        (np.arange(100), set()),  # a tick a step would be a rattle
        (np.zeros(100), set()),
    ],
)
def test_the_ends_of_epochs_tick(make_run, tmp_path, epoch, ends):
    """Quietly, where the log counts them, whole or in fractions."""
    result = render(make_run, tmp_path, norms(100), epoch=epoch)
    assert found(result.path, TICK_DB)[Kind.EPOCH] == ends
    assert result.description["events"].get("epoch", 0) == len(ends)


def test_only_the_epochs_that_are_heard_tick(make_run, tmp_path):
    """Those before and behind a range of steps do not sound at its ends."""
    settings = AudioSettings("lanes", steps=(30, 100))
    result = render(make_run, tmp_path, norms(100), settings, epoch=np.arange(100) // 25)
    assert found(result.path, TICK_DB)[Kind.EPOCH] == {20, 45}
    assert result.description["events"] == {"epoch": 2}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("length", [2381, 5292, 26_460])
def test_an_earcon_keeps_to_its_band(kind, length):
    """Little lies outside of it, but a bell's partials; its power is one; it does not click."""
    wave = earcon(kind, length, RATE).astype(np.float64)
    assert np.mean(wave**2) == pytest.approx(1, rel=1e-5)
    power = np.abs(np.fft.rfft(wave, 1 << 16)) ** 2
    hertz = np.fft.rfftfreq(1 << 16, 1 / RATE)
    low, high = min(BANDS[kind]), max(BANDS[kind])
    if kind is Kind.DEAD:
        high *= 6
    own = (hertz > low - 100) & (hertz < high + 100)
    assert 10 * np.log10(power[~own].sum() / power.sum()) < -20
    assert 10 * np.log10(power[hertz > 8000].sum() / power.sum()) < -55
    assert np.abs(wave[[0, -1]]).max() < 0.01


def test_what_leaves_the_numbers_lies_above_the_voices_each_in_its_band():
    """In the order of frequency each ends before the next one begins; pips share theirs."""
    bands = sorted({(min(BANDS[kind]), max(BANDS[kind])) for kind in HIGH})
    assert all(high + 80 < low for (_, high), (low, _) in pairwise(bands))
    assert registers(12).max() < bands[0][0]


@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.sampled_from(list(Kind)), st.integers(-1, 2)), max_size=8
    ),
    st.lists(st.integers(1, 400), min_size=1, max_size=8),
)
def test_earcons_are_added_alike_however_the_sound_is_cut(given_events, sizes):
    """Each in its place of time and space; one that reaches beyond the end is cut off there."""
    events = [Event(at, kind, voice, 300, 0.5) for at, kind, voice in sorted(given_events)]
    cuts = np.split(np.zeros((1000, 2), np.float32), np.minimum(np.cumsum(sizes), 1000))
    sides = pan_gains([-1, 0, 0.5])
    made = np.concatenate(list(overlay(cuts, events, sides, RATE)))
    expected = np.zeros((1300, 2))
    for event in events:
        place = sides[:, event.voice] if event.voice >= 0 else [0.5**0.5, 0.5**0.5]
        expected[event.sample :][:300] += 0.5 * earcon(event.kind, 300, RATE)[:, None] * place
    np.testing.assert_allclose(made, expected[:1000], atol=1e-5)


@pytest.mark.parametrize("length", [1, 2, 5, 6, 441, 1323, 2646, 4411])
def test_chirps_and_their_windows_are_scipys_to_the_bit(length):
    """A sine that goes from one frequency to another, and a ping of one, under SciPy's windows."""
    time = np.arange(length) / RATE
    for kind in (Kind.POSITIVE_INFINITY, Kind.NEGATIVE_INFINITY, Kind.END, Kind.EPOCH):
        low, high = BANDS[kind]
        sound = signal.chirp(time, low, max(time[-1], 1e-9), high, phi=-90)
        sound = sound * signal.windows.tukey(length, 1.0 if low == high else 0.4)
        expected = sound / max(np.sqrt(np.mean(np.square(sound))), 1e-9)
        np.testing.assert_array_equal(earcon(kind, length, RATE), expected.astype(np.float32))
