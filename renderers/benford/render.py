"""Digits of a run to a picture and what may be said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from epochord.renderers.benford.clock import FPS
from epochord.renderers.benford.digit import FIRST, Digit
from epochord.renderers.benford.digit import digit as digit_named
from epochord.renderers.benford.film import SIZE, film
from epochord.renderers.benford.history import DigitHistory, histories, write_distances
from epochord.renderers.benford.history_plots import history_figure
from epochord.renderers.benford.look import styled
from epochord.renderers.benford.outcomes import ProbabilityStatistics
from epochord.renderers.benford.plots import digits_figure
from epochord.renderers.benford.subject import Subject, constants
from epochord.renderers.benford.subjects import in_short, subjects
from epochord.renderers.pictures.save import save_picture
from epochord.renderers.pictures.video import write_video
from epochord.renderers.results.destination import Destination, StrPath, destination
from epochord.renderers.results.output import describe, is_up_to_date
from epochord.renderers.results.own import require_own
from epochord.renderers.results.shown import picture_html, result_repr
from epochord.runlog import Run
from epochord.runlog.given import as_texts
from epochord.runlog.run.given import require_run

__all__ = ["BenfordResult", "render_benford", "render_constants"]

STEM = "benford"
PICTURES = (".png", ".svg")
DESCRIPTION, DISTANCES = ".json", ".distances.parquet"  # what names end in
SUFFIXES = (*PICTURES, DESCRIPTION)
NO_HISTORIES: Mapping[str, Sequence[DigitHistory]] = MappingProxyType({})
NO_LOG: Mapping[str, str] = MappingProxyType({})
SCHEMA_VERSION = 2


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        return result_repr(self, self.paths, made=self.made)

    def _repr_html_(self) -> str | None:
        return picture_html(self.paths)


def render_benford(
    run: Run,
    out: StrPath | Destination | None = None,
    *,
    tags: Sequence[str] = (),
    digit: str | int = "first",
    video: bool = True,
) -> BenfordResult:
    """Draw the first digits of a run, or others.

    Parameters
    ----------
    run : Run
        With series, or with a language model's digits.
    out : str or PathLike, optional
        A picture, such as ``"digits.png"``, whose stem all results get; else a folder,
        by default ``renders/<run>``, for `benford.png`, `benford.svg` and
        `benford.json`; of a run whose layers' digits were counted also
        `benford.gradient.png`, … (how they change), `benford.gradient.mp4`, … and
        `benford.distances.parquet`, which can be heard.
    tags : str or sequence of str
        Which series (see `epochord.renderers.benford.subjects.subjects`).
    digit : str or int
        Of series, which one of each value: ``first``, ``second``, ``first-two``, ``last`` (of
        whole numbers from 1,000), or a number from 1 to 6.
    video : bool
        Whether to make the videos too.

    Raises
    ------
    ValueError
        If there is no such digit.
    LogError
        If there is nothing to draw.
    VideoUnavailableError
        If there is no ffmpeg for a video; everything else is there then.
    OutputError
        If a file cannot be written.
    """
    require_run(run)
    tags = as_texts("tags", tags)
    which = digit_named(digit)
    found = subjects(run, tags, which)
    over_training = {} if tags or which != FIRST else histories(run)
    heading = _heading(run, found, which)
    settings = {"tags": list(tags), "digit": which.name, "video": video}
    place = _place(out, f"renders/{run.name}")
    return _render(found, place, heading, settings, over_training, {"log_hash": run.log_hash()})


def _heading(run: Run, found: Sequence[Subject], which: Digit) -> str:
    if isinstance(found[0].statistics, ProbabilityStatistics):
        model = run.tables["first_digits"]["model"][0].as_py()
        return f"{run.name}: first digits that {model} expects of the next number"
    return f"{run.name}: {which.plural}"


def render_constants(
    out: StrPath | Destination | None = None, *, digit: str | int = "first"
) -> BenfordResult:
    """Draw the digits of the physical constants, the classic set.

    Parameters
    ----------
    out : str or PathLike, optional
        As of `render_benford`; by default ``renders/constants``.
    digit : str or int
        As of `render_benford`.

    Raises
    ------
    ValueError
        If there is no such digit.
    """
    place, which = _place(out, "renders/constants"), digit_named(digit)
    heading, settings = (
        f"{which.plural.capitalize()} of the physical constants",
        {"digit": which.name},
    )
    return _render([constants(which)], place, heading, settings)


def _place(out: StrPath | Destination | None, folder: str) -> Destination:
    return destination(out, folder=folder, stem=STEM, suffixes=SUFFIXES)


def _render(
    found: Sequence[Subject],
    place: Destination,
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
    endings = [f"{kind}{suffix}" for kind in ("", *map(_of, over_training)) for suffix in PICTURES]
    endings += [DISTANCES] * bool(over_training)
    endings += [f"{_of(kind)}.mp4" for kind in over_training if settings["video"]]
    beside = place.path(DESCRIPTION)
    paths = tuple(map(place.path, endings))
    if is_up_to_date(beside, about):
        return BenfordResult(paths, made=False, description=about)
    require_own(place, endings)
    beside.unlink(missing_ok=True)  # it must never describe what it was not made with
    with styled():
        _draw(found, place, heading, over_training, video=bool(settings.get("video")))
    describe(beside, about | {"files": {path.name: path.stat().st_size for path in paths}})
    return BenfordResult(paths, made=True, description=about)


def _draw(
    found: Sequence[Subject],
    place: Destination,
    heading: str,
    over_training: Mapping[str, Sequence[DigitHistory]],
    *,
    video: bool,
) -> None:
    save_picture(digits_figure(found, heading, in_short(found)), place.path(""))
    for kind, each in over_training.items():
        figure = history_figure(each, f"{heading} of {kind}s over training")
        save_picture(figure, place.path(_of(kind)))
    if over_training:
        every = [history for each in over_training.values() for history in each]
        write_distances(every, place.path(DISTANCES))
    for kind, each in over_training.items():
        if video:
            moving = film(each, f"{heading} of {kind}s")
            write_video(place.path(f"{_of(kind)}.mp4"), moving, size=SIZE, fps=FPS)


def _of(kind: str) -> str:
    """Return what names end in before the suffix: of gradients, or of weights."""
    return f".{kind}"


def _plain(value: Any) -> Any:
    """Return tuples as lists."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
