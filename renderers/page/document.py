"""A page as one HTML file: nothing is loaded, and nothing in a log can become markup or script."""

import base64
import hashlib
import html
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

__all__ = [
    "STATIC",
    "base64_of",
    "document",
    "fingerprint",
    "fingerprint_of",
    "hashes",
    "inert",
    "isolated",
    "policy",
    "style_sheet",
]

STATIC = files("epochord.renderers.page") / "static"
UPLOT = files("epochord.renderers.page") / "vendor" / "uplot"
SCRIPTS = (
    "data.js",
    "steps.js",
    "stretch.js",
    "player.js",
    "theme.js",
    "axes.js",
    "charts.js",
    "tables.js",
    "teller.js",
    "page.js",
)
FINGERPRINT = re.compile(rb'<meta name="epochord-inputs" content="([0-9a-f]{64})">')
RIGHT_TO_LEFT = {"R", "AL", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF", "PDI"}
HEAD = 4096  # bytes in which the fingerprint lies


def base64_of(data: bytes) -> str:
    """Return bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def document(title: str, data: Mapping[str, Any], inputs: str) -> str:
    """Return the HTML of a page.

    Parameters
    ----------
    title : str
        Any text.
    data : mapping
        Plain JSON values: what the page shows.
    inputs : str
        Its `fingerprint`.

    Returns
    -------
    str
        Its Content-Security-Policy allows just the scripts and the style that
        are in it, pictures and sounds from its own data, and no connection.
    """
    scripts = _scripts()
    style = style_sheet()
    allowed = {
        "script-src": hashes(scripts),
        "style-src": hashes([style]),
        "img-src": "blob:",
        "media-src": "blob:",
        "require-trusted-types-for": "'script'",
    }
    return _template().substitute(
        title=html.escape(isolated(title)),
        policy=html.escape(policy(allowed), quote=True),
        inputs=inputs,
        style=style,
        data=inert(data),
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """Hash what a page is made from: its inputs, its scripts and its style.

    Parameters
    ----------
    inputs : mapping
        Plain JSON values.
    """
    parts = [dict(inputs), _scripts(), style_sheet(), _template().template]
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint_of(page: Path) -> str | None:
    """Return the fingerprint in a page that was written before; None where there is none."""
    try:
        with page.open("rb") as file:
            found = FINGERPRINT.search(file.read(HEAD))
    except OSError:
        return None
    return found[1].decode() if found else None


def _template() -> Template:
    return Template((STATIC / "page.html").read_text(encoding="utf-8"))


def style_sheet() -> str:
    """Return the style of all pages, uPlot's included."""
    return (UPLOT / "uPlot.min.css").read_text(encoding="utf-8") + (STATIC / "page.css").read_text(
        encoding="utf-8"
    )


def isolated(text: str) -> str:
    """Keep a text that is written from right to left from turning what stands beside it."""
    turns = any(unicodedata.bidirectional(character) in RIGHT_TO_LEFT for character in text)
    return f"\u2068{text}\u2069" if turns else text


def _scripts() -> list[str]:
    own = [(STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return [(UPLOT / "uPlot.iife.min.js").read_text(encoding="utf-8"), *own]


def policy(allowed: Mapping[str, str]) -> str:
    """Return a Content-Security-Policy that allows only what is named.

    Parameters
    ----------
    allowed : mapping of str to str
        Sources by directive.
    """
    nothing = ("default-src 'none'", "base-uri 'none'", "form-action 'none'")
    return "; ".join([*nothing, *(f"{name} {sources}" for name, sources in allowed.items())])


def hashes(texts: Sequence[str]) -> str:
    """Return what a Content-Security-Policy calls these inline texts."""
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    return " ".join(f"'sha256-{base64_of(digest)}'" for digest in digests)


def inert(data: Mapping[str, Any]) -> str:
    """Return JSON in which no text can end the element that it lies in."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")
