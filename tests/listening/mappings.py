"""Mappings that are not the product's: one of a peer, and three that tell nothing."""

from dataclasses import replace

import numpy as np

from epochord.renderers.audio import AudioSettings
from epochord.renderers.audio.scoring.compose import audio_score
from epochord.renderers.audio.scoring.score import Score
from epochord.runlog import Run

__all__ = ["constant", "mixed_up", "silent", "strauss"]

STRAUSS_SEMITONES = 24.0  # its default limits of `pitch_shift`
STRAUSS_PARTIALS = (1.0, 0.0, 1 / 9, 0.0, 1 / 25, 0.0, 1 / 49)  # a triangle
# An octave of a just major chord on A2, and the next ones, as many notes as there are series.
CHORD_HZ, CHORD = 110.0, (1.0, 5 / 4, 3 / 2)


def strauss(run: Run) -> Score:
    """Score a run as strauss 1.0.3 would by default, as in its example `SonifyingData1D`.

    Evolving objects with the preset `pitch_mapper`: a triangle wave for each series, on a
    note of its own, raised by up to 24 semitones as the values go from the least to the
    greatest of all ("0%" to "100%", linearly); the series around the listener.  It has no
    sound for what is not a number, and none of a zero but the lowest pitch.
    """
    score = _plain(run)
    values = np.nan_to_num(score.frames.values.astype(np.float64))
    low, high = values.min(), values.max()
    along = (values - low) / max(high - low, 1e-30)
    voices = len(values)
    octave, note = np.divmod(np.arange(voices), len(CHORD))
    base = CHORD_HZ * 2.0**octave * np.take(CHORD, note)
    return replace(
        score,
        voicing="strauss",
        pitch=base[:, None] * 2 ** (along * STRAUSS_SEMITONES / 12),
        gain=np.full(values.shape, 0.1, np.float32),
        partials=STRAUSS_PARTIALS,
    )


def silent(run: Run) -> Score:
    """Score a run as nothing."""
    score = _plain(run)
    return replace(score, gain=np.zeros_like(score.gain))


def constant(run: Run) -> Score:
    """Score a run as a chord that never changes."""
    score = _plain(run)
    middle = np.sqrt(score.registers.prod(axis=1, keepdims=True))
    pitch = np.broadcast_to(middle, score.pitch.shape)
    return replace(score, pitch=pitch, gain=np.full_like(score.gain, 0.1))


def mixed_up(run: Run) -> Score:
    """Score a run as `lanes`, but each run's layers in another order."""
    score = _plain(run)
    heard = np.nan_to_num(score.frames.values)
    order = np.random.default_rng(abs(int(heard.sum() * 1e6))).permutation(len(heard))
    along = np.log(score.pitch / score.registers[:, :1])
    width = np.log(score.registers[:, 1:] / score.registers[:, :1])
    along = (along / width)[order] * width
    return replace(score, pitch=score.registers[:, :1] * np.exp(along), gain=score.gain[order])


def _plain(run: Run) -> Score:
    """Return the lanes of a run without earcons."""
    return replace(audio_score(run, AudioSettings.of(voicing="lanes"))[0], events=())
