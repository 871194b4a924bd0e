"""A summary that moves, a layer in each place that keeps still, and calls when something happens.

The summary, the norm of all gradients or the losses, moves by an octave for a factor of
ten, in every run alike: at 440 Hz is a power of ten, the one at or below the middle of its
values.  Below it each layer holds a quiet tone of its own, and comes forward and bends when
its gradient leaves the others' course.  What happens (`epochord.renderers.findings`) is
called: those concerned are heard alone for a moment (`scoring.calls`).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.marks import state_events
from epochord.renderers.audio.scoring.pitching import held, pitched, places
from epochord.renderers.audio.scoring.registers import TOP_HZ, registers
from epochord.renderers.audio.scoring.scale import Scale
from epochord.renderers.audio.scoring.score import Anchor, Glide, Score, State, states
from epochord.renderers.audio.scoring.style import Style, groups
from epochord.renderers.audio.scoring.voicings.lanes import (
    GLIDE_SHARE,
    LEVEL,
    RELEASE,
    SAMPLE_RATE,
)
from epochord.renderers.audio.scoring.voicings.layers import decibels, fading, layers_in_place
from epochord.renderers.timeline.reduction import Frames

__all__ = ["REFERENCE_HZ", "reference", "roll"]

Floats = npt.NDArray[np.float64]
States = npt.NDArray[np.int8]

REFERENCE_HZ = 440.0  # of the power of ten that the summary refers to
SUMMARY_HZ = (110.0, 440.0 * 2**2.5)  # two decades below it to two and a half above
# Those of low tones carry them on small loudspeakers; from 440 Hz on they fade, so that they
# mask nothing.
SUMMARY_PARTIALS = (1.0, 0.5, 0.3, 0.2)
SUMMARIES = ("summary", "wide")
WIDE = 1e6  # times its low end: the high end of a range that fits into no register at that pace
TONIC = 1e-3  # of a ratio of update to weight: what is usually taken for healthy
RATIO_OCTAVES = 2.0  # up and down from its tonic
RATE_HZ = (110.0, 880.0)  # three decades: beside layers, too, a rate falls as a rate

OTHERS_DB = -6.0  # all that is neither, together


class _Voice(NamedTuple):
    """Of one voice in each frame: Hz, dB (-inf is silence), share of the harmonics, state."""

    pitch: Floats
    level: Floats
    bright: Floats
    state: States
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
    """Return the power of ten that a summary refers to: at or below the middle of its values.

    From there two decades down and two and a half up are heard.
    """
    middle = np.median(np.log10([scale.ordinary for scale in scales]))
    return float(10.0 ** np.floor(middle))


def _kinds(frames: Frames, style: Style) -> list[str]:
    """Say how each voice sounds: as ``summary``, ``layer``, ``ratio``, ``rate`` or ``own``.

    A summary whose scale spans more than six decades is ``wide``: it goes from end to end.
    """
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
        if not logarithmic or group in style.asked:
            kind = "own"
        elif kind == "summary" and style.scales[group].high > WIDE * style.scales[group].low:
            kind = "wide"
        kinds.append(kind)
    return kinds


def _bands(kinds: list[str]) -> Floats:
    """Return the register of each voice in Hz; a summary's is the same for all of them."""
    bands = np.tile(np.array(SUMMARY_HZ), (len(kinds), 1))
    placed = [place for place, kind in enumerate(kinds) if kind not in SUMMARIES]
    if placed:
        bands[placed] = registers(len(placed))
    for place, kind in enumerate(kinds):
        if kind == "rate":
            bands[place] = RATE_HZ
        elif kind == "ratio":
            middle = np.sqrt(bands[place].prod())
            reach = min(2**RATIO_OCTAVES, TOP_HZ / middle)
            bands[place] = middle / reach, middle * reach
    return bands


def _pans(kinds: list[str]) -> npt.NDArray[np.float32]:
    """Return places in the stereo field: summaries in the middle, or around it, the rest spread."""
    pans = np.zeros(len(kinds), np.float32)
    for here in (True, False):
        chosen = [place for place, kind in enumerate(kinds) if (kind in SUMMARIES) == here]
        if chosen:
            pans[chosen] = places(len(chosen)) * (0.5 if here else 1.0)
    return pans


def _voices(frames: Frames, style: Style, kinds: list[str], bands: Floats) -> list[_Voice]:
    """Let each voice sound as what it is."""
    state, own = states(frames), pitched(frames, style, bands)
    state[(state == State.SOUNDING) & (frames.values == 0)] = State.ZERO
    at_440, levels = _at_440(frames, style, kinds), _levels(kinds)
    still = [place for place, kind in enumerate(kinds) if kind == "layer"]
    layers = iter(layers_in_place(frames.values[still], bands[still], style.polarity))
    warm = float(style.timbre != "sine")
    voices = []
    for place, kind in enumerate(kinds):
        values = frames.values[place].astype(np.float64)
        bright = np.full(values.shape, warm)
        if kind in ("own", "wide"):
            level = _if(own.gain[place] > 0, levels[kind])
            if kind == "wide":
                bright = fading(own.pitch[place], REFERENCE_HZ)
            voices.append(_Voice(own.pitch[place], level, bright, own.state[place]))
        elif kind == "layer":
            layer = next(layers)
            bright = np.maximum(bright, layer.bright)
            voices.append(_Voice(layer.pitch, layer.level, bright, state[place]))
        else:
            anchor = _anchor(kind, values, bands[place][:: style.polarity], at_440)
            pitch, state_ = _octave_a_decade(values, anchor, style, bands[place], state[place])
            bright = fading(pitch, REFERENCE_HZ) if kind == "summary" else bright
            level = _if(np.isfinite(values) & (values != 0), levels[kind])
            voices.append(_Voice(pitch, level, bright, state_, anchor))
    return voices


def _levels(kinds: list[str]) -> dict[str, float]:
    """Return how loud voices of each kind are, in dB to all of the summary."""
    summaries = sum(kind in SUMMARIES for kind in kinds)
    others = len(kinds) - summaries - kinds.count("layer")
    other = (OTHERS_DB if summaries else 0.0) - float(decibels(others))
    return {
        **dict.fromkeys(SUMMARIES, -float(decibels(summaries))),
        **dict.fromkeys(("ratio", "rate", "own"), other),
    }


def _if(sounding: npt.NDArray[np.bool_], level: float) -> Floats:
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


def _anchor(kind: str, values: Floats, band: Floats, at_440: float) -> Anchor:
    """Return where in its register, from little to much, a voice lies."""
    little, much = band
    if kind == "summary":
        return Anchor(REFERENCE_HZ, at_440)
    if kind == "ratio":
        return Anchor((little * much) ** 0.5, TONIC)
    return Anchor(much, _greatest(values))


def _octave_a_decade(
    values: Floats, anchor: Anchor, style: Style, band: Floats, state: States
) -> tuple[Floats, States]:
    """Return pitches in Hz, an octave for a factor of ten, held at the ends of a band."""
    low, high = band
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(np.maximum(values, 0.0)) - np.log10(anchor.value)
    decades = np.where(values == 0, np.nan, logs)  # of less than zero -inf: held at the end
    pitch = anchor.hertz * 2.0 ** (style.polarity * decades)
    beyond = ((pitch < low) | (pitch > high)) & (state == State.SOUNDING)
    pitch = held(np.clip(pitch, low, high), (low * high) ** 0.5)
    return pitch, np.where(beyond, State.HELD, state).astype(np.int8)
