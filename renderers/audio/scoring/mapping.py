"""Mappings as data: which tag drives what of which voice, from a TOML file.

The voicings that come with Epochord are such files, `voicings/<name>.toml`.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

from epochord.renderers.audio.scoring.scale import Scale
from epochord.runlog import LogError
from epochord.runlog.locations import expanded
from epochord.runlog.words import did_you_mean

__all__ = [
    "KEYS", "MappingError", "VoiceMapping", "load_mapping", "require_fitting", "shipped_mapping",
]  # fmt: skip

# What each key of a file may hold.
TEXT, NUMBER, SWITCH, TEXTS, ENDS = "text", "a number", "true or false", "texts", "[low, high]"
KEYS = {
    "voicing": TEXT,
    "layers": TEXTS,
    "parameters": TEXT,
    "tags": TEXTS,
    "tone": NUMBER,
    "silence": NUMBER,
    "duration": NUMBER,
    "steps_per_second": NUMBER,
    "time": TEXT,
    "range": ENDS,
    "polarity": TEXT,
    "timbre": TEXT,
    "lufs": NUMBER,
    "format": TEXT,
    "legend": SWITCH,
    "speak": SWITCH,
    "loudness": TEXT,
    "brightness": TEXT,
}
VOICE_KEYS = {
    "pitch": TEXT,
    "name": TEXT,
    "loudness": TEXT,
    "brightness": TEXT,
    "pan": "a tag, or a number from -1 to 1",
    "range": ENDS,
}


class MappingError(LogError):
    """A mapping file cannot be used."""


@dataclass(frozen=True)
class VoiceMapping:
    """What drives one voice.

    Parameters
    ----------
    pitch : str
        A tag.
    name : str
        What to call the voice; by default as its tag.
    loudness, brightness : str
        Tags, or empty.
    pan : str or float, optional
        A tag, or a place from -1 (left) to 1; by default the voices are spread.
    range : (float, float), optional
        Values at the ends of the voice's register.

    Raises
    ------
    ValueError
        If one of these makes no sense.
    """

    pitch: str
    name: str = ""
    loudness: str = ""
    brightness: str = ""
    pan: str | float | None = None
    range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        require_fitting(vars(self), VOICE_KEYS, VoiceMapping)
        if self.range is not None:
            Scale(*self.range, kind="linear")


def load_mapping(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a mapping file.

    Parameters
    ----------
    path : str or PathLike
        TOML: keys of `AudioSettings`, and a table ``[[voice]]`` for each voice.

    Returns
    -------
    dict
        Keyword arguments for `AudioSettings`.

    Raises
    ------
    MappingError
        If it cannot be read, or a key or its value makes no sense.
    """
    path = expanded(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MappingError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: is no TOML ({error})") from error
    tables = document.pop("voice", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise MappingError(f"{path}: voice is {tables!r}; expected tables [[voice]]")
    settings = _checked(document, KEYS, str(path))
    voices = [
        _checked(table, VOICE_KEYS, f"{path}: voice {number}")
        for number, table in enumerate(tables, start=1)
    ]
    for number, voice in enumerate(voices, start=1):
        if "pitch" not in voice:
            raise MappingError(f"{path}: voice {number}: pitch is missing; expected a tag")
    if voices:
        settings["voices"] = tuple(
            _voice(voice, f"{path}: voice {number}") for number, voice in enumerate(voices, start=1)
        )
    return settings


def shipped_mapping(voicing: str) -> Path:
    """Return the file with a voicing's own settings."""
    return Path(__file__).parent / "voicings" / f"{voicing}.toml"


def _checked(document: Mapping[str, Any], keys: Mapping[str, str], where: str) -> dict[str, Any]:
    """Check each key and the type of its value; lists become tuples."""
    owner, known = ("a voice", [*keys]) if keys is VOICE_KEYS else ("a mapping", [*keys, "voice"])
    for key in document:
        if key not in keys:
            near = did_you_mean(key, known) or ";"
            raise MappingError(
                f"{where}: {key!r} is no key of {owner}{near} expected one of {', '.join(known)}"
            )
    try:
        require_fitting(document, keys)
    except ValueError as error:
        raise MappingError(f"{where}: {error}") from error
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in document.items()
    }


def _voice(table: Mapping[str, Any], where: str) -> VoiceMapping:
    try:
        return VoiceMapping(**table)
    except ValueError as error:
        raise MappingError(f"{where}: {error}") from error


def require_fitting(
    given: Mapping[str, Any], keys: Mapping[str, str], settings: type | None = None
) -> None:
    """Check the types of values.

    Parameters
    ----------
    given : mapping
        Values by key.
    keys : mapping of str to str
        What each key may hold: `KEYS`, or those of a voice.
    settings : type, optional
        Whose defaults these are to be put in the place of: None is right where it is one.

    Raises
    ------
    ValueError
        If a value is of another kind.
    """
    for key, value in given.items():
        optional = value is None and getattr(settings, key, "") is None
        if not optional and not _fits(value, keys[key]):
            raise ValueError(f"{key} is {value!r}; expected {keys[key]}")


def _fits(value: Any, expected: str) -> bool:
    number = isinstance(value, Real) and not isinstance(value, bool)
    if expected == TEXT:
        return isinstance(value, str)
    if expected == NUMBER:
        return number
    if expected == SWITCH:
        return isinstance(value, bool)
    if expected == TEXTS:
        return isinstance(value, str | list | tuple) and all(
            isinstance(each, str) for each in value
        )
    if expected == ENDS:
        ends = isinstance(value, list | tuple) and len(value) == 2
        return ends and all(_fits(each, NUMBER) for each in value)
    return isinstance(value, str) or (number and -1 <= value <= 1)
