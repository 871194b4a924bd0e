"""Sound to a mel spectrogram in absolute decibels, block by block, in bounded memory.

0 dB is a power of one in a mel band, whatever the sound: no reference of its own,
and no floor that depends on its loudest moment, so that two sounds can be
subtracted from one another.
"""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from epochord.runlog.extras import needing

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["FLOOR_DB", "Spectrogram", "framed_pieces", "mel_spectrogram", "mixed_down"]

FLOOR_DB = -100.0  # librosa's smallest power, 1e-10: what digital silence is
RANGE_DB = 70.0  # from black to the brightest in a picture
PIECE_FRAMES = 512  # frames transformed at once: about 12 MB

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, repr=False, eq=False)
class Spectrogram:
    """A mel spectrogram.

    Parameters
    ----------
    db : np.ndarray [shape=(mels, frames), float32]
        Power in dB with reference 1, at least `FLOOR_DB`.
    frequencies : np.ndarray [shape=(mels,)]
        Centres of the bands in Hz, ascending.
    hop : float
        Seconds from frame to frame; the first one is centred on the beginning.
    steps : np.ndarray [shape=(frames,), int64], optional
        Training step that is heard at each frame; -1 in a legend.  A sound file has none.
    """

    db: npt.NDArray[np.float32]
    frequencies: npt.NDArray[np.float64]
    hop: float
    steps: npt.NDArray[np.int64] | None = None

    def __repr__(self) -> str:
        mels, frames = self.db.shape
        steps = "" if self.steps is None else f", steps {self.steps[0]}…{self.steps[-1]}"
        return f"<Spectrogram: {mels} mels × {frames} frames, {self.times[-1]:.2f} s{steps}>"

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png()).decode()
        return f'<img alt="Mel spectrogram" src="data:image/png;base64,{data}">'

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """Centres of the frames in seconds [shape=(frames,)]."""
        return np.arange(self.db.shape[1], dtype=np.float64) * self.hop

    def png(self, columns: int = 960) -> bytes:
        """Draw it as a small picture, a row a band.

        Parameters
        ----------
        columns : int
            The most pixels from left to right; each is the loudest of its frames.

        Returns
        -------
        bytes
            A PNG in the colours of `magma`, whose range is the loudest 70 dB.
        """
        with needing("a picture of a sound", "pictures"):
            from matplotlib import colormaps
            from PIL import Image

        frames = self.db.shape[1]
        starts = np.arange(min(frames, columns)) * frames // min(frames, columns)
        pooled = np.maximum.reduceat(self.db, starts, axis=1)[::-1]
        share = np.clip((pooled - pooled.max() + RANGE_DB) / RANGE_DB, 0, 1)
        image = Image.fromarray(np.rint(255 * share).astype(np.uint8), "L").convert("P")
        image.putpalette(colormaps["magma"](np.arange(256), bytes=True)[:, :3].tobytes())
        file = BytesIO()
        image.save(file, "PNG", optimize=True)
        return file.getvalue()


def mel_spectrogram(
    blocks: Iterable[Samples],
    sample_rate: int,
    *,
    hop_length: int = 512,
    window: int = 2048,
    mels: int = 128,
    lowest: float = 0.0,
    highest: float | None = None,
) -> Spectrogram:
    """Analyse a sound with librosa's mel filters (Slaney's, of unit area).

    Parameters
    ----------
    blocks : iterable of np.ndarray [shape=(n,) or (n, channels), float32]
        The sound, in order; channels are averaged.
    sample_rate : int
        Hz.
    hop_length, window : int
        Samples from frame to frame, and in a frame.
    mels : int
        Number of bands.
    lowest, highest : float, optional
        Hz; by default up to half the sampling rate.

    Returns
    -------
    Spectrogram
        Equal to that of the whole sound at once: ``1 + samples // hop_length``
        frames, centred, with silence before the beginning and after the end.
    """
    bands = mel_bands(sample_rate, window, mels, lowest, highest)
    pieces = [
        bands.decibels(power_frames(piece, hop_length, window))
        for piece in framed_pieces(mixed_down(blocks), hop_length, window)
    ]
    return Spectrogram(np.concatenate(pieces, axis=1), bands.centres, hop_length / sample_rate)


