"""A page as one HTML file: nothing is loaded, and nothing in a log can become markup or script."""

import base64
import hashlib
import html
import json
import re
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
    "style_sheet",
]

STATIC = files("renderers.page") / "static"
UPLOT = files("renderers.page") / "vendor" / "uplot"
SCRIPTS = (
    "data.js",
    "steps.js",
    "stretch.js",
    "player.js",
    "theme.js",
    "axes.js",
    "charts.js",
    "tables.js",
    "page.js",
)
FINGERPRINT = re.compile(rb'<meta name="earshot-inputs" content="([0-9a-f]{64})">')
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
    scripts = [
        (UPLOT / "uPlot.iife.min.js").read_text(encoding="utf-8"),
        *((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS),
    ]
    style = style_sheet()
    return _template().substitute(
        title=html.escape(title),
        policy=html.escape(_policy(scripts, [style]), quote=True),
        inputs=inputs,
        style=style,
        data=_inert(data),
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """Hash what a page is made from, this program's own part of it included.

    Parameters
    ----------
    inputs : mapping
        Plain JSON values.
    """
    own = [(STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS]
    text = json.dumps([dict(inputs), own, style_sheet(), _template().template], sort_keys=True)
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


def _policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {hashes(scripts)}",
            f"style-src {hashes(styles)}",
            "img-src data: blob:",
            "media-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def hashes(texts: Sequence[str]) -> str:
    """Return what a Content-Security-Policy calls these inline texts."""
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    return " ".join(f"'sha256-{base64_of(digest)}'" for digest in digests)


def _inert(data: Mapping[str, Any]) -> str:
    """Return JSON in which no text can end the element that it lies in."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")
