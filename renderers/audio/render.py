"""One run to one sound file, with its score and its description beside it."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from renderers.audio.controls import controlled
from renderers.audio.epochs import epoch_frames
from renderers.audio.files import AUDIO_FORMATS, Cue, require_room, write_audio
from renderers.audio.legend import legend
from renderers.audio.level import UNTOUCHED, Level, measure
from renderers.audio.marks import epoch_events
from renderers.audio.pace import pace
from renderers.audio.scale import Scale, robust, sample
from renderers.audio.score import Glide, Score, write_score
from renderers.audio.settings import AudioSettings
from renderers.audio.style import Style, groups
from renderers.audio.synthesis import blocks
from renderers.audio.voicings import VOICINGS
from renderers.output import describe, is_up_to_date, writing
from renderers.reduction import reduce
from renderers.timeline import Timeline, timeline
from runlog import LogError, OutputError, Run
from runlog.errors import described

__all__ = [
    "AudioResult",
    "Progress",
    "Scales",
    "audio_score",
    "render_audio",
    "scale_samples",
    "stored_scales",
]

STEM = "audio"
SCORE = "audio.score.parquet"
DESCRIPTION = "audio.json"
SCHEMA_VERSION = 2
TEN_CENTS = 10 / 1200  # octaves; about what an ear tells apart in steady tones

Progress = Callable[[int, int], None]
Samples = npt.NDArray[np.float32]
Scales = Mapping[str, Scale]
"""By group of voices (see `renderers.audio.style.groups`)."""


@dataclass(frozen=True)
class AudioResult:
    """What was made of a run.

    Parameters
    ----------
    path : Path
        The sound file.
    made : bool
        False if it was there already, from the same log and settings.
    description : dict
        What lies beside it as JSON: settings, log hash, scale, voices, steps,
        duration (s), loudness, counts of what is not simply heard.
    """

    path: Path
    made: bool
    description: dict[str, Any]

    def display(self) -> Any:
        """Return a player for a notebook (needs IPython)."""
        from IPython.display import Audio  # type: ignore[import-not-found]

        return Audio(filename=str(self.path))


def render_audio(
    run: Run,
    folder: Path,
    settings: AudioSettings | None = None,
    *,
    scales: Scales | None = None,
    progress: Progress | None = None,
) -> AudioResult:
    """Render a run as sound.

    Parameters
    ----------
    run : Run
        Any run with measurements.
    folder : Path
        Where the sound file, `audio.score.parquet` and `audio.json` go.
    settings : AudioSettings, optional
        How.
    scales : mapping of str to Scale, optional
        Those that several runs share; by default the run's own.
    progress : callable, optional
        Called with the samples done and the samples in all.

    Returns
    -------
    AudioResult
        Nothing is written if the same log was rendered there with the same
        settings before.

    Raises
    ------
    LogError
        If there is nothing to hear.
    OutputError
        If a file cannot be written.
    """
    settings = settings or AudioSettings()
    path = folder / f"{STEM}{AUDIO_FORMATS[settings.file_format].suffix}"
    score, used = audio_score(run, settings, scales)
    description = _description(run, settings, score, used)
    beside = folder / DESCRIPTION
    if is_up_to_date(beside, description):
        return AudioResult(path, made=False, description=_described(beside))
    sound = _Sound(score, legend(score) if settings.legend else None, progress)
    cues, tags = _cues(score, sound.offset), _tags(run, description)
    about = {"samples": sound.samples, "sample_rate": score.sample_rate}
    try:
        require_room(
            **about, channels=score.channels, format=settings.file_format, cues=cues, tags=tags
        )
    except ValueError as error:
        raise OutputError(f"{path}: {error}") from error
    level = _level(sound, settings)
    with writing(path) as temporary:
        beside.unlink(missing_ok=True)  # it must never describe a sound that it was not made with
        write_audio(
            temporary,
            sound.blocks(level.gain),
            **about,
            channels=score.channels,
            format=settings.file_format,
            cues=cues,
            tags=tags,
        )
    with writing(folder / SCORE) as temporary:
        write_score(score, temporary)
    description |= {"loudness": level.to_dict(), "legend_samples": sound.offset}
    sizes = {name: (folder / name).stat().st_size for name in (path.name, SCORE)}
    describe(beside, description | {"files": sizes})
    return AudioResult(path, made=True, description=description)


class _Sound:
    """A score's sound, behind its legend if it has one, made once to measure and once to write."""

    def __init__(self, score: Score, opening: Score | None, progress: Progress | None) -> None:
        self.score = score
        self.offset = opening.samples if opening else 0
        self.samples = self.offset + score.samples
        self._opening = opening
        self._progress = progress
        self._done = 0
        # The original is written as it is, so it is made only once.
        self._passes = 1 if score.voicing == "original" else 2

    def blocks(self, gain: float = 1.0) -> Iterator[Samples]:
        factor = np.float32(gain)
        for score in filter(None, (self._opening, self.score)):
            for block in blocks(score):
                yield block if factor == 1 else block * factor
                self._done += len(block)
                if self._progress:
                    self._progress(self._done, self._passes * self.samples)


