"""Several runs or sounds and how they differ, in numbers, before any picture is drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.audio.scoring.compose import Scales
from epochord.renderers.audio.scoring.settings import AudioSettings
from epochord.renderers.comparison.clips import Clip, spoken_differences
from epochord.renderers.comparison.listening import Framing, Heard, listen
from epochord.renderers.comparison.names import listed
from epochord.renderers.comparison.pairs import Pair, compare_pairs
from epochord.renderers.comparison.report import Report, audio_report, run_report
from epochord.renderers.comparison.runs import hear_runs, within
from epochord.renderers.comparison.settings import ComparisonSettings
from epochord.renderers.comparison.table import all_rows
from epochord.runlog import LogError, Run
from epochord.runlog.extras import needing
from epochord.runlog.run.given import require_runs
from epochord.runlog.words import short_repr

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "compare", "compared_clips", "require_some"]

MOST_COMPARED = 64  # 2016 pairs

Progress = Callable[[int, int], None]


@dataclass(frozen=True, repr=False, eq=False)
class Comparison:
    """How runs or sounds differ, each from each.

    Parameters
    ----------
    heard : list of Heard
        Of each, what of its sound is compared: mel bands in dB, features, level.
    pairs : list of Pair
        How they differ, two by two: `sound` (dB, s), and of runs `series`, tag by tag.
    report : Report
        What is told of them.
    axis : Axis
        Their steps; none of audio files.
    framing : Framing
        How the sounds were cut.
    scales : mapping of str to Scale
        The scale of all runs, by group of voices.
    """

    heard: list[Heard]
    pairs: list[Pair]
    report: Report
    axis: Axis
    framing: Framing
    scales: Scales

    def __repr__(self) -> str:
        return f"<Comparison of {short_repr(listed([each.name for each in self.heard]))}>"

    def _repr_html_(self) -> str:
        return "".join(f"<p>{escape(line)}</p>" for line in self.sentences)

    @property
    def sentences(self) -> list[str]:
        """What was found, of all and then pair by pair, in a sentence each."""
        return self.report.sentences

    def frame(self) -> "pd.DataFrame":
        """Return every number that was found as a long table.

        Returns
        -------
        pandas.DataFrame
            Columns ``a``, ``b``, ``quantity``, ``tag``, ``step``, ``time`` (s) and
            ``value``, as in `comparison.parquet` (see `write_table`).
        """
        with needing("a frame", "pandas"):
            import pandas as pd

        rows = all_rows(self.heard, self.pairs, self.axis, self.framing.hop_seconds)
        frame: pd.DataFrame = rows.to_pandas()
        return frame


def compare(
    runs: Sequence[Run],
    settings: ComparisonSettings | None = None,
    audio: AudioSettings | None = None,
    *,
    scales: Scales | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compare runs in numbers: their logged values, and their sounds on one scale with one gain.

    Parameters
    ----------
    runs : sequence of Run
        Two or more, of different names.
    settings : ComparisonSettings, optional
        What counts as a difference.
    audio : AudioSettings, optional
        How the runs are to be heard; by default as `lanes`, whose pitches are the values.
    scales : mapping of str to Scale, optional
        Those of an earlier result; by default one that these runs share.
    progress : callable, optional
        Called with the pieces of work done, and all of them.

    Returns
    -------
    Comparison
        Nothing is written (`compare_runs` does).

    Raises
    ------
    LogError
        If there is nothing to compare.
    """
    settings, audio = settings or ComparisonSettings(), audio or AudioSettings.of(voicing="lanes")
    runs = require_runs(runs)
    require_some([run.name for run in runs])
    cut = [within(run, audio.steps) for run in runs]
    found = hear_runs(cut, audio, scales, progress)
    pairs = compare_pairs(found.heard, found.framing, found.axis, settings, found.logs, progress)
    report = run_report(found, pairs, settings)
    return Comparison(found.heard, pairs, report, found.axis, found.framing, found.scales)


def compared_clips(
    clips: Sequence[Clip], settings: ComparisonSettings, progress: Progress | None
) -> Comparison:
    """Compare audio files as they are (see `compare_clips`)."""
    rate = min(clip.sample_rate for clip in clips)
    framing = Framing.fitting(rate, max(c.samples * rate // c.sample_rate for c in clips))
    heard = []
    for clip in clips:
        heard.append(listen(clip.name, clip.blocks(rate), framing))
        if progress:
            progress(len(heard), len(clips))
    pairs = compare_pairs(heard, framing, Axis(), settings, progress=progress)
    report = audio_report(heard, pairs, settings, framing, spoken_differences(clips))
    return Comparison(heard, pairs, report, Axis(), framing, {})


def require_some(names: Sequence[str]) -> None:
    """Refuse what cannot be compared: too few, or too many.

    Raises
    ------
    LogError
        With how many are expected.
    """
    if len(names) < 2:
        raise LogError(f"{' '.join(names) or 'nothing'} alone cannot be compared; expected two")
    if len(names) > MOST_COMPARED:
        raise LogError(
            f"{len(names)} cannot be compared at once, each with each; expected at most "
            f"{MOST_COMPARED}, so choose some with --runs"
        )
