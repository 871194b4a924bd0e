"""Sounds to what of them can be compared: mel spectrogram, spectral features, level.

One pass over the samples and one Fourier transform a frame, in bounded memory.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from renderers.spectrogram import FLOOR_DB, framed_pieces, mixed_down

__all__ = ["FEATURES", "HEARD_DB", "Framing", "Heard", "listen"]

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float32]

FEATURES = {
    "centroid": "Hz",
    "bandwidth": "Hz",
    "flatness": "0 to 1",
    "onset_strength": "dB a frame",
}
"""Features by name, and their units."""

HEARD_DB = -60.0  # in a mel band; a full-scale sine has 39 dB, the rounding of 16 bit -85 dB
WINDOW_S = 0.046  # 2048 samples at 44.1 kHz
SMALLEST_WINDOW = 512  # samples; below, mel bands would hold no bin
MOST_FRAMES = 1 << 17  # 25 min at 44.1 kHz: 67 MB; longer sounds get longer windows
HIGHEST_HZ = 20_000.0
MELS = 128


@dataclass(frozen=True)
class Framing:
    """How sounds are cut into frames and bands, the same for all that are compared.

    Parameters
    ----------
    sample_rate : int
        Hz.
    window, hop : int
        Samples in a frame, and from frame to frame.
    highest : float
        Hz, upper end of the highest mel band.
    """

    sample_rate: int
    window: int
    hop: int
    highest: float

    @classmethod
    def fitting(cls, sample_rate: int, samples: int, highest: float = HIGHEST_HZ) -> "Framing":
        """Choose frames of about 46 ms, or longer ones for sounds of more than 25 min.

        Parameters
        ----------
        sample_rate : int
            Hz.
        samples : int
            Length of the longest sound.
        highest : float
            Hz; limited to half the sampling rate.
        """
        window = max(SMALLEST_WINDOW, 1 << round(math.log2(WINDOW_S * sample_rate)))
        while samples // (window // 4) >= MOST_FRAMES:
            window *= 2
        return cls(sample_rate, window, window // 4, min(highest, sample_rate / 2))

    @property
    def hop_seconds(self) -> float:
        """Seconds from frame to frame."""
        return self.hop / self.sample_rate

    @property
    def reach(self) -> float:
        """Seconds that a frame hears before and behind its centre."""
        return self.window / 2 / self.sample_rate

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "sample_rate": self.sample_rate,
            "window": self.window,
            "hop": self.hop,
            "mels": MELS,
            "highest_hz": self.highest,
        }


@dataclass(frozen=True)
class Heard:
    """What is known of a sound.

    Parameters
    ----------
    name : str
        Of the run or file.
    decibels : np.ndarray [shape=(mels, frames), float32]
        Power in dB with reference 1, at least `FLOOR_DB`.
    frequencies : np.ndarray [shape=(mels,)]
        Centres of the bands in Hz.
    features : mapping of str to np.ndarray [shape=(frames,), float32]
        See `FEATURES`.
    duration : float
        Seconds.
    level : float
        Mean square in dB re full scale; -inf for silence.
    digest : str
        SHA-256 of the samples, all channels.
    """

    name: str
    decibels: Floats
    frequencies: npt.NDArray[np.float64]
    features: Mapping[str, Floats]
    duration: float
    level: float
    digest: str

    @property
    def audible(self) -> npt.NDArray[np.bool_]:
        """Whether anything can be heard in a frame [shape=(frames,)]."""
        return np.asarray((self.decibels > HEARD_DB).any(axis=0))

    def feature(self, name: str) -> Floats:
        """Return a feature, NaN where nothing can be heard of which it could be one."""
        values = self.features[name]
        if name == "onset_strength":
            return values
        return np.where(self.audible, values, np.float32(np.nan))


def listen(name: str, blocks: Iterable[Samples], framing: Framing) -> Heard:
    """Analyse a sound.

    Parameters
    ----------
    name : str
        Of the run or file.
    blocks : iterable of np.ndarray [shape=(n,) or (n, channels), float32]
        The sound, in order, at the framing's rate; channels are averaged.
    framing : Framing
        How it is cut.
    """
    import librosa

    meter = _Meter()
    bands: dict[str, Any] = {"n_mels": MELS, "fmax": framing.highest}
    mono = meter.through(blocks)
    pieces = [
        _analysed(piece, framing, bands)
        for piece in framed_pieces(mono, framing.hop, framing.window)
    ]
    decibels, *rows = (np.concatenate(part, axis=-1) for part in zip(*pieces, strict=True))
    features = dict(zip(FEATURES, [*rows, _onsets(decibels, framing)], strict=True))
    edges = librosa.mel_frequencies(n_mels=MELS + 2, fmax=framing.highest)
    return Heard(
        name,
        decibels,
        edges[1:-1],
        features,
        meter.samples / framing.sample_rate,
        meter.level(),
        meter.digest.hexdigest(),
    )


def _analysed(piece: Samples, framing: Framing, bands: dict[str, Any]) -> tuple[Floats, ...]:
    """Return dB, centroid, bandwidth and flatness of a piece's frames."""
    import librosa

    size = {"n_fft": framing.window, "hop_length": framing.hop}
    magnitude = np.abs(librosa.stft(piece, center=False, **size))
    power = np.square(magnitude)
    mel = librosa.feature.melspectrogram(S=power, sr=framing.sample_rate, **size, **bands)
    decibels = librosa.power_to_db(mel, ref=1.0, top_db=None)
    shape: dict[str, Any] = {"S": magnitude, "sr": framing.sample_rate}
    centroid = librosa.feature.spectral_centroid(**shape)
    bandwidth = librosa.feature.spectral_bandwidth(**shape, centroid=centroid)
    flatness = librosa.feature.spectral_flatness(S=power, power=1.0)
    rows = (row[0].astype(np.float32) for row in (centroid, bandwidth, flatness))
    return np.maximum(decibels, np.float32(FLOOR_DB)), *rows


def _onsets(decibels: Floats, framing: Framing) -> Floats:
    import librosa

    size = {"n_fft": framing.window, "hop_length": framing.hop}
    found = librosa.onset.onset_strength(S=decibels, sr=framing.sample_rate, **size)
    return found[: decibels.shape[1]].astype(np.float32)


class _Meter:
    """Takes the level and a hash of a sound on its way through."""

    def __init__(self) -> None:
        self.samples = 0
        self.digest = hashlib.sha256()
        self._energy = 0.0

    def through(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        for number, block in enumerate(blocks):
            if number == 0:
                self.digest.update(f"{block.shape[1:]}".encode())  # of how many channels
            self.digest.update(np.ascontiguousarray(block))
            (mono,) = mixed_down([block])
            self.samples += len(mono)
            self._energy += float(np.square(mono, dtype=np.float64).sum())
            yield mono

    def level(self) -> float:
        return 10 * math.log10(self._energy / self.samples) if self._energy > 0 else -math.inf
