"""`epochord render audio`: logs to sound."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from epochord.pipeline.commands.arguments import (
    Column,
    Duration,
    Layers,
    Parameters,
    Paths,
    Range,
    Runs,
    ScaleFrom,
    SegmentMode,
    Steps,
    StepsPerSecond,
    Tags,
    listed,
    parse_range,
    parse_steps,
)
from epochord.pipeline.commands.audio_settings import audio_settings, given
from epochord.pipeline.console import bar, fail, note, plural, result
from epochord.pipeline.inputs import RUNS, find, results_folders
from epochord.pipeline.rendering import AudioJob, Outcome, render_all, render_one, shared_scales

if TYPE_CHECKING:
    from epochord.renderers.audio import AudioResult
    from epochord.renderers.audio.scoring.compose import Scales

__all__ = ["audio"]


def _print_voicings(wanted: bool) -> None:
    if wanted:
        from epochord.renderers.audio.scoring.voicings import explain, voicing_names

        for name in voicing_names():
            result(f"{name:10}{explain(name)}")
        raise typer.Exit


def audio(
    context: typer.Context,
    paths: Paths = None,
    voicing: Annotated[
        str, typer.Option(help="How numbers become sound (see --list-voicings).")
    ] = "lanes",
    mapping: Annotated[
        Path | None, typer.Option(help="A TOML file that says what drives which voice.")
    ] = None,
    list_voicings: Annotated[  # noqa: ARG001 - its callback acts
        bool,
        typer.Option(
            "--list-voicings", callback=_print_voicings, is_eager=True, help="Explain them."
        ),
    ] = False,
    tags: Tags = None,
    runs: Runs = None,
    steps: Steps = "",
    segments: SegmentMode = "auto",
    x: Column = None,
    layers: Layers = "",
    parameters: Parameters = "weight",
    duration: Duration = None,
    steps_per_second: StepsPerSecond = None,
    range: Range = "",
    scale_from: ScaleFrom = None,
    polarity: Annotated[str, typer.Option(help="+ if more sounds higher, or -.")] = "+",
    timbre: Annotated[str, typer.Option(help="sine, or warm with harmonics.")] = "sine",
    loudness: Annotated[str, typer.Option(metavar="TAG", help="Drives the loudness.")] = "",
    brightness: Annotated[
        str, typer.Option(metavar="TAG", help="Drives the brightness (of --timbre warm).")
    ] = "",
    lufs: Annotated[float, typer.Option(help="Integrated loudness, LUFS.")] = -23.0,
    format: Annotated[
        str | None, typer.Option(help="wav16, wav24, wav32f, flac, ogg or mp3.  [default: wav16]")
    ] = None,
    legend: Annotated[
        bool, typer.Option("--legend", help="Open with each voice's lowest and highest tone.")
    ] = False,
    tone: Annotated[float, typer.Option(help="Of voices in turn: length of a tone, s.")] = 0.01,
    silence: Annotated[float, typer.Option(help="The same: silence after each step, s.")] = 0.02,
    jobs: Annotated[
        int, typer.Option("--jobs", min=-1, help="Runs to render at once; -1: one a processor.")
    ] = 1,
    to_tensorboard: Annotated[
        Path | None,
        typer.Option(metavar="LOGDIR", help="Also write the sounds for TensorBoard's Audio tab."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("renders"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a result.")
    ] = False,
) -> None:
    """Render sound files: renders/<run>/audio.wav, its score and its description.

    Without --tags: gradient norms, else losses, else the tags with the most points.
    All runs of one command share one scale, so that they can be compared.
    """
    options = {
        "voicing": voicing,
        "layers": listed(layers),
        "parameters": parameters,
        "tone": tone,
        "silence": silence,
        "tags": tuple(tags or ()),
        "steps": parse_steps(steps),
        "duration": duration,
        "steps_per_second": steps_per_second,
        "range": parse_range(range, "--range"),
        "polarity": polarity,
        "timbre": timbre,
        "loudness": loudness,
        "brightness": brightness,
        "lufs": lufs,
        "format": format,
        "legend": legend,
    }
    settings = audio_settings(given(context, options), mapping)
    found, errors = find(paths or [str(RUNS)], runs)
    for problem in errors:
        fail(problem)
    folders = results_folders(found, out)
    work = [AudioJob(one, folder, settings, segments, x) for folder, one in folders.items()]
    work = _on_one_scale(work, scale_from, jobs)
    outcomes = [_said(outcome, as_json) for outcome in _watched(work, jobs)]
    if to_tensorboard is not None:
        _put_into(to_tensorboard, outcomes)
    if errors or any(outcome.errors for outcome in outcomes):
        raise typer.Exit(1)
    if outcomes and not any(outcome.results for outcome in outcomes):
        fail(f"nothing to hear in {plural(len(outcomes), 'run')}")
        raise typer.Exit(1)


def _put_into(logdir: Path, outcomes: Sequence[Outcome]) -> None:
    """Write the sounds as audio summaries."""
    from epochord.renderers.audio.summary import write_audio_summary

    for outcome in outcomes:
        for made in outcome.results:
            result(write_audio_summary(made, logdir))


def _on_one_scale(work: list[AudioJob], scale_from: Path | None, jobs: int) -> list[AudioJob]:
    """Give all runs one scale: that of an earlier result, or one that holds them all."""
    if scale_from is not None:
        from epochord.renderers.audio.description import stored_scales

        scales: Scales = stored_scales(scale_from)
    elif len(work) > 1 and work[0].settings.has_scale_of_its_own:
        scales = shared_scales(work, jobs)
    else:
        return work
    return [replace(job, scales=scales) for job in work]


def _watched(work: Sequence[AudioJob], jobs: int) -> Iterator[Outcome]:
    """Do the work under one progress bar: over the samples of one run, or over all runs."""
    with bar(f"render {plural(len(work), 'run')}", total=len(work)) as progress:
        if len(work) == 1:
            yield render_one(work[0], progress=progress.update)
            return
        for done, outcome in enumerate(render_all(work, jobs), start=1):
            progress.update(done, len(work), work[done - 1].found.source.name)
            yield outcome


def _said(outcome: Outcome, as_json: bool) -> Outcome:
    for line in outcome.notes:
        note(line)
    for error in outcome.errors:
        fail(error)
    for made in outcome.results:
        _say(made)
        result(json.dumps({"path": str(made.path), **made.description}) if as_json else made.path)
    return outcome


def _say(made: "AudioResult") -> None:
    about = made.description
    steps, voices = plural(about["steps"], "step"), plural(len(about["voices"]), "voice")
    said = [f"{about['run']}: {steps} of {voices}", f"{about['duration']:.2f} s"]
    said += [f"{group or 'values'} {_range(one)}" for group, one in about["scale"].items()][:1]
    if about["frames"] < about["steps"]:
        said.append(f"reduced to {about['frames']} frames")
    if "note" in about.get("loudness", {}):
        said.append(about["loudness"]["note"])
    if not made.made:
        said.append("up to date")
    note(", ".join(said) + _exceptions(about))


def _range(scale: dict[str, Any]) -> str:
    return f"{scale['low']:.3g} to {scale['high']:.3g}"


def _exceptions(about: Any) -> str:
    """Say how many values have no pitch of their own, and why."""
    counts, values = about["counts"], about["frames"] * len(about["voices"])
    words = {
        "held": "beyond the range",
        "nan": "NaN",
        "positive_infinity": "+inf",
        "negative_infinity": "-inf",
        "zero": "exactly zero",
        "missing": "not measured",
    }
    found = [f"{counts[kind]} {what}" for kind, what in words.items() if counts[kind]]
    return f"; of {values} values: {', '.join(found)}" if found else ""
