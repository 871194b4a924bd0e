"""A folder of results as one page with a card for each; it links to the files where they lie."""

import html
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from epochord.renderers.audio.files.sound_files import sound_blocks
from epochord.renderers.page.document import STATIC, base64_of, hashes, policy, style_sheet
from epochord.renderers.pictures.spectrogram import mel_spectrogram
from epochord.renderers.results.destination import Destination, StrPath, destination
from epochord.renderers.results.output import writing
from epochord.runlog import LogError
from epochord.runlog.locations import expanded, printable

__all__ = ["render_gallery"]

STEM = "index"
PAGE = "page.html"
DESCRIPTIONS = ("audio.json", "ensemble.json", "benford.json", "comparison.json")
SOUNDS = ("audio.wav", "audio.flac", "audio.ogg", "audio.mp3")
PICTURES = ("comparison.png", "uncertainty.png", "benford.png")
TITLE = re.compile(r"<title>(.*?) – Epochord</title>", re.DOTALL)
HEAD = 1 << 14  # characters in which it lies
THUMBNAIL = (480, 96)  # pixels
UNEXPECTED = (KeyError, TypeError, ValueError, ArithmeticError, IndexError, AttributeError)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Card:
    """The results of one run, or of several together."""

    name: str
    folder: Path
    about: Mapping[str, Mapping[str, Any]]


def render_gallery(
    folder: StrPath = "renders",
    out: StrPath | Destination | None = None,
    *,
    progress: Progress | None = None,
) -> Path:
    """Write an index of all results below a folder.

    Parameters
    ----------
    folder : str or PathLike
        Where the results are.
    out : str or PathLike, optional
        An HTML file, or a folder for `index.html`; by default that folder itself.
    progress : callable, optional
        Called with the results done and their number.

    Returns
    -------
    Path
        The index.  It shows a picture of each sound, plays it, and links to
        pages, videos and pictures where they lie.

    Raises
    ------
    LogError
        If there are no results.
    OutputError
        If the index cannot be written.
    """
    folder = expanded(folder)
    path = destination(out, folder=folder, stem=STEM, suffixes=(".html",)).path(".html")
    cards = list(_cards(folder))
    if not cards:
        raise LogError(
            f"{folder}: no results of Epochord in it; 'epochord render audio' or 'epochord page' "
            "makes some"
        )
    made = []
    for done, card in enumerate(cards, start=1):
        made.append(_html(card, path.parent))
        if progress:
            progress(done, len(cards))
    with writing(path) as temporary:
        temporary.write_text(_index(folder, made), encoding="utf-8")
    return path


def _cards(folder: Path) -> Iterator[_Card]:
    """Find the folders that hold results, in order of their names."""
    names = {PAGE, *DESCRIPTIONS}
    places = sorted({path.parent for path in folder.rglob("*") if path.name in names})
    for place in places:
        about = {name: _read(place / name) for name in DESCRIPTIONS if (place / name).is_file()}
        name = printable(place.relative_to(folder).as_posix())
        yield _Card(_title_of(place / PAGE) if name == "." else name, place, about)


def _title_of(page: Path) -> str:
    """Return the title of a page: the runs that are on it."""
    with suppress(OSError), page.open(encoding="utf-8", errors="replace") as file:
        if found := TITLE.search(file.read(HEAD)):
            return html.unescape(found[1])
    return page.name


def _read(path: Path) -> Mapping[str, Any]:
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _index(folder: Path, cards: Sequence[str]) -> str:
    style = style_sheet()
    own = {"style-src": hashes([style]), "img-src": "'self' data:", "media-src": "'self'"}
    template = Template((STATIC / "gallery.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=html.escape(printable(folder.resolve().name)),
        subtitle=_count(len(cards), "result"),
        policy=html.escape(policy(own), quote=True),
        style=style,
        cards="\n".join(cards),
    )


def _html(card: _Card, start: Path) -> str:
    """Return a card; every text of a log is escaped, every file name quoted."""
    escape = html.escape

    def address(name: str) -> str:
        relative = Path(os.path.relpath(card.folder / name, start)).as_posix()
        return escape(quote(os.fsencode(relative)), quote=True)

    def is_there(name: str) -> bool:
        return (card.folder / name).is_file()

    parts = [f"<h2>{escape(card.name)}</h2>"]
    parts += [f"<p>{escape(line)}</p>" for line in _facts(card.about)]
    sounds = [name for name in SOUNDS if is_there(name) and _is_described(card, name)]
    for sound in sounds:
        if thumbnail := _thumbnail(card.folder / sound):
            alt = f"Spectrogram of {card.name}"
            parts.append(
                f'<img class="sound" alt="{escape(alt, quote=True)}" '
                f'src="data:image/png;base64,{base64_of(thumbnail)}">'
            )
        label = escape(f"Sound of {card.name}", quote=True)
        parts.append(
            f'<audio controls preload="none" aria-label="{label}" src="{address(sound)}"></audio>'
        )
    for picture in filter(is_there, PICTURES):
        alt = escape(f"{picture.removesuffix('.png')} of {card.name}", quote=True)
        parts.append(f'<img loading="lazy" alt="{alt}" src="{address(picture)}">')
    links = [name for name in (PAGE, "ensemble.mp4", *sounds, *PICTURES) if is_there(name)]
    listed = " · ".join(f'<a href="{address(name)}">{escape(name)}</a>' for name in links)
    return f'<article class="card">{"".join(parts)}<p>{listed}</p></article>'


def _is_described(card: _Card, sound: str) -> bool:
    """Tell whether a sound is the one that is described, and not left from other settings."""
    files = card.about.get("audio.json", {}).get("files", {})
    return not isinstance(files, dict) or not files or sound in files


def _facts(about: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Say what the results are, as far as their descriptions can be understood."""
    with suppress(*UNEXPECTED):
        sound = about["audio.json"]
        counts = _count(len(sound["voices"]), "voice"), _count(int(sound["steps"]), "step")
        yield f"{', '.join(counts)}, {float(sound['duration']):.1f} s"
    with suppress(*UNEXPECTED):
        runs = about["ensemble.json"]["runs"]
        sizes = Counter(int(run["members"]) for run in runs)
        yield "; ".join(
            f"{_count(number, 'ensemble')} of {_count(members, 'member')}"
            for members, number in sizes.items()
        )
    with suppress(*UNEXPECTED):
        subjects = about["benford.json"]["subjects"]
        yield from (f"{one['name']}: {one['sentence']}" for one in subjects[:2])
        if len(subjects) > 2:
            yield f"… and first digits of {len(subjects) - 2} more"
    with suppress(*UNEXPECTED):
        compared = about["comparison.json"]
        told = [*compared["sentences"][:3], *compared["pairs"][0]["sentences"][:1]]
        yield from map(str, told)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("s" if number != 1 else "")


def _thumbnail(sound: Path) -> bytes | None:
    """Draw the mel spectrogram of a sound file, small; None if it cannot be read."""
    import soundfile  # type: ignore[import-untyped]

    try:
        about = soundfile.info(sound)
        if not about.frames:
            return None
        seen = mel_spectrogram(
            sound_blocks(sound), about.samplerate, hop_length=1024, mels=THUMBNAIL[1]
        )
    except (OSError, soundfile.LibsndfileError):
        return None
    return seen.png(THUMBNAIL[0])
