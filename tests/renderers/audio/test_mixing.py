"""Voices are as loud as asked; an earcon is as loud as it always is, as the file itself shows."""

from dataclasses import replace

import numpy as np
import pyloudnorm
import pytest
import soundfile
from scipy import signal

from epochord.renderers.audio import AudioSettings, render_audio
from epochord.renderers.audio.level.measure import UNTOUCHED
from epochord.renderers.audio.mixing import levels, mixed
from epochord.renderers.audio.readback import read_back
from epochord.renderers.audio.samples import sound
from epochord.renderers.audio.scoring.compose import scores_together
from epochord.renderers.audio.scoring.events import Event, Kind

RATE = 44_100  # Hz
NAN_HZ = (3000, 3450)
LAYERS = [f"layer{n:02d}.weight" for n in range(12)]
VOICINGS = ("lanes", "roll", "sequence")


def norms(layers=4, steps=200, seed=0):
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, 0.05, (layers, steps)), axis=1)
    return dict(zip(LAYERS, np.exp(walk), strict=False))


def onset_db(path, hertz=NAN_HZ):
    """Power in dBFS of the loudest 50 ms in a band, both channels together."""
    samples, rate = soundfile.read(path, always_2d=True)
    band = signal.butter(6, hertz, "bandpass", fs=rate, output="sos")
    power = np.square(signal.sosfiltfilt(band, samples, axis=0)).sum(axis=1)
    window = round(0.05 * rate)
    sums = np.cumsum(np.concatenate([[0], power]))
    return 10 * np.log10((sums[window:] - sums[:-window]).max() / window)


def true_peak_db(path):
    samples, _ = soundfile.read(path)
    fine = signal.resample_poly(samples, 8, 1, axis=0, window=("kaiser", 12.0))
    return 20 * np.log10(np.abs(fine).max())


def loudness(samples):
    return pyloudnorm.Meter(RATE).integrated_loudness(np.asarray(samples, np.float64))


def rendered(run, folder, **settings):
    return render_audio(run, folder, AudioSettings.of(**settings))


@pytest.mark.parametrize("voicing", VOICINGS)
@pytest.mark.parametrize("layers", [1, 4, 12])
def test_an_earcon_is_as_loud_whatever_the_voices_do(make_run, tmp_path, voicing, layers):
    """NaN of all layers from the first step on, from late on, and beside none but them."""
    nothing, late = norms(layers), norms(layers)
    for row in nothing.values():
        row[:] = np.nan
    for row in late.values():
        row[150:] = np.nan
    heard = [
        onset_db(rendered(make_run(each), tmp_path / str(place), voicing=voicing).path)
        for place, each in enumerate((nothing, late))
    ]
    assert abs(heard[0] - heard[1]) < 1


@pytest.mark.parametrize("voicing", ["lanes", "roll"])
def test_one_layer_that_is_nan_is_as_loud_among_few_as_among_many(make_run, tmp_path, voicing):
    """And alone; the earcon depends on nothing but itself."""
    heard = []
    for layers in (1, 4, 12):
        each = norms(layers)
        each[LAYERS[0]][100:] = np.nan
        heard.append(
            onset_db(rendered(make_run(each), tmp_path / str(layers), voicing=voicing).path)
        )
    assert np.ptp(heard) < 1


@pytest.mark.parametrize("voicing", ["lanes", "roll"])
def test_all_layers_at_once_are_hardly_louder_than_one(make_run, tmp_path, voicing):
    """An all-NaN log does not shout: 3 dB more than one layer of an ordinary log at most."""
    one, every = norms(12), norms(12)
    one[LAYERS[6]][100:] = np.nan
    for row in every.values():
        row[:] = np.nan
    single, crowd = (
        onset_db(rendered(make_run(each), tmp_path / str(place), voicing=voicing).path)
        for place, each in enumerate((one, every))
    )
    assert -1 < crowd - single < 3.1


@pytest.mark.parametrize("voicing", VOICINGS)
@pytest.mark.parametrize("only", [True, False])
def test_earcons_follow_the_loudness_that_is_asked_for(make_run, tmp_path, voicing, only):
    """Ten decibels less of everything are ten less of them."""
    each = norms(2)
    for row in each.values():
        row[0 if only else 120 :] = np.nan
    loud, soft = (
        onset_db(rendered(make_run(each), tmp_path / str(lufs), voicing=voicing, lufs=lufs).path)
        for lufs in (-23.0, -33.0)
    )
    assert loud - soft == pytest.approx(10, abs=0.1)


