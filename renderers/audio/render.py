"""One run to one sound file, with its score and its description beside it."""

from typing import Any, Unpack

from epochord.renderers.audio.description import (
    DESCRIPTION,
    MIDI,
    SCORE,
    STEM,
    cues,
    described_before,
    description,
    files_before,
    tags,
)
from epochord.renderers.audio.files.write import (
    AUDIO_FORMATS,
    AudioFormat,
    require_room,
    write_audio,
)
from epochord.renderers.audio.level.measure import UNTOUCHED
from epochord.renderers.audio.midi import require_mido, write_midi
from epochord.renderers.audio.result import AudioResult
from epochord.renderers.audio.samples import Progress, Sound, sound
from epochord.renderers.audio.scoring.compose import Scales
from epochord.renderers.audio.scoring.score import write_score
from epochord.renderers.audio.scoring.settings import AudioOptions, AudioSettings
from epochord.renderers.results.destination import Destination, StrPath, destination
from epochord.renderers.results.output import describe, is_up_to_date, writing
from epochord.renderers.results.own import require_own
from epochord.runlog import OutputError, Run
from epochord.runlog.run.given import require_run

__all__ = ["render_audio"]

SUFFIXES = tuple(dict.fromkeys(kind.suffix for kind in AUDIO_FORMATS.values()))


def render_audio(
    run: Run,
    out: StrPath | Destination | None = None,
    settings: AudioSettings | None = None,
    *,
    scales: Scales | None = None,
    progress: Progress | None = None,
    midi: bool = False,
    **options: Unpack[AudioOptions],
) -> AudioResult:
    """Render a run as a sound file.

    Parameters
    ----------
    run : Run
        Any run with measurements.
    out : str or PathLike, optional
        A sound file, such as ``"loss.flac"``, whose suffix says the format;
        `loss.score.parquet` and `loss.json` go beside it.  Else a folder, for
        `audio.wav`, `audio.score.parquet` and `audio.json`; by default
        ``renders/<run>``.
    settings : AudioSettings, optional
        How it is to be heard.
    scales : mapping of str to Scale, optional
        Those that several runs share; by default the run's own.
    progress : callable, optional
        Called with the samples done and the samples in all.
    midi : bool
        Write the score as MIDI, too: `audio.mid`, or beside the file that was named.
    **options
        Single settings by name, such as ``voicing="sequence", duration=12`` (s):
        ``help(epochord.AudioSettings)`` has them all.

    Returns
    -------
    AudioResult
        Nothing is written if the same log was rendered there with the same
        settings before.

    Raises
    ------
    LogError
        If there is nothing to hear.
    MissingPackageError
        If MIDI is to be written, and mido is not installed.
    OutputError
        If a file cannot be written, or one that is not ours lies where another goes.
    SpeechError
        If it is to speak, and no program here does, or it fails.
    TypeError
        If `run` is no run, or there is no such setting.
    ValueError
        If a setting makes no sense.
    """
    require_run(run)
    if midi:
        require_mido()
    settings = AudioSettings.given(settings, **options)
    place = destination(out, folder=f"renders/{run.name}", stem=STEM, suffixes=SUFFIXES)
    settings = settings.but(format=_format(place, settings))
    path = place.path(AUDIO_FORMATS[settings.file_format].suffix)
    heard = sound(run, settings, scales=scales, progress=progress)
    about = description(run, settings, heard.score, heard.scales)
    beside = place.path(DESCRIPTION)
    notes = place.path(MIDI)
    before = files_before(beside)
    if is_up_to_date(beside, about) and (notes.name in before or not midi):
        made = described_before(beside)
        return AudioResult(path, made=False, description=made, midi=notes if midi else None)
    require_own(place, (SCORE, MIDI) if midi else (SCORE,))
    shape: dict[str, Any] = {
        "samples": len(heard),
        "sample_rate": heard.sample_rate,
        "channels": heard.channels,
        "format": settings.file_format,
        "cues": cues(heard.score, heard.offset),
        "tags": tags(run, about),
    }
    try:
        require_room(**shape)
    except ValueError as error:
        raise OutputError(f"{path}: {error}") from error
    about |= _loudness(heard)
    with writing(path) as temporary:
        beside.unlink(missing_ok=True)  # it must never describe a sound that it was not made with
        if notes.name in before:
            notes.unlink(missing_ok=True)  # nor may they be of another score
        write_audio(temporary, heard.blocks(), **shape)
    scored = place.path(SCORE)
    with writing(scored) as temporary:
        write_score(heard.score, temporary)
    files = [path, scored]
    if midi:
        files.append(notes)
        with writing(notes) as temporary:
            write_midi(heard.score, temporary, name=run.name, offset=heard.offset)
    describe(beside, about | {"files": {each.name: each.stat().st_size for each in files}})
    return AudioResult(path, made=True, description=about, midi=notes if midi else None)


def _format(place: Destination, settings: AudioSettings) -> AudioFormat | None:
    """Return the format that the name of a file asks for, or what was asked for without one."""
    suffixes = {name: kind.suffix for name, kind in AUDIO_FORMATS.items()}
    if place.suffix in ("", suffixes[settings.file_format]):
        return settings.format
    if settings.format is not None:
        raise OutputError(
            f"{place.path(place.suffix)}: the format is to be {settings.format}; expected a name "
            f"that ends in {suffixes[settings.format]}, or no format"
        )
    return next(name for name, suffix in suffixes.items() if suffix == place.suffix)


def _loudness(heard: Sound) -> dict[str, Any]:
    level = heard.level
    about = level.to_dict()
    if level is not UNTOUCHED and level.lufs is None and level.true_peak_dbtp is not None:
        about["note"] = "too short or too soft to have a loudness; levelled by its peak"
    return {"loudness": about, "legend_samples": heard.offset}
