"""The spectrogram of a run is librosa's of its sound, and says which step is heard when."""

import librosa
import librosa.display
import matplotlib as mpl
import numpy as np
import pytest
import soundfile
from matplotlib.figure import Figure

from epochord.renderers.audio import render_audio, sound
from epochord.renderers.audio.spectrogram import spectrogram
from epochord.runlog import LogError

mpl.use("Agg")


@pytest.fixture
def run(make_run):
    norms = {"a.weight": np.geomspace(1, 50, 60), "b.weight": np.geomspace(50, 1, 60)}
    return make_run(norms)


@pytest.mark.parametrize("shape", [{}, {"mels": 80, "hop_length": 300, "window": 1024}])
def test_it_is_librosas_in_absolute_decibels(run, shape):
    """Of the whole sound at once, of the average of its channels."""
    heard = sound(run)
    names = {"mels": "n_mels", "hop_length": "hop_length", "window": "n_fft"}
    power = librosa.feature.melspectrogram(
        y=heard.samples.mean(axis=1), sr=heard.sample_rate, pad_mode="constant",
        **{names[name]: value for name, value in shape.items()},
    )  # fmt: skip
    seen = spectrogram(heard, **shape)
    expected = librosa.power_to_db(power, ref=1.0, top_db=None)
    # Near the floor, float32 leaves less of what loud neighbours leak.
    tolerance = np.where(expected > -60, 1e-3, 0.05)
    assert (np.abs(seen.db - expected) <= tolerance).all()
    assert seen.db.dtype == np.float32
    mels = seen.db.shape[0]
    np.testing.assert_allclose(
        seen.frequencies, librosa.mel_frequencies(mels + 2, fmax=heard.sample_rate / 2)[1:-1]
    )
    times = librosa.times_like(power, sr=heard.sample_rate, hop_length=shape.get("hop_length", 512))
    np.testing.assert_allclose(seen.times, times)


def test_a_run_a_sound_and_its_file_have_one_spectrogram(run, tmp_path):
    """Bit for bit; only the file does not know the steps."""
    path = render_audio(run, tmp_path / "x.wav", format="wav32f").path
    of_run, of_sound, of_file = (spectrogram(each) for each in (run, sound(run), str(path)))
    np.testing.assert_array_equal(of_run.db, of_sound.db)
    np.testing.assert_array_equal(of_run.db, of_file.db)
    np.testing.assert_array_equal(of_run.steps, of_sound.steps)
    assert of_file.steps is None


def test_the_steps_are_those_that_are_heard(run):
    """At the centre of each frame; behind the last one it fades."""
    seen = spectrogram(run)
    assert seen.steps.dtype == np.int64
    expected = np.minimum(np.floor(seen.times / (4 / 60) + 1e-9), 59)
    np.testing.assert_array_equal(seen.steps, expected)


def test_a_legend_has_no_step(run):
    """What follows it begins with the first one."""
    heard = sound(run, legend=True)
    seen = spectrogram(heard)
    before = seen.times < heard.offset / heard.sample_rate
    assert set(seen.steps[before]) == {-1}
    assert seen.steps[~before][0] == 0


def test_it_can_be_drawn_in_a_third_line(run):
    """Bands and frames lie where librosa draws them: nothing warns, the axes hold all of it."""
    s, figure = spectrogram(run), Figure()
    drawn = librosa.display.specshow(
        s.db, x_coords=s.times, y_coords=s.frequencies, x_axis="time", y_axis="mel",
        ax=figure.add_subplot(),
    )  # fmt: skip
    np.testing.assert_array_equal(drawn.get_array(), s.db)
    low, high = drawn.axes.get_ylim()
    assert low <= s.frequencies[0]
    assert s.frequencies[-1] <= high


@pytest.mark.parametrize("there", [True, False])
def test_a_file_that_is_no_sound_is_named(tmp_path, there):
    """Or that is not there."""
    path = tmp_path / "x.wav"
    if there:
        path.write_text("no sound")
    with pytest.raises(LogError, match=r"x\.wav: cannot be read as audio"):
        spectrogram(path)


def test_a_spectrogram_shows_itself(run, tmp_path):
    """In one line, and as a picture of every band."""
    seen = spectrogram(run)
    assert repr(seen) == "<Spectrogram: 128 mels × 345 frames, 3.99 s, steps 0…59>"
    assert seen._repr_html_().startswith('<img alt="Mel spectrogram" src="data:image/png;base64,')
    soundfile.write(tmp_path / "x.wav", np.zeros(44_100), 44_100)
    assert repr(spectrogram(tmp_path / "x.wav")).endswith("1.00 s>")
