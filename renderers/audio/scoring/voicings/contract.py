"""What a score must fulfil, whoever made it (`register_voicing` says it in words)."""

from dataclasses import replace
from typing import Any

import numpy as np

from epochord.renderers.audio.scoring.events import Event, Kind
from epochord.renderers.audio.scoring.score import Glide, Score, State, Tones
from epochord.renderers.timeline.reduction import Frames
from epochord.runlog.given import of_kind

__all__ = ["checked"]

SAMPLE_RATES = (8_000, 192_000)  # Hz


def checked(score: object, name: str, frames: Frames) -> Score:
    """Check a score.

    Parameters
    ----------
    score : Score
        What a voicing returned.
    name : str
        Of the voicing; the score gets it.
    frames : Frames
        What the voicing was given.

    Raises
    ------
    ValueError
        If it breaks the contract: what, and what was expected.
    """
    if not isinstance(score, Score):
        raise ValueError(f"returned {type(score).__name__}; expected a Score")
    if not isinstance(score.frames, Frames):
        raise ValueError(
            f"frames is {of_kind(score.frames)}; expected the Frames that it was given"
        )
    if score.frames.names != frames.names or score.frames.count != frames.count:
        raise ValueError("its score has other frames than it was given")
    _check_shape(score)
    _check_arrays(score)
    _check_events(score)
    return replace(score, voicing=name)


def _check_shape(score: Score) -> None:
    least, most = SAMPLE_RATES
    _require_whole("sample_rate", score.sample_rate, least, most)
    _require_whole("channels", score.channels, 1, 2)
    _require_whole("frame_length", score.frame_length, 1, 1 << 31)
    kind = score.articulation
    if isinstance(kind, Glide):
        if score.channels == 1:
            raise ValueError("channels is 1 with Glide; expected 2, or Tones")
        _require_whole("the length of its Glide", kind.length, 1, score.frame_length)
        _require_whole("the release of its Glide", kind.release, 0, 1 << 31)
        return
    if not isinstance(kind, Tones):
        raise ValueError(f"articulation is {type(kind).__name__}; expected Tones or Glide")
    voices = len(score.frames.names)
    if len(kind.onsets) != voices:
        raise ValueError(
            f"its Tones have {len(kind.onsets)} onsets; expected {voices}, one a voice"
        )
    _require_whole("the length of its Tones", kind.length, 1, score.frame_length)
    _require_whole("the ramp of its Tones", kind.ramp, 0, kind.length // 2)
    for onset in kind.onsets:
        _require_whole("an onset of its Tones", onset, 0, score.frame_length - kind.length)


def _check_arrays(score: Score) -> None:
    full = (len(score.frames.names), score.frames.count)
    highest = score.sample_rate / 2
    _require_array("pitch", score.pitch, [full], 0, highest, "f")
    _require_array("gain", score.gain, [full], 0, 1, "f")
    _require_array("pan", score.pan, [full[:1], full], -1, 1, "f")
    _require_array("state", score.state, [full], min(State), max(State), "i")
    if score.brightness is not None:
        _require_array("brightness", score.brightness, [full], 0, 1, "f")
    if score.registers is not None:
        _require_array("registers", score.registers, [(full[0], 2)], 1e-3, highest, "f")
        if not (score.registers[:, 0] < score.registers[:, 1]).all():
            raise ValueError("registers end below where they begin; expected the lower end first")
    if score.phase is not None:
        _require_array("phase", score.phase, [full[:1]], -1e9, 1e9, "f")
    partials = np.asarray(score.partials)
    _require_array("partials", partials, [(max(1, partials.size),)], 0, 1, "f")


def _check_events(score: Score) -> None:
    if not isinstance(score.events, tuple | list):
        raise ValueError(f"events is {type(score.events).__name__}; expected a tuple of Event")
    if score.events and score.channels == 1:
        raise ValueError("channels is 1 with events; expected 2, or none")
    end, before = score.frames.count * score.frame_length, 0
    for event in score.events:
        if not isinstance(event, Event):
            raise ValueError(f"events hold {type(event).__name__}; expected Event")
        if not isinstance(event.kind, Kind):
            raise ValueError(f"the kind of an event is {event.kind!r}; expected a Kind")
        _require_whole("the sample of an event", event.sample, before, end - 1)
        _require_whole("the voice of an event", event.voice, -1, len(score.frames.names) - 1)
        _require_whole("the length of an event", event.length, 1, end)
        if not 0 <= event.level <= 1:
            raise ValueError(f"the level of an event is {event.level}; expected 0 to 1")
        before = event.sample


def _require_whole(what: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int | np.integer) or not least <= value <= most:
        raise ValueError(f"{what} is {value!r}; expected a whole number from {least} to {most}")


def _require_array(
    what: str, array: Any, shapes: list[tuple[int, ...]], least: float, most: float, kind: str
) -> None:
    if not isinstance(array, np.ndarray) or array.dtype.kind != kind:
        found = (
            f"an array of {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
        )
        expected = "floating-point numbers" if kind == "f" else "integers"
        raise ValueError(f"{what} is {found}; expected an array of {expected}")
    if array.shape not in shapes:
        expected = " or ".join(map(str, shapes))
        raise ValueError(f"{what} has the shape {array.shape}; expected {expected}")
    good = (array >= least) & (array <= most)  # NaN is neither
    if not good.all():
        raise ValueError(f"{what} has {array[~good][0]}; expected {least:g} to {most:g}")
