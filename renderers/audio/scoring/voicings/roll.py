"""A summary that moves, a layer in each place that keeps still, and calls when something happens.

The summary, the norm of all gradients or the losses, moves by an octave for a factor of
ten, in every run alike: at 440 Hz is a power of ten, the one nearest to the middle of the
scale.  Below it each layer holds a quiet tone of its own, and comes forward and bends when
its gradient leaves the others' course.  What happens (`epochord.renderers.findings`) is
called: those concerned are heard alone for a moment (`scoring.calls`).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.marks import state_events
from epochord.renderers.audio.scoring.pitching import held, pitched, places
from epochord.renderers.audio.scoring.registers import registers
from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.score import Anchor, Glide, Score, State, states
from epochord.renderers.audio.scoring.style import Style, groups
from epochord.renderers.audio.scoring.voicings.lanes import (
    GLIDE_SHARE,
    LEVEL,
    RELEASE,
    SAMPLE_RATE,
)
from epochord.renderers.findings.departures import shares
from epochord.renderers.timeline.reduction import Frames

__all__ = ["REFERENCE_HZ", "reference", "roll"]

Floats = npt.NDArray[np.float64]

REFERENCE_HZ = 440.0  # of the power of ten that the summary refers to
SUMMARY_HZ = (110.0, 440.0 * 2**2.5)  # two decades below it to two and a half above
# Those of low tones carry them on small loudspeakers; from 440 Hz on they fade, so that they
# mask nothing.
SUMMARY_PARTIALS = (1.0, 0.5, 0.3, 0.2)
TONIC = 1e-3  # of a ratio of update to weight: what is usually taken for healthy
REACH = 1.0  # octaves that a ratio moves up or down, or a rate down twice as far

LAYERS_DB = -14.0  # all layers together, to the summary
RISEN_DB = 1.5  # a layer that has risen, which is bright, too
FALLEN_DB = 3.0  # one that has fallen, a pure tone; of more than two each is softer
FORWARD_AT = 0.3  # factors of ten beyond leaving, from which it is all the way forward
OTHERS_DB = -6.0  # all that is neither, together
BRIGHT_HZ = 880.0  # above which a layer may be less and less bright
LEAVING = np.log(2.0)  # from which a layer bends and comes forward
BEND = 3.0  # semitones for a factor of ten beyond that
FARTHEST = 2.0  # semitones, within its register
GONE = 1e-4  # of its level at first: a layer that is next to nothing is silent
FIRST = 0.2  # of the run


class _Voice(NamedTuple):
    """Of one voice in each frame: Hz, dB (-inf is silence), share of the harmonics, state."""

    pitch: Floats
    level: Floats
    bright: Floats
    state: npt.NDArray[np.int8]
    anchor: Anchor | None = None


def roll(frames: Frames, style: Style) -> Score:
    """Score frames as a summary above layers, or above whatever else there is.

    Parameters
    ----------
    frames : Frames
        With `quantities`: a total or losses make the summary; gradients beside a total
        are layers; a ratio of update to weight rests on 1e-3, a learning rate falls
        from its maximum, both an octave for a factor of ten; anything else, and what has a
        range of its own, moves within its own register as in `lanes`.
    style : Style
        Length of a frame, scales, polarity and timbre.

    Returns
    -------
    Score
        Stereo.
    """
    kinds = _kinds(frames, style)
    bands = _bands(kinds)
    voices = _voices(frames, style, kinds, bands)
    level = np.stack([voice.level for voice in voices])
    state = np.stack([voice.state for voice in voices])
    frame_length = max(2, round(style.frame * SAMPLE_RATE))
    full = 2**0.5 * LEVEL / np.sqrt(np.square(SUMMARY_PARTIALS).sum())
    return Score(
        frames=frames,
        voicing="roll",
        sample_rate=SAMPLE_RATE,
        channels=2,
        frame_length=frame_length,
        articulation=Glide(
            max(1, round(GLIDE_SHARE * frame_length)), release=round(RELEASE * SAMPLE_RATE)
        ),
        pitch=np.stack([voice.pitch for voice in voices]),
        gain=(full * 10 ** (level / 20)).astype(np.float32),
        pan=_pans(kinds),
        state=state,
        partials=SUMMARY_PARTIALS,
        brightness=np.stack([voice.bright for voice in voices]).astype(np.float32),
        events=state_events(state, frame_length, SAMPLE_RATE),
        registers=bands,
        anchors=tuple(voice.anchor for voice in voices),
    )


def reference(scales: list[Scale]) -> float:
    """Return the power of ten that a summary refers to: the nearest to the middle of its scales."""
    low, high = min(scale.low for scale in scales), max(scale.high for scale in scales)
    return float(10.0 ** np.round((np.log10(low) + np.log10(high)) / 2))


def _kinds(frames: Frames, style: Style) -> list[str]:
    """Say how each voice sounds: as ``summary``, ``layer``, ``ratio``, ``rate`` or ``own``."""
    kinds = []
    for quantity, group in zip(frames.quantities, groups(frames), strict=True):
        total = "total" in frames.quantities
        kind = {"total": "summary", "loss": "summary", "ratio": "ratio", "rate": "rate"}.get(
            quantity, "own"
        )
        if quantity == "gradient":
            kind = "layer" if total else "summary"
        # A total is never negative, also where all that is known of its layers is NaN.
        logarithmic = style.scales[group].kind == "log" or quantity == "total"
        kinds.append(kind if logarithmic and group not in style.asked else "own")
    return kinds


def _bands(kinds: list[str]) -> Floats:
    """Return the register of each voice in Hz; a summary's is the same for all of them."""
    bands = np.tile(np.array(SUMMARY_HZ), (len(kinds), 1))
    placed = [place for place, kind in enumerate(kinds) if kind != "summary"]
    if placed:
        bands[placed] = registers(len(placed))
    return bands


