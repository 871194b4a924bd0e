"""How loud a sound is, and the gain that makes it as loud as wanted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite, log10
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.level.loudness import LoudnessMeter, TruePeakMeter, gain

__all__ = ["UNTOUCHED", "Level", "common_level", "measure"]


@dataclass(frozen=True)
class Level:
    """What was measured of a sound, and the gain that follows from it.

    Parameters
    ----------
    gain : float
        Linear.
    lufs, true_peak_dbtp : float, optional
        Of the sound after the gain; absent for silence, and where it was not measured.
    marks : float
        Linear gain of earcons and speech, which do not follow the voices.
    """

    gain: float
    lufs: float | None = None
    true_peak_dbtp: float | None = None
    marks: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "gain_db": 20 * log10(self.gain),
            "marks_db": 20 * log10(self.marks),
            "lufs": self.lufs,
            "true_peak_dbtp": self.true_peak_dbtp,
        }


UNTOUCHED = Level(1.0)


def measure(
    blocks: Iterable[npt.NDArray[np.float32]],
    *,
    sample_rate: int,
    channels: int,
    target_lufs: float,
) -> Level:
    """Measure a sound.

    Parameters
    ----------
    blocks : iterable of np.ndarray [shape=(n, channels), float32]
        The sound, in order.
    sample_rate : int
        Hz.
    channels : int
        Number of channels.
    target_lufs : float
        How loud it is to be; its true peak stays below -1 dBTP.
    """
    found, highest = metered(blocks, sample_rate=sample_rate, channels=channels)
    factor = gain(found, highest, target_lufs=target_lufs)
    return level_at(factor, found, highest)


def metered(
    blocks: Iterable[npt.NDArray[np.float32]], *, sample_rate: int, channels: int
) -> tuple[float, float]:
    """Return the integrated loudness in LUFS (see `LoudnessMeter`) and the linear true peak."""
    loudness = LoudnessMeter(sample_rate, channels)
    peak = TruePeakMeter(channels)
    for block in blocks:
        loudness.add(block)
        peak.add(block)
    return loudness.integrated(), peak.peak()


def level_at(factor: float, lufs: float, peak: float) -> Level:
    """Return the level of a sound of a loudness in LUFS and a linear true peak, at a gain."""
    decibels = 20 * log10(factor)
    return Level(
        factor,
        lufs + decibels if isfinite(lufs) else None,
        20 * log10(peak) + decibels if peak > 0 else None,
    )


def common_level(levels: Sequence[Level]) -> list[Level]:
    """Give several sounds one gain, so that what is louder stays louder.

    Parameters
    ----------
    levels : sequence of Level
        Of each sound alone, as of `measure`.

    Returns
    -------
    list of Level
        The loudest sound is as loud as it would be alone; silence has no say.
    """
    heard = [level.gain for level in levels if level.true_peak_dbtp is not None]
    factor = min(heard, default=1.0)
    return [_with_gain(level, factor) for level in levels]


def _with_gain(level: Level, factor: float) -> Level:
    more = 20 * log10(factor / level.gain)
    return Level(
        factor,
        None if level.lufs is None else level.lufs + more,
        None if level.true_peak_dbtp is None else level.true_peak_dbtp + more,
    )
