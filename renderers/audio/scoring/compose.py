"""From a run and settings to a score, on the run's own scale or on a shared one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.controls import controlled
from epochord.renderers.audio.scoring.epochs import epoch_frames
from epochord.renderers.audio.scoring.marks import epoch_events, finding_events
from epochord.renderers.audio.scoring.pace import pace
from epochord.renderers.audio.scoring.scale import Sample, Scale, common, robust, sample
from epochord.renderers.audio.scoring.score import Glide, Score
from epochord.renderers.audio.scoring.settings import AudioSettings
from epochord.renderers.audio.scoring.style import Style, groups
from epochord.renderers.audio.scoring.voicings import voiced
from epochord.renderers.findings import What, find
from epochord.renderers.timeline.choice import NothingToHearError
from epochord.renderers.timeline.reduction import reduce
from epochord.renderers.timeline.side_by_side import shared_timelines
from epochord.renderers.timeline.timeline import Timeline, timeline
from epochord.runlog import Run

__all__ = ["Scales", "audio_score", "scale_samples", "scores_together"]

Scales = Mapping[str, Scale]
"""By group of voices (see `epochord.renderers.audio.scoring.style.groups`)."""

# A run to which this has happened says nothing of what others' ranges are.
ILL = (
    What.EXPLOSION, What.DEAD, What.NAN, What.POSITIVE_INFINITY, What.NEGATIVE_INFINITY,
)  # fmt: skip


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

    Raises
    ------
    NothingToHearError
        If the run has no measurement, or a single step.
    """
    line = timeline(run, settings.choice, steps=settings.steps)
    if line.frames == 1 and settings.voicing != "original":
        raise NothingToHearError(_said(run, line))
    own = {group: robust(values) for group, values in _by_group(line).items()}
    used = _used(own, settings, scales)
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
    own = common(_samples(line) for line in lines)
    used = _used(own, settings, scales)
    scores = [_score(run, line, settings, used) for run, line in zip(runs, lines, strict=True)]
    return scores, {} if settings.voicing == "original" else used


def scale_samples(run: Run, settings: AudioSettings) -> dict[str, Sample]:
    """Return, by group of voices, what stands for a run on a shared scale."""
    return _samples(timeline(run, settings.choice, steps=settings.steps))


def _samples(line: Timeline) -> dict[str, Sample]:
    ill = {name for found in find(line) if found.what in ILL for name in found.voices}
    groups_of_ill = {
        group for name, group in zip(line.names, groups(line), strict=True) if name in ill
    }
    return {
        group: Sample(sample(np.concatenate(values)), group not in groups_of_ill)
        for group, values in _by_group(line).items()
    }


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
    findings = find(line)
    made = voiced(settings.voicing, reduce(line, rhythm.frames), style)
    score = replace(made, findings=tuple(findings))
    if settings.voicing == "original":
        return score
    frames, loudest = score.frames, float(score.gain.max(initial=0.0))
    shape = score.frame_length, score.sample_rate
    every = (
        *score.events,
        *finding_events(findings, frames, *shape, _together(score)),
        *epoch_events(epoch_frames(run, frames), *shape, loudest),
    )
    ordered = tuple(sorted(every, key=lambda event: event.sample))
    return controlled(replace(score, events=ordered), run, settings)


def _together(score: Score) -> float:
    """Return the RMS amplitude of all voices together, over both channels."""
    loudest = float(score.gain.max(initial=0.0))
    at_once = len(score.frames.names) if isinstance(score.articulation, Glide) else 1
    return float(loudest * (at_once / 2) ** 0.5)


def _used(
    own: Mapping[str, Scale], settings: AudioSettings, given: Scales | None
) -> dict[str, Scale]:
    """Choose each group's scale: one that was given, one that was asked for, or its own."""
    asked = {voice.name or voice.pitch: voice.range for voice in settings.voices}
    used = {}
    for group, scale in own.items():
        ends = asked.get(group) or settings.range
        if ends:
            scale = Scale(*ends, kind="log" if ends[0] > 0 else "linear")
        used[group] = (given or {}).get(group, scale)
    return used


def _said(run: Run, line: Timeline) -> str:
    """Say in words what a single step is, which makes no sound."""
    values = ", ".join(
        f"{name} {value:.4g}" for name, value in zip(line.names, line.values[:, 0], strict=True)
    )
    return f"run {run.name!r} has a single step, {line.steps[0]}: {values}; nothing to hear"


def _by_group(line: Timeline) -> dict[str, list[npt.NDArray[Any]]]:
    values: dict[str, list[npt.NDArray[Any]]] = {}
    for group, row, measured in zip(groups(line), line.values, line.measured, strict=True):
        values.setdefault(group, []).append(row[measured])
    return values
