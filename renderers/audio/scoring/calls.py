"""What happens, called by name: those concerned are heard alone for a moment, the rest far away."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.findings import Finding, What
from epochord.renderers.timeline.reduction import Frames

__all__ = ["MOST_CALLS", "Call", "called", "calls", "lengthened", "moved"]

MOST_CALLS = 20  # a clip; the strongest
LENGTH = 0.4  # s
AWAY_DB = -25.0  # the rest
FALL = 1.0  # octaves, of the knell of a layer that dies
BEND = 2.0  # semitones up of one that rises, and down of one that falls
BROKEN = (What.NAN, What.POSITIVE_INFINITY, What.NEGATIVE_INFINITY)
LASTING = (What.RISE, What.FALL)


@dataclass(frozen=True)
class Call:
    """One moment in which some voices are heard alone.

    Parameters
    ----------
    step : int
        Of the training.
    what : What
        Why.
    voices : tuple of str
        Who, by name.
    all_voices : bool
        Whether these are all there are.
    strength : float
        By which the strongest are chosen: a factor, or infinite.
    """

    step: int
    what: What
    voices: tuple[str, ...]
    all_voices: bool = False
    strength: float = np.inf


def calls(findings: Sequence[Finding], most: int = MOST_CALLS) -> list[Call]:
    """Choose what is called.

    Parameters
    ----------
    findings : sequence of Finding
        What happened in a run.
    most : int
        How many calls at most.

    Returns
    -------
    list of Call
        The strongest, in the order of steps: what is no number, a death, an explosion
        and what is stuck before anything else, then the largest factors.
    """
    every = [call for found in findings for call in _of(found)]
    strongest = sorted(every, key=lambda call: -call.strength)[:most]
    return sorted(strongest, key=lambda call: call.step)


def _of(found: Finding) -> Iterator[Call]:
    """Yield the calls of a finding; a departure has one each time that it doubles."""
    who = found.voices, found.all_voices
    if found.what in LASTING:
        for doubled, step in enumerate(found.passes, start=1):
            yield Call(step, found.what, *who, strength=2.0**doubled)
    elif found.what is What.SPIKE:
        step = found.step if found.peak is None else found.peak
        yield Call(step, found.what, *who, strength=found.factor or 1.0)
    else:
        yield Call(found.step, found.what, *who)


def lengthened(chosen: Sequence[Call], frames: Frames, seconds: float) -> npt.NDArray[np.intp]:
    """Return how often each frame is heard, so that a call has its time.

    Parameters
    ----------
    chosen : sequence of Call
        Of all runs that share these frames.
    frames : Frames
        As they are without calls.
    seconds : float
        Length of a frame.

    Returns
    -------
    np.ndarray [shape=(frames,), int]
    """
    times = np.ones(frames.count, np.intp)
    times[[frames.at(call.step) for call in chosen]] = max(1, round(LENGTH / seconds))
    return times


def called(score: Score, chosen: Sequence[Call], times: npt.NDArray[np.intp]) -> Score:
    """Give calls their time in a score, and their voices the place.

    Parameters
    ----------
    score : Score
        Of voices that sound at once.
    chosen : sequence of Call
        Of this run.
    times : np.ndarray [shape=(frames,), int]
        How often each frame is heard (see `lengthened`).

    Returns
    -------
    Score
        With the frames, and all that lies in them, moved; in a call the rest is
        25 dB softer, unless it is about more than half of the voices.  Calls in the same
        frame are one; of several about one voice the strongest bends it.
    """
    first = np.cumsum(times) - times
    index = np.repeat(np.arange(score.frames.count), times)
    made = moved(score, index, first)
    gain, pitch = made.gain.copy(), made.pitch.copy()
    loudest = float(score.gain.max(initial=0.0))
    at_once: dict[int, list[Call]] = {}
    for call in sorted(chosen, key=lambda call: call.strength):
        at_once.setdefault(score.frames.at(call.step), []).append(call)
    for frame, several in at_once.items():
        ticks = slice(int(first[frame]), int(first[frame] + times[frame]))
        who = {score.frames.names.index(name): call for call in several for name in call.voices}
        alone = not any(call.all_voices for call in several)
        if alone and 2 * len(who) <= len(score.frames.names):
            gain[[v for v in range(len(gain)) if v not in who], ticks] *= 10 ** (AWAY_DB / 20)
        # What is no number has no tone: its earcon is what is heard.
        tones = [voice for voice, call in who.items() if call.what not in BROKEN]
        gain[tones, ticks] = loudest / max(1, len(tones)) ** 0.5
        for voice, call in who.items():
            pitch[voice, ticks] *= _bend(call, int(times[frame]))
    return replace(made, gain=gain, pitch=pitch)


def _bend(call: Call, ticks: int) -> npt.NDArray[np.float64]:
    """Return by what the pitch is multiplied, tick by tick."""
    if call.what is What.DEAD:
        return np.asarray(2.0 ** (-FALL * np.arange(ticks) / max(1, ticks - 1)))
    if call.what in (*BROKEN, What.STUCK):
        return np.ones(ticks)
    sign = -1 if call.what is What.FALL else 1
    return np.full(ticks, 2.0 ** (sign * BEND / 12))


def moved(score: Score, index: npt.NDArray[np.intp], first: npt.NDArray[np.intp]) -> Score:
    """Take frames several times, and put what lies in them where they are.

    Parameters
    ----------
    score : Score
        Of any voices.
    index : np.ndarray [shape=(frames,), int]
        Which frame of the score is heard in each of the new ones.
    first : np.ndarray [shape=(frames of the score,), int]
        Where each of them is first heard.
    """
    length = score.frame_length

    def place(sample: int) -> int:
        return int(first[sample // length]) * length + sample % length

    return replace(
        score,
        frames=score.frames.taken(index),
        pitch=score.pitch[:, index],
        gain=score.gain[:, index],
        state=score.state[:, index],
        pan=score.pan[:, index] if score.pan.ndim == 2 else score.pan,
        brightness=None if score.brightness is None else score.brightness[:, index],
        events=tuple(replace(event, sample=place(event.sample)) for event in score.events),
        speech=tuple(replace(each, sample=place(each.sample)) for each in score.speech),
    )
