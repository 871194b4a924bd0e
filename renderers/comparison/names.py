"""Names for what is compared, and for where it goes."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain, count, takewhile
from pathlib import Path

__all__ = [
    "counted",
    "distinct_names",
    "folder_name",
    "labels",
    "listed",
    "safe_name",
    "safe_names",
    "short_names",
]

LONGEST = 40  # characters of a name in a file's name
LONGEST_LABEL = 24  # in a picture
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
    return f"{safe_name(names[0])}-vs-{len(names) - 1}-others-{_digest(names)}"


def safe_names(names: Sequence[str]) -> list[str]:
    """Return names as parts of files' names that differ, on any system, where the names do."""
    safe = [safe_name(name) for name in names]
    counts = Counter(each.lower() for each in safe)
    return [
        f"{each}-{_digest([name])}" if counts[each.lower()] > 1 else each
        for each, name in zip(safe, names, strict=True)
    ]


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(names).encode(errors="replace")).hexdigest()[:6]


def short_names(names: Sequence[str]) -> list[str]:
    """Leave out the folders that all names begin with."""
    parts = [name.split("/") for name in names]
    common = 0
    while all(len(each) > common + 1 for each in parts) and len({e[common] for e in parts}) == 1:
        common += 1
    return ["/".join(each[common:]) for each in parts]


def labels(names: Sequence[str]) -> list[str]:
    """Return names as they fit into pictures: of long ones, only where they differ.

    Parameters
    ----------
    names : sequence of str
        All different.
    """
    if max(map(len, names)) <= LONGEST_LABEL:
        return list(names)
    parts = [re.findall(r"[^\W_]+(?:\.\d+)?|[\W_]", name) for name in names]
    begin = _shared(parts)
    end = _shared([each[begin:][::-1] for each in parts])
    short = ["".join(each[begin : len(each) - end]).strip("-_/ ") for each in parts]
    return short if all(short) and len(set(short)) == len(short) else list(names)


def _shared(several: Sequence[Sequence[str]]) -> int:
    """Count the elements with which all begin."""
    return sum(1 for _ in takewhile(lambda each: len(set(each)) == 1, zip(*several, strict=False)))


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
                found[number] = _below(place, names[number], depth)
    taken: set[str] = set()
    for index, name in enumerate(found):
        numbered = (f"{name} ({number})" for number in count(2))
        found[index] = next(each for each in chain([name], numbered) if each not in taken)
        taken.add(found[index])
    return found


def _below(place: Path, name: str, depth: int) -> str:
    """Put so many folders in front of a name, but for those that it begins with already."""
    folders = place.parts[: len(place.parts) - len(Path(name).parts)]
    own = place.as_posix().endswith(f"/{name}")
    return "/".join([*(folders if own else place.parent.parts)[-depth:], name])
