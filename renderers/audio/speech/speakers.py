"""The programs that speak, and how each is asked to: a text to a sound file."""

import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from epochord.runlog import EpochordError
from epochord.runlog.errors import one_line

__all__ = ["Speaker", "SpeechError", "speaker"]

SPOKEN = "speech.wav"
TIMEOUT = 30.0  # s, for one sentence; espeak-ng needs some hundredths
ESPEAK = "espeak-ng"
WINDOWS = (
    "Add-Type -AssemblyName System.Speech; "
    "$voice = New-Object System.Speech.Synthesis.SpeechSynthesizer; "
    f"$voice.SetOutputToWaveFile('{SPOKEN}'); "
    "$voice.Speak([Console]::In.ReadToEnd()); $voice.Dispose()"
)
REMEDY = {
    "darwin": "brew install espeak-ng",
    "win32": "install espeak-ng",
}


class SpeechError(EpochordError):
    """There is nothing that speaks, or it has failed."""


@dataclass(frozen=True)
class Speaker:
    """A program that speaks.

    Parameters
    ----------
    command : tuple of str
        Reads a text from its standard input and writes a sound file, `SPOKEN`, into
        the folder that it is run in.
    version : str
        Its name and version, without what belongs to this machine.
    """

    command: tuple[str, ...]
    version: str

    def speak(self, text: str, folder: Path) -> Path:
        """Speak a text.

        Parameters
        ----------
        text : str
            A sentence in English.
        folder : Path
            An empty one.

        Returns
        -------
        Path
            A sound file in it.

        Raises
        ------
        SpeechError
            If the program fails, takes too long, or writes nothing.
        """
        _run(self.command, text, folder)
        path = folder / SPOKEN
        if not path.is_file():
            raise SpeechError(
                f"{self.command[0]}: has written no sound of {text!r}; try the same without --speak"
            )
        return path


def speaker() -> Speaker:
    """Find a program that speaks: espeak-ng, else what the system has.

    Raises
    ------
    SpeechError
        If there is none.
    """
    if shutil.which(ESPEAK):
        said = _run((ESPEAK, "--version"), "", Path()).partition("Data at")[0]
        return Speaker((ESPEAK, "-v", "en", "--stdin", "-w", SPOKEN), one_line(said))
    if sys.platform == "darwin" and shutil.which("say"):
        command = ("say", "-f", "-", "-o", SPOKEN, "--data-format=LEI16@44100")
        return Speaker(command, f"say of macOS {platform.mac_ver()[0]}")
    if sys.platform == "win32" and shutil.which("powershell"):
        command = ("powershell", "-NoProfile", "-NonInteractive", "-Command", WINDOWS)
        return Speaker(command, f"System.Speech of Windows {platform.version()}")
    remedy = REMEDY.get(sys.platform, "apt install espeak-ng")
    raise SpeechError(f"--speak needs {ESPEAK}, which is not installed: {remedy}")


def _run(command: tuple[str, ...], text: str, folder: Path) -> str:
    """Run a program and return what it says."""
    # By its full path: in another folder, a relative entry of PATH would mean another one.
    program = str(Path(shutil.which(command[0]) or command[0]).absolute())
    try:
        done = subprocess.run(
            (program, *command[1:]),
            input=text,
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SpeechError(
            f"{command[0]}: took more than {TIMEOUT:g} s; try the same without --speak"
        ) from error
    except OSError as error:
        raise SpeechError(f"{command[0]}: cannot be run ({error.strerror or error})") from error
    if done.returncode:
        why = one_line(done.stderr) or "without a word"
        raise SpeechError(
            f"{command[0]}: failed with exit code {done.returncode} ({why}); try the same without "
            "--speak"
        )
    return done.stdout
