"""One sentence as samples: trimmed, resampled, and at the level of all speech."""

import tempfile
from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.level.loudness import LoudnessMeter
from epochord.renderers.audio.speech.speakers import Speaker, SpeechError
from epochord.runlog.errors import one_line

__all__ = ["SPEECH_LUFS", "Clip", "clip"]

Samples = npt.NDArray[np.float32]

SPEECH_LUFS = -20.0  # in a sound of -23 LUFS: above the voices, which are far away meanwhile
LONGEST = 8.0  # s; what is longer is cut off
SILENCE_DB = -50.0  # to its peak: what is softer at either end is no speech
FADE = 0.005  # s, at either end


@dataclass(frozen=True, eq=False)
class Clip:
    """A spoken sentence.

    Parameters
    ----------
    text : str
        What is said.
    program : str
        Which said it, with its version.
    samples : np.ndarray [shape=(n,), float32]
        At -20 LUFS where both channels have them.
    """

    text: str
    program: str
    samples: Samples


def clip(speaker: Speaker, text: str, sample_rate: int) -> Clip:
    """Speak a sentence.

    Parameters
    ----------
    speaker : Speaker
        The program.
    text : str
        The sentence.
    sample_rate : int
        Hz.

    Raises
    ------
    SpeechError
        If the program fails, or what it writes is no sound.
    """
    with tempfile.TemporaryDirectory(prefix="epochord-") as folder:
        path = speaker.speak(text, Path(folder))
        samples, rate = _read(path, f"{speaker.command[0]}: has written no sound of {text!r}")
    if rate != sample_rate:
        from scipy.signal import resample_poly

        common = gcd(rate, sample_rate)
        samples = resample_poly(samples, sample_rate // common, rate // common)
    samples = _faded(_trimmed(samples)[: round(LONGEST * sample_rate)], sample_rate)
    levelled = _levelled(samples, sample_rate).astype(np.float32)
    return Clip(text, speaker.version, levelled)


def _read(path: Path, said: str) -> tuple[npt.NDArray[np.float64], int]:
    """Read a sound file as one channel; a little more than what is kept of it."""
    import soundfile  # type: ignore[import-untyped]

    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            samples = file.read(round(2 * LONGEST * rate), dtype="float64", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        why = getattr(error, "error_string", None) or error
        raise SpeechError(f"{said} ({one_line(why)}); try the same without --speak") from error
    if not np.isfinite(samples).all() or not samples.any():
        raise SpeechError(f"{said}, but silence; try the same without --speak")
    return samples.mean(axis=1), rate


def _trimmed(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    size = np.abs(samples)
    there = np.flatnonzero(size > size.max() * 10 ** (SILENCE_DB / 20))
    return samples[there[0] : there[-1] + 1] if len(there) else samples


def _faded(samples: npt.NDArray[np.float64], sample_rate: int) -> npt.NDArray[np.float64]:
    length = min(round(FADE * sample_rate), len(samples) // 2)
    ramp = (np.arange(length) + 0.5) / max(1, length)
    ends = np.ones(len(samples))
    ends[:length] = ramp
    ends[len(samples) - length :] = ramp[::-1]
    return samples * ends


def _levelled(samples: npt.NDArray[np.float64], sample_rate: int) -> npt.NDArray[np.float64]:
    """Bring a sentence to its loudness; a short one is measured several times in a row."""
    repeated = np.tile(samples, -(-sample_rate // len(samples)))
    peak = np.abs(repeated).max()
    meter = LoudnessMeter(sample_rate, 2)
    meter.add(np.stack([repeated, repeated], axis=1) / peak)
    factor = 10 ** ((SPEECH_LUFS - meter.integrated()) / 20) / peak
    return samples * float(factor)
