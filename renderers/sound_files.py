"""Sound files to blocks of samples, as libsndfile decodes them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCK", "sound_blocks"]

BLOCK = 1 << 16  # samples

Samples = npt.NDArray[np.float32]


def sound_blocks(file: Any) -> Iterator[Samples]:
    """Read an open sound file from where it stands, in order.

    Parameters
    ----------
    file : soundfile.SoundFile
        Of any format.

    Yields
    ------
    np.ndarray [shape=(n, channels), float32]
        Up to `BLOCK` samples.  Those of `SoundFile.blocks`, which seeks before each
        block: in MP3 files libsndfile then loses some thousand samples every time.
    """
    wanted = np.empty((BLOCK, file.channels), np.float32)
    while count := file.buffer_read_into(wanted, dtype="float32"):
        yield wanted[:count].copy()
