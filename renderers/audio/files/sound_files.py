"""Sound files to their samples, block by block, without a hole in any format."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from epochord.runlog import LogError
from epochord.runlog.errors import one_line

__all__ = ["BLOCK", "sound_blocks", "unreadable"]

BLOCK = 1 << 16  # samples

Samples = npt.NDArray[np.float32]


def sound_blocks(path: Path, size: int = BLOCK) -> Iterator[Samples]:
    """Read a sound file from its beginning to its end.

    Parameters
    ----------
    path : Path
        Any file that libsndfile reads.
    size : int
        Samples of a channel in a block.

    Yields
    ------
    np.ndarray [shape=(n, channels), float32]
        In order, each of its own memory; none if the file holds no sound.

    Raises
    ------
    soundfile.LibsndfileError, OSError
        If it cannot be decoded.

    Notes
    -----
    soundfile seeks after each block to where libsndfile is already; at each seek in
    an MP3 file, libsndfile 1.2.2 loses about 3000 samples.
    """
    import soundfile  # type: ignore[import-untyped]

    class Onwards(soundfile.SoundFile):  # type: ignore[misc]
        """A file that is only read onwards: soundfile leaves such a one alone."""

        def seekable(self) -> bool:
            return False

    with Onwards(path) as file:
        while True:
            block = np.empty((size, file.channels), np.float32)
            count = file.buffer_read_into(block, dtype="float32")
            if not count:
                return
            yield block[:count]


def unreadable(path: Path, error: Exception) -> LogError:
    """Return what is to be said of a sound file that cannot be read, or is none."""
    why = getattr(error, "strerror", None) or getattr(error, "error_string", None) or error
    return LogError(
        f"{path}: cannot be read as audio ({one_line(why)}); expected a WAV, FLAC, OGG or MP3 file"
    )
