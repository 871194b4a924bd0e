"""A seed to a listening test: the page for those who listen, the key for who asks them."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epochord.renderers.audio import AudioSettings
from epochord.renderers.listening.answers import SCHEMA_VERSION, Key, Truth, read_key
from epochord.renderers.listening.clips import PRACTICE, Clip, Layers, clips, layers_of
from epochord.renderers.listening.document import document
from epochord.renderers.listening.trainings import TROUBLES
from epochord.renderers.page.document import base64_of
from epochord.renderers.results.destination import Destination, StrPath, destination
from epochord.renderers.results.staging import staging
from epochord.renderers.timeline.choice import MAX_VOICES
from epochord.runlog import OutputError

__all__ = ["CLIPS", "VOICES", "ListeningTest", "render_listening_test"]

STEM, PAGE, KEY = "listening-test", ".html", ".key.json"
CLIPS, VOICES = 4 * len(TROUBLES), 4
MOST_CLIPS = 200  # nobody has an hour more, and a page of them is 50 MB
ID_LENGTH = 16  # hexadecimal digits

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ListeningTest:
    """What was made.

    Parameters
    ----------
    page : Path
        For those who listen: one HTML file that needs no network.
    key : Path
        For who asks them: what is right.
    """

    page: Path
    key: Path


def render_listening_test(
    out: StrPath | Destination | None = None,
    settings: AudioSettings | None = None,
    *,
    seed: int = 0,
    count: int = CLIPS,
    voices: int = VOICES,
    progress: Progress | None = None,
) -> ListeningTest:
    """Render a listening test.

    Parameters
    ----------
    out : str or PathLike, optional
        The HTML file, or a folder for `listening-test.html`; by default ``renders``.
        The key lies beside it.
    settings : AudioSettings, optional
        How the clips are to be heard.
    seed : int
        What the clips are drawn from, at least 0: equal seeds give equal bytes.
    count : int
        How many clips are answered, half of them healthy: even, 2 to 200.
    voices : int
        Layers of each training, 2 to 12.
    progress : callable, optional
        Called with the clips done and the clips in all.

    Raises
    ------
    ValueError
        If a number is beyond what is said above.
    OutputError
        If a file cannot be written, or the key of another test would be lost.
    """
    _require(seed, count, voices)
    settings = settings or AudioSettings.of()
    place = destination(out, folder="renders", stem=STEM, suffixes=(PAGE,))
    made = []
    for clip in clips(count, voices, seed, settings):
        made.append(clip)
        if progress:
            progress(len(made), count + len(PRACTICE))
    practice, asked = made[: len(PRACTICE)], sorted(made[len(PRACTICE) :], key=lambda one: one.id)
    truths = {one.id: Truth(one.kind, one.layer) for one in asked}
    about = {"seed": seed, "settings": settings.to_dict()}
    key = Key(_name(truths, voices), settings.voicing, voices, truths)
    _require_same(place.path(KEY), key)
    data = _data(key, practice, asked, layers_of(voices, seed, settings))
    with staging(place.folder) as folder:
        (folder / f"{place.stem}{PAGE}").write_text(document(data), encoding="utf-8")
        text = json.dumps(key.to_dict() | about, indent=1) + "\n"
        (folder / f"{place.stem}{KEY}").write_text(text, encoding="utf-8")
    return ListeningTest(place.path(PAGE), place.path(KEY))


def _require(seed: int, count: int, voices: int) -> None:
    if seed < 0:
        raise ValueError(f"seed is {seed}; expected at least 0")
    if count % 2 or not 2 <= count <= MOST_CLIPS:
        raise ValueError(
            f"clips are {count}; expected an even number, 2 to {MOST_CLIPS}: half are healthy"
        )
    if not 2 <= voices <= MAX_VOICES:
        raise ValueError(f"voices are {voices}; expected 2 to {MAX_VOICES}")


def _name(truths: dict[str, Truth], voices: int) -> str:
    """Name a test by all its sounds and what is right of them."""
    text = json.dumps([voices, sorted((one, *truth) for one, truth in truths.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]


def _require_same(path: Path, key: Key) -> None:
    """Refuse to replace a key without which answers that were given could not be scored."""
    if path.exists() and read_key(path).test != key.test:
        raise OutputError(
            f"{path}: the key of another test, whose answers could not be scored any more; name "
            "another file with --out, or remove it"
        )


def _data(key: Key, practice: Sequence[Clip], asked: Sequence[Clip], layers: Layers) -> Any:
    """Return what the page knows: of clips that are asked for, nothing but their sound."""
    told = [_sound(clip) | {"kind": clip.kind, "layer": clip.layer or "none"} for clip in practice]
    return {
        "schema_version": SCHEMA_VERSION,
        "test": key.test,
        "voices": key.voices,
        "layers": {"names": layers.names, "mp3": base64_of(layers.mp3)},
        "practice": told,
        "clips": [_sound(clip) for clip in asked],
    }


def _sound(clip: Clip) -> dict[str, Any]:
    return {"id": clip.id, "mp3": base64_of(clip.mp3)}
