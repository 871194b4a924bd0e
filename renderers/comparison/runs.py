"""Runs to sounds that can be compared: one scale, one axis of steps, one gain."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from epochord.renderers.audio.level.measure import Level
from epochord.renderers.audio.mixing import levels, mixed
from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.audio.scoring.compose import Scales, scores_together
from epochord.renderers.audio.scoring.score import Score, State
from epochord.renderers.audio.scoring.settings import AudioSettings
from epochord.renderers.comparison.happened import happened
from epochord.renderers.comparison.listening import Framing, Heard, listen
from epochord.renderers.comparison.names import listed
from epochord.renderers.comparison.series import Logged, logged
from epochord.renderers.findings import Finding
from epochord.renderers.timeline.timeline import StepRange
from epochord.runlog import Run

__all__ = ["Sounding", "hear_runs", "within"]

HIGHEST_HZ = 5000.0  # above the highest register and the marks


@dataclass(frozen=True)
class Sounding:
    """Runs as they sound side by side.

    Parameters
    ----------
    heard : list of Heard
        One a run.
    logs : list of Logged
        The runs, and what of them sounds and is compared.
    axis : Axis
        Their steps.
    framing : Framing
        How the sounds are cut.
    scales : mapping of str to Scale
        The scale of all.
    levels : list of Level
        Of each, with the gain of all.
    notes : list of str
        What was chosen, in a line each.
    findings : list of list of Finding
        What happened in each (see `happened`).
    """

    heard: list[Heard]
    logs: list[Logged]
    axis: Axis
    framing: Framing
    scales: Scales
    levels: list[Level]
    notes: list[str]
    findings: list[list[Finding]]


def within(run: Run, steps: StepRange) -> Run:
    """Return a run with only the measurements between these steps."""
    first, stop = steps
    if first is None and stop is None:
        return run
    series = {}
    for tag, each in run.series.items():
        wanted = np.ones(len(each), bool)
        if first is not None:
            wanted &= each.steps >= first
        if stop is not None:
            wanted &= each.steps < stop
        if wanted.any():
            series[tag] = each[wanted]
    return replace(run, series=series)


def hear_runs(
    runs: Sequence[Run],
    settings: AudioSettings,
    scales: Scales | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Sounding:
    """Make the sounds of runs and analyse them, without keeping a sound in memory.

    Parameters
    ----------
    runs : sequence of Run
        Two or more.
    settings : AudioSettings
        How they are to be heard.
    scales : mapping of str to Scale, optional
        By default those that these runs share.
    progress : callable, optional
        Called with the sounds done and all of them.

    Raises
    ------
    LogError
        If there is nothing to hear in a run, or nothing in common.
    """
    scores, used = scores_together(runs, settings, scales)
    gains = levels([[score] for score in scores], settings.lufs)
    first = scores[0]
    longest = max(score.samples for score in scores)
    framing = Framing.fitting(first.sample_rate, longest, HIGHEST_HZ)
    heard = []
    for run, score, level in zip(runs, scores, gains, strict=True):
        sound = listen(run.name, mixed([score], level), framing)
        begin, end = _presence(score)
        heard.append(replace(sound, begin=begin, end=end))
        if progress:
            progress(len(heard), len(runs))
    logs = logged(runs, settings.choice, first.frames.names)
    findings = [happened(log, settings.choice) for log in logs]
    notes = _notes(runs, scores)
    return Sounding(heard, logs, Axis.of(first), framing, used, gains, notes, findings)


def _presence(score: Score) -> tuple[float, float]:
    """Return the seconds from which and until which a run is there; 0 and inf if all the time."""
    there = np.flatnonzero((score.state != State.MISSING).any(axis=0))
    each = score.frame_length / score.sample_rate
    last = int(there[-1]) + 1
    return int(there[0]) * each, math.inf if last == score.frames.count else last * each


def _notes(runs: Sequence[Run], scores: Sequence[Score]) -> list[str]:
    """Return what was chosen, once where it is the same for all."""
    names: dict[str, list[str]] = {}
    for run, score in zip(runs, scores, strict=True):
        for note in score.frames.notes:
            names.setdefault(note, []).append(run.name)
    found = [
        note if len(of) == len(runs) else f"{listed(of)}: {note}" for note, of in names.items()
    ]
    frames = scores[0].frames
    different = len(np.unique(frames.steps))  # where time stands still, one is there several times
    if different < frames.total:
        found.append(f"{frames.total:,} steps are reduced to {different:,} frames")
    return found
