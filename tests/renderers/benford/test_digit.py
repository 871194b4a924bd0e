"""Any digit: its law by brute force and by Hill's formula, its counts by the decimals as text."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from epochord.renderers.benford.digit import FIRST, FIRST_TWO, LAST, digit

PLACES = {"first": 1, "second": 2, "3": 3, "4": 4, "6": 6}
floats = arrays.arrays(
    st.sampled_from([np.float32, np.float64]), st.integers(1, 40),
    elements=st.floats(width=32, allow_subnormal=False),
)  # fmt: skip


def placed(value, place):
    """Return the digit at a place of a float's shortest decimal; None if it has none to count."""
    if not np.isfinite(value) or value == 0:
        return None
    if value == int(value) and abs(value) < 10 ** (place - 1):
        return None
    text = np.format_float_scientific(value, unique=True).lstrip("-").partition("e")[0]
    return int((text.replace(".", "") + "0" * place)[place - 1])


@pytest.mark.parametrize(("name", "place"), [("second", 2), ("3", 3), ("4", 4)])
def test_the_law_of_a_digit_is_hills_sum(name, place):
    """Σ log10(1 + 1/(10m + d)), exactly, and that of the digits of a geometric sequence."""
    before = range(10 ** (place - 2), 10 ** (place - 1))
    for d, share in zip(range(10), digit(name).law, strict=True):
        product = math.prod((Fraction(10 * m + d + 1, 10 * m + d) for m in before), start=1)
        assert share == pytest.approx(math.log10(product), rel=1e-9)
    values = 10 ** ((np.arange(200_000) + 0.5) / 200_000)
    counted = digit(name).count(values)
    np.testing.assert_allclose(counted.counts.shares, digit(name).law, atol=1e-4)


def test_laws_are_known_numbers():
    """Newcomb's second digits of 1881, and shares that add up to 1 and flatten."""
    published = [0.120, 0.114, 0.109, 0.104, 0.100, 0.097, 0.093, 0.090, 0.088, 0.085]
    np.testing.assert_allclose(digit("second").law, published, atol=5e-4)
    for name in ("first", "second", "first-two", "last", *"23456"):
        assert sum(digit(name).law) == pytest.approx(1, abs=1e-12)
    spans = [max(digit(n).law) - min(digit(n).law) for n in "23456"]
    assert all(a > 9 * b for a, b in pairwise(spans))
    assert spans[-1] < 1e-5


@given(floats)
@pytest.mark.parametrize("name", PLACES)
def test_counts_are_those_of_the_decimals(name, values):
    """Of each float type its own shortest decimals; zeros follow them; short numbers are apart."""
    digits = [placed(value, PLACES[name]) for value in values]
    counts, short = digit(name).count(values)
    low = digit(name).lowest
    expected = [digits.count(d) for d in range(low, low + len(digit(name).law))]
    assert counts.counts.tolist() == expected
    assert counts.n + counts.zero + counts.non_finite + short == len(values)


def test_small_whole_numbers_have_no_second_digit():
    """7 is no 70; 70 and 7.5 have one, and 0.5 is taken as 0.50."""
    values = np.array([7, -3, 70, 12, 7.5, 0.5, 0, np.nan])
    assert FIRST.count(values)[1] == 0
    for which in (FIRST_TWO, digit("second")):
        counts, short = which.count(values)
        assert (short, counts.n, counts.zero, counts.non_finite) == (2, 4, 1, 1)
    assert digit("3").count(np.arange(1, 200)).short == 99


def test_last_digits_are_of_whole_numbers_from_a_thousand():
    """Others have none that was measured: it would be the first, or a float's rounding."""
    values = np.array([1234, -1005, 999, 7, 1000.5, 2.0**60, 0.0, np.inf])
    counts, short = LAST.count(values)
    assert counts.counts.tolist() == [0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    assert (counts.zero, counts.non_finite, short) == (1, 1, 4)
    counts, short = LAST.count(np.array([16_777_216, 16_777_218], np.float32))
    assert (counts.counts[6], short) == (1, 1)  # above 2^24 float32 knows only even numbers


def test_names():
    """Numbers name digits too; what is no digit is refused with what there is."""
    assert digit("1") is digit(1) is FIRST
    assert (digit(2).name, digit("3").law) == ("second", digit(3).law)
    assert (digit("3").words, FIRST_TWO.plural, LAST.plural) == (
        "third digit", "first two digits", "last digits",
    )  # fmt: skip
    for name in ("0", "7", "third", ""):
        with pytest.raises(ValueError, match=f"digit is '{name}'; expected first, second, first"):
            digit(name)
