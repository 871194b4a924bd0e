"""From a run and settings to a score, on the run's own scale or on a shared one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.scoring.calls import MOST_CALLS, Call, called, calls, lengthened
from epochord.renderers.audio.scoring.controls import controlled
from epochord.renderers.audio.scoring.epochs import epoch_frames
from epochord.renderers.audio.scoring.events import Event
from epochord.renderers.audio.scoring.marks import (
    epoch_events,
    finding_events,
    held_events,
    running_events,
)
from epochord.renderers.audio.scoring.pace import pace
from epochord.renderers.audio.scoring.scale import Sample, Scale, common, robust, sample
from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.audio.scoring.settings import CALLING, AudioSettings
from epochord.renderers.audio.scoring.speaking import Spoken, allotted, spoken_of, with_speech
from epochord.renderers.audio.scoring.style import Style, groups
from epochord.renderers.audio.scoring.voicings import voiced
from epochord.renderers.findings import Finding, What, find
from epochord.renderers.timeline.choice import NothingToHearError
from epochord.renderers.timeline.reduction import Frames
from epochord.renderers.timeline.side_by_side import shared_timelines
from epochord.renderers.timeline.spacing import extent, positions, spaced
from epochord.renderers.timeline.timeline import Timeline, timeline
from epochord.renderers.timeline.total import with_total
from epochord.runlog import Run

__all__ = ["Scales", "audio_score", "scale_samples", "scores_together", "sounding"]

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
    LogError
        If time is to be proportional to wall time, and the log has none.
    """
    line = timeline(run, settings.choice, steps=settings.steps)
    if line.frames == 1 and settings.voicing != "original":
        raise NothingToHearError(_said(run, line))
    part = _Part.of(run, line, settings)
    own = {group: robust(values) for group, values in _by_group(part.line).items()}
    used = _used(own, settings, scales)
    return _scores([part], settings, used)[0], {} if settings.voicing == "original" else used


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
        How they are to be heard; nothing is spoken, since not all of them have the time.
    scales : mapping of str to Scale, optional
        By default those that all these runs share.
    lines : sequence of Timeline, optional
        Of these runs, from `shared_timelines`, if they are there already.

    Returns
    -------
    scores : list of Score
        One a run, with the same voices, registers and frames: the same moment is
        the same step.  Where a run has ended or has no such voice, it is silent.
        The time of a call in one of them passes in all.
    scales : dict of str to Scale
        Those used.

    Raises
    ------
    NothingToHearError
        If a run has no measurement.
    LogError
        If the runs have no tag in common, or if time is to be proportional to wall
        time, and none of them has any.
    """
    settings = settings.but(speak=False)
    lines = lines or shared_timelines(runs, settings.choice, steps=settings.steps)
    if lines[0].frames == 1 and settings.voicing != "original":
        raise NothingToHearError(_said(runs[0], lines[0]))
    parts = [_Part.of(run, line, settings) for run, line in zip(runs, lines, strict=True)]
    used = _used(common(part.samples() for part in parts), settings, scales)
    return _scores(parts, settings, used), {} if settings.voicing == "original" else used


def scale_samples(run: Run, settings: AudioSettings) -> dict[str, Sample]:
    """Return, by group of voices, what stands for a run on a shared scale."""
    line = timeline(run, settings.choice, steps=settings.steps)
    return _Part.of(run, line, settings).samples()


def sounding(line: Timeline, settings: AudioSettings) -> Timeline:
    """Return the voices that sound: those of a timeline, and with `roll` the norm of all layers."""
    if settings.voicing in CALLING and settings.range is None and not settings.voices:
        return with_total(line)
    return line


@dataclass(frozen=True)
class _Part:
    """A run, the voices that sound, and what happened in it."""

    run: Run
    line: Timeline
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, run: Run, line: Timeline, settings: AudioSettings) -> "_Part":
        # On its own steps: beside others, where its values are held, a spike would seem to last.
        return cls(run, sounding(line, settings), tuple(find(line.logged_only())))

    def samples(self) -> dict[str, Sample]:
        """Return what stands for the run on a shared scale."""
        ill = {name for found in self.findings if found.what in ILL for name in found.voices}
        if ill:  # nobody looks at the total alone: it is as ill as its layers
            ill |= {name for name, kind in zip(self.line.names, self.line.quantities, strict=True)
                    if kind == "total"}  # fmt: skip
        named = zip(self.line.names, groups(self.line), strict=True)
        of_ill = {group for name, group in named if name in ill}
        return {
            group: Sample(sample(np.concatenate(values)), group not in of_ill)
            for group, values in _by_group(self.line).items()
        }


def _scores(parts: Sequence[_Part], settings: AudioSettings, scales: Scales) -> list[Score]:
    """Score runs on one axis: the same frames, of the same length, with calls at the same time."""
    line = max(parts, key=_seconds_known).line  # beyond its end, wall times stand still
    spread = positions(line, settings.time)
    rhythm = pace(settings, line.frames, len(line.names), extent(spread))
    frames = [spaced(part.line, rhythm.frames, spread) for part in parts]
    chosen = [
        calls(part.findings, max(1, MOST_CALLS // len(parts)))
        if settings.voicing in CALLING
        else []
        for part in parts
    ]
    times = lengthened([call for several in chosen for call in several], frames[0], rhythm.frame)
    said = spoken_of(chosen[0], frames[0], settings.duration) if settings.speak else {}
    # What was asked to last so long does, with its calls and its speech.
    ticks, frame = allotted(said, times, rhythm.frame, settings.duration)
    style = Style(
        frame=frame,
        tone=rhythm.tone,
        silence=rhythm.silence,
        scales=scales,
        polarity=1 if settings.polarity == "+" else -1,
        timbre=settings.timbre,
        asked=frozenset(scales) if settings.range else _asked(settings),
    )
    return [
        _score(part, each, settings, style, several, times, said, ticks)
        for part, each, several in zip(parts, frames, chosen, strict=True)
    ]


def _seconds_known(part: _Part) -> int:
    """Count the steps of a run of which it says when they were."""
    there = part.line.measured.any(axis=0)
    return 0 if part.line.wall is None else int((there & np.isfinite(part.line.wall)).sum())


def _score(
    part: _Part,
    frames: Frames,
    settings: AudioSettings,
    style: Style,
    chosen: Sequence[Call],
    times: npt.NDArray[np.intp],
    said: Spoken,
    ticks: npt.NDArray[np.intp],
) -> Score:
    made = replace(voiced(settings.voicing, frames, style), findings=part.findings)
    if settings.voicing == "original":
        return made
    shape = made.frame_length, made.sample_rate
    found = (
        *made.events,
        *held_events(made, style.polarity),
        *finding_events(part.findings, frames, *shape),
        *epoch_events(epoch_frames(part.run, frames), *shape),
    )
    score = controlled(replace(made, events=_in_time(found)), part.run, settings)
    if settings.voicing in CALLING:
        score, times = with_speech(score, said, times, ticks)
        score = called(score, chosen, times)
    return replace(score, events=_in_time((*score.events, *running_events(score))))


def _in_time(events: Iterable[Event]) -> tuple[Event, ...]:
    return tuple(sorted(events, key=lambda event: event.sample))


def _asked(settings: AudioSettings) -> frozenset[str]:
    """Return the groups of voices whose range was asked for."""
    return frozenset(voice.name or voice.pitch for voice in settings.voices if voice.range)


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
