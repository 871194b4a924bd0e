"""Sound files through the system's own players, each with what it can play."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from epochord.renderers.results.interrupts import deferred
from epochord.runlog.errors import one_line

__all__ = ["PLAYERS", "Player", "PlayerError", "kind_of", "players_of"]

SIMPLE = frozenset({"wav", "float wav"})
LIBSNDFILE = frozenset({*SIMPLE, "flac", "ogg"})  # MP3 only since its version 1.1
ANY = frozenset({*LIBSNDFILE, "mp3", "other"})


class PlayerError(Exception):
    """A player could not play, such as where there is no sound card."""


@dataclass(frozen=True)
class Player:
    """A program that plays a sound file and ends with it.

    Parameters
    ----------
    program : str
        What it is called.
    kinds : frozenset of str
        What it can play (see `kind_of`).
    options : tuple of str
        What stands before the file.
    """

    program: str
    kinds: frozenset[str]
    options: tuple[str, ...] = ()

    @property
    def is_here(self) -> bool:
        """Whether it is installed."""
        return shutil.which(self.program) is not None

    def play(self, path: Path) -> None:
        """Play a file to its end; what interrupts this ends the player, too.

        Raises
        ------
        PlayerError
            If it cannot.
        """
        program = shutil.which(self.program) or self.program
        try:
            code, words = _run([program, *self.options, self.argument(path)])
        except OSError as error:
            raise PlayerError(f"{self.program}: {error.strerror or error}") from error
        if code:
            raise PlayerError(f"{self.program}: {one_line(words)[:120] or f'exit code {code}'}")

    def argument(self, path: Path) -> str:
        """Return how the file is named; a name never begins like an option."""
        return str(path.absolute())


class PowerShell(Player):
    """Windows' own player, by way of its shell."""

    def argument(self, path: Path) -> str:
        """Return the command that plays the file."""
        quoted = str(path.absolute()).replace("'", "''")
        return f"(New-Object Media.SoundPlayer '{quoted}').PlaySync()"


# The system's own come first.
PLAYERS = (
    Player("afplay", ANY - {"ogg"}),
    Player("paplay", LIBSNDFILE),
    Player("pw-play", LIBSNDFILE),
    Player("aplay", SIMPLE, ("-q",)),
    PowerShell("powershell", frozenset({"wav"}), ("-NoProfile", "-Command")),
    Player("ffplay", ANY, ("-nodisp", "-autoexit", "-loglevel", "error")),
    Player("mpv", ANY, ("--no-video", "--really-quiet")),
)


def kind_of(path: Path) -> str:
    """Return what a sound file is to players: "wav", "float wav", "flac", "ogg", "mp3" or "other".

    Parameters
    ----------
    path : Path
        The file.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix == "wav":
        return "float wav" if _holds_floats(path) else "wav"
    return suffix if suffix in ANY else "other"


def players_of(kinds: Sequence[str]) -> Iterator[Player]:
    """Yield the players that are installed and can play files of all these kinds."""
    yield from (each for each in PLAYERS if each.kinds.issuperset(kinds) and each.is_here)


def _run(command: Sequence[str]) -> tuple[int, str]:
    """Run a program to its end; give its exit code, and what it says on stderr."""
    null, pipe = subprocess.DEVNULL, subprocess.PIPE
    process = None
    try:
        with deferred():  # so that no player begins that nobody would end
            process = subprocess.Popen(command, stdin=null, stdout=null, stderr=pipe)
        _, words = process.communicate()
    except BaseException:  # Ctrl-C, or our own end: silence, before anything else
        if process is not None:
            process.kill()
            process.wait()
        raise
    return process.returncode, words.decode(errors="replace")


def _holds_floats(path: Path) -> bool:
    import soundfile  # type: ignore[import-untyped]

    try:
        return str(soundfile.info(os.fspath(path)).subtype) in ("FLOAT", "DOUBLE")
    except soundfile.LibsndfileError:
        return False
