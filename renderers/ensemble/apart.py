"""Ensembles that are not drawn as functions of one input or two: their own pictures and scores.

Classifiers get their scores by epoch and the still of them, over two inputs also a map and its
film.  What has no grid that can be drawn gets its scores and their still.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from epochord.renderers.ensemble.classes.class_map import map_still
from epochord.renderers.ensemble.classes.film import class_film
from epochord.renderers.ensemble.classes.overview import class_overview
from epochord.renderers.ensemble.classes.score_still import class_scores_still
from epochord.renderers.ensemble.drawable import has_lattice, on_points, why_not_drawn
from epochord.renderers.ensemble.files import (
    DESCRIPTION,
    SCORES,
    VIDEO,
    at_last_epoch,
    save_stills,
    write_scores,
)
from epochord.renderers.ensemble.look import size_of, styled
from epochord.renderers.ensemble.overview import overview
from epochord.renderers.ensemble.pacing import FPS
from epochord.renderers.ensemble.score_still import scores_still
from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.renderers.pictures.video import VideoUnavailableError
from epochord.renderers.results.destination import Destination
from epochord.renderers.results.output import describe, is_up_to_date
from epochord.renderers.results.own import require_own
from epochord.renderers.results.staging import staging
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["Apart", "render_apart"]

Floats = npt.NDArray[np.floating[Any]]
Progress = Callable[[int, int], None]

SCHEMA_VERSION = 2


@dataclass(frozen=True)
class Apart:
    """What was made, or was there already.

    Parameters
    ----------
    names : list of str
        Of the files.
    made : bool
        False if they were there already.
    description : dict
        What lies beside them as JSON.
    problem : str
        Why there is no film, if one was wanted; empty if there is.
    """

    names: list[str]
    made: bool
    description: dict[str, Any]
    problem: str = ""


class _Found(NamedTuple):
    """What there is an epoch, the stills by name, what else is described, and what films it."""

    columns: Mapping[str, Floats]
    figures: dict[str, Figure]
    more: dict[str, Any]
    film: Callable[..., int] | None = None


def render_apart(
    ensemble: Ensemble,
    place: Destination,
    settings: EnsembleSettings,
    made_before: set[str],
    progress: Progress | None = None,
) -> Apart:
    """Make the pictures and scores of an ensemble that is not drawn as functions.

    Parameters
    ----------
    ensemble : Ensemble
        Of classes, or without a grid that can be drawn.
    place : Destination
        Where they go.
    settings : EnsembleSettings
        Of which the noise, the theme, and the video, its size, its clock and its length count.
    made_before : set of str
        Names of earlier results, which go.
    progress : callable, optional
        Called with the frames done and the frames in all.

    Returns
    -------
    Apart
        Stills and scores appear first, all at once, then the film.

    Raises
    ------
    OutputError
        If a file cannot be written; then what was to appear with it is not there.
    """
    about = _about(ensemble, settings)
    if is_up_to_date(place.path(DESCRIPTION), about | {"complete": True}):
        names = [name for name in made_before if (place.folder / name).is_file()]
        return Apart(sorted(names), False, about)
    require_own(place, (SCORES, VIDEO))
    with styled(settings):
        return _rendered(ensemble, place, settings, made_before, about, progress)


def _rendered(
    ensemble: Ensemble,
    place: Destination,
    settings: EnsembleSettings,
    made_before: set[str],
    about: dict[str, Any],
    progress: Progress | None,
) -> Apart:
    found = _of_classes(ensemble, settings) or _of_numbers(ensemble, settings)
    film = found.film if settings.video else None
    about |= found.more | {"at_last_epoch": at_last_epoch(found.columns)}
    with staging(place.folder, replacing=made_before) as folder:
        made = _stills(found, replace(place, folder=folder), ensemble, svg=settings.svg)
        _describe(about, folder, place, made, complete=film is None)
    if film is None:
        return Apart(made, True, about)
    try:
        with staging(place.folder) as folder:
            stage = replace(place, folder=folder)
            made = [*_film(film, stage, settings, about, progress), *made]
            _describe(about, folder, place, made, complete=True)
    except VideoUnavailableError as error:
        return Apart(made, True, about, str(error))
    return Apart(made, True, about)


def _stills(found: _Found, stage: Destination, ensemble: Ensemble, *, svg: bool) -> list[str]:
    files = save_stills(found.figures.items(), stage, svg=svg)
    files.append(write_scores(ensemble.epochs, found.columns, stage.path(SCORES)))
    return [path.name for path in files]


def _film(
    film: Callable[..., int],
    stage: Destination,
    settings: EnsembleSettings,
    about: dict[str, Any],
    progress: Progress | None,
) -> list[str]:
    small = None if settings.animation == "none" else stage.path(f".{settings.animation}")
    frames = film(stage.path(VIDEO), settings, animation=small, progress=progress)
    about |= {"frames": frames, "fps": FPS, "duration": frames / FPS}
    return [stage.path(VIDEO).name, *([small.name] if small else [])]


def _describe(
    about: dict[str, Any], folder: Path, place: Destination, names: list[str], *, complete: bool
) -> None:
    """Describe results that are in another folder yet, or in their own."""
    sizes = {}
    for name in names:
        here = folder / name
        sizes[name] = (here if here.is_file() else place.folder / name).stat().st_size
    beside = folder / place.path(DESCRIPTION).name
    describe(beside, about | {"complete": complete, "files": sizes})


def _about(ensemble: Ensemble, settings: EnsembleSettings) -> dict[str, Any]:
    run: dict[str, Any] = {
        "run": ensemble.run.name,
        "log_hash": ensemble.log_hash(),
        "task": ensemble.task,
        "outputs": ensemble.outputs,
        "members": ensemble.members,
        "epochs": len(ensemble.epochs),
        "last_epoch": int(ensemble.epochs[-1]),
        "notes": [why_not_drawn(ensemble), *_one_of_several(ensemble)],
    }
    if ensemble.classes:
        run["classes"] = list(ensemble.classes)
    counting = ("noise", "theme", "svg", "video", "size", "clock", "duration", "animation")
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "apart",
        "runs": [run],
        "settings": {name: getattr(settings, name) for name in counting},
    }


def _one_of_several(ensemble: Ensemble) -> list[str]:
    if ensemble.classes or ensemble.outputs == 1:
        return []
    return [f"scores of output 0 of {ensemble.outputs}; --output K gives those of another"]


def _of_classes(ensemble: Ensemble, settings: EnsembleSettings) -> _Found | None:
    if ensemble.task != "classification":
        return None
    found = class_overview(ensemble)
    mapped = has_lattice(ensemble)
    figures = {"classes": map_still(found, size_of(settings))} if mapped else {}
    figures["scores"] = class_scores_still(found)
    tables = {kind: table.to_dict() for kind, table in found.last.items()}
    film = partial(class_film, found) if mapped else None
    return _Found(found.columns, figures, {"reliability": tables}, film)


def _of_numbers(ensemble: Ensemble, settings: EnsembleSettings) -> _Found:
    found = overview(on_points(ensemble.output(0)), noise=settings.noise)
    found = replace(found, contraction=np.empty(0))  # there is nothing to draw it over
    return _Found(found.columns(), {"scores": scores_still(found)}, {})
