"""Samples to a WAV file, block by block.

Written here because of what libraries do not do together: float samples under
the IEEE-float tag, equal bytes for equal samples (libsndfile stores the time of
writing), bounded memory (scipy takes the whole sound), cue points, and the
operating system's own reason when the disk is full.

Source: Microsoft, "Multiple Channel Audio Data and WAVE Files".  It asks for
WAVE_FORMAT_EXTENSIBLE from 24 bits on; that tag tells no more of one or two
channels than plain PCM, and Python's own `wave` reads it from 3.12 on only.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.files.riff import chunk

__all__ = [
    "ENCODINGS",
    "MAX_FILE_BYTES",
    "quantised",
    "wav_bytes",
    "write_wav",
]

WAVE_FORMAT_PCM = 1
WAVE_FORMAT_IEEE_FLOAT = 3
BYTES_A_SAMPLE = 4  # float32
FRAMING_BYTES = 8  # a chunk's name and size
MAX_FILE_BYTES = 2**32 - 1 + FRAMING_BYTES  # sizes are 32 bits wide


@dataclass(frozen=True)
class Encoding:
    """How samples become bytes.

    Parameters
    ----------
    tag : int
        The format's number.
    sample_bytes : int
        Bytes a sample.
    encode : callable
        Takes samples [float32] and returns what to write, in C order.
    """

    tag: int
    sample_bytes: int
    encode: Callable[[npt.NDArray[np.float32]], npt.NDArray[Any]]


def quantised(samples: npt.NDArray[np.float32], bits: int) -> npt.NDArray[np.int32]:
    """Round samples to integers.

    Full scale is 2**(bits - 1), as libsndfile and ffmpeg read it, and float32
    times that is exact: the error is at most half a quantum.  There is no
    dither, so that equal values stay equal.

    Parameters
    ----------
    samples : np.ndarray [shape=(...), float32]
        Full scale is ±1; what is beyond saturates, +1 at the highest integer.
    bits : int
        Up to 24.

    Returns
    -------
    np.ndarray [shape=(...), int32]
        The nearest integers, even ones where two are equally near.
    """
    full_scale = 2.0 ** (bits - 1)
    scaled = samples * np.float32(full_scale)
    np.rint(scaled, out=scaled)
    np.clip(scaled, -full_scale, full_scale - 1, out=scaled)
    return scaled.astype(np.int32)


def _pcm_16(samples: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    return quantised(samples, 16).astype("<i2")


def _pcm_24(samples: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    wide = np.ascontiguousarray(quantised(samples, 24), dtype="<i4")
    return np.ascontiguousarray(wide.reshape(-1, 1).view(np.uint8)[:, :3])


def _float(samples: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    return np.ascontiguousarray(samples, dtype="<f4")


ENCODINGS = {  # by libsndfile's names
    "PCM_16": Encoding(WAVE_FORMAT_PCM, 2, _pcm_16),
    "PCM_24": Encoding(WAVE_FORMAT_PCM, 3, _pcm_24),
    "FLOAT": Encoding(WAVE_FORMAT_IEEE_FLOAT, BYTES_A_SAMPLE, _float),
}


def write_wav(
    path: Path,
    blocks: Iterable[npt.NDArray[np.float32]],
    *,
    samples: int,
    sample_rate: int,
    channels: int = 1,
    encoding: Encoding = ENCODINGS["PCM_16"],
    trailer: bytes = b"",
) -> None:
    """Write a WAV file.

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
    encoding : Encoding
        One of `ENCODINGS`.
    trailer : bytes
        Whole chunks to stand behind the sound.

    Raises
    ------
    OSError
        If the file cannot be written.
    struct.error
        If it would be larger than `MAX_FILE_BYTES`.
    """
    data_bytes = samples * channels * encoding.sample_bytes
    padding = bytes(data_bytes % 2)
    behind = len(padding) + len(trailer)
    with path.open("wb") as file:
        file.write(_header(encoding, data_bytes, behind, samples, sample_rate, channels))
        for block in blocks:
            file.write(encoding.encode(block).data)
        file.write(padding + trailer)


def wav_bytes(samples: int, channels: int, encoding: Encoding, trailer: bytes = b"") -> int:
    """Tell how long a WAV file will be.

    Parameters
    ----------
    samples : int
        A channel.
    channels : int
        Number of channels.
    encoding : Encoding
        One of `ENCODINGS`.
    trailer : bytes
        The chunks behind the sound.

    Returns
    -------
    int
        Bytes; more than `MAX_FILE_BYTES` cannot be written.
    """
    data_bytes = samples * channels * encoding.sample_bytes
    return len(_header(encoding, 0, 0, 0, 0, 0)) + data_bytes + data_bytes % 2 + len(trailer)


def _header(
    encoding: Encoding, data_bytes: int, behind: int, samples: int, sample_rate: int, channels: int
) -> bytes:
    described = _description(encoding, samples, sample_rate, channels)
    size = len(b"WAVE") + len(described) + FRAMING_BYTES + data_bytes + behind
    riff = struct.pack("<4sI4s", b"RIFF", size, b"WAVE")
    return riff + described + struct.pack("<4sI", b"data", data_bytes)


def _description(encoding: Encoding, samples: int, sample_rate: int, channels: int) -> bytes:
    frame_bytes = encoding.sample_bytes * channels
    fields = struct.pack(
        "<HHIIHH",
        *(encoding.tag, channels, sample_rate),
        *(sample_rate * frame_bytes, frame_bytes, 8 * encoding.sample_bytes),
    )
    if encoding.tag == WAVE_FORMAT_PCM:
        return chunk(b"fmt ", fields)
    # Every other format needs the size of its extension, here none, and a fact chunk.
    return chunk(b"fmt ", fields + bytes(2)) + chunk(b"fact", struct.pack("<I", samples))