@dataclass(frozen=True)
class MelBands:
    """librosa's mel filters.

    Parameters
    ----------
    filters : scipy.sparse.csr_array [shape=(mels, bins), float32]
        Weight of each bin of a Fourier transform; two in a hundred are not zero.
    centres : np.ndarray [shape=(mels,)]
        Hz, ascending.
    """

    filters: "csr_array"
    centres: npt.NDArray[np.float64]

    def decibels(self, power: Samples) -> Samples:
        """Return the power in each band in dB with reference 1, at least `FLOOR_DB`.

        Parameters
        ----------
        power : np.ndarray [shape=(frames, bins), float32]
            As of `power_frames`.

        Returns
        -------
        np.ndarray [shape=(mels, frames), float32]
        """
        least = np.float32(10 ** (FLOOR_DB / 10))
        level = 10 * np.log10(np.maximum(self.filters @ np.ascontiguousarray(power.T), least))
        return np.asarray(np.maximum(level, np.float32(FLOOR_DB)))  # but for rounding


def mel_bands(
    sample_rate: int, window: int, mels: int, lowest: float = 0.0, highest: float | None = None
) -> MelBands:
    """Return librosa's mel filters (Slaney's, of unit area); parameters as of `mel_spectrogram`."""
    # Only its filters: what the rest of librosa imports and compiles costs half a second.
    from scipy.sparse import csr_array

    with needing("a spectrogram", "pictures"):
        import librosa

    limits: dict[str, Any] = {"fmin": lowest, "fmax": highest or sample_rate / 2}
    filters = librosa.filters.mel(sr=sample_rate, n_fft=window, n_mels=mels, **limits)
    edges = librosa.mel_frequencies(n_mels=mels + 2, **limits)
    return MelBands(csr_array(filters), edges[1:-1])


def power_frames(piece: Samples, hop_length: int, window: int) -> Samples:
    """Return the power of each frame's Fourier transform, under a Hann window.

    Parameters
    ----------
    piece : np.ndarray [shape=(n,) or (n, channels), float32]
        Whole frames, as of `framed_pieces`.
    hop_length, window : int
        Samples from frame to frame, and in a frame.

    Returns
    -------
    np.ndarray [shape=(frames, 1 + window // 2), float32]
        The average of all channels.
    """
    if piece.ndim > 1:
        power = power_frames(piece[:, 0], hop_length, window)
        for channel in piece.T[1:]:
            power += power_frames(channel, hop_length, window)
        return power / np.float32(piece.shape[1])
    hann = np.hanning(window + 1)[:-1].astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(piece, window)[::hop_length]
    spectrum = np.fft.rfft(frames * hann, axis=1)
    return np.asarray(np.square(spectrum.real) + np.square(spectrum.imag))


def mixed_down(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """Average the channels of each block."""
    for block in blocks:
        yield block if block.ndim == 1 else block.mean(axis=1, dtype=np.float32)


def framed_pieces(blocks: Iterable[Samples], hop_length: int, window: int) -> Iterator[Samples]:
    """Cut a sound into pieces of whole frames, padded with silence by half a window.

    Parameters
    ----------
    blocks : iterable of np.ndarray [shape=(n,) or (n, channels), float32]
        The sound, in order.
    hop_length, window : int
        Samples from frame to frame, and in a frame.

    Yields
    ------
    np.ndarray [shape=(n,) or (n, channels), float32]
        To be framed without further padding: every frame of the whole is in
        exactly one piece.
    """
    half = window // 2
    piece = (PIECE_FRAMES - 1) * hop_length + window
    rest = np.zeros(half, np.float32)
    for number, block in enumerate(blocks):
        if number == 0:
            rest = np.zeros((half, *block.shape[1:]), np.float32)
        rest = np.concatenate([rest, block])
        while len(rest) >= piece:
            yield rest[:piece]
            rest = rest[PIECE_FRAMES * hop_length :]
    rest = np.concatenate([rest, np.zeros((half, *rest.shape[1:]), np.float32)])
    while len(rest) >= window:
        yield rest[:piece]
        rest = rest[PIECE_FRAMES * hop_length :]
