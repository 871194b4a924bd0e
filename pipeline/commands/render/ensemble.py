"""`epochord render ensemble`: the predictions of ensembles to videos, stills and scores."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from epochord.pipeline.commands.arguments.choices import Animation, Clock, PictureSize, Theme
from epochord.pipeline.commands.arguments.logs import Paths, Runs, found_runs
from epochord.pipeline.commands.arguments.parsing import listed, parse_range
from epochord.pipeline.commands.arguments.results import AsJson, chosen, out_option, placed
from epochord.pipeline.commands.arguments.settings import given, named
from epochord.pipeline.console import bar, fail, note, result
from epochord.pipeline.experiments.ensemble_settings import SETTINGS
from epochord.pipeline.inputs import Found, results_folders
from epochord.runlog.errors import EpochordError, LogError
from epochord.runlog.words import plural

if TYPE_CHECKING:
    from epochord.renderers.ensemble import EnsembleResult, EnsembleSettings, Overview
    from epochord.runlog.reading.ensemble import Ensemble

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
            help="Layers: members, mean, sd, predictive (sd with noise), quantiles, f, p, data, "
            "hop (members one at a time).",
        ),
    ] = "members,mean,sd,predictive,data",
    member: Annotated[
        int | None,
        typer.Option("--member", metavar="N", help="Draw this member apart from the others."),
    ] = None,
    output: Annotated[
        int | None,
        typer.Option(
            "--output",
            metavar="K",
            help="Which of several outputs, counted from 0; of a classifier, draw the probability "
            "of class K.  [default: 0; of a classifier, all its classes]",
        ),
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
            "--noise", metavar="SD", help="Of the observations' noise; else logged or estimated."
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
    svg: Annotated[
        bool, typer.Option("--svg/--no-svg", help="Whether stills are there as SVG too.")
    ] = False,
    out: Annotated[Path | None, out_option("renders/<run>/ensemble.mp4", ".mp4")] = None,
    as_json: AsJson = False,
) -> None:
    """Render ensembles: renders/<run>/ensemble.mp4, stills and scores.

    Several runs also side by side, on one clock, and on equal axes unless these would leave one
    of them small: renders/ensemble-panel/.
    Of the four that 'make record-ensembles' records, their story too: renders/ensembles.html.
    Classifiers get pictures of their own; what has no grid of one input or two, its scores.
    """
    from epochord.renderers.ensemble import EnsembleSettings, why_not_drawn

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
            svg=svg,
        )
    except ValueError as error:
        said = re.sub(r"^layers(?= is)", "--show", str(error))
        raise typer.BadParameter(said) from error
    found, errors = found_runs(paths, runs)
    opened, unread = _opened(found, place.folder, output)
    apart = {folder: each for folder, each in opened.items() if why_not_drawn(each)}
    filmed = {folder: each for folder, each in opened.items() if folder not in apart}
    work, unfit = _overviews(filmed, settings)
    unread = [*errors, *unread, *unfit]
    if found and not opened and not unread:
        unread = [f"no ensemble in {plural(len(found), 'run')}; 'make record-ensembles' makes some"]
    for problem in unread:
        fail(problem)
    placed(place, {**work, **apart}, "ensemble")  # a file that was named is of one of them
    unmade = list(_drawn_apart(placed(place, apart, "ensemble"), settings, as_json))
    unmade += _rendered(placed(place, work, "ensemble"), place.folder, settings, as_json)
    if not unmade and not place.suffix:
        _tell(work, place.folder, as_json)
    if unread or unmade:
        raise typer.Exit(1)


def _opened(
    found: Sequence[Found], out: Path, output: int | None
) -> tuple[dict[Path, "Ensemble"], list[object]]:
    """Open the logs; runs without an ensemble that nobody named are passed over."""
    from epochord.runlog.reading.ensemble import NoEnsembleError, open_ensemble

    opened: dict[Path, Ensemble] = {}
    errors: list[object] = []
    for folder, one in results_folders(found, out).items():
        try:
            ensemble = open_ensemble(one.source.path, name=one.source.name)
            for line in ensemble.run.damage:
                note(f"warning: {line}")
            opened[folder] = ensemble if output is None else ensemble.output(output)
        except NoEnsembleError as error:
            if one.named:
                errors.append(error)
        except EpochordError as error:
            errors.append(error)
        except OSError as error:
            errors.append(LogError(f"{error.filename or one.source.path}: {error.strerror}"))
    return opened, errors


def _overviews(
    opened: Mapping[Path, "Ensemble"], settings: "EnsembleSettings"
) -> tuple[dict[Path, "Overview"], list[object]]:
    """Go through the logs; of several outputs, the first is drawn."""
    from epochord.renderers.ensemble import check_choice, overview

    work: dict[Path, Overview] = {}
    errors: list[object] = []
    for folder, ensemble in opened.items():
        name = ensemble.run.name
        try:
            check_choice(ensemble, settings)
            if ensemble.outputs > 1:
                note(f"{name}: drawn is output 0 of {ensemble.outputs}; --output K draws another")
            with bar(f"read {name}", total=len(ensemble.epochs)) as progress:
                work[folder] = overview(
                    ensemble.output(0), noise=settings.noise, progress=progress.update
                )
        except EpochordError as error:
            errors.append(error)
    return work, errors


def _drawn_apart(
    apart: Mapping[Path, "Ensemble"], settings: "EnsembleSettings", as_json: bool
) -> Iterator[object]:
    """Make what there is of those that are no functions; yield what went wrong."""
    if not apart:
        return
    from epochord.renderers.ensemble import render_ensemble

    for place, ensemble in apart.items():
        try:
            with bar(f"render {ensemble.run.name}") as progress:
                made = render_ensemble(ensemble, place, settings, progress=progress.update)
        except EpochordError as error:
            fail(error)
            yield error
            continue
        told = "" if made.made else ", up to date"
        counts = f"{plural(ensemble.members, 'member')}, {plural(len(ensemble.epochs), 'epoch')}"
        note(f"{ensemble.run.name}: {counts}{told}")
        for line in made.description["runs"][0]["notes"]:
            note(f"{ensemble.run.name}: {line}")
        _list(made, as_json)
        if made.problem:
            fail(made.problem)
            yield made.problem


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
    # Pictures of all of them come before the first film.
    for film in (False, True) if settings.video and len(jobs) > 1 else (True,):
        for folder, overviews, shown in list(jobs):
            try:
                with bar(f"render {folder.name}") as progress:
                    made = render_ensemble(
                        overviews, folder, settings, limits=shown, film=film,
                        progress=progress.update,
                    )  # fmt: skip
            except EpochordError as error:
                jobs.remove((folder, overviews, shown))
                fail(error)
                yield error
                continue
            if film:
                _say(made, as_json)
                for line in (*made.description["notes"], *made.description.get("pace", ())):
                    note(f"{folder.name}: {line}")
            if made.removed:
                gone = ", ".join(made.removed)
                note(f"{folder}: removed {gone}, which earlier settings had made")
            if made.problem:
                fail(made.problem)
                yield made.problem


def _tell(work: dict[Path, "Overview"], out: Path, as_json: bool) -> None:
    """Write the page of the posts' ensembles, if these are among what was rendered."""
    rendered = {
        (folder.name, one.ensemble.run.metadata.hyperparameters.get("setting"))
        for folder, one in work.items()
    }
    if {(f"ensemble-{setting}", setting) for setting in SETTINGS} <= rendered:
        from epochord.renderers.page import render_ensembles_page

        path = render_ensembles_page(out)
        result(json.dumps({"path": str(path)}) if as_json else path)


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
        if last.get("held_out/crps/fair") is not None:
            said.append(f"fair CRPS {last['held_out/crps/fair']:.3g} at held-out points")
        if last["missing_members"]:
            gone = plural(int(last["missing_members"]), "member")
            said.append(f"{gone} not finite at the end")
        if not made.made:
            said.append("up to date")
        if len(made.description["runs"]) == 1:
            note(", ".join(said))
            for line in one["notes"]:
                note(f"{one['run']}: {line}")
    _list(made, as_json)


def _list(made: "EnsembleResult", as_json: bool) -> None:
    for path in made.paths:
        if as_json:
            result(json.dumps({"path": str(path), **made.description}))
            break
        result(path)
