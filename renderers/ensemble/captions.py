"""What a picture says of an ensemble in words: what it is, and what of it is not seen."""

import re
from collections.abc import Sequence

from matplotlib.text import Text

from epochord.runlog.reading.ensemble import Ensemble
from epochord.runlog.words import plural

__all__ = ["about", "fit", "lost", "shortened", "title", "wrap"]

LONGEST_NAME = 40  # characters; longer ones lose their middle
EVENER = 0.55, 0.65, 0.75, 0.85  # of the width, for lines that are about as long
SMALLEST = 6.0  # points; smaller text cannot be read in a video


def title(ensemble: Ensemble, *, apart: str = ", ") -> str:
    """Say what an ensemble is: name, setting, members, prior, seed.

    Parameters
    ----------
    ensemble : Ensemble
        Of which.
    apart : str
        What stands between its name and the rest.
    """
    return shortened(ensemble.run.name) + apart + about(ensemble)


def about(ensemble: Ensemble) -> str:
    """Say what an ensemble is, without its name."""
    said = [plural(ensemble.members, "member")]
    if setting := _setting(ensemble):
        said.insert(0, setting)
    if ensemble.setup.prior is not None:
        said.append(f"β = {ensemble.setup.prior_scale:g}")
    if ensemble.run.metadata.seed is not None:
        said.append(f"seed {ensemble.run.metadata.seed}")
    return ", ".join(said)


def _setting(ensemble: Ensemble) -> str:
    """Say what makes the members differ, unless the run's name ends with it."""
    setting = ensemble.run.metadata.hyperparameters.get("setting")
    if setting is None:  # not one of our experiments: what the log itself says
        setup = ensemble.setup
        parts = {"prior": setup.prior is not None, "bootstrap": setup.indices is not None}
        return " and ".join(name for name, there in parts.items() if there)
    if re.search(rf"(^|[-_/]){re.escape(str(setting))}$", ensemble.run.name):
        return ""
    return str(setting)


def shortened(name: str) -> str:
    """Return a run's name, without its middle if it is too long for a picture."""
    half = LONGEST_NAME // 2
    return name if len(name) <= LONGEST_NAME else f"{name[:half]}…{name[-half + 1 :]}"


def lost(missing: int, members: int) -> str:
    """Say how many members are not finite; nothing if all are."""
    return f"{missing} of {plural(members, 'member')} not finite" if missing else ""


def fit(text: Text, width: float) -> None:
    """Make text smaller until it is at most so many pixels wide; then cut it off."""
    size = float(text.get_fontsize())
    while text.get_window_extent().width > width and size > SMALLEST:
        size = max(SMALLEST, size - 0.5)
        text.set_fontsize(size)
    while text.get_window_extent().width > width and len(text.get_text()) > 1:
        text.set_text(text.get_text()[:-2] + "…")


def wrap(text: Text, width: float, lines: int) -> None:
    """Break text into lines of at most so many pixels; make it smaller if that takes too many.

    Lines are about as long as each other, so that no word stands alone.
    """
    words = text.get_text().split(" ")
    size = float(text.get_fontsize())
    while _break(text, words, width) > lines and size > SMALLEST:
        size -= 1
        text.set_fontsize(size)
    count = _break(text, words, width)
    for share in EVENER:
        if count > 1 and _break(text, words, share * width) == count:
            break
    else:
        _break(text, words, width)
    fit(text, width)


def _break(text: Text, words: Sequence[str], width: float) -> int:
    """Break words into lines of at most so many pixels where that can be; count the lines."""
    said = ""
    for word in words:
        text.set_text(f"{said} {word}" if said else word)
        if text.get_window_extent().width > width and said:
            text.set_text(f"{said}\n{word}")
        said = text.get_text()
    return said.count("\n") + 1
