"""Samples to a WAV file, block by block.

Written here because of what libraries do not do together: float samples under
the IEEE-float tag, equal bytes for equal samples (libsndfile stores the time of
writing), bounded memory (scipy takes the whole sound), and the operating
system's own reason when the disk is full.
"""

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["BYTES_A_SAMPLE", "MAX_DATA_BYTES", "write_float_wav"]

# Microsoft, "Multiple Channel Audio Data and WAVE Files"; sizes are 32 bits wide.
WAVE_FORMAT_IEEE_FLOAT = 3
BYTES_A_SAMPLE = 4  # float32
HEADER = "<4sI4s4sIHHIIHHH4sII4sI"
HEADER_BYTES = struct.calcsize(HEADER)
MAX_DATA_BYTES = 2**32 - 1 - (HEADER_BYTES - 8)


def write_float_wav(
    path: Path,
    blocks: Iterable[npt.NDArray[np.float32]],
    *,
    samples: int,
    sample_rate: int,
    channels: int = 1,
) -> None:
    """Write a 32-bit float WAV file.

    Parameters
    ----------
    path : Path
        The file.
    blocks : iterable of np.ndarray [shape=(n,) or (n, channels), float32]
        The sound, in order.
    samples : int
        How many there are in all, a channel.
    sample_rate : int
        Hz.
    channels : int
        Number of channels.

    Raises
    ------
    OSError
        If the file cannot be written.
    struct.error
        If there are more than `MAX_DATA_BYTES` of samples.
    """
    data_bytes = samples * channels * BYTES_A_SAMPLE
    with path.open("wb") as file:
        file.write(_header(data_bytes, samples, sample_rate, channels))
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype="<f4").data)


def _header(data_bytes: int, samples: int, sample_rate: int, channels: int) -> bytes:
    frame_bytes = BYTES_A_SAMPLE * channels
    return struct.pack(
        HEADER,
        *(b"RIFF", HEADER_BYTES - 8 + data_bytes, b"WAVE"),
        *(b"fmt ", 18, WAVE_FORMAT_IEEE_FLOAT, channels, sample_rate),
        *(sample_rate * frame_bytes, frame_bytes, 8 * BYTES_A_SAMPLE, 0),
        *(b"fact", 4, samples),  # required of every format but PCM
        *(b"data", data_bytes),
    )
