"""The ensembles of the posts as one page that tells their story; it links to pictures and films."""

import html
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from epochord.renderers.page.document import STATIC, hashes, policy
from epochord.renderers.page.ensemble_story import (
    COLUMNS,
    NAMES,
    Chapter,
    Ending,
    chapters,
    subtitle,
)
from epochord.renderers.results.destination import Destination, StrPath, destination
from epochord.renderers.results.output import writing
from epochord.runlog import LogError
from epochord.runlog.locations import expanded

__all__ = ["render_ensembles_page"]

STEM = "ensembles"
PICTURES = {
    "priors.png": "The priors alone",
    "members.png": "What each network predicts in the end, and the training data",
}
FILM = "ensemble.mp4"
UNCERTAINTY = "uncertainty.png"


def render_ensembles_page(
    folder: StrPath = "renders", out: StrPath | Destination | None = None
) -> Path:
    """Write a page that tells what the four ensembles of the posts show.

    Parameters
    ----------
    folder : str or PathLike
        Where their results are: ``ensemble-naive``, ``ensemble-prior``,
        ``ensemble-prior-bootstrap`` and ``ensemble-sine-bootstrap``.
    out : str or PathLike, optional
        An HTML file, or a folder for `ensembles.html`; by default that folder itself.

    Returns
    -------
    Path
        The page, whose sentences are those of these runs' numbers.

    Raises
    ------
    LogError
        If results of one of the four are not there, or not of that ensemble.
    OutputError
        If the page cannot be written.
    """
    folder = expanded(folder)
    path = destination(out, folder=folder, stem=STEM, suffixes=(".html",)).path(".html")
    endings = {setting: _ending(folder, setting) for setting in NAMES}
    sections = [_section(one, endings, folder, path.parent) for one in chapters(endings)]
    style = "".join((STATIC / n).read_text(encoding="utf-8") for n in ("page.css", "ensembles.css"))
    allowed = {"style-src": hashes([style]), "img-src": "'self'", "media-src": "'self'"}
    text = Template((STATIC / "ensembles.html").read_text(encoding="utf-8")).substitute(
        policy=html.escape(policy(allowed), quote=True),
        style=style,
        subtitle=html.escape(subtitle(endings)),
        sections="\n".join(sections),
    )
    with writing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _place(folder: Path, setting: str) -> Path:
    return folder / f"ensemble-{setting}"


def _ending(folder: Path, setting: str) -> Ending:
    path = _place(folder, setting) / "ensemble.json"
    found: Any = None
    with suppress(OSError, ValueError, KeyError, TypeError, IndexError):
        found = json.loads(path.read_text(encoding="utf-8"))["runs"][0]
    if not isinstance(found, Mapping) or found.get("setting") != setting:
        raise LogError(
            f"{path}: no results of the ensemble {setting!r}; "
            "'make record-ensembles render-ensembles' makes all four"
        )
    return Ending(found)


def _section(chapter: Chapter, endings: Mapping[str, Ending], folder: Path, start: Path) -> str:
    heading = f"<h2>{html.escape(chapter.title)}</h2>"
    said = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in chapter.sentences)
    if chapter.setting:
        shown = _pictures(_place(folder, chapter.setting), NAMES[chapter.setting], start)
    else:
        shown = "".join(
            _picture(_place(folder, setting) / UNCERTAINTY, f"Uncertainty: {name}", start)
            for setting, name in NAMES.items()
        )
        said += _table(endings)
    return f'<section>{heading}{said}<div class="pictures">{shown}</div></section>'


def _pictures(place: Path, name: str, start: Path) -> str:
    found = [
        _picture(place / file, f"{said}: {name}", start)
        for file, said in PICTURES.items()
        if (place / file).is_file()
    ]
    if (film := place / FILM).is_file():
        label = html.escape(f"The training, epoch by epoch: {name}", quote=True)
        poster = _address(place / UNCERTAINTY, start)
        found.append(
            f'<figure class="film"><video controls preload="none" poster="{poster}" '
            f'aria-label="{label}" src="{_address(film, start)}"></video>'
            f"<figcaption>{label}</figcaption></figure>"
        )
    return "".join(found)


def _picture(path: Path, said: str, start: Path) -> str:
    alt = html.escape(said, quote=True)
    return (
        f'<figure><img loading="lazy" width="1280" height="720" alt="{alt}" '
        f'src="{_address(path, start)}"><figcaption>{alt}</figcaption></figure>'
    )


def _address(path: Path, start: Path) -> str:
    """Return a file's relative address, as a value of an attribute."""
    relative = Path(os.path.relpath(path, start)).as_posix()
    return html.escape(quote(os.fsencode(relative)), quote=True)


def _table(endings: Mapping[str, Ending]) -> str:
    head = "".join(f'<th scope="col">{html.escape(said)}</th>' for said in COLUMNS.values())
    rows = "".join(
        f'<tr><th scope="row">{html.escape(NAMES[setting])}</th>'
        + "".join(f'<td class="number">{html.escape(one.told(name))}</td>' for name in COLUMNS)
        + "</tr>"
        for setting, one in endings.items()
    )
    caption = "At the last epoch; scores and coverage of central intervals at held-out points"
    return (
        f'<div class="wide" tabindex="0"><table><caption>{caption}</caption>'
        f'<thead><tr><th scope="col">ensemble</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
