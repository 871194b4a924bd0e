"""Sounds as players in a notebook, with the sound itself in the page, compressed."""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.files.write import MP3_RATES, AudioFormat, write_audio

__all__ = ["player"]

LONGEST = 300  # s; 6.4 MB of HTML
MP3_KBITS = 128  # 12 s in 256 kB of HTML
MEDIA_TYPES: dict[AudioFormat, str] = {"mp3": "audio/mpeg", "ogg": "audio/ogg"}

Samples = npt.NDArray[np.float32]


def player(blocks: Iterable[Samples], samples: int, *, sample_rate: int, channels: int) -> str:
    """Return HTML that plays a sound.

    Parameters
    ----------
    blocks : iterable of np.ndarray [shape=(n, channels), float32]
        The sound, in order.
    samples : int
        How many there are in all, a channel.
    sample_rate : int
        Hz.
    channels : int
        Number of channels.

    Returns
    -------
    str
        An audio element with the sound as MP3, or as OGG where MP3 does not have the
        sample rate or so many channels.  Of more than five minutes, the first five.
    """
    if not samples:
        return "<p>no sound (0 samples)</p>"
    format: AudioFormat = "mp3" if sample_rate in MP3_RATES and channels <= 2 else "ogg"
    kept = min(samples, LONGEST * sample_rate)
    with TemporaryDirectory() as folder:
        path = Path(folder, "sound")
        write_audio(
            path,
            _first(blocks, kept),
            samples=kept,
            sample_rate=sample_rate,
            channels=channels,
            format=format,
            mp3_kbits=MP3_KBITS,
        )
        data = base64.b64encode(path.read_bytes()).decode()
    more = f"<p>the first {LONGEST // 60} min of {samples / sample_rate / 60:.1f}</p>"
    element = f'<audio controls src="data:{MEDIA_TYPES[format]};base64,{data}"></audio>'
    return element + (more if kept < samples else "")


def _first(blocks: Iterable[Samples], samples: int) -> Iterator[Samples]:
    for block in blocks:
        yield block[:samples]
        samples -= len(block)
        if samples <= 0:
            return
