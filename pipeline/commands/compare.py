"""`epochord compare`: where runs or sounds part, by how much, and which one went wrong."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from epochord.pipeline.commands.arguments.logs import (
    Column,
    Runs,
    SegmentMode,
    Steps,
    Tags,
    refuse_column,
    run_names,
)
from epochord.pipeline.commands.arguments.parsing import listed, parse_range, parse_steps
from epochord.pipeline.commands.arguments.results import AsJson, chosen, out_option
from epochord.pipeline.commands.arguments.settings import (
    audio_settings,
    given,
    named,
    refuse_idle,
)
from epochord.pipeline.commands.arguments.sound import (
    Duration,
    Layers,
    Parameters,
    Range,
    ScaleFrom,
)
from epochord.pipeline.comparing import Reading, find_clips, find_compared, open_compared
from epochord.pipeline.console import bar, note, result
from epochord.pipeline.folders import RENDERS, RUNS

if TYPE_CHECKING:
    from epochord.renderers.audio import AudioSettings
    from epochord.renderers.comparison import ComparisonResult, ComparisonSettings
    from epochord.runlog import Run

__all__ = ["compare"]

RESULTS = RENDERS / "compare"
MOST_SAID = 12  # sentences, or pairs
SUFFIXES = (".png", ".svg")
OTHER_SOUNDS = (".aac", ".amr", ".m4a", ".m4b", ".mka", ".mp4", ".weba", ".webm", ".wma")
OF_RUNS = (
    "tags", "runs", "steps", "segments", "x", "layers", "parameters", "duration", "range",
    "scale_from", "ratio",
)  # fmt: skip


def compare(
    context: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH",
            autocompletion=run_names,
            help="Two or more runs (as for 'render audio'; a folder stands for all of its runs), "
            "or audio files (WAV, FLAC, OGG, MP3, …).  [default: runs]",
        ),
    ] = None,
    tags: Tags = None,
    runs: Runs = None,
    steps: Steps = "",
    segments: SegmentMode = "auto",
    x: Column = None,
    layers: Layers = "",
    parameters: Parameters = "weight",
    duration: Duration = None,
    range: Range = "",
    scale_from: ScaleFrom = None,
    threshold: Annotated[
        float,
        typer.Option("--threshold", metavar="DB", help="Difference of sounds that counts."),
    ] = 3.0,
    ratio: Annotated[
        float,
        typer.Option("--ratio", metavar="FACTOR", help="Between logged values, one that counts."),
    ] = 1.1,
    dtw: Annotated[
        bool, typer.Option("--dtw", help="Also estimate by how much one lags behind the other.")
    ] = False,
    out: Annotated[Path | None, out_option("renders/compare/<a>-vs-<b>", *SUFFIXES)] = None,
    as_json: AsJson = False,
) -> None:
    """Compare runs, or audio files: renders/compare/<a>-vs-<b>/comparison.png and more.

    Runs are compared as logged and as they sound, all on one scale, at every step and
    with one gain; audio files as they are.
    """
    settings = _settings(threshold, ratio, dtw)
    chosen(out, *SUFFIXES)
    options = {
        "voicing": "lanes",
        "tags": tuple(tags or ()),
        "steps": parse_steps(steps),
        "layers": listed(layers),
        "parameters": parameters,
        "duration": duration,
        "range": parse_range(range, "--range"),
    }
    audio = audio_settings(options)
    refuse_idle(given(context, options | {"scale_from": scale_from}), audio)
    places = paths or [str(RUNS)]
    with bar("compare") as progress:
        if _are_audio(places):
            _refuse(given(context, {name: context.params[name] for name in OF_RUNS}))
            made, complete = _clips(places, settings, out, progress.update)
        else:
            found, complete = find_compared(places, runs or ())
            refuse_column(found, x)
            opened, whole = open_compared(found, Reading(segments, x), audio)
            complete &= whole
            made = _runs(opened, settings, audio, scale_from, out, progress.update, complete)
    _say(made, as_json)
    if not complete:
        raise typer.Exit(1)


def _settings(threshold: float, ratio: float, dtw: bool) -> "ComparisonSettings":
    from epochord.renderers.comparison.settings import ComparisonSettings

    try:
        return ComparisonSettings(threshold, ratio, dtw)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _are_audio(paths: Sequence[str]) -> bool:
    from epochord.renderers.comparison import is_audio

    for path in paths:
        if Path(path).suffix.lower() in OTHER_SOUNDS and not Path(path).is_dir():
            raise typer.BadParameter(
                f"{path} is of a format that cannot be read; expected WAV, FLAC, OGG or MP3"
            )
    sounds = [path for path in paths if is_audio(path)]
    if sounds and len(sounds) < len(paths):
        other = next(path for path in paths if path not in sounds)
        raise typer.BadParameter(
            f"{sounds[0]} is an audio file and {other} is not; compare runs with runs, or audio "
            "files with audio files"
        )
    return bool(sounds)


def _refuse(options: Iterable[str]) -> None:
    """Refuse options that say nothing of audio files."""
    if several := tuple(options):
        raise typer.BadParameter(
            f"{named(*several)} for runs; audio files are compared as they are"
        )


def _clips(
    paths: Sequence[str], settings: "ComparisonSettings", out: Path | None, progress: Any
) -> tuple["ComparisonResult", bool]:
    from epochord.renderers.comparison import compare_clips
    from epochord.renderers.comparison.names import folder_name

    clips, complete = find_clips(paths)
    names = [clip.name for clip in clips]
    _require_two(names, complete)
    folder = out or RESULTS / folder_name(names)
    return compare_clips(clips, folder, settings, progress=progress), complete


def _runs(
    runs: "Sequence[Run]",
    settings: "ComparisonSettings",
    audio: "AudioSettings",
    scale_from: Path | None,
    out: Path | None,
    progress: Any,
    complete: bool,
) -> "ComparisonResult":
    from epochord.renderers.audio.description import stored_scales
    from epochord.renderers.comparison import compare_runs
    from epochord.renderers.comparison.names import folder_name

    names = [run.name for run in runs]
    _require_two(names, complete)
    scales = stored_scales(scale_from) if scale_from else None
    folder = out or RESULTS / folder_name(names)
    return compare_runs(runs, folder, settings, audio, scales=scales, progress=progress)


def _require_two(names: Sequence[str], complete: bool) -> None:
    if len(names) > 1:
        return
    if not complete:
        raise typer.Exit(1)  # what is amiss has been said
    what = f"only {names[0]}" if names else "nothing"
    raise typer.BadParameter(
        f"there is {what} to compare; expected two or more runs, or audio files"
    )


def _say(made: "ComparisonResult", as_json: bool) -> None:
    about = made.description
    pairs = [_told(pair, len(about["pairs"])) for pair in about["pairs"]]
    groups = [*([line] for line in about["sentences"]), *pairs]
    for line in [line for group in groups[:MOST_SAID] for line in group]:
        note(line)
    if len(groups) > MOST_SAID or len(pairs) > 1:
        note("comparison.txt has more")
    for line in about["notes"]:
        note(f"note: {line}")
    if not made.made:
        note("up to date")
    if as_json:
        result(json.dumps({"path": str(made.paths[0]), **about}))
        return
    for path in made.paths:
        result(path)


def _told(pair: dict[str, Any], count: int) -> list[str]:
    """Return what is said of a pair: of many only how it begins, and the lag if asked for."""
    first, *others = pair["sentences"]
    if count == 1:
        return [first, *others]
    return [first, *(others[-1:] if pair["lag"] else [])]
