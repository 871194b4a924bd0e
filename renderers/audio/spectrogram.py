"""A run, a sound or a sound file as a mel spectrogram."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.files.sound_files import sound_blocks, unreadable
from epochord.renderers.audio.samples import Sound, sound
from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.pictures.spectrogram import Spectrogram, mel_spectrogram
from epochord.renderers.results.destination import StrPath
from epochord.runlog import Run
from epochord.runlog.given import require
from epochord.runlog.locations import expanded

__all__ = ["spectrogram"]

NO_STEP = -1  # in a legend


def spectrogram(
    source: Run | Sound | StrPath,
    *,
    mels: int = 128,
    hop_length: int = 512,
    window: int = 2048,
    lowest: float = 0.0,
    highest: float | None = None,
) -> Spectrogram:
    """Analyse a sound in mel bands, in absolute dB.

    Its `db` [shape=(mels, frames), float32], `times` (s) and `frequencies` (Hz) are what
    ``librosa.display.specshow`` takes; `steps` [shape=(frames,), int64] says which
    training step is heard.

    Parameters
    ----------
    source : Run, Sound, str or PathLike
        A run as it sounds by default, any sound (see `epochord.sound`), or a sound file.
        Channels are averaged.
    mels : int
        Number of bands.
    hop_length, window : int
        Samples from frame to frame, and in a frame.
    lowest, highest : float, optional
        Hz; by default up to half the sampling rate.

    Returns
    -------
    Spectrogram
        librosa's, of the whole sound, with ``ref=1.0`` and without ``top_db``: a sound
        20 dB softer is 20 dB lower.

    Raises
    ------
    LogError
        If there is nothing to hear, or a file cannot be read.
    """
    shape: dict[str, Any] = {
        "mels": mels, "hop_length": hop_length, "window": window,
        "lowest": lowest, "highest": highest,
    }  # fmt: skip
    if isinstance(source, Run):
        source = sound(source)
    if not isinstance(source, Sound):
        require("source", source, (str, os.PathLike), "a Run, a Sound, or the path of a sound file")
        return _of_file(expanded(source), shape)
    seen = mel_spectrogram(source.blocks(), source.sample_rate, **shape)
    return Spectrogram(seen.db, seen.frequencies, seen.hop, _steps(source, seen.times))


def _of_file(path: Path, shape: dict[str, Any]) -> Spectrogram:
    import soundfile  # type: ignore[import-untyped]

    try:
        return mel_spectrogram(sound_blocks(path), soundfile.info(path).samplerate, **shape)
    except (OSError, soundfile.LibsndfileError) as error:
        raise unreadable(path, error) from error


def _steps(heard: Sound, times: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    since = times - heard.offset / heard.sample_rate
    return np.where(since < 0, NO_STEP, Axis.of(heard.score).at(since))
