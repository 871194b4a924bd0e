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

from epochord.renderers.pictures.spectrogram import framed_pieces, mel_bands, power_frames

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
WINDOW_HOPS = 4  # hops in a window
SMALLEST_POWER = 1e-10  # librosa's, of flatness
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
        while samples // (window // WINDOW_HOPS) >= MOST_FRAMES:
            window *= 2
        return cls(sample_rate, window, window // WINDOW_HOPS, min(highest, sample_rate / 2))

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
        Mean square of all channels in dB re full scale; -inf for silence.
    digest : str
        SHA-256 of the samples, all channels.
    energy : np.ndarray [shape=(hops,)], optional
        Sum of the squares of each hop's samples, of its channels on average, by which
        parts have a level, too.
    begin, end : float
        Between which seconds a run is there: the sounds of runs that begin or end
        at other steps are silent elsewhere.
    """

    name: str
    decibels: Floats
    frequencies: npt.NDArray[np.float64]
    features: Mapping[str, Floats]
    duration: float
    level: float
    digest: str
    energy: npt.NDArray[np.float64] | None = None
    begin: float = 0.0
    end: float = math.inf

    def level_between(self, first: int, stop: int, hop: int) -> float:
        """Return the level of hops in dB re full scale; of all of them if they have no energies."""
        if self.energy is None or (first == 0 and stop >= len(self.energy)):
            return self.level
        total = float(self.energy[first:stop].sum())
        return 10 * math.log10(total / ((stop - first) * hop)) if total > 0 else -math.inf

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
        The sound, in order, at the framing's rate; the power of its channels is
        averaged, so that what is opposite in two of them does not vanish.
    framing : Framing
        How it is cut.
    """
    meter = _Meter(framing.hop)
    bands = mel_bands(framing.sample_rate, framing.window, MELS, highest=framing.highest)
    pieces = []
    for piece in framed_pieces(meter.through(blocks), framing.hop, framing.window):
        power = power_frames(piece, framing.hop, framing.window)
        pieces.append((bands.decibels(power), *_shape(power, framing.sample_rate)))
    decibels, *rows = (np.concatenate(part, axis=-1) for part in zip(*pieces, strict=True))
    features = dict(zip(FEATURES, [*rows, _onsets(decibels)], strict=True))
    return Heard(
        name,
        decibels,
        bands.centres,
        features,
        meter.samples / framing.sample_rate,
        meter.level(),
        meter.digest.hexdigest(),
        meter.energies(),
    )


def _shape(power: Samples, sample_rate: int) -> tuple[Floats, Floats, Floats]:
    """Return centroid, bandwidth and flatness of frames, as librosa defines them.

    The first two weigh by magnitude, the third is geometric over arithmetic mean of
    the power.
    """
    bins = power.shape[1]
    hertz = np.linspace(0, sample_rate / 2, bins)
    magnitude = np.sqrt(power)
    # Moments about the origin, in float64: a hundred times finer than needed.
    moments = magnitude @ np.stack([np.ones(bins), hertz, hertz**2], axis=1)
    total, first, second = moments.T
    total = np.where(total > 0, total, 1)
    centroid = first / total
    bandwidth = np.sqrt(np.maximum(second / total - centroid**2, 0))
    least = np.maximum(power, np.float32(SMALLEST_POWER), out=power)
    flatness = np.exp(np.log(least).mean(axis=1)) / least.mean(axis=1)
    return centroid.astype(np.float32), bandwidth.astype(np.float32), flatness


def _onsets(decibels: Floats) -> Floats:
    """Return how much the bands rise from frame to frame in the mean: librosa's spectral flux.

    Later by as many frames as a window reaches ahead, as librosa has it.
    """
    rise = np.maximum(np.diff(decibels, axis=1), 0).mean(axis=0)
    late = np.concatenate([np.zeros(1 + WINDOW_HOPS // 2, np.float32), rise])
    return late[: decibels.shape[1]]


class _Meter:
    """Takes the level and a hash of a sound on its way through."""

    def __init__(self, hop: int) -> None:
        self.samples = 0
        self.digest = hashlib.sha256()
        self._hop = hop
        self._squares = np.empty(0)  # of a hop that is not complete
        self._energies: list[npt.NDArray[np.float64]] = []

    def through(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        for number, block in enumerate(blocks):
            if number == 0:
                self.digest.update(f"{block.shape[1:]}".encode())  # of how many channels
            self.digest.update(np.ascontiguousarray(block).data)
            self.samples += len(block)
            power = np.square(block, dtype=np.float64)
            power = power if power.ndim == 1 else power.mean(axis=1)
            squares = np.concatenate([self._squares, power])
            whole = len(squares) - len(squares) % self._hop
            self._energies.append(squares[:whole].reshape(-1, self._hop).sum(axis=1))
            self._squares = squares[whole:]
            yield block

    def energies(self) -> npt.NDArray[np.float64]:
        return np.concatenate([*self._energies, [self._squares.sum()]])

    def level(self) -> float:
        total = float(self.energies().sum())
        return 10 * math.log10(total / self.samples) if total > 0 else -math.inf
