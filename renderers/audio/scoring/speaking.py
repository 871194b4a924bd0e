"""What is called, said in words behind each call, while the voices are far away."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.calls import AWAY_DB, Call, moved
from epochord.renderers.audio.scoring.events import Utterance
from epochord.renderers.audio.scoring.marks import KNELL
from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.audio.speech import Clip, clip, speaker
from epochord.renderers.findings import What
from epochord.renderers.timeline.reduction import Frames

__all__ = ["SAMPLE_RATE", "Spoken", "allotted", "sentence", "spoken_of", "with_speech"]

Counts = npt.NDArray[np.intp]
Spoken = Mapping[int, Sequence[Clip]]
"""By frame that something is called in: what is said behind it."""

SAMPLE_RATE = 44_100  # Hz, of the voicings that call
PAUSE = 0.15  # s before and behind each sentence
MOST_SHARE = 0.5  # of a duration that was asked for
MOST_NAMES = 2  # in a sentence
SAYS = {
    What.NAN: "not a number, from step {}",
    What.POSITIVE_INFINITY: "infinite, from step {}",
    What.NEGATIVE_INFINITY: "minus infinity, from step {}",
    What.DEAD: "dead, from step {}",
    What.EXPLOSION: "explosion, at step {}",
    What.STUCK: "stuck, from step {}",
}
SHARES = {2: "half", 4: "a quarter", 8: "an eighth"}


def sentence(call: Call) -> str:
    """Say a call in words that can be spoken.

    Parameters
    ----------
    call : Call
        What is called.

    Returns
    -------
    str
        Such as ``"f c 2 falls to half, at step 120"``.
    """
    who = "all voices" if call.all_voices else _listed(call.voices)
    if call.what in SAYS:
        return f"{who} {SAYS[call.what].format(call.step)}"
    if call.what is What.SPIKE:
        return f"{who} spikes, {_number(call.strength)} times, at step {call.step}"
    times = round(call.strength)
    if call.what is What.FALL:
        return f"{who} falls to {SHARES[times]}, at step {call.step}"
    return f"{who} rises to {times} times, at step {call.step}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return " and ".join(map(_speakable, names[:MOST_NAMES])) + more


def _speakable(name: str) -> str:
    """Take a name apart into words and numbers; what has no vowel is spelled."""
    parts = re.findall(r"\d+|[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    return " ".join(
        part.lstrip("0") or "0"
        if part.isdecimal()
        else part
        if re.search(r"[aeiouyAEIOUY]", part) or not part.isascii()
        else " ".join(part)
        for part in parts
    )


def _number(number: float) -> str:
    if number < 1e4:
        return f"{float(f'{number:.2g}'):g}"
    return f"10 to the power of {np.log10(number):.0f}"


def spoken_of(chosen: Sequence[Call], frames: Frames, duration: float | None = None) -> Spoken:
    """Speak what is called.

    Parameters
    ----------
    chosen : sequence of Call
        In the order of steps.
    frames : Frames
        As they are without calls.
    duration : float, optional
        Of the whole sound, in seconds, if it was asked for: then the weakest calls are
        not spoken of, so that at least half of it is left.

    Raises
    ------
    SpeechError
        If there is no program that speaks, or it fails.
    """
    program = speaker()
    each_once = {  # of a voice that departs so fast that it is called several times at once
        (frames.at(call.step), call.what, call.voices): call
        for call in sorted(chosen, key=lambda call: call.strength)
    }
    calls = sorted(each_once.values(), key=lambda call: call.step)
    clips = [(call, clip(program, sentence(call), SAMPLE_RATE)) for call in calls]
    if duration is not None:
        clips = _within(clips, MOST_SHARE * duration)
    said: dict[int, list[Clip]] = {}
    for call, each in clips:
        said.setdefault(frames.at(call.step), []).append(each)
    return said


def _within(clips: list[tuple[Call, Clip]], seconds: float) -> list[tuple[Call, Clip]]:
    """Keep the strongest that can be said in a time, in the same order."""
    by_strength = sorted(range(len(clips)), key=lambda place: -clips[place][0].strength)
    lengths = [KNELL + _seconds([clips[place][1]]) for place in by_strength]
    fitting = int(np.searchsorted(np.cumsum(lengths), seconds, side="right"))
    return [clips[place] for place in sorted(by_strength[:fitting])]


def allotted(
    said: Spoken, times: Counts, frame: float, duration: float | None = None
) -> tuple[Counts, float]:
    """Give what is said its time.

    Parameters
    ----------
    said : Spoken
        What is said behind which frame.
    times : np.ndarray [shape=(frames,), int]
        How often each frame is heard with its call.
    frame : float
        Seconds of a frame.
    duration : float, optional
        Of the whole sound, in seconds, if it was asked for: it stays so long.

    Returns
    -------
    ticks : np.ndarray [shape=(frames,), int]
        How often each frame is heard once more, for speech.
    frame : float
        Seconds of a frame, shorter where a duration was asked for.
    """
    ticks = np.zeros_like(times)
    while True:
        if duration is not None:
            frame = duration / float(times.sum() + ticks.sum())
        needed = ticks.copy()
        for place, clips in said.items():
            wanted = _lead(times[place] * frame) + _seconds(clips)
            needed[place] = max(ticks[place], int(np.ceil(wanted / frame)))
        if (needed == ticks).all():
            return ticks, frame
        ticks = needed


def _lead(call: float) -> float:
    """Return the seconds between a call that lasts so long and speech: no knell rings into it."""
    return max(0.0, KNELL - call)


def _seconds(clips: Sequence[Clip]) -> float:
    """Return how long sentences take, with a pause before, between and behind them."""
    return PAUSE + sum(len(each.samples) / SAMPLE_RATE + PAUSE for each in clips)


def with_speech(score: Score, said: Spoken, times: Counts, ticks: Counts) -> tuple[Score, Counts]:
    """Give speech its place in a score whose calls have not got theirs yet.

    Parameters
    ----------
    score : Score
        Of voices that sound at once.
    said : Spoken
        What is said behind which frame.
    times, ticks : np.ndarray [shape=(frames,), int]
        How often each frame will be heard for its call, and is once more, for speech.

    Returns
    -------
    score : Score
        In the added time all voices are 25 dB softer.
    times : np.ndarray [shape=(frames of it,), int]
        How often each of its frames will be heard for its call.
    """
    first = np.arange(len(ticks)) + np.cumsum(ticks) - ticks
    made = moved(score, np.repeat(np.arange(len(ticks)), 1 + ticks), first)
    moved_times = np.ones(made.frames.count, np.intp)
    moved_times[first] = times
    gain = made.gain.copy()
    speech = []
    for place, clips in said.items():
        begin = int(first[place]) + 1
        gain[:, begin : begin + int(ticks[place])] *= 10 ** (AWAY_DB / 20)
        call = times[place] * score.frame_length / score.sample_rate
        sample = begin * score.frame_length + round(_lead(call) * score.sample_rate)
        for each in clips:
            sample += round(PAUSE * score.sample_rate)
            speech.append(Utterance(sample, each))
            sample += len(each.samples)
    return replace(made, gain=gain, speech=tuple(speech)), moved_times
