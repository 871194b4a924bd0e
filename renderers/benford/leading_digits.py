"""Leading digits of numbers, exactly: those of the shortest decimal that reads back as the number.

A few upper bits of a float say which digits it starts with, but for one threshold among them.
So there is a table over these bits which holds the digits and, below them, what carries into them
if it is added to lower bits that reach the threshold: a look-up, a sum and a shift a number, in
its own type and without a logarithm.  `epochord.runlog.digits.bits` says where the thresholds are.

Where several lie within the same upper bits, among subnormal numbers, they are searched.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from epochord.runlog.digits.bits import FORMATS, DigitCounts, digit_starts

__all__ = ["NOT_FINITE", "ZERO", "count_digits", "first_two_digits", "leading_digits"]

ZERO, NOT_FINITE = 0, -1  # in place of digits
BLOCK = 1 << 15  # numbers at a time: the work on them stays in the processor's cache
EXACT_IN_FLOAT64 = 1 << 53  # integers up to this

Numbers = npt.NDArray[Any]
Digits = npt.NDArray[np.int8]
Codes = npt.NDArray[np.uint8]


class _Table(NamedTuple):
    """Codes by upper bits.

    Attributes
    ----------
    entries : np.ndarray of the float's unsigned integer [shape=(upper patterns, sign included)]
        A code, and below it what carries into the next code from the threshold on.
    shift : int
        How many bits are lower ones.
    """

    entries: Numbers
    shift: int


class _Codes(NamedTuple):
    """Codes other than those of digits, which are the digits."""

    around: int  # behind 9 or 99 follows what is again 1 or 10
    not_finite: int
    zero: int
    searched: int  # directly behind zero: the numbers just above zero are searched


def leading_digits(values: npt.ArrayLike) -> Digits:
    """Return the first digit of each number.

    Parameters
    ----------
    values : array of numbers
        float16, float32 and float64, each by its own shortest decimals; integers, exactly.

    Returns
    -------
    np.ndarray of int8 [shape of values]
        1 to 9, whatever the sign; 0 for zero; -1 for NaN and the infinities.

    Raises
    ------
    TypeError
        If they are not real numbers, or wider than 64 bits.
    """
    return _digits(values, 1)


def first_two_digits(values: npt.ArrayLike) -> Digits:
    """Return the first two digits of each number, 10 to 99, as `leading_digits` does the first.

    A number of one digit is followed by zeros: 5 begins with 50.
    """
    return _digits(values, 2)


def count_digits(values: npt.ArrayLike, *, places: int = 1, bfloat16: bool = False) -> DigitCounts:
    """Count leading digits.

    Parameters
    ----------
    values : array of numbers
        As for `leading_digits`.
    places : int
        1 for the first digit, 2 for the first two.
    bfloat16 : bool
        Whether `values` are uint16 that hold the bits of bfloat16, which NumPy does not know.

    Returns
    -------
    DigitCounts
        int64.

    Raises
    ------
    TypeError
        As for `leading_digits`, or if the bits of bfloat16 are not uint16.
    ValueError
        If `places` is another number.
    """
    if places not in (1, 2):
        raise ValueError(f"places is {places}; expected 1 or 2")
    given = np.asarray(values)
    if bfloat16 and given.dtype != np.uint16:
        raise TypeError(f"bits of bfloat16 are {given.dtype}; expected uint16")
    kind = "bfloat16" if bfloat16 else _kind(given.dtype)
    low, codes = 10 ** (places - 1), _special(places)
    total = np.zeros(codes.searched + 1, np.int64)
    for _, block in _blocks(given):
        total += np.bincount(_coded(block, kind, places), minlength=len(total))
    total[low] += total[codes.around]
    return DigitCounts(
        total[low : codes.around], int(total[codes.zero]), int(total[codes.not_finite])
    )


def _digits(values: npt.ArrayLike, places: int) -> Digits:
    given = np.asarray(values)
    kind, names = _kind(given.dtype), _names(places)
    found = np.empty(given.size, np.int8)
    for start, block in _blocks(given):
        codes = _coded(block, kind, places)
        names.take(codes, out=found[start : start + len(codes)], mode="clip")
    return found.reshape(given.shape)


def _kind(dtype: np.dtype[Any]) -> str:
    """Return the name of a float type, or ``integer``."""
    if dtype.kind in "iu":
        return "integer"
    name = dtype.newbyteorder("=").name
    if name in FORMATS:
        return name
    raise TypeError(f"values are {dtype}; expected integers or float16, float32 or float64")


def _blocks(values: Numbers) -> Iterator[tuple[int, Numbers]]:
    """Give blocks of values, flat, contiguous and in the machine's byte order, and their starts."""
    native = values.dtype.newbyteorder("=")
    flat = values.reshape(-1) if values.flags.c_contiguous else values.flat
    for start in range(0, values.size, BLOCK):
        yield start, flat[start : start + BLOCK].astype(native, copy=False)


