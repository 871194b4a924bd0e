"""Where nothing plays a sound, a browser does: on the page of a run, or the file alone."""

import os
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from epochord.pipeline.console import fail, note
from epochord.pipeline.inputs import Found
from epochord.pipeline.paging import PageJob, make_pages
from epochord.pipeline.playing.sounds import Sound
from epochord.runlog.errors import EpochordError

__all__ = ["opened"]


def opened(sounds: Sequence[Sound]) -> bool:
    """Open pages on which sounds can be heard; tell whether there is a browser that did.

    Parameters
    ----------
    sounds : sequence of Sound
        Those of runs go onto one page.
    """
    if not _has_browser():
        return False
    runs = list(dict.fromkeys(sound.found for sound in sounds if sound.found))
    files = [sound.path for sound in sounds if not sound.found]
    return all(_opened(path) for path in [*_pages(runs), *files])


def _pages(runs: Sequence[Found]) -> list[Path]:
    from epochord.renderers.audio import AudioSettings

    errors: list[EpochordError] = []
    pages = list(make_pages(runs, PageJob(AudioSettings()), errors)) if runs else []
    for error in errors:
        fail(error)
    return pages


def _has_browser() -> bool:
    """Tell whether there is a browser with a window; one in a terminal plays nothing."""
    windows = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
    )
    try:
        return windows and webbrowser.get() is not None
    except webbrowser.Error:
        return False


def _opened(path: Path) -> bool:
    note(f"opened in the browser: {path}")
    return webbrowser.open(path.absolute().as_uri())
