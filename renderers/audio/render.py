"""One run to one sound file, with its score and its description beside it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.description import (
    DESCRIPTION,
    cues,
    described_before,
    description,
    tags,
)
from epochord.renderers.audio.files.write import AUDIO_FORMATS, require_room, write_audio
from epochord.renderers.audio.level.measure import UNTOUCHED, Level, measure
from epochord.renderers.audio.result import AudioResult
from epochord.renderers.audio.scoring.compose import Scales, audio_score
from epochord.renderers.audio.scoring.legend import legend
from epochord.renderers.audio.scoring.score import Score, write_score
from epochord.renderers.audio.scoring.settings import AudioSettings
from epochord.renderers.audio.synthesis.blocks import blocks
from epochord.renderers.results.output import describe, is_up_to_date, writing
from epochord.runlog import OutputError, Run

__all__ = ["SCORE", "Progress", "render_audio"]

STEM = "audio"
SCORE = "audio.score.parquet"

Progress = Callable[[int, int], None]
Samples = npt.NDArray[np.float32]


def render_audio(
    run: Run,
    folder: Path | None = None,
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
    folder : Path, optional
        Where the sound file, `audio.score.parquet` and `audio.json` go; by
        default ``renders/<run>``.
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
    folder = folder or Path("renders", run.name)
    path = folder / f"{STEM}{AUDIO_FORMATS[settings.file_format].suffix}"
    score, used = audio_score(run, settings, scales)
    about = description(run, settings, score, used)
    beside = folder / DESCRIPTION
    if is_up_to_date(beside, about):
        return AudioResult(path, made=False, description=described_before(beside))
    sound = _Sound(score, legend(score) if settings.legend else None, progress)
    shape: dict[str, Any] = {
        "samples": sound.samples,
        "sample_rate": score.sample_rate,
        "channels": score.channels,
        "format": settings.file_format,
        "cues": cues(score, sound.offset),
        "tags": tags(run, about),
    }
    try:
        require_room(**shape)
    except ValueError as error:
        raise OutputError(f"{path}: {error}") from error
    level = _level(sound, settings)
    with writing(path) as temporary:
        beside.unlink(missing_ok=True)  # it must never describe a sound that it was not made with
        write_audio(temporary, sound.blocks(level.gain), **shape)
    with writing(folder / SCORE) as temporary:
        write_score(score, temporary)
    about |= {"loudness": level.to_dict(), "legend_samples": sound.offset}
    if level is not UNTOUCHED and level.lufs is None and level.true_peak_dbtp is not None:
        about["loudness"]["note"] = "too short or too soft to have a loudness; levelled by its peak"
    sizes = {name: (folder / name).stat().st_size for name in (path.name, SCORE)}
    describe(beside, about | {"files": sizes})
    return AudioResult(path, made=True, description=about)


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
