"""The files of an ensemble's results: what they are called, and those that all kinds have."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.figure import Figure

from epochord.renderers.pictures.save import save_picture
from epochord.renderers.results.destination import Destination
from epochord.renderers.results.output import writing
from epochord.runlog.arrow import arrow_array

__all__ = [
    "ANIMATIONS",
    "DESCRIPTION",
    "SCORES",
    "STEM",
    "SUFFIXES",
    "VIDEO",
    "at_last_epoch",
    "made_before",
    "save_stills",
    "still_name",
    "write_scores",
]

Floats = npt.NDArray[np.floating[Any]]

STEM = "ensemble"
DESCRIPTION, SCORES, VIDEO = ".json", ".scores.parquet", ".mp4"  # what names end in
ANIMATIONS = (".webp", ".gif")
SUFFIXES = (VIDEO, *ANIMATIONS, DESCRIPTION)


def still_name(place: Destination, name: str) -> str:
    """Return a still's name: its own, behind the stem of a file that was named."""
    return name if place.stem == STEM else f"{place.stem}.{name}"


def made_before(place: Destination) -> set[str]:
    """Return the names of what an earlier call has made there, whatever its settings."""
    folder = place.folder
    try:
        listed = json.loads(place.path(DESCRIPTION).read_text(encoding="utf-8"))["files"]
        names = {str(name) for name in listed if Path(name).name == name}
    except (OSError, ValueError, KeyError, TypeError):
        names = set()
    own = {place.path(ending).name for ending in (VIDEO, *ANIMATIONS, SCORES)}
    return {name for name in names | own if (folder / name).is_file()}


def save_stills(
    figures: Iterable[tuple[str, Figure]], stage: Destination, *, svg: bool
) -> list[Path]:
    """Write stills, as SVG too where that is wanted."""
    return [
        path
        for name, figure in figures
        for path in save_picture(figure, stage.folder / still_name(stage, name), svg=svg)
    ]


def write_scores(epochs: npt.NDArray[np.int64], columns: Mapping[str, Floats], path: Path) -> Path:
    """Write what there is an epoch: a table that Epochord reads as a log, too."""
    table = {"step": arrow_array(epochs)}
    table |= {name: arrow_array(values.astype(np.float64)) for name, values in columns.items()}
    with writing(path) as temporary:
        pq.write_table(pa.table(table), temporary, compression="zstd")
    return path


def at_last_epoch(columns: Mapping[str, Floats]) -> dict[str, float | None]:
    """Return the last numbers as plain JSON values: None for what is not finite."""
    last = {name: float(values[-1]) for name, values in columns.items()}
    return {name: value if np.isfinite(value) else None for name, value in last.items()}
