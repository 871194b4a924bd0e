"""Programs that speak: a sentence becomes samples at one level, or one line says why not."""

import shutil
import sys

import numpy as np
import pyloudnorm
import pytest

from epochord.renderers.audio.speech import SpeechError, clip, speaker, speakers

RATE = 44_100  # Hz
TEXT = "f c 2 falls, at step 120"


def loudness(samples):
    """Measure what is in both channels, independently, over at least a second."""
    both = np.tile(np.stack([samples, samples], axis=1), (1 + RATE // len(samples), 1))
    return pyloudnorm.Meter(RATE).integrated_loudness(both.astype(np.float64))


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000])
def test_any_rate_becomes_ours_at_one_level(speaks, rate):
    """The pitch stays, the silence around it goes, and it is 3 LU louder than voices are."""
    speaks(rate=rate, seconds=1.5)
    said = clip(speaker(), TEXT, RATE)
    assert len(said.samples) == pytest.approx(1.5 * RATE, abs=0.02 * RATE)
    power = np.abs(np.fft.rfft(said.samples, 1 << 18))
    assert power.argmax() * RATE / (1 << 18) == pytest.approx(440, abs=0.5)
    assert loudness(said.samples) == pytest.approx(-20, abs=0.1)


@pytest.mark.parametrize("seconds", [0.05, 0.3, 1.0, 7.0])
def test_short_sentences_are_as_loud_as_long_ones(speaks, seconds):
    """Also those that are shorter than what a loudness is measured of."""
    speaks(seconds=seconds)
    samples = clip(speaker(), TEXT, RATE).samples
    assert loudness(samples) == pytest.approx(-20, abs=0.5)
    assert max(abs(samples[0]), abs(samples[-1])) < 0.01


def test_a_sentence_ends_after_eight_seconds(speaks):
    """However long it is."""
    speaks(seconds=20)
    assert len(clip(speaker(), TEXT, RATE).samples) == 8 * RATE


def test_the_program_hears_the_sentence_and_is_named_without_its_place(speaks):
    """Its version, but not where on this machine its data are."""
    heard = speaks(version="9.99")
    said = clip(speaker(), TEXT, RATE)
    assert heard.read_text() == TEXT + "\n"
    assert (said.text, said.program) == (TEXT, "eSpeak NG text-to-speech: 9.99")


@pytest.mark.usefixtures("mute")
def test_the_systems_voice_does_where_there_is_no_espeak(speaks, monkeypatch):
    """As on macOS."""
    monkeypatch.setattr(sys, "platform", "darwin")
    heard = speaks(name="say", rate=44_100)
    said = clip(speaker(), TEXT, RATE)
    assert heard.read_text() == TEXT + "\n"
    assert said.program.startswith("say of macOS")
    assert loudness(said.samples) == pytest.approx(-20, abs=0.1)


@pytest.mark.usefixtures("mute")
def test_where_nothing_speaks_one_line_says_what_to_install():
    """What needs it, and the command."""
    with pytest.raises(SpeechError) as caught:
        speaker()
    assert str(caught.value).startswith("--speak needs espeak-ng, which is not installed: ")
    assert sys.platform != "linux" or "apt install espeak-ng" in str(caught.value)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("fails", "espeak-ng: failed with exit code 1 (no such voice)"),
        ("is slow", "espeak-ng: took more than 0.5 s"),
        ("writes nothing", f"espeak-ng: has written no sound of {TEXT!r}"),
        ("writes text", f"espeak-ng: has written no sound of {TEXT!r} ("),
        ("is silent", f"espeak-ng: has written no sound of {TEXT!r}, but silence"),
    ],
)
def test_a_program_that_fails_is_one_line(speaks, monkeypatch, how, message):
    """What, why, and what to do."""
    speaks(how)
    program = speaker()
    monkeypatch.setattr(speakers, "TIMEOUT", 0.5)
    with pytest.raises(SpeechError) as caught:
        clip(program, TEXT, RATE)
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith("; try the same without --speak")
    assert "\n" not in str(caught.value)


def test_a_program_that_cannot_be_run_is_one_line(speaks):
    """As one that was built for another machine."""
    heard = speaks()
    (heard.parent / "espeak-ng").write_bytes(b"\x7fELF nothing")
    with pytest.raises(SpeechError, match=r"^espeak-ng: cannot be run \(.*\)$"):
        speaker()


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
def test_espeak_itself_speaks_the_same_each_time():
    """Equal samples; of more words, more of them; at the level of all speech."""
    said = [clip(speaker(), text, RATE) for text in (TEXT, TEXT, "dead")]
    np.testing.assert_array_equal(said[0].samples, said[1].samples)
    assert 2 * len(said[2].samples) < len(said[0].samples) < 5 * RATE
    for each in said:
        assert loudness(each.samples) == pytest.approx(-20, abs=1)
