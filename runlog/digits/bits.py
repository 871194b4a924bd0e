"""Where the leading digits of floats begin, and counts of them, also from upper bits only.

The digits of a float are those of the shortest decimal that reads back as it, which is what
``repr`` shows: the float32 that is next to 0.3 starts with 3, though it is 0.300000012, and so
does float64's, which is 0.29999999999999999.  So the digit s begins at the float that is nearest
to s·10^k.  Signs do not matter.  Subnormal numbers far down are too coarse for some digits: after
5e-324 comes 1e-323.

Nothing here needs more than NumPy, so that a recorder can fold on the CPU what it counted on a
device.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["FORMATS", "DigitCounts", "DigitStarts", "FloatFormat", "digit_starts", "fold_patterns"]

UPPER_BITS = 16  # at least, of a float, which are enough to tell its digits almost


class FloatFormat(NamedTuple):
    """A binary float of IEEE 754, or bfloat16, which is the upper half of a float32.

    A pattern is what the bits say as an integer without the sign: it rises with the magnitude.
    """

    bits: int
    mantissa: int  # bits that are stored; normal numbers have one more

    @property
    def infinity(self) -> int:
        """The pattern of infinity; those above are NaN."""
        return (1 << (self.bits - 1)) - (1 << self.mantissa)

    @property
    def least_exponent(self) -> int:
        """That of the power of two which is the least normal number."""
        return 2 - (1 << (self.bits - self.mantissa - 2))

    def value(self, pattern: int) -> Fraction:
        """Return the number that a finite pattern stands for."""
        exponent = max(1, pattern >> self.mantissa)
        significand = pattern - ((exponent - 1) << self.mantissa)
        return significand * Fraction(2) ** (exponent - 1 + self.least_exponent - self.mantissa)

    def nearest(self, numerator: int, denominator: int) -> int:
        """Return the pattern nearest to a positive ratio; of two as near, the even one."""
        exponent = numerator.bit_length() - denominator.bit_length()
        if numerator << max(0, -exponent) < denominator << max(0, exponent):
            exponent -= 1
        exponent = max(exponent, self.least_exponent)
        shift = self.mantissa - exponent  # which makes the last stored bit the units
        denominator <<= max(0, -shift)
        pattern, rest = divmod(numerator << max(0, shift), denominator)
        pattern += 2 * rest + (pattern & 1) > denominator
        return pattern + ((exponent - self.least_exponent) << self.mantissa)


FORMATS = {
    "float16": FloatFormat(16, 10),
    "bfloat16": FloatFormat(16, 7),
    "float32": FloatFormat(32, 23),
    "float64": FloatFormat(64, 52),
}


class DigitStarts(NamedTuple):
    """Where leading digits begin: from a pattern on, up to the next one's.

    Attributes
    ----------
    patterns : np.ndarray of uint64 [shape=(starts,)]
        Ascending; that of the least number comes first.
    digits : np.ndarray of int8 [shape=(starts,)]
        1 to 9, or 10 to 99.
    """

    patterns: npt.NDArray[np.uint64]
    digits: npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class DigitCounts:
    """How many numbers begin with which digits.

    Parameters
    ----------
    counts : np.ndarray [shape=(9,), (10,) or (90,)]
        For 1 to 9, for 0 to 9 (digits that are not the first), or for 10 to 99; integers, or what
        `fold_patterns` makes of patterns it must split.
    zero : int
        Numbers that are zero and have no leading digit.
    non_finite : int
        NaN and the infinities.

    Raises
    ------
    ValueError
        If there are not 9, 10 or 90 counts, or one of them is negative or not finite.
    """

    counts: npt.NDArray[Any]
    zero: int = 0
    non_finite: int = 0

    def __post_init__(self) -> None:
        counts = np.array(self.counts)
        if counts.shape not in ((9,), (10,), (90,)):
            raise ValueError(f"counts have shape {counts.shape}; expected (9,), (10,) or (90,)")
        if not all(0 <= each < np.inf for each in (*counts, self.zero, self.non_finite)):
            raise ValueError(
                f"counts are {counts}, zero {self.zero}, non_finite {self.non_finite}; "
                "expected nothing negative and nothing infinite"
            )
        counts.flags.writeable = False
        object.__setattr__(self, "counts", counts)

    @property
    def n(self) -> int:
        """How many numbers have leading digits."""
        return round(float(self.counts.sum()))

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """Shares of the numbers with leading digits; NaN where there is none."""
        if not self.n:
            return np.full(len(self.counts), np.nan)
        return np.asarray(self.counts / self.counts.sum(), np.float64)

    def __add__(self, other: "DigitCounts") -> "DigitCounts":
        """Return the counts of both together."""
        return DigitCounts(
            self.counts + other.counts, self.zero + other.zero, self.non_finite + other.non_finite
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers: ``counts``, ``zero``, ``non_finite`` and ``n``."""
        counts = self.counts.tolist()
        return {"counts": counts, "zero": self.zero, "non_finite": self.non_finite, "n": self.n}


