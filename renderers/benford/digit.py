"""Which digit of a number is looked at: its law, and how it is counted.

Benford's law for the k-th digit, k from 2, is P(d) = Σ log10(1 + 1/(10m + d)) over the numbers m of
k - 1 digits (Newcomb, Am. J. Math. 4, 1881, for k = 2; Hill, Statistical Science 10, 1995).  It is
nearly flat from the fourth digit on, so that last digits of numbers with more are expected to be
equal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from epochord.renderers.benford.distributions import Shares, benford
from epochord.renderers.benford.leading_digits import count_digits
from epochord.runlog.digits.bits import DigitCounts

__all__ = ["FIRST", "FIRST_TWO", "LAST", "MOST_PLACES", "Counted", "Digit", "digit"]

MOST_PLACES = 6  # decimal digits that a float32 keeps; behind them the law is flat to 1e-6
LEAST_LAST = 1000  # digits before the last one: fewer than three would tilt it
NAMES = ("first", "second", "first-two", "last")
ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", 6: "sixth"}
BENFORD, EQUAL = "Benford's law", "equal digits"

Numbers = npt.NDArray[Any]


class Counted(NamedTuple):
    """Digits of some numbers.

    Attributes
    ----------
    counts : DigitCounts
        Of the numbers that have this digit.
    short : int
        Numbers that are left out since they have too few digits: whole numbers such as 7, whose
        second digit is no digit that was measured.
    """

    counts: DigitCounts
    short: int


@dataclass(frozen=True)
class Digit:
    """A digit, or the first two.

    Parameters
    ----------
    name : str
        As it is asked for: ``first``, ``second``, ``first-two``, ``last``, ``3``, …
    words : str
        Such as "third digit".
    lowest : int
        Of the digits: 1 for the first, 10 for the first two, else 0.
    law : tuple of float
        Their expected shares.
    expected : str
        What the law is called.
    count : callable
        From numbers [shape=(n,)] to `Counted`.
    fold : callable, optional
        From shares of the first two digits [shape=(90,)] to these; None where they do not tell.
    short : str
        What the numbers are that `Counted.short` counts.
    """

    name: str
    words: str
    lowest: int
    law: tuple[float, ...]
    expected: str
    count: Callable[[Numbers], Counted]
    fold: Callable[[Shares], Shares] | None = None
    short: str = "too short"

    @property
    def plural(self) -> str:
        """Its words, of several numbers."""
        return f"{self.words.removesuffix('s')}s"

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The digits."""
        return np.arange(self.lowest, self.lowest + len(self.law))


def _leading(values: Numbers, places: int) -> Counted:
    values, short = _long_enough(values, 10 ** (places - 1))
    return Counted(count_digits(values, places=places), short)


def _second(values: Numbers) -> Counted:
    two, short = _leading(values, 2)
    return Counted(DigitCounts(_of_second(two.counts), two.zero, two.non_finite), short)


def _of_second(two: Numbers) -> Numbers:
    return np.asarray(two.reshape(9, 10).sum(axis=0))


def _of_first(two: Numbers) -> Numbers:
    return np.asarray(two.reshape(9, 10).sum(axis=1))


def _placed(values: Numbers, place: int) -> Counted:
    """Count the digits at a place from 3 on, of the shortest decimals; zeros follow these."""
    values, short = _long_enough(values, 10 ** (place - 1))
    ordinary = np.isfinite(values) & (values != 0)
    texts = np.abs(values[ordinary]).astype("U32").tolist()
    digits = [int(_significand(text).ljust(place, "0")[place - 1]) for text in texts]
    return _apart(values, digits, short)


def _significand(text: str) -> str:
    return text.partition("e")[0].replace(".", "").lstrip("0")


def _last(values: Numbers) -> Counted:
    """Count the last digits of whole numbers; all others have none that was measured."""
    ordinary = np.isfinite(values) & (values != 0)
    magnitudes = np.abs(values.astype(np.float64))
    exact = 2.0 ** (np.finfo(values.dtype).nmant + 1) if values.dtype.kind == "f" else 2.0**53
    with np.errstate(invalid="ignore"):
        whole = (magnitudes % 1 == 0) & (magnitudes >= LEAST_LAST) & (magnitudes <= exact)
    left_out = ordinary & ~whole
    return _apart(values[~left_out], (magnitudes[whole] % 10).astype(np.int64), int(left_out.sum()))


def _apart(values: Numbers, digits: npt.ArrayLike, short: int) -> Counted:
    counts = np.bincount(np.asarray(digits, np.int64), minlength=10)
    zero, not_finite = int((values == 0).sum()), int((~np.isfinite(values)).sum())
    return Counted(DigitCounts(counts, zero, not_finite), short)


def _long_enough(values: Numbers, least: int) -> tuple[Numbers, int]:
    """Leave out whole numbers, but zero, below the least that has the digit."""
    with np.errstate(invalid="ignore"):
        short = (values != 0) & (np.abs(values.astype(np.float64)) < least) & (values % 1 == 0)
    return values[~short], int(short.sum())


def _law(place: int) -> Shares:
    """Return Benford's shares of the digits 0 to 9 at a place from 2 on."""
    before = 10.0 * np.arange(10 ** (place - 2), 10 ** (place - 1))
    digits = np.arange(10)
    return np.asarray(np.log1p(1 / (before[:, None] + digits)).sum(axis=0) / np.log(10))


def _shares(law: npt.ArrayLike) -> tuple[float, ...]:
    return tuple(np.asarray(law, np.float64).tolist())


FIRST = Digit(
    "first", "first digit", 1, _shares(benford(1)), BENFORD, partial(_leading, places=1), _of_first
)
FIRST_TWO = Digit(
    "first-two", "first two digits", 10, _shares(benford(2)), BENFORD, partial(_leading, places=2),
    np.asarray,
)  # fmt: skip
LAST = Digit(
    "last",
    "last digit",
    0,
    (0.1,) * 10,
    EQUAL,
    _last,
    short=f"not whole or below {LEAST_LAST:,}",
)


@lru_cache
def digit(name: str | int = "first") -> Digit:
    """Return a digit by its name.

    Parameters
    ----------
    name : str or int
        ``first``, ``second``, ``first-two``, ``last``, or a number from 1 to 6.

    Raises
    ------
    ValueError
        If it is another.
    """
    name = str(name)
    named = {each.name: each for each in (FIRST, FIRST_TWO, LAST)} | {"1": FIRST}
    if name in named:
        return named[name]
    places = {**{str(place): place for place in range(2, MOST_PLACES + 1)}, "second": 2}
    if name not in places:
        raise ValueError(
            f"digit is {name!r}; expected {', '.join(NAMES)}, or a number from 1 to {MOST_PLACES}"
        )
    place = places[name]
    count, fold = (_second, _of_second) if place == 2 else (partial(_placed, place=place), None)
    called = "second" if place == 2 else name
    return Digit(called, f"{ORDINALS[place]} digit", 0, _shares(_law(place)), BENFORD, count, fold)