def _coded(block: Numbers, kind: str, places: int) -> Codes:
    if kind != "integer":
        return _float_codes(block, kind, places)
    signed = block.dtype.kind == "i"  # the least int64's magnitude is itself, read as unsigned
    magnitudes = np.abs(block.astype(np.int64)).view(np.uint64) if signed else block
    if magnitudes.max(initial=0) <= EXACT_IN_FLOAT64:
        return _float_codes(magnitudes.astype(np.float64), "float64", places)
    starts, digits = _integer_starts(places)
    return digits[np.searchsorted(starts, magnitudes, side="right")]


def _float_codes(block: Numbers, name: str, places: int) -> Codes:
    """Return the codes of floats."""
    table = _table(name, places)
    bits = block.view(table.entries.dtype)
    # The indices are all in the table; this mode saves NumPy a copy that guards `out`.
    sums = table.entries.take((bits >> table.shift).astype(np.intp), mode="clip")
    sums += bits & bits.dtype.type((1 << table.shift) - 1)
    codes = (sums >> table.shift).astype(np.uint8)
    searched = codes == _special(places).searched
    if searched.any():
        starts, digits = digit_starts(name, places)
        magnitudes = np.abs(block[searched]).view(bits.dtype)
        codes[searched] = digits[np.searchsorted(starts, magnitudes, side="right") - 1]
    return codes


def _special(places: int) -> _Codes:
    return _Codes(*range(10**places, 10**places + 4))


@lru_cache
def _names(places: int) -> Digits:
    """Return what each code stands for."""
    codes = _special(places)
    digits = np.arange(codes.searched + 1, dtype=np.int8)
    digits[[codes.around, codes.not_finite, codes.zero]] = 10 ** (places - 1), NOT_FINITE, ZERO
    return digits


@lru_cache
def _table(name: str, places: int) -> _Table:
    """Return the table of a float type."""
    form, codes = FORMATS[name], _special(places)
    # Numbers that share m bits of mantissa are within a factor 1 + 2^-m, and thresholds are at
    # least a factor 10/9 apart for first digits (m = 4), and 100/99 for the first two (m = 7).
    upper = 19 if (name, places) == ("float64", 2) else 16
    shift = form.bits - upper
    starts, digits = digit_starts(name, places)
    width = np.uint64(1 << shift)
    tops = np.arange(1, form.infinity >> shift, dtype=np.uint64) * width
    before = np.searchsorted(starts, tops, side="right") - 1
    within = np.searchsorted(starts, tops + width) - before - 1
    following = np.minimum(before + 1, len(starts) - 1)
    carries = (within == 1) & (digits[following] == _names(places)[digits[before] + 1])
    half = np.full(1 << (upper - 1), codes.not_finite, np.uint64) * width
    half[0] = codes.zero * width + width - np.uint64(1)
    finite = half[1 : len(tops) + 1]
    known = digits[before].astype(np.uint64)
    finite[:] = np.where((within == 0) | carries, known, codes.searched) * width
    finite[carries] += (tops + width - starts[following])[carries]
    return _Table(np.tile(half, 2).astype(f"u{form.bits // 8}"), shift)


@lru_cache
def _integer_starts(places: int) -> tuple[npt.NDArray[np.uint64], Codes]:
    """Return the integers of 64 bits where digits begin, and codes: that of zero, then theirs."""
    low, high = 10 ** (places - 1), 10**places
    numbers = {
        digits * 10**exponent // low: digits
        for exponent in range(20)
        for digits in range(low, high)
        if digits * 10**exponent % low == 0 and digits * 10**exponent // low < 1 << 64
    }
    codes = [_special(places).zero, *numbers.values()]
    return np.array(list(numbers), np.uint64), np.array(codes, np.uint8)
