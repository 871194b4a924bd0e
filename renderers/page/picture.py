"""Mel spectrograms as pictures for a page: grey values that the page colours by its theme."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt

from epochord.renderers.audio.level.measure import Level
from epochord.renderers.audio.scoring.score import Score
from epochord.renderers.page.sounds import Progress, sound
from epochord.renderers.pictures.spectrogram import FLOOR_DB, Spectrogram, mel_spectrogram
from epochord.runlog.extras import needing

__all__ = ["RANGE_DB", "Picture", "loudest", "picture", "spectrograms"]

RANGE_DB = 70.0  # from white to black
COLUMNS = 2400  # of a picture; more than a screen has
MELS, ROWS = 160, 200
HOP = 512  # samples
LOWEST, BOTTOM = 40.0, 90.0  # Hz: of the bands, and of the picture; voices begin at 110 Hz
VOICES_HZ, MARKS_HZ = 6000.0, 8000.0  # where the usual voices end, and the marks above them


@dataclass(frozen=True)
class Picture:
    """A spectrogram as a picture.

    Parameters
    ----------
    png : bytes
        Grey, 8 bits: white for what is softest; the highest frequency on top.
    start, end : float
        Seconds at its left and right edges.
    lowest, highest : float
        Hz at its lower and upper edges.
    """

    png: bytes
    start: float
    end: float
    lowest: float
    highest: float


def spectrograms(
    scores: Sequence[Score], levels: Sequence[Level], progress: Progress
) -> list[Spectrogram]:
    """Analyse the sounds of scores at their levels, up to where voices and marks of any reach."""
    usual = all(
        score.pitch.max(initial=0.0) < VOICES_HZ and score.sample_rate > 2 * MARKS_HZ
        for score in scores
    )
    return [
        mel_spectrogram(
            sound(score, level, progress),
            score.sample_rate,
            hop_length=HOP,
            mels=MELS,
            lowest=LOWEST,
            highest=MARKS_HZ if usual else None,
        )
        for score, level in zip(scores, levels, strict=True)
    ]


def loudest(several: Sequence[Spectrogram]) -> float:
    """Return the loudest moment of several spectrograms in dB, the black of all of them."""
    return max(float(one.db.max(initial=FLOOR_DB)) for one in several)


def picture(one: Spectrogram, top: float) -> Picture:
    """Draw a spectrogram, mel bands on a logarithmic axis, as the voices' registers lie.

    Parameters
    ----------
    one : Spectrogram
        Of any length; in a long one a column is the loudest of several frames.
    top : float
        dB that are black; `RANGE_DB` below it is white.
    """
    from scipy.interpolate import interp1d

    with needing("a picture in a page", "pictures"):
        from PIL import Image

    frames = one.db.shape[1]
    each = -(-frames // COLUMNS)
    pooled = np.maximum.reduceat(one.db, np.arange(0, frames, each), axis=1)
    highest = float(one.frequencies[-1])
    middles = BOTTOM * (highest / BOTTOM) ** ((np.arange(ROWS) + 0.5) / ROWS)
    rows = interp1d(one.frequencies, pooled, axis=0)(middles)
    share = np.clip((rows - (top - RANGE_DB)) / RANGE_DB, 0, 1)
    grey: npt.NDArray[np.uint8] = np.rint(255 * (1 - share[::-1])).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(grey).save(file, "PNG", optimize=True)
    columns = pooled.shape[1]
    end = (columns * each - 0.5) * one.hop
    return Picture(file.getvalue(), -one.hop / 2, end, BOTTOM, highest)
