"""How to listen to what was made, as it is to be typed where the user is."""

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from epochord.pipeline.folders import RENDERS, RUNS

__all__ = ["how_to_listen", "typed"]

MOST_NAMED = 3
MAKE = "EPOCHORD_MAKE"  # set by our Makefile: what calls its targets


def how_to_listen(sounds: Sequence[Path]) -> str:
    """Return the line that says how to listen to sounds; empty if there are none.

    Parameters
    ----------
    sounds : sequence of Path
        The files.
    """
    if not sounds:
        return ""
    names = [_short(path) for path in sounds[:MOST_NAMED]]
    named = names if len(sounds) <= MOST_NAMED else names[:1]
    make = os.environ.get(MAKE)
    if make and not _is_on_path():
        return f"listen: {make} play RUNS={shlex.quote(' '.join(named))}"
    return f"listen: {typed()} play {shlex.join(named)}"


def typed() -> str:
    """Return how this very program is called from a shell."""
    script = Path(sys.executable).with_name("epochord")
    if _is_on_path():
        return "epochord"
    if script.is_file():
        return shlex.quote(_from_here(script))
    return f"{shlex.quote(_from_here(Path(sys.executable)))} -m epochord"


def _is_on_path() -> bool:
    """Tell whether ``epochord`` alone calls this program, and not another one."""
    found = shutil.which("epochord")
    return found is not None and Path(found).resolve().parent == (
        Path(sys.executable).absolute().parent.resolve()
    )


def _short(sound: Path) -> str:
    """Name a run in the place of its sound, where that is enough."""
    name = sound.parent.relative_to(RENDERS) if RENDERS in sound.parents else None
    named = name is not None and sound.stem == "audio" and (RUNS / name).is_dir()
    return str(name if named else sound)


def _from_here(path: Path) -> str:
    absolute = path.absolute()
    return (
        str(absolute.relative_to(Path.cwd()))
        if absolute.is_relative_to(Path.cwd())
        else str(absolute)
    )
