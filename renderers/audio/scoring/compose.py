"""From a run and settings to a score, on the run's own scale or on a shared one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.controls import controlled
from epochord.renderers.audio.scoring.epochs import epoch_frames
from epochord.renderers.audio.scoring.marks import epoch_events
from epochord.renderers.audio.scoring.pace import pace
from epochord.renderers.audio.scoring.scale import Scale, robust, sample
from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.audio.scoring.settings import AudioSettings
from epochord.renderers.audio.scoring.style import Style, groups
from epochord.renderers.audio.scoring.voicings import voiced
from epochord.renderers.timeline.reduction import reduce
from epochord.renderers.timeline.side_by_side import shared_timelines
from epochord.renderers.timeline.timeline import Timeline, timeline
from epochord.runlog import Run

__all__ = ["Scales", "audio_score", "scale_samples", "scores_together"]

Scales = Mapping[str, Scale]
"""By group of voices (see `epochord.renderers.audio.scoring.style.groups`)."""


def audio_score(
    run: Run, settings: AudioSettings, scales: Scales | None = None
) -> tuple[Score, dict[str, Scale]]:
    """Score a run.

    Parameters
    ----------
    run : Run
        Any run with measurements.
    settings : AudioSettings
        How it is to be heard.
    scales : mapping of str to Scale, optional
        Those that several runs share; a group without one gets its own.

    Returns
    -------
    score : Score
        What sounds when.
    scales : dict of str to Scale
        Those used.
    """
    line = timeline(run, settings.choice, steps=settings.steps)
    own = _scales(_by_group(line), settings)
    used = {group: (scales or {}).get(group, scale) for group, scale in own.items()}
    return _score(run, line, settings, used), {} if settings.voicing == "original" else used


def scores_together(
    runs: Sequence[Run],
    settings: AudioSettings,
    scales: Scales | None = None,
    lines: Sequence[Timeline] | None = None,
) -> tuple[list[Score], dict[str, Scale]]:
    """Score several runs so that they can be compared at every moment.

    Parameters
    ----------
    runs : sequence of Run
        Any runs with measurements.
    settings : AudioSettings
        How they are to be heard.
    scales : mapping of str to Scale, optional
        By default those that all these runs share.
    lines : sequence of Timeline, optional
        Of these runs, from `shared_timelines`, if they are there already.

    Returns
    -------
    scores : list of Score
        One a run, with the same voices, registers and frames: the same moment is
        the same step.  Where a run has ended or has no such voice, it is silent.
    scales : dict of str to Scale
        Those used.

    Raises
    ------
    NothingToHearError
        If a run has no measurement.
    LogError
        If the runs have no tag in common.
    """
    lines = lines or shared_timelines(runs, settings.choice, steps=settings.steps)
    pooled: dict[str, list[npt.NDArray[Any]]] = {}
    for line in lines:
        for group, values in _by_group(line).items():
            pooled.setdefault(group, []).append(sample(np.concatenate(values)))
    own = _scales(pooled, settings)
    used = {group: (scales or {}).get(group, scale) for group, scale in own.items()}
    scores = [_score(run, line, settings, used) for run, line in zip(runs, lines, strict=True)]
    return scores, {} if settings.voicing == "original" else used


def scale_samples(run: Run, settings: AudioSettings) -> dict[str, npt.NDArray[np.float64]]:
    """Return, by group of voices, the values that stand for a run on a shared scale."""
    line = timeline(run, settings.choice, steps=settings.steps)
    return {group: sample(np.concatenate(values)) for group, values in _by_group(line).items()}


def _score(run: Run, line: Timeline, settings: AudioSettings, scales: Scales) -> Score:
    rhythm = pace(settings, line.frames, len(line.names))
    style = Style(
        frame=rhythm.frame,
        tone=rhythm.tone,
        silence=rhythm.silence,
        scales=scales,
        polarity=1 if settings.polarity == "+" else -1,
        timbre=settings.timbre,
    )
    score = voiced(settings.voicing, reduce(line, rhythm.frames), style)
    if settings.voicing == "original":
        return score
    loudest = float(score.gain.max(initial=0.0))
    ticks = epoch_events(
        epoch_frames(run, score.frames), score.frame_length, score.sample_rate, loudest
    )
    both = sorted((*score.events, *ticks), key=lambda event: event.sample)
    return controlled(replace(score, events=tuple(both)), run, settings)


def _scales(
    values: Mapping[str, Sequence[npt.NDArray[Any]]], settings: AudioSettings
) -> dict[str, Scale]:
    """Find a scale for each group of voices."""
    own = {voice.name or voice.pitch: voice.range for voice in settings.voices}
    ends = {group: own.get(group) or settings.range for group in values}
    return {
        group: Scale(*end, kind="log" if end[0] > 0 else "linear") if end else robust(values[group])
        for group, end in ends.items()
    }


def _by_group(line: Timeline) -> dict[str, list[npt.NDArray[Any]]]:
    values: dict[str, list[npt.NDArray[Any]]] = {}
    for group, row, measured in zip(groups(line), line.values, line.measured, strict=True):
        values.setdefault(group, []).append(row[measured])
    return values
