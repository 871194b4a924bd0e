"""The written file is as loud as was asked for, and no converter makes it clip."""

import json

import numpy as np
import pyloudnorm
import pytest
import soundfile
from scipy import signal

from epochord.renderers.audio import AudioSettings, render_audio
from epochord.renderers.audio.level.measure import measure

CEILING_DBTP = -1.0
nan = float("nan")


def norms(layers, steps, seed=0):
    walk = np.cumsum(
        np.random.default_rng(seed).normal(0, min(0.2, 8 / steps), (layers, steps)), axis=1
    )
    return {f"layer{number}.weight": 10**row for number, row in enumerate(walk)}


def measured(path):
    """Loudness by pyloudnorm, and true peak in dBTP by scipy's resampler."""
    samples, rate = soundfile.read(path)
    fine = signal.resample_poly(samples, 8, 1, axis=0, window=("kaiser", 12.0))
    peak = 20 * np.log10(max(np.abs(fine).max(), np.abs(samples).max()))
    return pyloudnorm.Meter(rate).integrated_loudness(samples), peak


@pytest.mark.parametrize("voicing", ["lanes", "sequence"])
@pytest.mark.parametrize(
    ("layers", "steps", "more"),
    [
        (4, 60, {}),
        (1, 20, {}),
        (12, 30, {"timbre": "warm"}),
        (3, 40, {"lufs": -30.0, "legend": True}),
        (2, 2000, {"duration": 5.0, "lufs": -18.0}),
    ],
)
def test_the_loudness_is_the_one_asked_for(make_run, tmp_path, voicing, layers, steps, more):
    """To 0.1 LU, below the ceiling, and the description says so."""
    result = render_audio(make_run(norms(layers, steps)), tmp_path, AudioSettings(voicing, **more))
    loudness, peak = measured(result.path)
    assert loudness == pytest.approx(more.get("lufs", -23.0), abs=0.1)
    assert peak <= CEILING_DBTP
    said = json.loads((tmp_path / "audio.json").read_text())["loudness"]
    assert said["lufs"] == pytest.approx(loudness, abs=0.1)
    assert said["true_peak_dbtp"] == pytest.approx(peak, abs=0.2)


@pytest.mark.parametrize("format", ["wav16", "wav24", "wav32f", "flac", "ogg", "mp3"])
def test_every_format_is_equally_loud(make_run, tmp_path, format):
    """Also those whose encoders change the level by themselves."""
    result = render_audio(make_run(norms(4, 60)), tmp_path, AudioSettings(format=format))
    loudness, peak = measured(result.path)
    assert loudness == pytest.approx(-23, abs=0.1)
    assert peak <= CEILING_DBTP


@pytest.mark.parametrize("voicing", ["lanes", "sequence"])
def test_where_the_true_peak_binds_the_sound_stays_softer(make_run, tmp_path, voicing):
    """By gain alone: it touches the ceiling, and no sample is limited."""
    soft, loud = (AudioSettings(voicing, format="wav32f", lufs=lufs) for lufs in (-23.0, 0.0))
    run = make_run(norms(4, 60))
    before = render_audio(run, tmp_path / "soft", soft)
    after = render_audio(run, tmp_path / "loud", loud)
    loudness, peak = measured(after.path)
    assert loudness < -1
    assert peak == pytest.approx(CEILING_DBTP, abs=0.05)
    one, other = (soundfile.read(made.path)[0] for made in (before, after))
    np.testing.assert_allclose(other, one * (other.std() / one.std()), atol=1e-5)


def test_alarms_are_never_louder_than_what_they_are_about(make_run, tmp_path):
    """A run that is mostly not a number is no louder than others, and does not clip."""
    columns = norms(4, 120)
    for row in columns.values():
        row[15:] = nan
        row[30:110:7] = np.inf
    loudness, peak = measured(render_audio(make_run(columns), tmp_path).path)
    assert -30 < loudness < -20
    assert peak <= CEILING_DBTP


@pytest.mark.parametrize("voicing", ["lanes", "sequence"])
def test_what_is_too_short_to_be_measured_has_a_moderate_peak(make_run, tmp_path, voicing):
    """Less than 0.4 s has no loudness; its true peak is at the target, and it is said."""
    settings = AudioSettings(voicing, duration=0.3)
    result = render_audio(make_run(norms(2, 3)), tmp_path, settings)
    samples, rate = soundfile.read(result.path)
    assert len(samples) < 0.4 * rate
    assert 20 * np.log10(np.abs(signal.resample_poly(samples, 8, 1)).max()) == pytest.approx(
        -23, abs=0.1
    )
    assert result.description["loudness"]["lufs"] is None
    assert result.description["loudness"]["true_peak_dbtp"] == pytest.approx(-23)


def test_silence_stays_silence():
    """It is not made louder, and has neither loudness nor peak."""
    level = measure(
        iter([np.zeros((30_000, 2), np.float32)] * 3),
        sample_rate=44_100,
        channels=2,
        target_lufs=-23.0,
    )
    assert level.to_dict() == {
        "gain_db": 0.0, "marks_db": 0.0, "lufs": None, "true_peak_dbtp": None,
    }  # fmt: skip


def test_the_original_is_never_made_louder_or_softer(make_run, tmp_path):
    """Whatever loudness is asked for, its samples are the same."""
    run = make_run(norms(4, 30))
    made = [
        render_audio(run, tmp_path / str(lufs), AudioSettings("original", lufs=lufs))
        for lufs in (-23.0, -3.0)
    ]
    one, other = (soundfile.read(result.path, dtype="float32")[0] for result in made)
    np.testing.assert_array_equal(one, other)
    assert np.abs(one).max() <= np.float32(0.1)
    assert made[0].description["loudness"]["gain_db"] == 0
