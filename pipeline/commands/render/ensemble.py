"""`epochord render ensemble`: the predictions of ensembles to videos, stills and scores."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from epochord.pipeline.commands.arguments.choices import Animation, Clock, PictureSize, Theme
from epochord.pipeline.commands.arguments.logs import Paths, Runs, found_runs
from epochord.pipeline.commands.arguments.parsing import listed, parse_range
from epochord.pipeline.commands.arguments.results import AsJson, chosen, out_option, placed
from epochord.pipeline.commands.arguments.settings import given, named
from epochord.pipeline.console import bar, fail, note, result
from epochord.pipeline.inputs import Found, results_folders
from epochord.runlog.errors import EpochordError, LogError
from epochord.runlog.words import plural

if TYPE_CHECKING:
    from epochord.renderers.ensemble import EnsembleResult, EnsembleSettings, Overview

__all__ = ["ensemble"]

PANEL = "ensemble-panel"  # the results of several runs side by side
MOST_IN_A_PANEL = 12


def ensemble(
    context: typer.Context,
    paths: Paths = None,
    runs: Runs = None,
    show: Annotated[
        str,
        typer.Option(
            "--show",
            metavar="A,B,…",
            help="Layers: members, mean, sd, quantiles, f, p, data, hop (members one at a time).",
        ),
    ] = "members,mean,sd,data",
    member: Annotated[
        int | None,
        typer.Option("--member", metavar="N", help="Draw this member apart from the others."),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            "--duration",
            metavar="SECONDS",
            help="Of the training in the video.  [default: what its clock needs, at most 30 s, "
            "or 60 s if it is linear]",
        ),
    ] = None,
    clock: Annotated[
        Clock,
        typer.Option(
            "--clock", help="What the video gives time to: what moves, or each epoch alike."
        ),
    ] = "movement",
    size: Annotated[
        PictureSize, typer.Option("--size", help="Of the video, in pixels.")
    ] = "1280x720",
    theme: Annotated[Theme, typer.Option("--theme", help="Of all pictures.")] = "light",
    limits: Annotated[
        str,
        typer.Option("--limits", metavar="LO:HI", help="Lowest and highest prediction shown."),
    ] = "",
    noise: Annotated[
        float | None,
        typer.Option(
            "--noise", metavar="SD", help="Of the observations' noise, for the likelihood."
        ),
    ] = None,
    animation: Annotated[
        Animation, typer.Option("--animation", help="The small one beside the video.")
    ] = "webp",
    video: Annotated[
        bool, typer.Option("--video/--no-video", help="Whether to make the video.")
    ] = True,
    sound: Annotated[
        bool, typer.Option("--sound/--no-sound", help="Whether the video has sound.")
    ] = True,
    out: Annotated[Path | None, out_option("renders/<run>/ensemble.mp4", ".mp4")] = None,
    as_json: AsJson = False,
) -> None:
    """Render ensembles: renders/<run>/ensemble.mp4, stills and scores.

    Several runs also side by side, on one clock, and on equal axes unless these would leave one
    of them small: renders/ensemble-panel/.
    """
    from epochord.renderers.ensemble import EnsembleSettings

    idle = given(
        context, {"duration": duration, "clock": clock, "animation": animation, "sound": sound}
    )
    if idle and not video:
        raise typer.BadParameter(f"{named(*idle)} of no use with --no-video")
    place = chosen(out, ".mp4")
    if place.suffix and not video:
        raise typer.BadParameter(f"--out names a video, {out}, and --no-video makes none")
    try:
        settings = EnsembleSettings(
            layers=listed(show),
            member=member,
            duration=duration,
            clock=clock,
            size=size,
            theme=theme,
            limits=parse_range(limits, "--limits"),
            noise=noise,
            animation=animation,
            video=video,
            sound=sound,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    found, errors = found_runs(paths, runs)
    work, unread = _overviews(found, place.folder, settings)
    unread = [*errors, *unread]
    if found and not work and not unread:
        unread = [f"no ensemble in {plural(len(found), 'run')}; 'make record-ensembles' makes some"]
    for problem in unread:
        fail(problem)
    unmade = list(_rendered(placed(place, work, "ensemble"), place.folder, settings, as_json))
    if unread or unmade:
        raise typer.Exit(1)


def _overviews(
    found: Sequence[Found], out: Path, settings: "EnsembleSettings"
) -> tuple[dict[Path, "Overview"], list[object]]:
    """Go through the logs; runs without an ensemble that nobody named are passed over."""
    from epochord.renderers.ensemble import check_choice, overview
    from epochord.runlog.reading.ensemble import NoEnsembleError, open_ensemble

    work: dict[Path, Overview] = {}
    errors: list[object] = []
    for folder, one in results_folders(found, out).items():
        try:
            opened = open_ensemble(one.source.path, name=one.source.name)
            for line in opened.run.damage:
                note(f"warning: {line}")
            check_choice(opened, settings)
            with bar(f"read {one.source.name}", total=len(opened.epochs)) as progress:
                work[folder] = overview(opened, noise=settings.noise, progress=progress.update)
        except NoEnsembleError as error:
            if one.named:
                errors.append(error)
        except EpochordError as error:
            errors.append(error)
        except OSError as error:
            errors.append(LogError(f"{error.filename or one.source.path}: {error.strerror}"))
    return work, errors


def _rendered(
    work: dict[Path, "Overview"], out: Path, settings: "EnsembleSettings", as_json: bool
) -> Iterator[object]:
    """Render each run, then all side by side; yield what went wrong."""
    if not work:
        return
    from epochord.renderers.ensemble import panel_limits, render_ensemble

    limits = panel_limits(list(work.values()), settings)
    jobs = [(f, [one], [own]) for (f, one), own in zip(work.items(), limits, strict=True)]
    if len(work) > 1:
        panel = list(work.values())[:MOST_IN_A_PANEL]
        if len(panel) < len(work):
            note(f"{PANEL}: shows the first {MOST_IN_A_PANEL} of {len(work)} runs")
        jobs.append((out / PANEL, panel, limits[:MOST_IN_A_PANEL]))
    for folder, overviews, shown in jobs:
        try:
            with bar(f"render {folder.name}") as progress:
                made = render_ensemble(
                    overviews, folder, settings, limits=shown, progress=progress.update
                )
        except EpochordError as error:
            fail(error)
            yield error
            continue
        _say(made, as_json)
        for line in (*made.description["notes"], *made.description.get("pace", ())):
            note(f"{folder.name}: {line}")
        if made.removed:
            gone = ", ".join(made.removed)
            note(f"{folder}: removed {gone}, which earlier settings had made")
        if made.problem:
            fail(made.problem)
            yield made.problem


def _say(made: "EnsembleResult", as_json: bool) -> None:
    for one in made.description["runs"]:
        last = one["at_last_epoch"]
        members, epochs = plural(one["members"], "member"), plural(one["epochs"], "epoch")
        said = [f"{one['run']}: {members}, {epochs}"]
        if last["spread/inside"] is not None and last["spread/outside"] is not None:
            said.append(
                f"sd {last['spread/inside']:.3g} inside the data, "
                f"{last['spread/outside']:.3g} outside"
            )
        if last["missing_members"]:
            gone = plural(int(last["missing_members"]), "member")
            said.append(f"{gone} not finite at the end")
        if not made.made:
            said.append("up to date")
        if len(made.description["runs"]) == 1:
            note(", ".join(said))
            for line in one["notes"]:
                note(f"{one['run']}: {line}")
    for path in made.paths:
        if as_json:
            result(json.dumps({"path": str(path), **made.description}))
            break
        result(path)
