"""Ensembles of which there is no film: classifiers, and those without a grid that can be drawn.

They get their scores by epoch, the still of them, and of classifiers over two inputs a map.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.figure import Figure

from epochord.renderers.ensemble.classes.map_still import map_still
from epochord.renderers.ensemble.classes.overview import class_overview
from epochord.renderers.ensemble.classes.score_still import class_scores_still
from epochord.renderers.ensemble.drawable import has_lattice, on_points, why_not_drawn
from epochord.renderers.ensemble.overview import overview
from epochord.renderers.ensemble.score_still import scores_still
from epochord.renderers.ensemble.settings import EnsembleSettings
from epochord.renderers.pictures.save import save_picture
from epochord.renderers.results.destination import Destination
from epochord.renderers.results.output import describe, is_up_to_date, writing
from epochord.renderers.results.own import require_own
from epochord.renderers.results.staging import staging
from epochord.runlog.arrow import arrow_array
from epochord.runlog.reading.ensemble import Ensemble

__all__ = ["Unfilmed", "unfilmed"]

Floats = npt.NDArray[np.floating[Any]]
Progress = Callable[[int, int], None]
# By name: what there is an epoch, the stills, and what else is described.
Found = tuple[Mapping[str, Floats], dict[str, Figure], dict[str, Any]]

SCHEMA_VERSION = 1
SCORES = ".scores.parquet"


@dataclass(frozen=True)
class Unfilmed:
    """What was made, or was there already.

    Parameters
    ----------
    names : list of str
        Of the files.
    made : bool
        False if they were there already.
    description : dict
        What lies beside them as JSON.
    """

    names: list[str]
    made: bool
    description: dict[str, Any]


def unfilmed(
    ensemble: Ensemble,
    place: Destination,
    settings: EnsembleSettings,
    made_before: set[str],
    progress: Progress | None = None,
) -> Unfilmed:
    """Make the scores and stills of an ensemble that cannot be filmed.

    Parameters
    ----------
    ensemble : Ensemble
        Of classes, or without a grid that can be drawn.
    place : Destination
        Where they go.
    settings : EnsembleSettings
        Of which the noise counts.
    made_before : set of str
        Names of earlier results, which go.
    progress : callable, optional
        Called with the epochs done and the epochs in all.

    Raises
    ------
    OutputError
        If a file cannot be written; then the folder is as it was.
    """
    about = _about(ensemble, settings)
    if is_up_to_date(place.path(".json"), about | {"complete": True}):
        names = [name for name in made_before if (place.folder / name).is_file()]
        return Unfilmed(sorted(names), False, about)
    require_own(place, (SCORES,))
    found = _of_classes(ensemble, progress) or _of_numbers(ensemble, settings, progress)
    columns, figures, more = found
    last = {name: float(values[-1]) for name, values in columns.items()}
    with staging(place.folder, replacing=made_before) as folder:
        stage = replace(place, folder=folder)
        files = [
            path
            for name, figure in figures.items()
            for path in save_picture(figure, folder / _named(place, name))
        ]
        with writing(stage.path(SCORES)) as temporary:
            table = {"step": arrow_array(ensemble.epochs)}
            table |= {n: arrow_array(v.astype(np.float64)) for n, v in columns.items()}
            pq.write_table(pa.table(table), temporary, compression="zstd")
        names = [path.name for path in files] + [stage.path(SCORES).name]
        about["at_last_epoch"] = {n: v if np.isfinite(v) else None for n, v in last.items()}
        about |= more
        sizes = {name: (folder / name).stat().st_size for name in names}
        describe(stage.path(".json"), about | {"complete": True, "files": sizes})
    return Unfilmed(names, True, about)


def _named(place: Destination, name: str) -> str:
    return name if place.stem == "ensemble" else f"{place.stem}.{name}"


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
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "unfilmed",
        "runs": [run],
        "settings": {"noise": settings.noise},
    }


def _one_of_several(ensemble: Ensemble) -> list[str]:
    if ensemble.classes or ensemble.outputs == 1:
        return []
    return [f"scores of output 0 of {ensemble.outputs}; --output K gives those of another"]


def _of_classes(ensemble: Ensemble, progress: Progress | None) -> Found | None:
    if ensemble.task != "classification":
        return None
    found = class_overview(ensemble, progress=progress)
    figures = {"classes": map_still(found)} if has_lattice(ensemble) else {}
    tables = {kind: table.to_dict() for kind, table in found.last.items()}
    figures = figures | {"scores": class_scores_still(found)}
    return found.columns, figures, {"reliability": tables}


def _of_numbers(ensemble: Ensemble, settings: EnsembleSettings, progress: Progress | None) -> Found:
    found = overview(on_points(ensemble.output(0)), noise=settings.noise, progress=progress)
    found = replace(found, contraction=np.empty(0))  # there is nothing to draw it over
    return found.columns(), {"scores": scores_still(found)}, {}
