"""Runs or audio files to pictures, a table, and sentences that say where they part."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from epochord.renderers.audio.scoring.compose import Scales
from epochord.renderers.audio.scoring.settings import AudioSettings
from epochord.renderers.comparison.clips import Clip
from epochord.renderers.comparison.comparison import (
    Comparison,
    Progress,
    compare,
    compared_clips,
    require_some,
)
from epochord.renderers.comparison.names import folder_name, labels, pair_stems
from epochord.renderers.comparison.pairs import Pair
from epochord.renderers.comparison.settings import ComparisonSettings
from epochord.renderers.comparison.table import write_table
from epochord.renderers.results.destination import Destination, StrPath, destination
from epochord.renderers.results.output import describe, is_up_to_date, writing
from epochord.renderers.results.own import require_own
from epochord.renderers.results.shown import picture_html, result_repr
from epochord.renderers.results.staging import staging
from epochord.runlog import Run
from epochord.runlog.extras import needing
from epochord.runlog.run.given import require_runs

__all__ = ["ComparisonResult", "compare_clips", "compare_runs"]

STEM = "comparison"
DESCRIPTION, TABLE, TEXT = ".json", ".parquet", ".txt"  # what lies beside pictures ends in these
PICTURES = (".png", ".svg")
SCHEMA_VERSION = 3
MOST_PAIR_PICTURES = 6


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        return result_repr(self, self.paths, made=self.made)

    def _repr_html_(self) -> str | None:
        return picture_html(self.paths)


def compare_runs(
    runs: Sequence[Run],
    out: StrPath | Destination | None = None,
    settings: ComparisonSettings | None = None,
    audio: AudioSettings | None = None,
    *,
    scales: Scales | None = None,
    progress: Progress | None = None,
) -> ComparisonResult:
    """Compare runs, and write what was found: pictures, sentences, a table and JSON.

    Parameters
    ----------
    runs : sequence of Run
        Two or more, of different names.
    out : str or PathLike, optional
        A file, such as ``"a-b.png"``, whose stem all results get; else a folder, for
        `comparison.png`, ….  By default ``renders/compare/<a>-vs-<b>``.
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
    ComparisonResult
        Nothing is written if the same runs were compared there with the same settings.

    Raises
    ------
    LogError
        If there is nothing to compare.
    OutputError
        If a file cannot be written.
    """
    settings, audio = settings or ComparisonSettings(), audio or AudioSettings.of(voicing="lanes")
    runs = require_runs(runs)
    require_some([run.name for run in runs])
    about = _expected("runs", settings, [_input(run.name, run.log_hash()) for run in runs])
    about["audio"] = audio.to_dict()
    about["scale_given"] = _plain_scales(scales)
    place = _place(out, [run.name for run in runs])
    if before := _made_before(place, about):
        return before
    found = compare(runs, settings, audio, scales=scales, progress=progress)
    about["scale"] = _plain_scales(found.scales)
    return _written(place, about, found)


def compare_clips(
    clips: Sequence[Clip],
    out: StrPath | Destination | None = None,
    settings: ComparisonSettings | None = None,
    *,
    progress: Progress | None = None,
) -> ComparisonResult:
    """Compare audio files as they are.

    Parameters
    ----------
    clips : sequence of Clip
        Two or more, of different names.
    out : str or PathLike, optional
        As of `compare_runs`.
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
    require_some([clip.name for clip in clips])
    about = _expected("audio", settings, [_input(clip.name, clip.digest) for clip in clips])
    place = _place(out, [clip.name for clip in clips])
    return _made_before(place, about) or _written(
        place, about, compared_clips(clips, settings, progress)
    )


def _place(out: StrPath | Destination | None, names: Sequence[str]) -> Destination:
    suffixes = (*PICTURES, TEXT, TABLE, DESCRIPTION)
    folder = Path("renders", "compare", folder_name(names))
    return destination(out, folder=folder, stem=STEM, suffixes=suffixes)


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


