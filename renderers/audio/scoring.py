"""From a run and settings to a score, on the run's own scale or on a shared one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from renderers.audio.controls import controlled
from renderers.audio.epochs import epoch_frames
from renderers.audio.marks import epoch_events
from renderers.audio.pace import pace
from renderers.audio.scale import Scale, robust, sample
from renderers.audio.score import Score
from renderers.audio.settings import AudioSettings
from renderers.audio.style import Style, groups
from renderers.audio.voicings import VOICINGS
from renderers.reduction import reduce
from renderers.timeline import Timeline, timeline
from runlog import Run

__all__ = ["Scales", "audio_score", "scale_samples"]

Scales = Mapping[str, Scale]
"""By group of voices (see `renderers.audio.style.groups`)."""


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
    own = _scales(line, settings)
    used = {group: (scales or {}).get(group, scale) for group, scale in own.items()}
    rhythm = pace(settings, line.frames, len(line.names))
    style = Style(
        frame=rhythm.frame,
        tone=rhythm.tone,
        silence=rhythm.silence,
        scales=used,
        polarity=1 if settings.polarity == "+" else -1,
        timbre=settings.timbre,
    )
    score = VOICINGS[settings.voicing](reduce(line, rhythm.frames), style)
    if settings.voicing == "original":
        return score, {}
    loudest = float(score.gain.max(initial=0.0))
    ticks = epoch_events(
        epoch_frames(run, score.frames), score.frame_length, score.sample_rate, loudest
    )
    both = sorted((*score.events, *ticks), key=lambda event: event.sample)
    return controlled(replace(score, events=tuple(both)), run, settings), used


def scale_samples(run: Run, settings: AudioSettings) -> dict[str, npt.NDArray[np.float64]]:
    """Return, by group of voices, the values that stand for a run on a shared scale."""
    line = timeline(run, settings.choice, steps=settings.steps)
    return {group: sample(np.concatenate(values)) for group, values in _by_group(line).items()}


def _scales(line: Timeline, settings: AudioSettings) -> dict[str, Scale]:
    """Find a scale for each group of voices."""
    values = _by_group(line)
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
