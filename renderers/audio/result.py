"""What a rendered sound is to Python and to a notebook."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["AudioResult", "Player"]

MEDIA_TYPES = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".mp3": "audio/mpeg",
}


@dataclass(frozen=True)
class AudioResult:
    """What was made of a run.

    Parameters
    ----------
    path : Path
        The sound file.
    made : bool
        False if it was there already, from the same log and settings.
    description : dict
        What lies beside it as JSON: settings, log hash, scale, voices, steps,
        duration (s), loudness, counts of what is not simply heard.
    """

    path: Path
    made: bool
    description: dict[str, Any]

    def display(self) -> "Player":
        """Return a player for a notebook."""
        return Player(self.path)


@dataclass(frozen=True)
class Player:
    """A sound that a notebook shows as a player, with the sound in the page itself."""

    path: Path

    def _repr_html_(self) -> str:
        kind = MEDIA_TYPES[self.path.suffix]
        data = base64.b64encode(self.path.read_bytes()).decode()
        return f'<audio controls src="data:{kind};base64,{data}"></audio>'
