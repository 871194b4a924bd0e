"""`epochord render audio`: logs to sound."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from epochord.pipeline.commands.arguments import choices
from epochord.pipeline.commands.arguments.logs import (
    Column,
    Paths,
    Runs,
    SegmentMode,
    Steps,
    Tags,
    found_runs,
)
from epochord.pipeline.commands.arguments.parsing import listed, parse_range, parse_steps
from epochord.pipeline.commands.arguments.results import AsJson, chosen, out_option, placed
from epochord.pipeline.commands.arguments.settings import audio_settings, given, refuse_idle
from epochord.pipeline.commands.arguments.sound import (
    Duration,
    Layers,
    Parameters,
    Range,
    ScaleFrom,
    StepsPerSecond,
    Time,
    Voicing,
    voicings,
)
from epochord.pipeline.console import bar, fail, note, result
from epochord.pipeline.inputs import results_folders
from epochord.pipeline.playing.hint import how_to_listen
from epochord.pipeline.rendering import (
    AudioJob,
    Outcome,
    on_one_scale,
    render_all,
    render_one,
)
from epochord.runlog.words import plural

if TYPE_CHECKING:
    from epochord.renderers.audio import AudioResult, AudioSettings

__all__ = ["audio"]

# What a file's suffix says of its format.
FORMATS: dict[str, choices.AudioFormat] = {
    ".wav": "wav16", ".flac": "flac", ".ogg": "ogg", ".mp3": "mp3",
}  # fmt: skip


def _print_voicings(wanted: bool) -> None:
    if wanted:
        for name, what in voicings():
            result(f"{name:10}{what}")
        raise typer.Exit


def audio(
    context: typer.Context,
    paths: Paths = None,
    voicing: Voicing = "roll",
    list_voicings: Annotated[  # noqa: ARG001 - its callback acts
        bool,
        typer.Option(
            "--list-voicings", callback=_print_voicings, is_eager=True, help="Explain voicings."
        ),
    ] = False,
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping", metavar="FILE", help="A TOML file that says what drives which voice."
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
    steps_per_second: StepsPerSecond = None,
    time: Time = "logged",
    range: Range = "",
    scale_from: ScaleFrom = None,
    polarity: Annotated[
        choices.Polarity, typer.Option("--polarity", help="+ if more sounds higher, or -.")
    ] = "+",
    timbre: Annotated[
        choices.Timbre, typer.Option("--timbre", help="Pure tones, or warm with harmonics.")
    ] = "sine",
    loudness: Annotated[
        str, typer.Option("--loudness", metavar="TAG", help="Drives the loudness.")
    ] = "",
    brightness: Annotated[
        str,
        typer.Option(
            "--brightness", metavar="TAG", help="Drives the brightness (of --timbre warm)."
        ),
    ] = "",
    lufs: Annotated[
        float, typer.Option("--lufs", metavar="LUFS", help="Integrated loudness.")
    ] = -23.0,
    format: Annotated[
        choices.AudioFormat | None,
        typer.Option("--format", help="Of the file.  [default: wav16, or as --out ends]"),
    ] = None,
    legend: Annotated[
        bool, typer.Option("--legend", help="Open with each voice's lowest and highest tone.")
    ] = False,
    speak: Annotated[
        bool, typer.Option("--speak", help="Say what happens, behind each call (of roll).")
    ] = False,
    tone: Annotated[
        float,
        typer.Option("--tone", metavar="SECONDS", help="Of voices in turn: length of a tone."),
    ] = 0.01,
    silence: Annotated[
        float,
        typer.Option("--silence", metavar="SECONDS", help="The same: silence after each step."),
    ] = 0.02,
    jobs: Annotated[
        int,
        typer.Option("--jobs", metavar="N", min=-1, help="Runs at once; -1: one a processor."),
    ] = 1,
    midi: Annotated[
        bool, typer.Option("--midi", help="Also write the score as MIDI, one channel a voice.")
    ] = False,
    to_tensorboard: Annotated[
        Path | None,
        typer.Option(
            "--to-tensorboard",
            metavar="LOGDIR",
            help="Also write the sounds for TensorBoard's Audio tab.",
        ),
    ] = None,
    out: Annotated[Path | None, out_option("renders/<run>/audio.wav", *FORMATS)] = None,
    as_json: AsJson = False,
) -> None:
    """Render sound files: renders/<run>/audio.wav, its score and its description.

    Without --tags: gradient norms, else losses, else the tags with the most points.
    All runs of one command share one scale, so that they can be compared.
    """
    if jobs == 0:
        raise typer.BadParameter("--jobs is 0; expected at least 1, or -1 for one a processor")
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
        "time": time,
        "range": parse_range(range, "--range"),
        "polarity": polarity,
        "timbre": timbre,
        "loudness": loudness,
        "brightness": brightness,
        "lufs": lufs,
        "format": format,
        "legend": legend,
        "speak": speak,
    }
    asked = given(context, options)
    settings = audio_settings(asked, mapping)
    refuse_idle({*asked, *(["scale_from"] if scale_from else [])}, settings)
    place = chosen(out, *FORMATS)
    settings = _of_format(settings, place.suffix, format)
    found, errors = found_runs(paths, runs, x)
    if found:
        _require_programs(settings, midi)
    for problem in errors:
        fail(problem)
    work = [
        AudioJob(one, each, settings, segments, x, is_file=bool(place.suffix), midi=midi)
        for each, one in placed(place, results_folders(found, place.folder)).items()
    ]
    work = on_one_scale(work, scale_from, jobs)
    outcomes = [_said(outcome, as_json) for outcome in _watched(work, jobs)]
    if to_tensorboard is not None:
        _put_into(to_tensorboard, outcomes)
    if hint := how_to_listen([made.path for outcome in outcomes for made in outcome.results]):
        note(hint)
    if errors or any(outcome.errors for outcome in outcomes):
        raise typer.Exit(1)
    if outcomes and not any(outcome.results for outcome in outcomes):
        fail(f"nothing to hear in {plural(len(outcomes), 'run')}")
        raise typer.Exit(1)


def _require_programs(settings: "AudioSettings", midi: bool) -> None:
    """Say once, and before anything is made, what is not installed."""
    if settings.speak:
        from epochord.renderers.audio.speech import speaker

        speaker()
    if midi:
        from epochord.renderers.audio.midi import require_mido

        require_mido()


def _of_format(
    settings: "AudioSettings", suffix: str, format: choices.AudioFormat | None
) -> "AudioSettings":
    """Take the format from the name of the file, if one was named."""
    from epochord.renderers.audio.files.write import AUDIO_FORMATS

    if not suffix or AUDIO_FORMATS[settings.file_format].suffix == suffix:
        return settings
    if format is not None:
        raise typer.BadParameter(
            f"--format is {format} and --out ends in {suffix}; leave out one of them"
        )
    return replace(settings, format=FORMATS[suffix])


def _put_into(logdir: Path, outcomes: Sequence[Outcome]) -> None:
    """Write the sounds as audio summaries."""
    from epochord.renderers.audio.summary import write_audio_summary

    for outcome in outcomes:
        for made in outcome.results:
            result(write_audio_summary(made, logdir))


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
        paths = {"path": made.path} | ({"midi": made.midi} if made.midi else {})
        if as_json:
            result(json.dumps({name: str(path) for name, path in paths.items()} | made.description))
            continue
        for path in paths.values():
            result(path)
    return outcome


def _say(made: "AudioResult") -> None:
    from epochord.renderers.timeline.total import TOTAL

    about = made.description
    steps, voices = plural(about["steps"], "step"), plural(len(about["voices"]), "voice")
    said = [f"{about['run']}: {steps} of {voices}", f"{about['duration']:.2f} s"]
    scales = [
        f"{group or 'values'} {_range(one)}"
        for group, one in about["scale"].items()
        if group != TOTAL
    ]
    said += scales if len(scales) < 2 else [plural(len(scales), "scale")]
    said += _anchors(about)
    if about["frames_once"] < about["steps"]:
        said.append(f"reduced to {about['frames_once']} frames")
    if "note" in about.get("loudness", {}):
        said.append(about["loudness"]["note"])
    if not made.made:
        said.append("up to date")
    note(", ".join(said) + _exceptions(about))


def _anchors(about: dict[str, Any]) -> list[str]:
    """Say where voices lie that move by an octave for a factor of ten."""
    places = {(lane["hertz"], lane["value"]) for lane in about["lanes"] if "hertz" in lane}
    if not places:
        return []
    each = ", ".join(f"{value:.3g} at {hertz:.4g} Hz" for hertz, value in sorted(places))
    return [f"an octave for ×10, {each}"]


def _range(scale: dict[str, Any]) -> str:
    return f"{scale['low']:.3g} to {scale['high']:.3g}"


def _exceptions(about: Any) -> str:
    """Say how many values have no pitch of their own, and why."""
    counts, values = about["counts"], about["frames_once"] * len(about["voices"])
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
