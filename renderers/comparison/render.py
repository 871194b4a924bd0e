"""Runs or audio files to pictures, a table, and sentences that say where they part."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from epochord.renderers.audio.scoring.axis import Axis
from epochord.renderers.audio.scoring.compose import Scales
from epochord.renderers.audio.scoring.settings import AudioSettings
from epochord.renderers.comparison.clips import Clip, spoken_differences
from epochord.renderers.comparison.listening import Framing, Heard, listen
from epochord.renderers.comparison.names import labels, pair_stems
from epochord.renderers.comparison.pairs import Pair, compare_pairs
from epochord.renderers.comparison.report import Report, audio_report, run_report
from epochord.renderers.comparison.runs import hear_runs, within
from epochord.renderers.comparison.settings import ComparisonSettings
from epochord.renderers.comparison.table import write_table
from epochord.renderers.results.output import describe, is_up_to_date, writing
from epochord.renderers.results.staging import staging
from epochord.runlog import LogError, Run
from epochord.runlog.extras import needing

__all__ = ["DESCRIPTION", "ComparisonResult", "compare_clips", "compare_runs"]

STEM = "comparison"
DESCRIPTION, TABLE, TEXT = f"{STEM}.json", f"{STEM}.parquet", f"{STEM}.txt"
SCHEMA_VERSION = 2
MOST_COMPARED = 64  # 2016 pairs
MOST_PAIR_PICTURES = 6

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ComparisonResult:
    """What was made.

    Parameters
    ----------
    paths : tuple of Path
        Pictures first, then text, table and JSON.
    made : bool
        False if they were there already, from the same inputs and settings.
    description : dict
        What `comparison.json` holds: inputs, settings, ``pairs`` with what was found
        of each, in numbers and ``sentences``; ``sentences`` about all, and ``notes``.
    """

    paths: tuple[Path, ...]
    made: bool
    description: dict[str, Any]


def compare_runs(
    runs: Sequence[Run],
    folder: Path,
    settings: ComparisonSettings | None = None,
    audio: AudioSettings | None = None,
    *,
    scales: Scales | None = None,
    progress: Progress | None = None,
) -> ComparisonResult:
    """Compare runs: their logged values, and their sounds on one scale with one gain.

    Parameters
    ----------
    runs : sequence of Run
        Two or more, of different names.
    folder : Path
        Where the results go.
    settings : ComparisonSettings, optional
        What counts as a difference.
    audio : AudioSettings, optional
        How the runs are to be heard.
    scales : mapping of str to Scale, optional
        Those of an earlier result; by default one that these runs share.
    progress : callable, optional
        Called with the pieces of work done, and all of them.

    Raises
    ------
    LogError
        If there is nothing to compare.
    OutputError
        If a file cannot be written.
    """
    settings, audio = settings or ComparisonSettings(), audio or AudioSettings()
    _require_some([run.name for run in runs])
    about = _expected("runs", settings, [_input(run.name, run.log_hash()) for run in runs])
    about["audio"] = audio.to_dict()
    about["scale_given"] = _plain_scales(scales)
    if before := _made_before(folder, about):
        return before
    cut = [within(run, audio.steps) for run in runs]
    sounding = hear_runs(cut, audio, scales, progress)
    pairs = compare_pairs(
        sounding.heard, sounding.framing, sounding.axis, settings, sounding.logs, progress
    )
    report = run_report(sounding, pairs, settings)
    about["scale"] = _plain_scales(sounding.scales)
    return _written(folder, about, sounding.heard, pairs, report, sounding.axis, sounding.framing)


def compare_clips(
    clips: Sequence[Clip],
    folder: Path,
    settings: ComparisonSettings | None = None,
    *,
    progress: Progress | None = None,
) -> ComparisonResult:
    """Compare audio files as they are.

    Parameters
    ----------
    clips : sequence of Clip
        Two or more, of different names.
    folder : Path
        Where the results go.
    settings : ComparisonSettings, optional
        What counts as a difference.
    progress : callable, optional
        Called with the pieces of work done, and all of them.

    Raises
    ------
    LogError
        If a file cannot be used.
    OutputError
        If a file cannot be written.
    """
    settings = settings or ComparisonSettings()
    _require_some([clip.name for clip in clips])
    about = _expected("audio", settings, [_input(clip.name, clip.digest) for clip in clips])
    if before := _made_before(folder, about):
        return before
    rate = min(clip.sample_rate for clip in clips)
    framing = Framing.fitting(rate, max(c.samples * rate // c.sample_rate for c in clips))
    heard = []
    for clip in clips:
        heard.append(listen(clip.name, clip.blocks(rate), framing))
        if progress:
            progress(len(heard), len(clips))
    pairs = compare_pairs(heard, framing, Axis(), settings, progress=progress)
    report = audio_report(heard, pairs, settings, framing, spoken_differences(clips))
    return _written(folder, about, heard, pairs, report, Axis(), framing)


def _require_some(names: Sequence[str]) -> None:
    if len(names) < 2:
        raise LogError(f"{' '.join(names) or 'nothing'} alone cannot be compared; expected two")
    if len(names) > MOST_COMPARED:
        raise LogError(
            f"{len(names)} cannot be compared at once, each with each; expected at most "
            f"{MOST_COMPARED}, so choose some with --runs"
        )


def _input(name: str, digest: str) -> dict[str, Any]:
    return {"name": name, "hash": digest}


def _expected(
    kind: str, settings: ComparisonSettings, inputs: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        "inputs": inputs,
        "settings": settings.to_dict(),
    }


def _plain_scales(scales: Scales | None) -> dict[str, Any] | None:
    return None if scales is None else {group: one.to_dict() for group, one in scales.items()}


def _made_before(folder: Path, about: Mapping[str, Any]) -> ComparisonResult | None:
    beside = folder / DESCRIPTION
    if not is_up_to_date(beside, about):
        return None
    made = json.loads(beside.read_text(encoding="utf-8"))
    paths = (*(folder / name for name in made.pop("files")), beside)
    return ComparisonResult(paths, made=False, description=made)


def _written(
    folder: Path,
    about: dict[str, Any],
    heard: Sequence[Heard],
    pairs: Sequence[Pair],
    report: Report,
    axis: Axis,
    framing: Framing,
) -> ComparisonResult:
    """Write everything; it appears all at once, in the place of an earlier comparison."""
    with needing("a comparison", "pictures"):
        from epochord.renderers.pictures.save import save_picture

    threshold = about["settings"]["threshold"]
    about |= {"framing": framing.to_dict(), **report.to_dict()}
    if len(heard) > 2 and len(pairs) > MOST_PAIR_PICTURES:
        about["notes"].append(
            f"of {len(pairs)} pairs, the {MOST_PAIR_PICTURES} that differ most have a picture"
        )
    about["pairs"] = [
        {**pair.to_dict(), "sentences": report.of_pairs[pair.one, pair.other]} for pair in pairs
    ]
    with staging(folder, replacing=_written_before(folder)) as stage:
        made: list[Path] = []
        for stem, figure in _pictures(heard, pairs, report, axis, framing, threshold):
            made += save_picture(figure, stage / stem)
        lines = "".join(f"{line}\n" for line in report.lines)
        with writing(stage / TEXT) as temporary:
            temporary.write_text(lines, encoding="utf-8")
        write_table(stage / TABLE, heard, pairs, axis, framing.hop_seconds)
        made += [stage / TEXT, stage / TABLE]
        files = {path.name: path.stat().st_size for path in made}
        describe(stage / DESCRIPTION, about | {"files": files})
    paths = tuple(folder / name for name in (*files, DESCRIPTION))
    return ComparisonResult(paths, made=True, description=about)


def _written_before(folder: Path) -> list[str]:
    """Name what an earlier comparison has written here, such as pictures of other pairs."""
    try:
        names = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))["files"]
        return [name for name in names if name.startswith(f"{STEM}.") and Path(name).name == name]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _pictures(
    heard: Sequence[Heard],
    pairs: Sequence[Pair],
    report: Report,
    axis: Axis,
    framing: Framing,
    threshold: float,
) -> Iterator[tuple[str, Any]]:
    """Yield stems and figures, one at a time in memory; names in them are short."""
    with needing("a comparison", "pictures"):
        from epochord.renderers.comparison import figures

    full = [each.name for each in heard]
    short = labels(full)
    caption = report.caption + ("" if short == full else " Names without what all share.")
    setting = figures.Setting.of(heard, axis, framing.hop_seconds, threshold, caption)
    stems = dict(zip(report.of_pairs, pair_stems([(p.a, p.b) for p in pairs]), strict=True))
    heard = [replace(each, name=name) for each, name in zip(heard, short, strict=True)]
    pairs = [replace(pair, a=short[pair.one], b=short[pair.other]) for pair in pairs]
    if len(heard) == 2:
        one, other = heard
        yield STEM, figures.pair_figure(one, other, pairs[0], setting, report.sentences)
    else:
        yield STEM, figures.overview_figure(heard, pairs, setting, report.general)
        yield f"{STEM}.matrix", figures.matrix_figure(replace(report.matrix, names=tuple(short)))
    yield f"{STEM}.features", figures.features_figure(heard, setting)
    if len(heard) > 2:
        for pair in pictured(pairs):
            first, second = places = pair.one, pair.other
            said = report.of_pairs[places]
            figure = figures.pair_figure(heard[first], heard[second], pair, setting, said)
            yield f"{STEM}.{stems[places]}", figure


def pictured(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs that get a picture of their own: those whose sounds differ most."""
    far = sorted(pairs, key=lambda pair: -pair.sound.rms)[:MOST_PAIR_PICTURES]
    return sorted(far, key=lambda pair: (pair.one, pair.other))
