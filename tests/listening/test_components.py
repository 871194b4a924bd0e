"""What is taken from a score is what sounds: against the samples and the product's own meter."""

from dataclasses import replace

import numpy as np
import pytest

from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.level.loudness import TARGET_LUFS
from epochord.renderers.audio.samples import Sound
from epochord.renderers.audio.scoring.compose import audio_score
from epochord.renderers.audio.scoring.events import Event, Kind
from epochord.renderers.audio.synthesis.blocks import blocks
from tests.listening.components import EARCON, components
from tests.listening.contours import contours
from tests.listening.masking import margins, small_speaker
from tests.listening.playback import MIX_DB
from tests.listening.troubles import norms

VOICINGS = ("lanes", "sequence")


def scored(voicing="lanes", layers=4, kind="healthy", **settings):
    return audio_score(norms(kind, 5, layers).run(), AudioSettings.of(voicing=voicing, **settings))


def power_by_frame(parts):
    """Return the power of all partials, over that of the mix, averaged over each frame."""
    power = 10 ** ((parts.level - MIX_DB) / 10)
    each = np.bincount(parts.moment, power, minlength=len(parts.share))
    return np.bincount(parts.frame, each * parts.share)


@pytest.mark.parametrize("voicing", VOICINGS)
@pytest.mark.parametrize("timbre", ["sine", "warm"])
@pytest.mark.parametrize("kind", ["healthy", "die"])
def test_power_is_that_of_the_samples(voicing, timbre, kind):
    """Frame by frame, but for what glides and fades; and played at one loudness."""
    settings = AudioSettings.of(voicing=voicing, timbre=timbre)
    score, scales = scored(voicing, kind=kind, timbre=timbre)
    sound = Sound("any", score, settings, scales)
    played = sound.samples[: score.frames.count * score.frame_length].astype(np.float64)
    squares = np.square(played).sum(axis=1).reshape(score.frames.count, -1).mean(axis=1)
    apart = 10 * np.log10(power_by_frame(components(score)) / squares) + TARGET_LUFS
    assert abs(np.median(apart)) < 0.1
    assert np.percentile(np.abs(apart), 90) < 1


def test_partials_lie_where_the_spectrum_has_its_peaks():
    """In a frame of four voices and an earcon, levels and all."""
    score, _ = scored(duration=60)
    event = Event(10 * score.frame_length, Kind.END, 2, score.frame_length, 0.05)
    score = replace(score, events=(event,))
    parts = components(score)
    here = parts.moment == 10
    sound = np.concatenate([*blocks(score)])[10 * score.frame_length :][: score.frame_length]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))[:, None], axis=0)) ** 2
    power = spectrum.sum(axis=1)
    frequency = np.fft.rfftfreq(len(sound), 1 / score.sample_rate)
    found = [power[np.abs(frequency - hz) < 15].sum() for hz in parts.frequency[here]]
    voices = parts.voice[here] != EARCON
    level = 10 * np.log10(np.array(found) / np.max(np.array(found)[voices]))
    expected = parts.level[here] - parts.level[here][voices].max()
    np.testing.assert_allclose(level[voices], expected[voices], atol=0.6)
    assert level[~voices].max() == pytest.approx(expected[~voices].max(), abs=3)
    loud = np.flatnonzero(~voices)[np.argmax(expected[~voices])]
    assert parts.frequency[here][loud] == pytest.approx(4700, rel=0.01)


def test_brightness_says_whose_harmonics_sound():
    """And how loud."""
    score, _ = scored(timbre="warm")
    share = np.zeros(score.pitch.shape, np.float32)
    share[3] = 0.5
    parts = components(replace(score, brightness=share))
    first = parts.moment == 0
    assert np.bincount(parts.voice[first]).tolist() == [1, 1, 1, len(score.partials)]
    level = parts.level[first & (parts.voice == 3)]
    assert level[1] - level[0] == pytest.approx(20 * np.log10(0.5 * score.partials[1]))


def test_voices_in_turn_do_not_sound_at_once():
    """Each moment has one voice at most."""
    parts = components(scored("sequence")[0])
    at_once = [len(set(parts.voice[parts.moment == moment])) for moment in range(50)]
    assert max(at_once) == 1


def test_what_is_heard_follows_what_sounds():
    """A voice that falls silent is no longer heard; the most prominent pitch is one that sounds."""
    score, _ = scored()
    score = replace(score, events=())
    gain = score.gain.copy()
    gain[2, 100:] = 0
    heard = contours(components(replace(score, gain=gain)), each=True)
    assert (heard.voices.loudness[2, :100] > 0.5).all()
    assert (heard.voices.loudness[2, 100:] == 0).all()
    pitches = 1200 * np.log2(score.pitch / 100)
    assert np.abs(pitches - heard.rows[2]).min(axis=0).max() < 1e-6


def test_margins_go_with_level_and_with_what_masks():
    """6 dB more is as much or, since what is louder spreads, more; the worst case is the worst."""
    score, _ = scored()
    event = Event(50 * score.frame_length, Kind.NAN, -1, 5000, 0.05)
    loud = replace(event, level=0.1, sample=80 * score.frame_length)
    one, two = margins(replace(score, events=(event, loud)))
    assert 6 < two.steady - one.steady < 9
    assert one.short < one.steady
    (here,) = margins(replace(score, events=(event,)), worst=False)
    assert here.steady >= one.steady - 0.1


def test_small_loudspeakers_lose_what_is_low():
    """And nothing else; harmonics bring a low voice back."""
    score, _ = scored()
    score = replace(score, events=())
    plain = small_speaker(score)
    assert 0.5 * plain.whole[0] < plain.small[0] < 0.8 * plain.whole[0]
    assert plain.small[-1] == pytest.approx(plain.whole[-1], rel=0.01)
    rich = small_speaker(replace(score, partials=(1.0, 1.0, 1.0, 1.0)))
    assert rich.small[0] > 0.7 * rich.whole[0]
