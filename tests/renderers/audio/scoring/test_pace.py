"""The pace is the original's up to a minute; what is longer, or asked for, is fitted in."""

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.audio import AudioSettings, render_audio
from epochord.renderers.audio.scoring.pace import pace

LIMIT = 60.0  # s
VOICINGS = st.sampled_from(["lanes", "sequence", "original"])


@pytest.mark.parametrize("voicing", ["lanes", "sequence", "original"])
def test_the_usual_pace_is_the_originals(voicing):
    """60 ms a step of four layers: four tones of 10 ms and a pause of 20 ms."""
    made = pace(AudioSettings(voicing), 201, 4)
    assert made == (201, pytest.approx(0.06), pytest.approx(0.01), pytest.approx(0.02))


@pytest.mark.parametrize("steps", [67, 999, 1000])
def test_up_to_a_minute_each_step_is_a_frame(steps):
    """Of 60 ms."""
    assert pace(AudioSettings(), steps, 12)[:2] == (steps, 0.06)


@pytest.mark.parametrize(("steps", "seconds"), [(2, 4), (3, 4), (10, 4), (66, 4), (67, 4.02)])
@pytest.mark.parametrize("voicing", ["lanes", "sequence"])
def test_a_short_run_is_heard_for_four_seconds(steps, seconds, voicing):
    """Not as a blip of 60 ms a step; of very few steps each takes two seconds at most."""
    made = pace(AudioSettings(voicing), steps, 4)
    assert made.frames == steps
    assert made.frames * made.frame == pytest.approx(seconds)
    assert made.frame <= 2


@pytest.mark.parametrize("steps", [1001, 100_000, 10_000_000])
@pytest.mark.parametrize("voicing", ["lanes", "sequence"])
def test_longer_runs_are_reduced_to_a_minute(steps, voicing):
    """At the same pace, as nearly as whole frames allow."""
    frames, frame, tone, silence = pace(AudioSettings(voicing), steps, 4)
    assert frames * frame == pytest.approx(LIMIT)
    assert frame == pytest.approx(0.06)
    assert 4 * tone + silence == pytest.approx(frame)


def test_the_original_is_as_long_as_it_is():
    """It keeps a tone for every norm, unless it is asked for less."""
    assert pace(AudioSettings("original"), 10_000, 4)[:2] == (10_000, pytest.approx(0.06))


@given(st.floats(0.05, 3600), st.integers(1, 10**7), st.integers(1, 12), VOICINGS)
def test_a_duration_is_kept(duration, steps, voices, voicing):
    """However many steps there are; none is repeated, and frames are no shorter than usual."""
    made = pace(AudioSettings(voicing, duration=duration), steps, voices)
    assert 1 <= made.frames <= steps
    assert made.frames * made.frame == pytest.approx(duration)
    usual = 0.06 if voicing == "lanes" else voices * 0.01 + 0.02
    assert made.frame >= min(0.66 * usual, duration * 0.999)
    if voicing != "lanes":
        assert voices * made.tone + made.silence == pytest.approx(made.frame)


@given(st.floats(1e-3, 1000), st.integers(1, 10**7), st.integers(1, 12), VOICINGS)
def test_steps_a_second_are_kept(rate, steps, voices, voicing):
    """Whatever the voicing; what would pass too fast is joined to frames of 10 ms."""
    made = pace(AudioSettings(voicing, steps_per_second=rate), steps, voices)
    assert made.frames * made.frame == pytest.approx(steps / rate)
    assert 1 <= made.frames <= steps
    if rate <= 100:
        assert made.frames == steps
    elif made.frames > 1:
        assert made.frame == pytest.approx(0.01, rel=0.5)


@given(st.floats(0.001, 10), st.floats(0, 10), st.integers(1, 100_000), st.integers(1, 12))
def test_any_tone_and_pause_make_a_pace(tone, silence, steps, voices):
    """Even where one step alone would take longer than a minute."""
    settings = AudioSettings("sequence", tone=tone, silence=silence)
    made = pace(settings, steps, voices)
    assert 1 <= made.frames <= steps
    assert made.frames * made.frame <= LIMIT * 1.001 or made.frames == 1
    assert voices * made.tone + made.silence == pytest.approx(made.frame)
    assert made.tone / made.frame == pytest.approx(tone / (voices * tone + silence))


@pytest.mark.parametrize("voicing", ["lanes", "sequence", "original"])
@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({}, None),
        ({"duration": 3.3}, 3.3),
        ({"duration": 0.4}, 0.4),
        ({"steps_per_second": 50}, 0.6),
    ],
)
def test_the_file_is_as_long_as_that(make_run, tmp_path, voicing, more, seconds):
    """To a half of a sample a tone, and the lanes' release of 2 ms."""
    run = make_run({f"{layer}.weight": np.arange(1, 31) for layer in "abc"})
    result = render_audio(run, tmp_path, AudioSettings(voicing, **more))
    expected = seconds or (1.5 if voicing == "original" else 4)
    info = soundfile.info(result.path)
    assert info.duration == pytest.approx(expected, abs=30 * 2 / 44_100 + 0.002)
    assert result.description["duration"] == pytest.approx(info.duration)
