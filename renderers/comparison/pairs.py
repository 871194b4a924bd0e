"""All that is found out about two runs or two sounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.comparison.difference import SoundDifference, compare_sounds
from epochord.renderers.comparison.lag import Lag, lag
from epochord.renderers.comparison.listening import Framing, Heard
from epochord.renderers.comparison.series import Logged, SeriesDifference, compare_logs, distance
from epochord.renderers.comparison.settings import ComparisonSettings

__all__ = ["Pair", "compare_pairs"]


@dataclass(frozen=True)
class Pair:
    """Two runs or sounds, and how they differ.

    Parameters
    ----------
    one, other : int
        Their places among all that are compared.
    a, b : str
        Their names.
    sound : SoundDifference
        Of their sounds.
    series : tuple of SeriesDifference
        Of their logs, those that are heard first; none of audio files.
    heard : int
        How many of the series are heard.
    lag : Lag, optional
        If it was asked for.
    """

    one: int
    other: int
    a: str
    b: str
    sound: SoundDifference
    series: tuple[SeriesDifference, ...] = ()
    heard: int = 0
    lag: Lag | None = None

    @property
    def series_distance(self) -> float | None:
        """Root mean square of the ratios of the logged values, in decades."""
        return distance(self.series[: self.heard])

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "a": self.a,
            "b": self.b,
            "sound": self.sound.to_dict(),
            "series": [each.to_dict() for each in self.series],
            "series_heard": self.heard,
            "series_rms_decades": self.series_distance,
            "lag": self.lag and self.lag.to_dict(),
        }


def compare_pairs(
    heard: Sequence[Heard],
    framing: Framing,
    axis: Axis,
    settings: ComparisonSettings,
    logs: Sequence[Logged] = (),
    progress: Callable[[int, int], None] | None = None,
) -> list[Pair]:
    """Compare each with each.

    Parameters
    ----------
    heard : sequence of Heard
        Two or more.
    framing : Framing
        That of all.
    axis : Axis
        Their steps, if they are runs.
    settings : ComparisonSettings
        Thresholds, and whether to look for lags.
    logs : sequence of Logged
        What was heard, if they are runs.
    progress : callable, optional
        Called with the pairs done and the pairs in all.
    """
    places = list(combinations(range(len(heard)), 2))
    pairs = []
    for one, other in places:
        first, second = heard[one], heard[other]
        sound = compare_sounds(first, second, framing, axis, settings.threshold)
        series, count = compare_logs(logs[one], logs[other], settings.ratio) if logs else ((), 0)
        late = lag(first.decibels, second.decibels, framing.hop_seconds) if settings.dtw else None
        pairs.append(Pair(one, other, first.name, second.name, sound, series, count, late))
        if progress:
            progress(len(pairs), len(places))
    return pairs
