"""The typeface of pictures: Inter, which comes with Epochord; what it lacks, matplotlib's own has.

`fonts/` holds Inter 3.19 under the SIL Open Font License: Latin, Greek and some symbols, with
digits of equal width, so that a number that changes stays where it is.
"""

from functools import cache
from pathlib import Path

from matplotlib import font_manager

__all__ = ["STRONG", "TEXT", "families"]

FOLDER = Path(__file__).parent / "fonts"
TEXT, STRONG = "Inter for Epochord", "Inter for Epochord SemiBold"
FILES = {TEXT: "Inter-Regular.otf", STRONG: "Inter-SemiBold.otf"}
FALLBACK = "DejaVu Sans"  # matplotlib brings it


@cache
def families(name: str = TEXT) -> tuple[str, ...]:
    """Return the font families to draw text with, the first one first.

    Parameters
    ----------
    name : str
        `TEXT` or `STRONG`, for titles.

    Returns
    -------
    tuple of str
        Matplotlib takes each letter from the first of them that has it.  Where the
        font's file is gone, only matplotlib's own family.
    """
    try:
        font_manager.fontManager.addfont(FOLDER / FILES[name])
    except (OSError, RuntimeError):  # no file, or not one that FreeType can read
        return (FALLBACK,)
    return name, FALLBACK
