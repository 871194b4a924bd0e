"""What a rendered sound is to Python and to a notebook."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epochord.renderers.audio.files.player import player
from epochord.renderers.audio.files.sound_files import sound_blocks
from epochord.runlog.words import short_repr

__all__ = ["AudioResult"]


@dataclass(frozen=True, repr=False)
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
    midi : Path, optional
        The score as MIDI, if that was asked for.
    """

    path: Path
    made: bool
    description: dict[str, Any]
    midi: Path | None = None

    def __repr__(self) -> str:
        done = "made" if self.made else "up to date"
        about = f"{self.description['duration']:.2f} s, {done}"
        return f"<AudioResult {short_repr(str(self.path))}: {about}>"

    def _repr_html_(self) -> str | None:
        import soundfile  # type: ignore[import-untyped]

        if not self.path.is_file():
            return None  # gone since; a notebook then shows the repr
        about = soundfile.info(self.path)
        return player(
            sound_blocks(self.path),
            about.frames,
            sample_rate=about.samplerate,
            channels=about.channels,
        )
