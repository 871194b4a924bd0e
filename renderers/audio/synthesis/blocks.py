"""From a score to samples, block by block, in bounded memory."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.score import Glide, Score, Tones
from epochord.renderers.audio.synthesis.earcons import overlay
from epochord.renderers.audio.synthesis.glide import glide_blocks, held_tones, pan_gains

__all__ = ["blocks"]

# Sine arguments computed at once, in float64: 512 KiB, which stays in the cache, and in memory that
# the system is not asked for anew each time.
SAMPLES_A_BLOCK = 1 << 16
# No partial passes this share of the sampling rate, where it would come close to folding back.
HIGHEST = 0.45
MARKS = 3.3  # by which voices are louder than -23 LUFS before they are levelled

Samples = npt.NDArray[np.float32]


def blocks(score: Score) -> Iterator[Samples]:
    """Synthesise a score.

    Parameters
    ----------
    score : Score
        Of any voicing; its events are about as loud as they are beside voices that have
        been levelled.

    Yields
    ------
    np.ndarray [shape=(n,) or (n, 2), float32]
        Whole frames, in order, and what fades behind them; mono or stereo, as the score says.
    """
    if score.channels == 1:
        yield from _mono_tones(score)
        return
    pitch, gain, pan = _with_partials(score)
    if isinstance(score.articulation, Glide):
        sound = glide_blocks(
            pitch,
            gain,
            pan,
            frame_length=score.frame_length,
            glide_length=score.articulation.length,
            release_length=score.articulation.release,
            sample_rate=score.sample_rate,
            phase=_phase(score, len(pitch)),
        )
    else:
        sound = _stereo_tones(score, score.articulation, pitch, gain, pan)
    sides = pan_gains(score.places.mean(axis=1))
    events = [replace(event, level=event.level * MARKS) for event in score.events]
    yield from overlay(sound, events, sides, score.sample_rate)


def _mono_tones(score: Score) -> Iterator[Samples]:
    """Tones in turn: ``gain · float32(sin(2π·i·pitch / sample_rate))``.

    The phase is float64, evaluated from left to right as in the original.
    """
    tones = score.articulation
    if not isinstance(tones, Tones):
        raise TypeError("voices that glide sound in stereo")
    angle = 2 * np.pi * np.arange(tones.length, dtype=np.float64)
    for span in _spans(score):
        block = np.zeros((span.stop - span.start, score.frame_length), dtype=np.float32)
        for voice, onset in enumerate(tones.onsets):
            pitch = score.pitch[voice, span, None]
            tone = np.sin(angle * pitch / score.sample_rate).astype(np.float32)
            block[:, onset : onset + tones.length] = score.gain[voice, span, None] * tone
        yield block.ravel()


def _stereo_tones(
    score: Score,
    tones: Tones,
    pitch: npt.NDArray[np.floating[Any]],
    gain: Samples,
    pan: Samples,
) -> Iterator[Samples]:
    """Tones in turn, each with its rise and fall, at its place."""
    voices, envelope = len(tones.onsets), _envelope(tones)
    for span in _spans(score):
        frames = span.stop - span.start
        block = np.zeros((frames, score.frame_length, 2), dtype=np.float32)
        for first in range(0, len(pitch), voices):  # partial after partial
            part = slice(first, first + voices)
            cycles = pitch[part, span].T / score.sample_rate
            sound = held_tones(cycles, gain[part, span].T, pan[part], envelope)
            for voice, onset in enumerate(tones.onsets):
                block[:, onset : onset + tones.length] += sound[:, voice]
        yield block.reshape(-1, 2)


def _envelope(tones: Tones) -> Samples:
    """Return a tone's rise and fall, half cosines [shape=(length,)]."""
    envelope = np.ones(tones.length)
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(tones.ramp) + 0.5) / max(1, tones.ramp))
    envelope[: tones.ramp] = rise
    envelope[tones.length - tones.ramp :] = rise[::-1]
    return envelope.astype(np.float32)


def _with_partials(
    score: Score,
) -> tuple[npt.NDArray[np.floating[Any]], Samples, Samples]:
    """Return pitch, gain and pan of every partial of every voice, one below the other.

    A partial that passes the limit in a frame is silent in it and in those
    beside it, so that it has faded out before it glides there.
    """
    pitches, gains = [], []
    for number, amplitude in enumerate(score.partials, start=1):
        high = score.pitch * number > HIGHEST * score.sample_rate
        near = high.copy()
        near[:, 1:] |= high[:, :-1]
        near[:, :-1] |= high[:, 1:]
        pitches.append(np.where(high, score.pitch, score.pitch * number))
        share = 1.0 if number == 1 or score.brightness is None else score.brightness
        gain = score.gain * np.float32(amplitude) * share
        gains.append(np.where(near, np.float32(0), gain).astype(np.float32))
    pitch, level = np.concatenate(pitches), np.concatenate(gains)
    if score.pan.ndim == 1:
        return pitch, level, np.tile(score.pan, len(score.partials))
    # A voice that moves is two that stay, left and right, whose gains change.
    sides = pan_gains(np.tile(score.pan, (len(score.partials), 1)))
    outer = np.repeat(np.array([-1, 1], np.float32), len(pitch))
    return np.tile(pitch, (2, 1)), (level * sides).reshape(-1, pitch.shape[1]), outer


def _phase(score: Score, rows: int) -> npt.NDArray[np.float64]:
    """Return where each of the rows of `_with_partials` begins, in cycles."""
    first = np.zeros(len(score.pitch)) if score.phase is None else score.phase
    numbers = np.arange(1, len(score.partials) + 1)[:, None]
    return np.resize(numbers * first, rows)  # left and right of a voice that moves are alike


def _spans(score: Score) -> Iterator[slice]:
    frames = max(1, SAMPLES_A_BLOCK // max(1, score.frame_length))
    for start in range(0, score.frames.count, frames):
        yield slice(start, min(start + frames, score.frames.count))