def _level(sound: _Sound, settings: AudioSettings) -> Level:
    if settings.voicing == "original":
        return UNTOUCHED
    return measure(
        sound.blocks(),
        sample_rate=sound.score.sample_rate,
        channels=sound.score.channels,
        target_lufs=settings.lufs,
    )


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


def stored_scales(result: Path) -> dict[str, Scale]:
    """Read the scale that an earlier result was made with.

    Parameters
    ----------
    result : Path
        Its folder, or a file in it.

    Raises
    ------
    LogError
        If there is none.
    """
    folder = result if result.is_dir() else result.parent
    try:
        about = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        scales = {group: Scale(**one) for group, one in about["scale"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LogError(
            f"{folder}: no result with a scale ({described(error)}); expected {DESCRIPTION}, as "
            "'earshot render audio' writes it"
        ) from error
    if not scales:
        raise LogError(f"{folder}: was rendered without a scale; use one of another voicing")
    return scales


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


def _cues(score: Score, offset: int) -> list[Cue]:
    """Name what is not a number, and the ends of epochs, where they begin."""
    names = score.frames.names
    return [
        Cue(
            event.sample + offset,
            f"{names[event.voice]}: {event.kind}" if event.voice >= 0 else str(event.kind),
        )
        for event in score.events
        if event.mark
    ]


def _tags(run: Run, description: Mapping[str, Any]) -> dict[str, str]:
    scale = "; ".join(
        f"{group or 'value'} {one['low']:.4g} to {one['high']:.4g}"
        for group, one in description["scale"].items()
    )
    voicing = description["settings"]["voicing"]
    comment = f"voicing {voicing}; scale {scale or 'none'}; log {description['log_hash']}"
    return {"title": run.name, "comment": comment, "software": "Earshot"}


def _described(beside: Path) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(beside.read_text(encoding="utf-8"))
    made.pop("files")
    return made


def _description(run: Run, settings: AudioSettings, score: Score, scales: Scales) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "run": run.name,
        "log_hash": run.log_hash(),
        "settings": settings.to_dict(),
        "scale": {group: scale.to_dict() for group, scale in scales.items()},
        "voices": list(score.frames.names),
        "lanes": _lanes(score, scales),
        "unit": score.frames.unit,
        "steps": score.frames.total,
        "last_step": int(score.frames.axis[-1]),
        "frames": score.frames.count,
        "frame_samples": score.frame_length,
        "glide_samples": score.articulation.length if isinstance(score.articulation, Glide) else 0,
        "sample_rate": score.sample_rate,
        "channels": score.channels,
        "duration": score.duration,
        "counts": score.counts(),
        "events": dict(Counter(str(event.kind) for event in score.events if event.mark)),
        "notes": list(score.frames.notes),
    }


def _lanes(score: Score, scales: Scales) -> list[dict[str, Any]]:
    """Say of each voice where it lies, and how fine it can be heard."""
    if score.registers is None:
        return []
    lanes = []
    for voice, (name, group) in enumerate(
        zip(score.frames.names, groups(score.frames), strict=True)
    ):
        low, high = score.registers[voice]
        share = TEN_CENTS / np.log2(high / low)  # of the range
        scale = scales[group]
        span = np.log(scale.high / scale.low) if scale.kind == "log" else None
        lanes.append(
            {
                "voice": name,
                "group": group,
                "low_hz": float(low),
                "high_hz": float(high),
                "pan": float(score.places[voice].mean()),
                "ten_cents_are_percent": 100 * float(np.expm1(share * span) if span else share),
            }
        )
    return lanes
