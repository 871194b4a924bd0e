"""One thing that happened in a run, as data and as a sentence."""

import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Finding", "What", "listed"]


class What(StrEnum):
    """What happened."""

    NAN = "NaN"
    POSITIVE_INFINITY = "+inf"
    NEGATIVE_INFINITY = "-inf"
    DEAD = "dead"
    EXPLOSION = "explosion"
    SPIKE = "spike"
    RISE = "rise"
    FALL = "fall"
    STUCK = "stuck"


@dataclass(frozen=True)
class Finding:
    """One thing that happened.

    Parameters
    ----------
    what : What
        Of which kind.
    voices : tuple of str
        Whom it happened to, by name.
    all_voices : bool
        Whether these are all of the run's voices, of several.
    step : int
        From which step on.
    last : int or None
        The last step of it; None where it lasts to the end.
    factor : float or None
        Of a spike, an explosion or a rise, how many times the level before; of a
        fall or a death, the share that is left.
    peak : int or None
        Of a spike or an explosion, the step of its greatest value.
    passes : tuple of int
        Of a rise or a fall, the steps from which it lastingly is beyond ×2, ×4 and ×8.
    """

    what: What
    voices: tuple[str, ...]
    step: int
    last: int | None = None
    factor: float | None = None
    peak: int | None = None
    all_voices: bool = False
    passes: tuple[int, ...] = ()

    @property
    def sentence(self) -> str:
        """What happened, in words."""
        who = "all voices" if self.all_voices else listed(self.voices)
        return f"{who}: {self._said()}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain = {
            "what": str(self.what),
            "voices": list(self.voices),
            "passes": list(self.passes),
            "sentence": self.sentence,
        }
        return asdict(self) | plain

    def _said(self) -> str:
        where = self._where()
        if self.what is What.DEAD:
            left = "zero" if not self.factor else f"below {shown(self.factor)} of its level"
            return f"dead {where}, {left}"
        if self.what is What.STUCK:
            return f"stuck at one value {where}"
        if self.factor is None:
            return f"{self.what} {where}"
        size = f"×{shown(self.factor)}" if self.factor >= 1 else f"÷{shown(1 / self.factor)}"
        at = "" if self.peak in (None, self.step) else f", at its farthest at step {self.peak}"
        if self.what in (What.RISE, What.FALL):
            moves = "rises" if self.what is What.RISE else "falls"
            return f"{moves} {size} against the others {where}"
        return f"{self.what} {size} {where}{at}"

    def _where(self) -> str:
        if self.last is None:
            return f"from step {self.step} to the end"
        if self.last == self.step:
            return f"at step {self.step}"
        return f"in steps {self.step}…{self.last}"


def listed(names: tuple[str, ...], most: int = 4) -> str:
    """Return names in a row, the first few of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def shown(number: float) -> str:
    """Return a factor with two digits, or as a power of ten."""
    if number < 1e4:
        return f"{float(f'{number:.2g}'):g}"
    return re.sub(r"e\+?0*", "e", f"{number:.0e}")
