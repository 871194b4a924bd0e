"""Names for what is compared, and for where it goes."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

__all__ = ["distinct_names", "folder_name", "safe_name"]

LONGEST = 40  # characters of a name in a file's name
MOST_IN_FOLDER = 2  # names; of more, the first and how many


def safe_name(name: str) -> str:
    """Return a name as part of a file's name, on any system."""
    safe = re.sub(r"[^\w.+=@-]+", "-", name).strip("-.") or "unnamed"
    return safe if len(safe) <= LONGEST else f"{safe[: LONGEST // 2]}-{safe[-LONGEST // 2 + 1 :]}"


def folder_name(names: Sequence[str]) -> str:
    """Return a folder's name for a comparison.

    Parameters
    ----------
    names : sequence of str
        Of all that are compared.
    """
    if len(names) <= MOST_IN_FOLDER:
        return "-vs-".join(map(safe_name, names))
    return f"{safe_name(names[0])}-vs-{len(names) - 1}-others"


def distinct_names(names: Sequence[str], places: Sequence[Path]) -> list[str]:
    """Tell apart what has the same name.

    Parameters
    ----------
    names : sequence of str
        As they are called.
    places : sequence of Path
        Where they lie.

    Returns
    -------
    list of str
        Equal names get as many of their folders in front as tell them apart; what
        lies in the same place gets a number behind.
    """
    found = list(names)
    for depth in range(1, 1 + max(len(place.parts) for place in places)):
        lying: dict[str, set[Path]] = {}
        for name, place in zip(found, places, strict=True):
            lying.setdefault(name, set()).add(place)
        if all(len(each) == 1 for each in lying.values()):
            break
        for number, place in enumerate(places):
            if len(lying[found[number]]) > 1:
                found[number] = "/".join([*place.parent.parts[-depth:], names[number]])
    numbers: Counter[str] = Counter()
    for index, name in enumerate(found):
        numbers[name] += 1
        if numbers[name] > 1:
            found[index] = f"{name} ({numbers[name]})"
    return found
