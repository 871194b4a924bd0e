"""The page of a listening test as one HTML file, which loads nothing and sends nothing."""

import html
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Any

from epochord.renderers.listening.trainings import ANSWERS
from epochord.renderers.page.document import hashes, inert, policy, style_sheet

__all__ = ["document"]

STATIC = files("epochord.renderers.listening") / "static"


def document(data: Mapping[str, Any]) -> str:
    """Return the HTML of a listening test.

    Parameters
    ----------
    data : mapping
        Plain JSON values: ``test``, ``voices``, ``layers``, ``practice``, ``clips``.

    Returns
    -------
    str
        Its Content-Security-Policy allows its script, its style and its sounds.
    """
    script, style = _text("test.js"), style_sheet() + _text("test.css")
    allowed = {
        "script-src": hashes([script]),
        "style-src": hashes([style]),
        "media-src": "blob:",
        "require-trusted-types-for": "'script'",
    }
    return Template(_text("test.html")).substitute(
        policy=html.escape(policy(allowed), quote=True),
        style=style,
        clips=len(data["clips"]),
        practice=len(data["practice"]),
        minutes=_minutes(len(data["clips"])),
        names=html.escape(", ".join(data["layers"]["names"])),
        kinds=_choices("kind", ANSWERS),
        layers=_choices("layer", _layers(data["voices"])),
        data=inert(data),
        script=script,
    )


def _minutes(clips: int) -> int:
    """Say how long it takes, at half a minute a clip."""
    return max(5, round(clips / 2))


def _layers(voices: int) -> dict[str, str]:
    return {"all": "all of them"} | {str(n): f"layer {n}" for n in range(1, voices + 1)}


def _choices(name: str, choices: Mapping[str, str]) -> str:
    return "\n".join(
        f'<label><input type="radio" name="{name}" value="{value}" required> {html.escape(text)}'
        "</label>"
        for value, text in choices.items()
    )


def _text(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
