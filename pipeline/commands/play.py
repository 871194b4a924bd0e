"""`epochord play`: runs and sound files through the loudspeakers of this machine."""

import typer

from epochord.pipeline.commands.arguments.logs import Paths, Runs
from epochord.pipeline.console import fail, result
from epochord.pipeline.folders import RUNS

__all__ = ["play"]


def play(paths: Paths = None, runs: Runs = None) -> None:
    """Play runs, sound files, or those in a folder of results.

    A run that was not rendered since it was recorded is rendered first, as 'epochord
    render audio' does it.  What plays is afplay, paplay, pw-play, aplay, PowerShell, ffplay
    or mpv; where none of them can, a page is opened in the browser.
    """
    from epochord.pipeline.playing.browser import opened
    from epochord.pipeline.playing.players import PLAYERS
    from epochord.pipeline.playing.sounds import Sound, played, sound_files, sounds

    if runs and paths and all(map(sound_files, paths)):
        raise typer.BadParameter("--runs is of no use: sound files are named, and no run")
    errors: list[object] = []
    silent: list[Sound] = []
    for sound in sounds(paths or [str(RUNS)], runs, errors):
        result(sound.path)
        if not played(sound.path):
            silent.append(sound)
    if silent and not opened(silent):
        names = ", ".join(player.program for player in PLAYERS)
        files = ", ".join(str(sound.path) for sound in silent)
        errors.append(
            f"nothing here plays it (none of {names}; no browser): copy {files} to where you are"
        )
    for error in errors:
        fail(error)
    if errors:
        raise typer.Exit(1)
