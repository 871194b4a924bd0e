"""What results are to Python and to a notebook: one line, and their picture."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from epochord.runlog.words import short_repr

__all__ = ["page_html", "picture_html", "result_repr"]

MEDIA_TYPES = {".png": "image/png", ".webp": "image/webp", ".gif": "image/gif"}
LARGEST = 16 << 20  # bytes of a file in a notebook


def result_repr(result: object, paths: Sequence[Path], *, made: bool) -> str:
    """Return a result in one line: its first file, how many more there are, and if it is new.

    Parameters
    ----------
    result : object
        Of any class.
    paths : sequence of Path
        Its files, the most telling one first.
    made : bool
        False if they were there already.
    """
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    first = short_repr(str(paths[0])) if paths else "nothing"
    done = "made" if made else "up to date"
    return f"<{type(result).__name__} {first}{more}: {done}>"


def picture_html(paths: Sequence[Path]) -> str | None:
    """Return the first picture, or small animation, of some files as HTML.

    Parameters
    ----------
    paths : sequence of Path
        The files of a result.

    Returns
    -------
    str or None
        With the picture in it; None if there is none, or it is larger than 16 MiB.
    """
    found = (path for path in paths if path.suffix in MEDIA_TYPES and _can_be_shown(path))
    first = next(found, None)
    if first is None:
        return None
    data = base64.b64encode(first.read_bytes()).decode()
    kind = MEDIA_TYPES[first.suffix]
    name = escape(first.name, quote=True)
    return f'<img alt="{name}" style="max-width: 100%" src="data:{kind};base64,{data}">'


def page_html(path: Path) -> str | None:
    """Return a page as HTML, in a frame of its own; None if it is gone or larger than 16 MiB.

    Parameters
    ----------
    path : Path
        An HTML file that needs no other one.
    """
    if not _can_be_shown(path):
        return None
    page = escape(path.read_text(encoding="utf-8"), quote=True)
    return f'<iframe srcdoc="{page}" width="100%" height="800"></iframe>'


def _can_be_shown(path: Path) -> bool:
    return path.is_file() and path.stat().st_size <= LARGEST
