"""Names for what is compared, and for where it goes."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "counted",
    "distinct_names",
    "folder_name",
    "labels",
    "listed",
    "pair_stems",
    "safe_name",
    "short_names",
    "shortened",
]

LONGEST = 40  # characters of a name in a file's name
MOST_IN_FOLDER = 2  # names; of more, the first and how many
HASH = 6  # hexadecimal digits that tell apart what would have the same name
LONG_LABEL = 24  # characters of a name in a picture; longer ones lose what all share
PART = re.compile(r".+?(?:[\s_/,;:]+|(?<!\de)-+|$)", re.DOTALL)  # a word; 1e-3 is one


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

    Returns
    -------
    str
        Both of two; of more, the first, how many others, and a hash of all, so that
        other ones have another folder.
    """
    if len(names) <= MOST_IN_FOLDER:
        return "-vs-".join(map(safe_name, names))
    return f"{safe_name(names[0])}-vs-{len(names) - 1}-others-{_hash(names)}"


def pair_stems(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return a part of a file's name for each pair of names, no two of them alike.

    Those that would be alike, on a system for which A is a, get a hash behind.
    """
    stems = ["-vs-".join(map(safe_name, pair)) for pair in pairs]
    number = Counter(stem.casefold() for stem in stems)
    return [
        stem if number[stem.casefold()] == 1 else f"{stem}-{_hash(pair)}"
        for stem, pair in zip(stems, pairs, strict=True)
    ]


def _hash(names: Sequence[str]) -> str:
    return hashlib.sha256(repr(tuple(names)).encode(errors="backslashreplace")).hexdigest()[:HASH]


def labels(names: Sequence[str]) -> list[str]:
    """Return short names for a picture of all: long ones without what all share.

    Parameters
    ----------
    names : sequence of str
        All that are compared, each different.

    Returns
    -------
    list of str
        Different ones, even if only the beginning and the end of each is shown: what
        is still too long gets its number in front.
    """
    found = list(names)
    if max(map(len, names)) > LONG_LABEL:
        parts = [PART.findall(name) for name in names]
        first = _shared(parts)
        last = _shared([each[first:][::-1] for each in parts])
        found = ["".join(each[first : len(each) - last]).rstrip(" _/,;:-") for each in parts]
        if not all(found) or len(set(found)) < len(set(names)):
            found = list(names)
    seen = Counter(map(shortened, found))
    return [
        each if seen[shortened(each)] == 1 else f"{number}: {each}"
        for number, each in enumerate(found, start=1)
    ]


def _shared(parts: Sequence[Sequence[str]]) -> int:
    """Return with how many equal parts all begin; one part of each is left."""
    most = min(map(len, parts)) - 1
    return next((n for n in range(most) if len({each[n] for each in parts}) > 1), max(most, 0))


def shortened(name: str, most: int = LONG_LABEL) -> str:
    """Return a name of at most so many characters, cut in the middle."""
    return name if len(name) <= most else f"{name[: most // 2]}…{name[-most // 2 + 1 :]}"


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
    folders = [_folders_in_front(*each) for each in zip(names, places, strict=True)]
    for depth in range(1, 1 + max(map(len, folders))):
        lying: dict[str, set[Path]] = {}
        for name, place in zip(found, places, strict=True):
            lying.setdefault(name, set()).add(place)
        if all(len(each) == 1 for each in lying.values()):
            break
        for number, above in enumerate(folders):
            if len(lying[found[number]]) > 1:
                found[number] = "/".join([*above[-depth:], names[number]])
    return _numbered(found)


def _folders_in_front(name: str, place: Path) -> list[str]:
    """Return the folders in which something lies, without those that its name begins with."""
    above = [part for part in place.parent.parts if part != place.anchor]
    own = name.split("/")[:-1]
    both = next((n for n in range(len(own), 0, -1) if above[-n:] == own[:n]), 0)
    return above[: len(above) - both]


def _numbered(names: Sequence[str]) -> list[str]:
    """Put a number behind each name that was there before: the next one that is free."""
    taken, seen, found = set(names), set(), []
    for name in names:
        number, own = 2, name
        while own in seen or (own != name and own in taken):
            own = f"{name} ({number})"
            number += 1
        seen.add(own)
        found.append(own)
    return found
