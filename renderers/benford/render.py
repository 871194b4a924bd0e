"""Leading digits of a run to a picture and what may be said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from epochord.renderers.benford.film import SIZE, film
from epochord.renderers.benford.history import (
    DigitHistory,
    histories,
    history_figure,
    write_distances,
)
from epochord.renderers.benford.plots import digits_figure
from epochord.renderers.benford.subjects import Subject, constants, subjects
from epochord.renderers.pictures.clock import FPS
from epochord.renderers.pictures.save import save_picture
from epochord.renderers.pictures.video import write_video
from epochord.renderers.results.output import describe, is_up_to_date
from epochord.runlog import Run

__all__ = ["DESCRIPTION", "BenfordResult", "render_benford", "render_constants"]

DESCRIPTION = "benford.json"
STEM = "benford"
DISTANCES = "benford.distances.parquet"
NO_HISTORIES: Mapping[str, Sequence[DigitHistory]] = MappingProxyType({})
NO_LOG: Mapping[str, str] = MappingProxyType({})
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class BenfordResult:
    """What was made.

    Parameters
    ----------
    paths : tuple of Path
        PNG and SVG.
    made : bool
        False if they were there already, from the same log and settings.
    description : dict
        What lies beside them as JSON: the statistics of each subject.
    """

    paths: tuple[Path, ...]
    made: bool
    description: dict[str, Any]


def render_benford(
    run: Run, folder: Path, *, tags: Sequence[str] = (), video: bool = True
) -> BenfordResult:
    """Draw the first digits of a run.

    Parameters
    ----------
    run : Run
        With series, or with a language model's digits.
    folder : Path
        Where `benford.png`, `benford.svg` and `benford.json` go; of a run whose
        layers' digits were counted also `benford.gradient.png`, … (how they
        change), `benford.gradient.mp4`, … and `benford.distances.parquet`, which
        can be heard.
    tags : sequence of str
        Which series (see `epochord.renderers.benford.subjects.subjects`).
    video : bool
        Whether to make the videos too.

    Raises
    ------
    LogError
        If there is nothing to draw.
    VideoUnavailableError
        If there is no ffmpeg for a video; everything else is there then.
    OutputError
        If a file cannot be written.
    """
    found = subjects(run, tags)
    over_training = {} if tags else histories(run)
    heading = f"{run.name}: first digits"
    settings = {"tags": list(tags), "video": video}
    return _render(found, folder, heading, settings, over_training, {"log_hash": run.log_hash()})


def render_constants(folder: Path) -> BenfordResult:
    """Draw the first digits of the physical constants, the classic set that follows the law."""
    return _render([constants()], folder, "First digits of the physical constants", {})


def _render(
    found: Sequence[Subject],
    folder: Path,
    heading: str,
    settings: dict[str, Any],
    over_training: Mapping[str, Sequence[DigitHistory]] = NO_HISTORIES,
    log: Mapping[str, str] = NO_LOG,
) -> BenfordResult:
    about: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "heading": heading,
        "settings": settings,
        **log,
        # Lists, as JSON gives them back.
        "subjects": _plain([subject.to_dict() for subject in found]),
        "steps": {k: [len(h.steps) for h in each] for k, each in over_training.items()},
    }
    stems = [STEM, *(f"{STEM}.{kind}" for kind in over_training)]
    names = [f"{stem}.{suffix}" for stem in stems for suffix in ("png", "svg")]
    names += [DISTANCES] * bool(over_training)
    names += [f"{STEM}.{kind}.mp4" for kind in over_training if settings["video"]]
    beside = folder / DESCRIPTION
    paths = tuple(folder / name for name in names)
    if is_up_to_date(beside, about):
        return BenfordResult(paths, made=False, description=about)
    beside.unlink(missing_ok=True)  # it must never describe what it was not made with
    save_picture(digits_figure(found, heading), folder / STEM)
    for kind, each in over_training.items():
        figure = history_figure(each, f"{heading} of {kind}s over training")
        save_picture(figure, folder / f"{STEM}.{kind}")
    if over_training:
        every = [history for each in over_training.values() for history in each]
        write_distances(every, folder / DISTANCES)
    for kind, each in over_training.items():
        if settings["video"]:
            moving = film(each, f"{heading} of {kind}s")
            write_video(folder / f"{STEM}.{kind}.mp4", moving, size=SIZE, fps=FPS)
    describe(beside, about | {"files": {path.name: path.stat().st_size for path in paths}})
    return BenfordResult(paths, made=True, description=about)


def _plain(value: Any) -> Any:
    """Return tuples as lists."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
