"""Names for what is compared, and for where it goes."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

__all__ = ["counted", "distinct_names", "folder_name", "listed", "safe_name", "short_names"]

LONGEST = 40  # characters of a name in a file's name
MOST_IN_FOLDER = 2  # names; of more, the first and how many


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return so many names in a sentence, and how many more there are."""
    shown = [*names[:most]]
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def counted(count: int, noun: str) -> str:
    """Return "all 5,000 values", or "the one value"."""
    return f"the one {noun}" if count == 1 else f"all {count:,} {noun}s"


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


def short_names(names: Sequence[str]) -> list[str]:
    """Leave out the folders that all names begin with."""
    parts = [name.split("/") for name in names]
    common = 0
    while all(len(each) > common + 1 for each in parts) and len({e[common] for e in parts}) == 1:
        common += 1
    return ["/".join(each[common:]) for each in parts]


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
