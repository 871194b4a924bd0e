"""Audio files to samples of one rate, as they are: no gain, nothing clipped, and it is said.

All is read block by block.  Files of different rates are brought to the lowest
of them, since what a lower rate cannot hold would show as a difference.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.files.sound_files import sound_blocks, unreadable
from epochord.renderers.comparison.names import listed
from epochord.renderers.results.destination import StrPath
from epochord.runlog import LogError
from epochord.runlog.extras import needing
from epochord.runlog.locations import expanded

__all__ = ["Clip", "is_audio", "open_clip", "spoken_differences"]

Samples = npt.NDArray[np.float32]

MORE_SUFFIXES = (".aif", ".oga", ".opus")  # besides libsndfile's own names
NOT_SOUNDS = (".raw", ".mat4", ".mat5")  # no header, or anything


@dataclass(frozen=True)
class Clip:
    """An audio file.

    Parameters
    ----------
    name : str
        How it is called in results.
    path : Path
        Where it lies.
    sample_rate, channels, samples : int
        As its header says; Hz, and samples of one channel.
    digest : str
        SHA-256 of the file.
    """

    name: str
    path: Path
    sample_rate: int
    channels: int
    samples: int
    digest: str

    def blocks(self, sample_rate: int) -> Iterator[Samples]:
        """Read the samples.

        Parameters
        ----------
        sample_rate : int
            Hz; if the file has another one, it is resampled (soxr, high quality).

        Yields
        ------
        np.ndarray [shape=(n, channels), float32]
            In order.

        Raises
        ------
        LogError
            If the file cannot be decoded, has no samples, or some that are no numbers.
        """
        if sample_rate == self.sample_rate:
            yield from self._read()
            return
        with needing("sound of another sample rate", "pictures"):
            import soxr  # type: ignore[import-untyped]

        stream = soxr.ResampleStream(
            self.sample_rate, sample_rate, self.channels, dtype="float32", quality="HQ"
        )
        for block in self._read():
            yield stream.resample_chunk(block).reshape(-1, self.channels)
        rest = np.empty((0, self.channels), np.float32)
        yield stream.resample_chunk(rest, last=True).reshape(-1, self.channels)

    def _read(self) -> Iterator[Samples]:
        import soundfile  # type: ignore[import-untyped]

        done = 0
        try:
            for block in sound_blocks(self.path):
                _require_numbers(self.path, block, done)
                done += len(block)
                yield block
        except (soundfile.LibsndfileError, OSError) as error:
            raise unreadable(self.path, error) from error
        if not done:
            raise LogError(f"{self.path}: holds no sound (0 samples); expected at least one")


def is_audio(path: str) -> bool:
    """Tell by its suffix whether a path names an audio file, there or not."""
    import soundfile

    known = {f".{name.lower()}" for name in soundfile.available_formats()}
    suffixes = known.union(MORE_SUFFIXES).difference(NOT_SOUNDS)
    return Path(path).suffix.lower() in suffixes and not Path(path).is_dir()


def open_clip(path: StrPath, name: str) -> Clip:
    """Look at an audio file.

    Parameters
    ----------
    path : str or PathLike
        Any file that libsndfile reads.
    name : str
        How it is to be called.

    Raises
    ------
    LogError
        If there is none, it cannot be read, or it holds no sound.
    """
    import soundfile

    path = expanded(path)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        about = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError) as error:
        raise unreadable(path, error) from error
    if not about.frames:
        raise LogError(f"{path}: holds no sound (0 samples); expected at least one")
    return Clip(name, path, about.samplerate, about.channels, about.frames, digest)


def spoken_differences(clips: Sequence[Clip]) -> list[str]:
    """Say what was done so that files of different kinds can be compared."""
    said = []
    rates, counts = {c.sample_rate for c in clips}, {c.channels for c in clips}
    if len(rates) > 1:
        each = _grouped((f"{c.sample_rate:,} Hz", c.name) for c in clips)
        said.append(
            f"the sampling rates differ ({each}): compared at {min(rates):,} Hz, resampled with "
            "soxr"
        )
    what = "the average power of each file's channels; two that are swapped make no difference"
    if len(counts) > 1:
        each = _grouped((_channels(c.channels), c.name) for c in clips)
        said.append(f"the numbers of channels differ ({each}): compared is {what}")
    elif counts != {1}:
        said.append(f"compared is {what}")
    return said


def _channels(count: int) -> str:
    return f"{count} channel" + ("s" if count > 1 else "")


def _grouped(named: Iterable[tuple[str, str]]) -> str:
    """Return what has which names, such as "1 channel: a and b; 2 channels: c"."""
    names: dict[str, list[str]] = {}
    for value, name in named:
        names.setdefault(value, []).append(name)
    return "; ".join(f"{value}: {listed(each)}" for value, each in names.items())


def _require_numbers(path: Path, block: Samples, first: int) -> None:
    finite = np.isfinite(block).all(axis=1)
    if not finite.all():
        place = int(finite.argmin())
        value: Any = block[place][~np.isfinite(block[place])][0]
        raise LogError(
            f"{path}: sample {first + place} is {value}; expected finite numbers, so export the "
            "sound anew"
        )