def _pans(kinds: list[str]) -> npt.NDArray[np.float32]:
    """Return places in the stereo field: summaries in the middle, or around it, the rest spread."""
    pans = np.zeros(len(kinds), np.float32)
    for here in (True, False):
        chosen = [place for place, kind in enumerate(kinds) if (kind == "summary") == here]
        if chosen:
            pans[chosen] = places(len(chosen)) * (0.5 if here else 1.0)
    return pans


def _voices(frames: Frames, style: Style, kinds: list[str], bands: Floats) -> list[_Voice]:
    """Let each voice sound as what it is."""
    state, own = states(frames), pitched(frames, style, bands)
    state[(state == State.SOUNDING) & (frames.values == 0)] = State.ZERO
    still = [place for place, kind in enumerate(kinds) if kind == "layer"]
    layers = _layers(frames, still, bands, style.polarity)
    levels = _levels(kinds)
    at_440 = _at_440(frames, style, kinds)
    voices = []
    for place, kind in enumerate(kinds):
        values, (low, high) = frames.values[place].astype(np.float64), bands[place]
        level = np.full(values.shape, levels[kind])
        bright = np.full(values.shape, float(style.timbre != "sine"))
        if kind == "own":
            level = _if(own.gain[place] > 0, level)
            voices.append(_Voice(own.pitch[place], level, bright, own.state[place]))
            continue
        if kind == "layer":
            pitch, level, own_bright = layers[place]
            bright, anchor = np.maximum(bright, own_bright), None
        else:
            band = (low, high) if style.polarity > 0 else (high, low)
            anchor = _anchor(kind, values, band, at_440)
            pitch = _octave_a_decade(values, anchor, style.polarity)
        beyond = (kind != "layer") & ((pitch < low) | (pitch > high))
        state[place, beyond & (state[place] == State.SOUNDING)] = State.HELD
        pitch = held(np.clip(pitch, low, high), (low * high) ** 0.5)
        if kind == "summary":
            bright = _fading(pitch, REFERENCE_HZ)
        level = _if(np.isfinite(values) & (values != 0), level)
        voices.append(_Voice(pitch, level, bright, state[place], anchor))
    return voices


def _levels(kinds: list[str]) -> dict[str, Floats]:
    """Return how loud voices of each kind are, in dB to all of the summary."""
    summaries, layers = kinds.count("summary"), kinds.count("layer")
    others = len(kinds) - summaries - layers
    other = (OTHERS_DB if summaries else 0.0) - _decibels(others)
    return {
        "summary": -_decibels(summaries),
        "layer": LAYERS_DB - _decibels(layers),
        **dict.fromkeys(("ratio", "rate", "own"), other),
    }


