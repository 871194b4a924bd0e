"""Names for what is compared, and for where it goes."""

import re
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
    for depth in range(2, 2 + max(len(place.parts) for place in places)):
        counts = {name: found.count(name) for name in found}
        if max(counts.values()) == 1:
            return found
        for number, place in enumerate(places):
            if counts[found[number]] > 1:
                folders = place.parent.parts[-(depth - 1) :]
                found[number] = "/".join([*(f.strip("/") for f in folders), names[number]]).strip("/")
    seen: dict[str, int] = {}
    for number, name in enumerate(found):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            found[number] = f"{name} ({seen[name]})"
    return found
