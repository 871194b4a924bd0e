"""How far each of many is from each: in sound, and in what was logged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epochord.renderers.comparison.pairs import Pair

__all__ = ["Matrix", "distances"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Matrix:
    """Distances, symmetrical and zero on the diagonal.

    Parameters
    ----------
    names : tuple of str
        Rows and columns.
    sound : np.ndarray [shape=(n, n)]
        Root mean square difference in dB (see `SoundDifference.rms`).
    series : np.ndarray [shape=(n, n)], optional
        Root mean square ratio of the logged values in decades; NaN where nothing is
        shared.  Absent for audio files.
    """

    names: tuple[str, ...]
    sound: Floats
    series: Floats | None

    @property
    def parts(self) -> list[tuple[str, str, Floats]]:
        """Title, unit and values of each."""
        found = [("sounds: RMS difference", "dB", self.sound)]
        if self.series is not None:
            found.append(("logged values: RMS ratio", "powers of ten", self.series))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values: null where nothing is shared."""
        series = None if self.series is None else [
            [None if np.isnan(value) else float(value) for value in row] for row in self.series
        ]  # fmt: skip
        return {
            "names": list(self.names),
            "sound_rms_db": self.sound.tolist(),
            "series_rms_decades": series,
        }


def distances(names: Sequence[str], pairs: Sequence[Pair], *, logged: bool) -> Matrix:
    """Lay out the distances of all pairs.

    Parameters
    ----------
    names : sequence of str
        Of all that are compared.
    pairs : sequence of Pair
        Each with each.
    logged : bool
        Whether they are runs.
    """
    sound, series = np.zeros((2, len(names), len(names)))
    for pair in pairs:
        both = (pair.one, pair.other), (pair.other, pair.one)
        far = pair.series_distance
        for place in both:
            sound[place] = pair.sound.rms
            series[place] = np.nan if far is None else far
    return Matrix(tuple(names), sound, series if logged else None)
