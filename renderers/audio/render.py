"""One run to one sound file, with its score and its description beside it."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from renderers.audio.score import Score, write_score
from renderers.audio.synthesis import blocks
from renderers.audio.voicings import VOICINGS
from renderers.audio.wav import BYTES_A_SAMPLE, MAX_DATA_BYTES, write_float_wav
from renderers.choice import Choice, Parameters
from renderers.output import describe, is_up_to_date, writing
from renderers.timeline import StepRange, timeline
from runlog import OutputError, Run

__all__ = ["AUDIO", "AudioResult", "AudioSettings", "render_audio"]

AUDIO = "audio.wav"
SCORE = "audio.score.parquet"
DESCRIPTION = "audio.json"
SCHEMA_VERSION = 1

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class AudioSettings:
    """How a run is to be heard.

    Parameters
    ----------
    voicing : str
        A key of `VOICINGS`.
    layers : tuple of str
        Which layers, in which order; empty for all.
    parameters : {"weight", "all"}
        Of each layer only its weights, or all of its parameters.
    tags : tuple of str
        Globs over tags (see `renderers.choice.Choice`); empty for a sensible choice.
    steps : (int or None, int or None)
        First step, and the step before which to stop.
    tone, silence : float
        Length of a tone and of the pause after each step, in seconds.

    Raises
    ------
    ValueError
        If a setting makes no sense.
    """

    voicing: str = "original"
    layers: tuple[str, ...] = ()
    parameters: Parameters = "weight"
    tone: float = 0.01
    silence: float = 0.02
    tags: tuple[str, ...] = ()
    steps: StepRange = (None, None)

    def __post_init__(self) -> None:
        if self.voicing not in VOICINGS:
            raise ValueError(f"voicing is {self.voicing!r}; expected one of {', '.join(VOICINGS)}")
        if self.parameters not in get_args(Parameters):
            raise ValueError(f"parameters is {self.parameters!r}; expected weight or all")
        for name, least in (("tone", 0.001), ("silence", 0.0)):
            seconds = getattr(self, name)
            if not least <= seconds <= 10:  # also refuses NaN
                raise ValueError(f"{name} is {seconds} s; expected {least} to 10 s")


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
        What lies beside it as JSON: settings, log hash, voices, steps,
        duration (s), counts of what is not simply heard.
    """

    path: Path
    made: bool
    description: dict[str, Any]


def render_audio(
    run: Run,
    folder: Path,
    settings: AudioSettings | None = None,
    *,
    progress: Progress | None = None,
) -> AudioResult:
    """Render a run as sound.

    Parameters
    ----------
    run : Run
        Any run with measurements.
    folder : Path
        Where `audio.wav`, `audio.score.parquet` and `audio.json` go.
    settings : AudioSettings, optional
        How.
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
    choice = Choice(settings.tags, settings.layers, settings.parameters)
    chosen = timeline(run, choice, steps=settings.steps)
    score = VOICINGS[settings.voicing](chosen, settings.tone, settings.silence)
    description = _description(run, settings, score)
    beside = folder / DESCRIPTION
    if is_up_to_date(beside, description):
        return AudioResult(folder / AUDIO, made=False, description=description)
    _require_room(score, folder / AUDIO)
    with writing(folder / AUDIO) as temporary:
        beside.unlink(missing_ok=True)  # it must never describe a sound that it was not made with
        sound = _reporting(blocks(score), score.samples, progress)
        write_float_wav(temporary, sound, samples=score.samples, sample_rate=score.sample_rate)
    with writing(folder / SCORE) as temporary:
        write_score(score, temporary)
    sizes = {name: (folder / name).stat().st_size for name in (AUDIO, SCORE)}
    describe(beside, description | {"files": sizes})
    return AudioResult(folder / AUDIO, made=True, description=description)


def _require_room(score: Score, path: Path) -> None:
    if score.samples * BYTES_A_SAMPLE > MAX_DATA_BYTES:
        raise OutputError(
            f"{path}: {score.duration / 3600:.1f} h of sound exceed the 4 GiB of a WAV file; "
            "choose fewer layers or shorter tones (--layers, --tone, --silence)"
        )


def _description(run: Run, settings: AudioSettings, score: Score) -> dict[str, Any]:
    plain = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(settings).items()
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "run": run.name,
        "log_hash": run.log_hash(),
        "settings": plain,
        "voices": list(score.timeline.names),
        "unit": score.timeline.unit,
        "steps": score.timeline.frames,
        "sample_rate": score.sample_rate,
        "duration": score.duration,
        "counts": score.counts(),
        "notes": list(score.timeline.notes),
    }


def _reporting(
    sound: Iterator[npt.NDArray[np.float32]], total: int, progress: Progress | None
) -> Iterator[npt.NDArray[np.float32]]:
    done = 0
    for block in sound:
        yield block
        done += len(block)
        if progress:
            progress(done, total)
