"""Nothing sounds but what the score says: no clicks, no aliases."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from epochord.renderers.audio.scoring.scale import Scale, robust
from epochord.renderers.audio.scoring.style import TIMBRES, Style
from epochord.renderers.audio.scoring.voicings import lanes, sequence

RATE = 44_100  # Hz
DECADES = {"norm": Scale(1e-4, 1.0, "log")}
PACES = {"lanes": {"frame": 0.06}, "sequence": {"tone": 0.01, "silence": 0.02}}
VOICINGS = {"lanes": lanes, "sequence": sequence}


def walks(voices, steps, seed=0):
    """Random walks over four decades, reflected at their ends."""
    steps = np.random.default_rng(seed).normal(0, 0.2, (voices, steps))
    return 10 ** -np.abs((np.cumsum(steps, axis=1) - 2) % 8 - 4)


def high_db(samples, cutoff=8000.0):
    """Energy above the cutoff, to the whole, over the clip and the silence around it."""
    padded = np.pad(samples, ((1000, 1000), (0, 0)))
    power = np.square(np.abs(np.fft.rfft(padded, axis=0))).sum(axis=1)
    hertz = np.fft.rfftfreq(len(padded), 1 / RATE)
    return 10 * np.log10(power[hertz > cutoff].sum() / power.sum())


@pytest.mark.parametrize("voicing", VOICINGS)
@pytest.mark.parametrize("voices", [1, 4, 12])
@pytest.mark.parametrize("gaps", ["never", "sometimes", "often"])
def test_there_are_no_clicks(make_frames, sound, voicing, voices, gaps):
    """Above 8 kHz lies at most -60 dB: where voices fall silent and come back, and at the end."""
    values = walks(voices, 60)
    share = {"never": 0, "sometimes": 0.1, "often": 0.5}[gaps]
    values[np.random.default_rng(1).random(values.shape) < share] = np.nan
    values[:, -1] = 1e-2
    score = VOICINGS[voicing](make_frames(values), Style(scales=DECADES, **PACES[voicing]))
    sounding = score.pitch[score.gain > 0]
    score = replace(score, pitch=np.minimum(score.pitch, 1990), events=())
    assert sounding.size
    assert high_db(sound(score)) <= -60


@pytest.mark.parametrize("frame", [0.01, 0.02, 0.3])
def test_lanes_do_not_click_at_any_pace(make_frames, sound, frame):
    """Their glides are a share of the frame, which may be short."""
    values = walks(4, 60)
    values[:, 20::7] = 0
    score = lanes(make_frames(values), Style(scales=DECADES, frame=frame))
    assert high_db(sound(replace(score, events=()))) <= -60


def stray_db(samples, partials):
    """Energy away from the partials, to the whole."""
    window = signal.windows.kaiser(len(samples), 20)[:, None]  # side lobes below -150 dB
    power = np.square(np.abs(np.fft.rfft(samples * window, 1 << 17, axis=0))).sum(axis=1)
    hertz = np.fft.rfftfreq(1 << 17, 1 / RATE)
    near = 8 * RATE / len(samples)  # half of the window's main lobe, and a bit
    away = np.abs(hertz[:, None] - np.sort(partials)).min(axis=1) > near
    return 10 * np.log10(power[away].sum() / power.sum())


MAGNITUDES = [10.0**power for power in range(-30, 31, 3)]


def scores(make_frames, voicing, timbre, norms, scale):
    style = Style(scales={"norm": scale}, timbre=timbre, frame=0.5, tone=0.5, silence=0.0)
    return VOICINGS[voicing](make_frames(np.repeat(np.array(norms)[:, None], 2, axis=1)), style)


@pytest.mark.parametrize("timbre", TIMBRES)
@pytest.mark.parametrize("voicing", VOICINGS)
@pytest.mark.parametrize("which", ["its own", "shared"])
def test_there_are_no_aliases(make_frames, sound, voicing, timbre, which):
    """Constant norms of any magnitude: all energy above -80 dB lies at the partials meant."""
    everything = Scale(1e-30, 1e30)
    for norm in MAGNITUDES:
        scale = robust([np.full(9, norm)]) if which == "its own" else everything
        score = scores(make_frames, voicing, timbre, [norm], scale)
        samples = sound(score)[score.frame_length :][2000:-2000]
        pitch = score.pitch[0, 1]
        partials = pitch * np.arange(1, len(TIMBRES[timbre]) + 1)
        assert partials.max() <= 0.45 * RATE
        assert stray_db(samples, partials) < -80


@pytest.mark.parametrize("timbre", TIMBRES)
def test_no_partial_is_missing(make_frames, sound, timbre):
    """Each has the amplitude that the timbre gives it."""
    score = scores(make_frames, "lanes", timbre, [1.0], Scale(0.1, 10.0))
    samples = sound(score)[score.frame_length :][2000:-2000].astype(np.float64)
    time = np.arange(len(samples)) / RATE
    number = np.arange(1, len(TIMBRES[timbre]) + 1)
    window = signal.windows.blackmanharris(len(samples))
    tones = np.exp(-2j * np.pi * score.pitch[0, 1] * number[:, None] * time)
    found = np.abs((tones * window) @ samples.sum(axis=1)) * 2 / window.sum()
    np.testing.assert_allclose(found / found[0], TIMBRES[timbre], rtol=1e-3)


@pytest.mark.parametrize("voicing", VOICINGS)
def test_no_partial_of_any_timbre_comes_near_half_the_sampling_rate(make_frames, sound, voicing):
    """Where twenty harmonics of a high voice would, they are left out, and fade before it."""
    norms = np.tile([1e-4, 1e-4, 1e-4, 1.0, 1.0, 1.0, 1.0, 1e-4, 1e-4], 6)[None]
    style = Style(scales=DECADES, frame=0.1, tone=0.1, silence=0.0)
    score = replace(VOICINGS[voicing](make_frames(norms), style), partials=(1.0,) * 20)
    assert score.pitch.max() * 20 > 0.45 * RATE > score.pitch.min() * 20
    samples = sound(score)
    assert high_db(samples, 0.45 * RATE + 100) < -80
    lowest = score.pitch.min() * 20
    assert high_db(samples, lowest - 100) > -40  # where they fit, they sound