def _made_before(place: Destination, about: Mapping[str, Any]) -> ComparisonResult | None:
    beside = place.path(DESCRIPTION)
    if not is_up_to_date(beside, about):
        return None
    made = json.loads(beside.read_text(encoding="utf-8"))
    paths = (*(place.folder / name for name in made.pop("files")), beside)
    return ComparisonResult(paths, made=False, description=made)


def _written(place: Destination, about: dict[str, Any], found: Comparison) -> ComparisonResult:
    """Write everything; it appears all at once, in the place of an earlier comparison."""
    with needing("a comparison", "pictures"):
        from epochord.renderers.pictures.save import save_picture

    require_own(place, (*PICTURES, TEXT, TABLE))
    pairs, report = found.pairs, found.report
    about |= {"framing": found.framing.to_dict(), **report.to_dict()}
    if len(found.heard) > 2 and len(pairs) > MOST_PAIR_PICTURES:
        about["notes"].append(
            f"of {len(pairs)} pairs, the {MOST_PAIR_PICTURES} that differ most have a picture"
        )
    about["pairs"] = [
        {**pair.to_dict(), "sentences": report.of_pairs[pair.one, pair.other]} for pair in pairs
    ]
    with staging(place.folder, replacing=_written_before(place)) as folder:
        stage = replace(place, folder=folder)
        made: list[Path] = []
        for ending, figure in _pictures(found, about["settings"]["threshold"]):
            made += save_picture(figure, stage.path(ending))
        lines = "".join(f"{line}\n" for line in report.lines)
        with writing(stage.path(TEXT)) as temporary:
            temporary.write_text(lines, encoding="utf-8")
        hop = found.framing.hop_seconds
        write_table(stage.path(TABLE), found.heard, pairs, found.axis, hop)
        made += [stage.path(TEXT), stage.path(TABLE)]
        files = {path.name: path.stat().st_size for path in made}
        describe(stage.path(DESCRIPTION), about | {"files": files})
    paths = (*(place.folder / name for name in files), place.path(DESCRIPTION))
    return ComparisonResult(paths, made=True, description=about)


def _written_before(place: Destination) -> list[str]:
    """Name what an earlier comparison has written here, such as pictures of other pairs."""
    try:
        names = json.loads(place.path(DESCRIPTION).read_text(encoding="utf-8"))["files"]
        own = f"{place.stem}."
        return [name for name in names if name.startswith(own) and Path(name).name == name]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _pictures(found: Comparison, threshold: float) -> Iterator[tuple[str, Any]]:
    """Yield endings of names and figures, one at a time in memory; names in them are short."""
    with needing("a comparison", "pictures"):
        from epochord.renderers.comparison import figures

    report = found.report
    full = [each.name for each in found.heard]
    short = labels(full)
    caption = report.caption + ("" if short == full else " Names without what all share.")
    hop = found.framing.hop_seconds
    setting = figures.Setting.of(found.heard, found.axis, hop, threshold, caption)
    stems = dict(zip(report.of_pairs, pair_stems([(p.a, p.b) for p in found.pairs]), strict=True))
    heard = [replace(each, name=name) for each, name in zip(found.heard, short, strict=True)]
    pairs = [replace(pair, a=short[pair.one], b=short[pair.other]) for pair in found.pairs]
    if len(heard) == 2:
        one, other = heard
        yield "", figures.pair_figure(one, other, pairs[0], setting, report.sentences)
    else:
        yield "", figures.overview_figure(heard, pairs, setting, report.general)
        matrix = replace(report.matrix, names=tuple(short))
        yield ".matrix", figures.matrix_figure(matrix)
    yield ".features", figures.features_figure(heard, setting)
    if len(heard) > 2:
        for pair in pictured(pairs):
            first, second = places = pair.one, pair.other
            said = report.of_pairs[places]
            figure = figures.pair_figure(heard[first], heard[second], pair, setting, said)
            yield f".{stems[places]}", figure


def pictured(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs that get a picture of their own: those whose sounds differ most."""
    far = sorted(pairs, key=lambda pair: -pair.sound.rms)[:MOST_PAIR_PICTURES]
    return sorted(far, key=lambda pair: (pair.one, pair.other))