@pytest.mark.parametrize("voicing", VOICINGS)
@pytest.mark.parametrize("lufs", [-23.0, -14.0, -6.0])
def test_many_earcons_stay_below_the_ceiling(make_run, tmp_path, voicing, lufs):
    """Twelve layers that break and heal all together, as an independent meter has it."""
    each = norms(12)
    for row in each.values():
        row[20:180:7] = np.nan
        row[23:180:7] = np.inf
        row[100:140] = 0
    result = rendered(make_run(each), tmp_path, voicing=voicing, lufs=lufs)
    assert true_peak_db(result.path) <= -1
    said = result.description["loudness"]["true_peak_dbtp"]
    assert said == pytest.approx(true_peak_db(result.path), abs=0.2)


@pytest.mark.parametrize("voicing", VOICINGS)
@pytest.mark.parametrize("lufs", [-23.0, -30.0])
def test_the_voices_alone_have_the_loudness_asked_for(make_run, voicing, lufs):
    """Whatever else is in the sound."""
    each = norms(4)
    each[LAYERS[0]][50:150:20] = np.nan
    each[LAYERS[1]][120:] = 0
    made = sound(make_run(each), AudioSettings.of(voicing=voicing, lufs=lufs))
    assert made.score.events
    alone = [replace(made.score, events=())]
    assert loudness(np.concatenate([*mixed(alone, made.level)])) == pytest.approx(lufs, abs=0.1)
    assert loudness(made.samples) == pytest.approx(made.level.lufs, abs=0.1)
    assert loudness(made.samples) > lufs


def test_an_event_has_the_level_that_it_says(make_run):
    """Its RMS in full scale, in a sound of -23 LUFS, on top of the voices."""
    made = sound(make_run(norms()), AudioSettings.of(voicing="lanes"))
    event = Event(RATE, Kind.NAN, -1, 4000, 0.05)
    score = replace(made.score, events=(event,))
    (level,) = levels([[score]], -23.0)
    both, alone = (
        np.concatenate([*mixed([each], level)]) for each in (score, replace(score, events=()))
    )
    added = (both - alone)[RATE : RATE + 4000]
    assert np.sqrt(np.square(added, dtype=np.float64).sum(axis=1).mean()) == pytest.approx(
        0.05, rel=1e-3
    )
    assert not (both - alone)[: RATE - 1].any()


def test_runs_together_have_one_gain_also_where_one_is_full_of_earcons(make_run):
    """What is louder stays louder, and all stay below the ceiling."""
    broken = norms(12)
    for row in broken.values():
        row[20:180:3] = np.nan
    runs = [make_run(norms(12)), make_run(broken, name="broken")]
    scores, _ = scores_together(runs, AudioSettings())
    found = levels([[score] for score in scores], -6.0)
    assert found[0].gain == found[1].gain
    peaks = []
    for score, level in zip(scores, found, strict=True):
        fine = signal.resample_poly(
            np.concatenate([*mixed([score], level)]), 8, 1, axis=0, window=("kaiser", 12.0)
        )
        peaks.append(20 * np.log10(np.abs(fine).max()))
        assert peaks[-1] == pytest.approx(level.true_peak_dbtp, abs=0.2)
    assert max(peaks) == pytest.approx(-1, abs=0.1)


def test_the_original_is_left_as_it_is(make_run):
    """It has no level, together or alone."""
    runs = [make_run(norms()), make_run(norms(seed=1), name="other")]
    scores, _ = scores_together(runs, AudioSettings.of(voicing="original"))
    assert levels([[score] for score in scores], -23.0) == [UNTOUCHED] * 2


@pytest.mark.parametrize(("lufs", "legend"), [(-23.0, False), (-8.0, True)])
@pytest.mark.parametrize("layers", [1, 4])
@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_sound_with_earcons_is_read_as_exactly_as_one_without(
    make_run, tmp_path, layers, value, lufs, legend
):
    """By the level of its marks in audio.json, also where the ceiling made everything softer."""
    broken = norms(layers)
    broken[LAYERS[layers - 1]][100:] = value
    for row in broken.values():  # nothing sounds but bells, noise and the breath of a run
        row[40:70] = value
    worst = {}
    for name, each in (("broken", broken), ("whole", norms(layers))):
        folder = tmp_path / name
        asked = {"voicing": "lanes", "lufs": lufs, "legend": legend, "format": "wav24"}
        result = rendered(make_run(each), folder, **asked)
        found = read_back(result.path)
        worst[name] = max(back.errors.max() for back in found)
        for back, row in zip(found, each.values(), strict=True):
            silent = (row == 0) | ~np.isfinite(row)
            np.testing.assert_array_equal(np.isnan(back.values), silent)
            np.testing.assert_array_equal(np.isnan(back.logged), silent)
    assert worst["broken"] < max(2 * worst["whole"], 1e-3)
