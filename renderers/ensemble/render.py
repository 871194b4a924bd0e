"""Ensembles to a video with sound, stills and scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from epochord.renderers.ensemble.apart import render_apart
from epochord.renderers.ensemble.choice import check_choice, undrawn
from epochord.renderers.ensemble.drawable import why_not_drawn
from epochord.renderers.ensemble.figure import Limits, ensemble_figure, of_each
from epochord.renderers.ensemble.files import (
    ANIMATIONS,
    DESCRIPTION,
    SCORES,
    STEM,
    SUFFIXES,
    VIDEO,
    at_last_epoch,
    made_before,
    save_stills,
    still_name,
    write_scores,
)
from epochord.renderers.ensemble.film import film
from epochord.renderers.ensemble.limits import USED, unseen_data
from epochord.renderers.ensemble.look import size_of, styled
from epochord.renderers.ensemble.overview import Overview, overview
from epochord.renderers.ensemble.pacing import FPS, timing
from epochord.renderers.ensemble.scores import LEVELS, PERCENTS
from epochord.renderers.ensemble.sentences import sentence
from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.renderers.ensemble.sound import Disagreement, ensemble_score, write_sound
from epochord.renderers.ensemble.stills import still_names, stills
from epochord.renderers.pictures.video import VideoUnavailableError, write_video
from epochord.renderers.results.destination import Destination, StrPath, destination
from epochord.renderers.results.output import describe, is_up_to_date
from epochord.renderers.results.own import require_own
from epochord.renderers.results.shown import picture_html, result_repr
from epochord.renderers.results.staging import staging
from epochord.runlog.errors import LogError
from epochord.runlog.given import require
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["EnsembleResult", "panel_limits", "render_ensemble", "shared_limits"]

PANEL = "ensemble-panel"  # the results of several runs
SCHEMA_VERSION = 6
UNSHARED = (
    "each ensemble has axes of its own: in one range for all, some would take less than "
    f"{USED:.0%} of the height"
).replace("%", " %")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, repr=False)
class EnsembleResult:
    """What was made of one ensemble or several.

    Parameters
    ----------
    paths : tuple of Path
        The files, the most telling one first.
    made : bool
        False if they were there already, from the same logs and settings.
    description : dict
        What lies beside them as JSON.
    problem : str
        Why there is no video, if one was wanted; empty if there is.
    removed : tuple of str
        Names of earlier results in the folder that do not belong to these, and are gone.
    """

    paths: tuple[Path, ...]
    made: bool
    description: dict[str, Any]
    problem: str = ""
    removed: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return result_repr(self, self.paths, made=self.made)

    def _repr_html_(self) -> str | None:
        return picture_html(self.paths)


def shared_limits(overviews: Sequence[Overview], settings: EnsembleSettings) -> tuple[float, float]:
    """Return the lowest and the highest prediction that pictures of these ensembles show."""
    if settings.limits is not None:
        return settings.limits
    each = [one.limits(settings.layers) for one in overviews]
    return min(low for low, _ in each), max(high for _, high in each)


def panel_limits(overviews: Sequence[Overview], settings: EnsembleSettings) -> list[Limits]:
    """Return the lowest and the highest prediction that is shown of each of several ensembles.

    All share one range, if the members and data of each take `USED` of the height in it.
    """
    shared = shared_limits(overviews, settings)
    if settings.limits is not None or all(
        one.used(shared, settings.layers) >= USED for one in overviews
    ):
        return [shared] * len(overviews)
    return [one.limits(settings.layers) for one in overviews]


def render_ensemble(
    ensembles: Ensemble | Overview | Sequence[Ensemble | Overview],
    out: StrPath | Destination | None = None,
    settings: EnsembleSettings | None = None,
    *,
    limits: Limits | Sequence[Limits] | None = None,
    film: bool = True,
    progress: Progress | None = None,
) -> EnsembleResult:
    """Render one ensemble, or several side by side.

    Parameters
    ----------
    ensembles : Ensemble, Overview, or sequence of them
        One a run: as it was opened, or what is known of it already.  Of several outputs
        the first is drawn; `Ensemble.output` gives another.  Classifiers get pictures of their
        own, over a lattice of two inputs with a film; ensembles without a grid of one input or a
        lattice of two get their scores and the still of them, and no film.
    out : str or PathLike, optional
        A video or small animation, such as ``"sine.mp4"``, with whose stem all results
        then begin.  Else a folder, by default ``renders/<run>``, of several
        ``renders/ensemble-panel``, for `ensemble.mp4` and its small animation; of one
        run also the stills and `ensemble.scores.parquet`; of several the
        still `uncertainty` of all; `ensemble.json`, which describes them.
    settings : EnsembleSettings, optional
        What is drawn, and how.
    limits : (float, float) or sequence of them, optional
        Lowest and highest prediction shown of all, or of each; by default one range
        for all where members and data of each take 60 % of the height in it.
    film : bool
        Whether to make now the video that the settings ask for; else a later call with
        the same settings makes it.
    progress : callable, optional
        Called with the frames done and the frames in all.

    Returns
    -------
    EnsembleResult
        Without ffmpeg, everything but the video is there.  Nothing is written if
        the same logs were rendered there with the same settings before.  Else stills
        and scores appear first, all at once, and what earlier settings made
        goes; then the video with its small animation.  If that one fails or is
        stopped, the first ones stay, their description says that it is not there, and
        the next call makes no more than that.

    Raises
    ------
    LogError
        If the ensembles cannot be drawn, or have nothing of what was chosen.
    OutputError
        If a file cannot be written; then what was to appear with it is not there.
    """
    settings = settings or EnsembleSettings()
    alone = ensembles[0] if isinstance(ensembles, Sequence) and len(ensembles) == 1 else ensembles
    if isinstance(alone, Ensemble) and why_not_drawn(alone):
        return _apart(alone, out, settings, progress)
    overviews = _overviews(ensembles, settings)
    name = overviews[0].ensemble.run.name if len(overviews) == 1 else PANEL
    place = destination(out, folder=f"renders/{name}", stem=STEM, suffixes=SUFFIXES)
    each = of_each(limits or panel_limits(overviews, settings), len(overviews))
    about = _description(overviews, settings, each, place)
    beside = place.path(DESCRIPTION)
    if is_up_to_date(beside, about | {"complete": True}):
        paths = [place.folder / name for name in about["names"]]
        return EnsembleResult(tuple(paths), made=False, description=about)
    require_own(place, (VIDEO, *ANIMATIONS, SCORES))
    before = made_before(place)
    if is_up_to_date(beside, about | {"complete": False}):  # all but the film is there
        made = [path for path in map(place.folder.joinpath, about["names"]) if path.is_file()]
    else:
        made = _publish_stills(overviews, place, settings, each, about, before)
    problem = ""
    if settings.video and film:
        try:
            made = _publish_film(overviews, place, settings, each, progress, about, made)
        except VideoUnavailableError as error:
            problem = str(error)
    return EnsembleResult(
        tuple(made),
        made=True,
        description=about,
        problem=problem,
        removed=tuple(sorted(before - {path.name for path in made})),
    )


def _publish_stills(
    overviews: Sequence[Overview],
    place: Destination,
    settings: EnsembleSettings,
    limits: Sequence[Limits],
    about: dict[str, Any],
    before: set[str],
) -> list[Path]:
    """Make what takes two seconds, in the place of all that an earlier call made there."""
    with styled(settings), staging(place.folder, replacing=before) as folder:
        stage = replace(place, folder=folder)
        made = save_stills(_stills(overviews, settings, limits), stage, svg=settings.svg)
        if len(overviews) == 1:
            one = overviews[0]
            made.append(write_scores(one.ensemble.epochs, one.columns(), stage.path(SCORES)))
        about["complete"] = not settings.video
        return _described(about, made, folder, place)


def _publish_film(
    overviews: Sequence[Overview],
    place: Destination,
    settings: EnsembleSettings,
    limits: Sequence[Limits],
    progress: Progress | None,
    about: dict[str, Any],
    stills: Sequence[Path],
) -> list[Path]:
    """Make the video and its small animation, and say of them beside what is there already."""
    with styled(settings), staging(place.folder) as folder:
        stage = replace(place, folder=folder)
        made = [*_film(overviews, stage, settings, limits, progress, about), *stills]
        about["complete"] = True
        return _described(about, made, folder, place)


def _described(
    about: dict[str, Any], made: Sequence[Path], folder: Path, place: Destination
) -> list[Path]:
    """Describe results while they are in another folder yet; return where they will be."""
    about["files"] = {path.name: path.stat().st_size for path in made}
    describe(folder / place.path(DESCRIPTION).name, about)
    return [place.folder / path.name for path in made]


def _apart(
    ensemble: Ensemble,
    out: StrPath | Destination | None,
    settings: EnsembleSettings,
    progress: Progress | None,
) -> EnsembleResult:
    """Make what there is of an ensemble that is not drawn as functions."""
    folder = f"renders/{ensemble.run.name}"
    place = destination(out, folder=folder, stem=STEM, suffixes=SUFFIXES)
    before = made_before(place)
    found = render_apart(ensemble, place, settings, before, progress)
    return EnsembleResult(
        tuple(place.folder / name for name in found.names),
        made=found.made,
        description=found.description,
        problem=found.problem,
        removed=tuple(sorted(before - set(found.names))) if found.made else (),
    )


def _overviews(
    given: Ensemble | Overview | Sequence[Ensemble | Overview], settings: EnsembleSettings
) -> list[Overview]:
    """Go through the logs of those of which nothing is known yet; first see if all can be drawn."""
    several = list(given) if isinstance(given, Sequence) else [given]
    expected = "an Ensemble, as epochord.open_ensemble returns it"
    for one in several:
        require("ensembles", one, (Ensemble, Overview), expected)
        opened = one.ensemble if isinstance(one, Overview) else one
        if why := why_not_drawn(opened):
            raise LogError(f"run {opened.run.name!r}: {why}; render it by itself")
        check_choice(opened, settings)
    return [
        one if isinstance(one, Overview) else overview(one.output(0), noise=settings.noise)
        for one in several
    ]


def _description(
    overviews: Sequence[Overview],
    settings: EnsembleSettings,
    limits: Sequence[Limits],
    place: Destination,
) -> dict[str, Any]:
    several = len(overviews) > 1
    own = ["uncertainty"] if several else still_names(overviews[0].ensemble)
    stills = [still_name(place, name) for name in own]
    kinds = ("png", "svg") if settings.svg else ("png",)
    names = [f"{still}.{kind}" for still in stills for kind in kinds]
    names += [] if several else [place.path(SCORES).name]
    if settings.video:
        small = [] if settings.animation == "none" else [f".{settings.animation}"]
        names = [*(place.path(ending).name for ending in (VIDEO, *small)), *names]
    return {
        "schema_version": SCHEMA_VERSION,
        "runs": [_findings(one, settings, own) for one, own in zip(overviews, limits, strict=True)],
        "settings": dict(settings.to_dict()),
        "limits": list(limits[0]) if len(set(limits)) == 1 else None,
        "title": sentence(overviews),
        "notes": [UNSHARED] if len(set(limits)) > 1 else [],
        "names": names,
    }


def _findings(
    one: Overview, settings: EnsembleSettings, limits: tuple[float, float]
) -> dict[str, Any]:
    """Say how an ensemble ended, and what of it is not seen, in plain JSON values."""
    ensemble = one.ensemble
    return {
        "run": ensemble.run.name,
        "log_hash": ensemble.log_hash(),
        "setting": ensemble.run.metadata.hyperparameters.get("setting"),
        "members": ensemble.members,
        "data": len(ensemble.setup.data),
        "epochs": len(ensemble.epochs),
        "last_epoch": int(ensemble.epochs[-1]),
        "noise": one.noise.sd,
        "noise_source": str(one.noise),
        "limits": list(limits),
        "notes": [*undrawn(ensemble, settings), *unseen_data(ensemble.setup, limits)],
        "at_last_epoch": at_last_epoch(one.columns()),
        "calibration": {
            kind: dict(zip(map(str, LEVELS), _plain(rows[-1].calibration), strict=True))
            for kind, rows in one.scores.items()
        },
        "reachable_coverage": {
            kind: dict(zip(map(str, PERCENTS), _plain(reach), strict=True))
            for kind, reach in one.reach.items()
        },
    }


def _plain(shares: Sequence[float]) -> list[float | None]:
    return [share if np.isfinite(share) else None for share in shares]


def _stills(
    overviews: Sequence[Overview], settings: EnsembleSettings, limits: Sequence[Limits]
) -> list[tuple[str, Figure]]:
    if len(overviews) == 1:
        return list(stills(overviews[0], settings, limits[0]))
    panel = ensemble_figure(overviews, settings, limits)
    panel.draw([len(one.ensemble.epochs) - 1 for one in overviews])
    return [("uncertainty", panel.figure)]


def _film(
    overviews: Sequence[Overview],
    stage: Destination,
    settings: EnsembleSettings,
    limits: Sequence[Limits],
    progress: Progress | None,
    about: dict[str, Any],
) -> list[Path]:
    """Write the video, its sound in it, and the small animation beside it."""
    paced = timing([one.ensemble for one in overviews], limits, settings)
    drawn = ensemble_figure(overviews, settings, limits)
    small = None if settings.animation == "none" else stage.path(f".{settings.animation}")
    video = stage.path(VIDEO)
    about |= {"frames": len(paced.moments), "fps": FPS, "duration": len(paced.moments) / FPS}
    about["movement"] = paced.movement
    about["pace"] = paced.notes
    sound = stage.folder / "sound.wav" if settings.sound else None
    try:
        if sound:
            parts = [Disagreement(o.ensemble.run.name, o.spread, o.deviation) for o in overviews]
            places = np.stack([paced.places(one.ensemble.epochs) for one in overviews])
            score = ensemble_score(parts, places, FPS, fading=paced.fading)
            about["loudness"] = write_sound(score, sound)
        write_video(
            video,
            film(drawn, paced, moving="hop" in settings.layers),
            size=size_of(settings),
            fps=FPS,
            pixels="yuv420p",
            audio=sound,
            animation=small,
            progress=(lambda done: progress(done, len(paced.moments))) if progress else None,
        )
    finally:
        if sound:
            sound.unlink(missing_ok=True)  # it is in the video
    return [video, *([small] if small else [])]
