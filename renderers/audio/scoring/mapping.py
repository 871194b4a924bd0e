"""Mappings as data: which tag drives what of which voice, from a TOML file.

The voicings that come with Epochord are such files, `voicings/<name>.toml`.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epochord.runlog import LogError
from epochord.runlog.words import did_you_mean

__all__ = ["MappingError", "VoiceMapping", "load_mapping", "shipped_mapping"]

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
    "range": ENDS,
    "polarity": TEXT,
    "timbre": TEXT,
    "lufs": NUMBER,
    "format": TEXT,
    "legend": SWITCH,
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
    """

    pitch: str
    name: str = ""
    loudness: str = ""
    brightness: str = ""
    pan: str | float | None = None
    range: tuple[float, float] | None = None


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
    path = Path(path)
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
        settings["voices"] = tuple(VoiceMapping(**voice) for voice in voices)
    return settings


def shipped_mapping(voicing: str) -> Path:
    """Return the file with a voicing's own settings."""
    return Path(__file__).parent / "voicings" / f"{voicing}.toml"


def _checked(document: Mapping[str, Any], keys: Mapping[str, str], where: str) -> dict[str, Any]:
    """Check each key and the type of its value; lists become tuples."""
    for key, value in document.items():
        if key not in keys:
            near = did_you_mean(key, keys) or ";"
            raise MappingError(
                f"{where}: {key} is not known{near} expected one of {', '.join(keys)}"
            )
        if not _fits(value, keys[key]):
            raise MappingError(f"{where}: {key} is {value!r}; expected {keys[key]}")
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in document.items()
    }


def _fits(value: Any, expected: str) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if expected == TEXT:
        return isinstance(value, str)
    if expected == NUMBER:
        return number
    if expected == SWITCH:
        return isinstance(value, bool)
    if expected == TEXTS:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if expected == ENDS:
        return isinstance(value, list) and len(value) == 2 and all(_fits(v, NUMBER) for v in value)
    return isinstance(value, str) or (number and -1 <= value <= 1)