def _decibels(voices: npt.ArrayLike) -> Floats:
    """Return by how much each of so many voices is softer than one alone."""
    return np.asarray(10 * np.log10(np.maximum(1.0, voices)))


def _if(sounding: npt.NDArray[np.bool_], level: Floats) -> Floats:
    return np.where(sounding, level, -np.inf)


def _at_440(frames: Frames, style: Style, kinds: list[str]) -> float:
    """Return the value at which a summary is at 440 Hz."""
    scales = [
        style.scales[group]
        for group, kind in zip(groups(frames), kinds, strict=True)
        if kind == "summary" and style.scales[group].kind == "log"
    ]
    return reference(scales) if scales else 1.0


def _greatest(values: Floats) -> float:
    return float(np.max(values, initial=0.0, where=np.isfinite(values))) or 1.0


def _anchor(kind: str, values: Floats, band: tuple[float, float], at_440: float) -> Anchor:
    """Return where in its register, from little to much, a voice lies."""
    little, much = band
    if kind == "summary":
        return Anchor(REFERENCE_HZ, at_440)
    if kind == "ratio":
        return Anchor((little * much) ** 0.5, TONIC)
    return Anchor(much, _greatest(values))


def _octave_a_decade(values: Floats, anchor: Anchor, polarity: int) -> Floats:
    """Return pitches in Hz: an octave for a factor of ten; NaN for zero.

    What is negative lies beyond the end, lower than anything positive.
    """
    with np.errstate(divide="ignore"):
        logs = np.log10(np.maximum(values, 0)) - np.log10(anchor.value)
    decades = np.where(values == 0, np.nan, logs)
    return np.asarray(anchor.hertz * 2.0 ** (polarity * decades))


def _layers(
    frames: Frames, places_of: list[int], bands: Floats, polarity: int
) -> dict[int, tuple[Floats, Floats, Floats]]:
    """Return pitch in Hz, level in dB and brightness of each layer."""
    if not places_of:
        return {}
    values = frames.values[places_of].astype(np.float64)
    centres = np.sqrt(bands[places_of].prod(axis=1))
    away = _away(values)
    decades = np.maximum(0, np.abs(away) - LEAVING) / np.log(10)
    within = 6 * np.log2(bands[places_of, 1] / bands[places_of, 0])[:, None]
    bend = np.sign(away) * np.minimum(BEND * decades, np.minimum(FARTHEST, within))
    forward = np.minimum(1.0, decades / FORWARD_AT)
    crowd = np.maximum(1.0, forward.sum(axis=0))
    rest = LAYERS_DB - _decibels(len(places_of))
    ahead = np.where(away > 0, RISEN_DB, FALLEN_DB)
    level = rest + forward * (ahead - _decibels(crowd - 1) - rest)
    level = _if(values >= GONE * _at_first(values), level)
    pitch = centres[:, None] * 2.0 ** (polarity * bend / 12)
    bright = np.where(away > 0, forward, 0.0) / crowd**2 * _fading(pitch, BRIGHT_HZ)
    return {place: (pitch[row], level[row], bright[row]) for row, place in enumerate(places_of)}


def _fading(pitch: Floats, from_hz: float) -> Floats:
    """Return how bright a tone may be that masks no earcon: above some pitch less and less."""
    return np.asarray(np.minimum(1.0, (from_hz / pitch) ** 2))


def _away(values: Floats) -> Floats:
    """Return how far each layer has left the others by moving itself, as natural logarithms."""
    share, moved = shares(values)
    if not len(share):
        return np.zeros(values.shape)
    same = np.sign(share) == np.sign(moved)
    away = np.where(same, np.sign(share) * np.minimum(np.abs(share), 3 * np.abs(moved)), 0.0)
    return np.nan_to_num(away)


def _at_first(values: Floats) -> Floats:
    """Return the median of each layer's first values that are no zeros [shape=(layers, 1)]."""
    first = np.zeros((len(values), 1))
    for layer, row in enumerate(values):
        positive = row[row > 0]
        if len(positive):
            first[layer] = np.median(positive[: max(1, round(FIRST * len(row)))])
    return first