@lru_cache
def digit_starts(name: str, places: int = 1) -> DigitStarts:
    """Return where the leading digits of a float type begin.

    Parameters
    ----------
    name : str
        One of `FORMATS`.
    places : int
        1 for the first digit, 2 for the first two.
    """
    form = FORMATS[name]
    nearest: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pattern, significand, exponent in _thresholds(form, places):
        nearest[pattern].append((significand, exponent))
    starts = {}
    for pattern, decimals in sorted(nearest.items()):
        starts[pattern] = _shown(form.value(pattern), decimals) if decimals[1:] else decimals[0][0]
        if pattern + 1 not in nearest and starts[pattern] != decimals[-1][0]:
            starts[pattern + 1] = decimals[-1][0]  # which is the last that lies below
    found = DigitStarts(np.array(list(starts), np.uint64), np.array(list(starts.values()), np.int8))
    for each in found:
        each.flags.writeable = False  # they are everybody's
    return found


def _thresholds(form: FloatFormat, places: int) -> Iterator[tuple[int, int, int]]:
    """Give, in ascending order, s and k of all s·10^k, each behind the pattern nearest to it."""
    least, greatest = form.value(1), form.value(form.infinity - 1)
    exponent = len(str(int(greatest))) - places
    lowest = -len(str(int(1 / least))) - places
    for k in range(lowest, exponent + 1):
        scale = 10 ** abs(k)
        for significand in range(10 ** (places - 1), 10**places):
            ratio = (significand * scale, 1) if k >= 0 else (significand, scale)
            pattern = form.nearest(*ratio)
            if 0 < pattern < form.infinity:
                yield pattern, significand, k


def _shown(value: Fraction, decimals: list[tuple[int, int]]) -> int:
    """Return the significand of that decimal which is shortest and, of these, nearest."""

    def order(decimal: tuple[int, int]) -> tuple[int, Fraction]:
        significand, exponent = decimal
        length = len(str(significand).rstrip("0"))
        return length, abs(significand * Fraction(10) ** exponent - value)

    return min(decimals, key=order)[0]


def fold_patterns(
    histogram: npt.ArrayLike, name: str = "float32", *, zeros: int | None = None
) -> DigitCounts:
    """Count first digits of floats of which only the upper bits were counted.

    Parameters
    ----------
    histogram : array of int [shape=(2^bits,)]
        How many numbers have which upper bits, sign included, as an unsigned integer; 16 bits or
        more, up to all.
    name : str
        The float type, one of `FORMATS`.
    zeros : int, optional
        How many of the numbers are zero.  By default all are that share its upper bits: of
        float32's upper 16 bits, those below 2^-133.

    Returns
    -------
    DigitCounts
        Of first digits, float64.  Where a digit begins among numbers that share their upper bits,
        they count as if they lay evenly between the ends.  float16 and bfloat16 have no more than
        16 bits, so their counts are exact.

    Raises
    ------
    ValueError
        If the histogram's shape is another, or there are more zeros than the histogram allows.
    """
    form, counted = FORMATS[name], np.asarray(histogram, np.int64)
    upper = counted.size.bit_length() - 1
    if counted.shape != (1 << upper,) or not UPPER_BITS <= upper <= form.bits:
        raise ValueError(
            f"the histogram has shape {counted.shape}; expected (2^{UPPER_BITS},), or a greater "
            f"power of two, up to {form.bits} bits"
        )
    width = 1 << (form.bits - upper)  # from one pattern of the upper bits to the next
    magnitudes = counted[: counted.size // 2] + counted[counted.size // 2 :]
    nearly = int(magnitudes[0])
    zero = nearly if zeros is None else zeros
    if not 0 <= zero <= nearly or (width == 1 and zero < nearly):
        raise ValueError(f"zeros are {zeros}; the histogram has {nearly} in their place")
    magnitudes[0] -= zero
    finite = form.infinity // width
    counts = _split(magnitudes[:finite], width, digit_starts(name))
    return DigitCounts(counts, zero, int(magnitudes[finite:].sum()))


def _split(
    magnitudes: npt.NDArray[np.int64], width: int, starts: DigitStarts
) -> npt.NDArray[np.float64]:
    """Return counts by digit of numbers counted in bins of `width` patterns."""
    edges = np.arange(len(magnitudes) + 1.0) * width
    edges[0] = min(1, width / 2)  # there is no zero among them
    below = np.append(0, np.cumsum(magnitudes))
    ends = np.append(starts.patterns, edges[-1])
    weights = np.diff(np.interp(ends, edges, below))
    return np.bincount(starts.digits, weights).astype(np.float64)[1:]
