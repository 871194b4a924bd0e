"""How names are said: which known ones are near to one that is not, and long ones in short."""

from collections.abc import Iterable
from reprlib import Repr

__all__ = ["did_you_mean", "nearest", "plural", "short_repr"]

MOST_NAMED = 3
LONGEST = 80  # characters of a name in a one-line repr

_short = Repr()
_short.maxstring = _short.maxother = LONGEST


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return at most three known names that someone could have meant.

    Parameters
    ----------
    name : str
        What was asked for; a glob counts as the text in it.
    known : iterable of str
        What there is.

    Returns
    -------
    list of str
        Those alike in spelling, whatever the case, the nearest first; then those
        that have the name in them.
    """
    from difflib import get_close_matches

    wanted = name.strip("*!").lower()
    spelled: dict[str, list[str]] = {}
    for each in known:
        spelled.setdefault(each.lower(), []).append(each)
    close = get_close_matches(wanted, spelled, n=MOST_NAMED)
    around = [each for each in spelled if wanted and wanted in each]
    found = [each for key in dict.fromkeys([*close, *around]) for each in spelled[key]]
    return found[:MOST_NAMED]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a message, such as ``"; did you mean 'loss'?"``; empty if nothing is near.

    Parameters
    ----------
    name : str
        What was asked for.
    known : iterable of str
        What there is.
    """
    found = [repr(each) for each in nearest(name, known)]
    if not found:
        return ""
    *others, last = found
    return f"; did you mean {', '.join(others)}{' or ' if others else ''}{last}?"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def short_repr(name: str) -> str:
    """Return a name's repr, without its middle if it is long."""
    return _short.repr(name)
