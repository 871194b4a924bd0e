"""Who the members are: by name, by object or by position, the same number in all epochs."""

import weakref
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Identities"]


class Identities:
    """Gives every member a number when it is first seen, and the same ever after.

    Attributes
    ----------
    count : int
        How many there ever were.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, int] = {}
        self._held: dict[int, Any] = {}  # by id(): what keeps an address from a second owner
        self._serials: dict[int, int] = {}
        self._serial = 0
        self.count = 0

    @property
    def names(self) -> list[str]:
        """What the members are called that came by name, in the order of their numbers."""
        return [key for key in self._known if isinstance(key, str)]

    def by_position(self, members: int) -> npt.NDArray[np.int64]:
        """Return the numbers of so many members that are told apart by their order."""
        self.count = max(self.count, members)
        return np.arange(members)

    def by_name(self, names: Iterable[str]) -> npt.NDArray[np.int64]:
        """Return the numbers of members with names."""
        return self._numbers(names)

    def by_object(self, members: Sequence[Any]) -> npt.NDArray[np.int64]:
        """Return the numbers of objects; the same one twice is two members."""
        seen: dict[Hashable, int] = {}
        keys = []
        for member in members:
            key = self._key(member)
            seen[key] = seen.get(key, -1) + 1
            keys.append((key, seen[key]))
        return self._numbers(keys)

    def _numbers(self, keys: Iterable[Hashable]) -> npt.NDArray[np.int64]:
        numbers = [self._known.setdefault(key, len(self._known)) for key in keys]
        self.count = len(self._known)
        return np.array(numbers, np.int64)

    def _key(self, member: Any) -> Hashable:
        owner = getattr(member, "__self__", None)  # bound methods are made anew at each look
        if owner is not None and hasattr(member, "__name__"):
            return self._key(owner), member.__name__
        held = self._held.get(id(member))
        if held is None or (isinstance(held, weakref.ref) and held() is not member):
            try:
                self._held[id(member)] = weakref.ref(member)
            except TypeError:
                self._held[id(member)] = member
            self._serial += 1
            self._serials[id(member)] = self._serial
        return self._serials[id(member)]
