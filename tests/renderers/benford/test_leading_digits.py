"""Leading digits equal those of the shortest decimals, for all floats where digits begin.

The oracles are Python's `repr` for float64, NumPy's Dragon4 for float32 and float16, and a search
for the shortest decimal in fractions for bfloat16.  `benchmarks/benford.py` compares fifty times as
many random bit patterns.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from epochord.renderers.benford.leading_digits import (
    BLOCK,
    count_digits,
    first_two_digits,
    leading_digits,
)

WAYS = {1: leading_digits, 2: first_two_digits}
FLOATS = (np.float16, np.float32, np.float64)
RANDOM = 20_000
each_float = pytest.mark.parametrize("kind", FLOATS)
each_way = pytest.mark.parametrize("places", WAYS)
numbers = arrays.arrays(
    st.sampled_from([*FLOATS, np.int8, np.int64, np.uint64]), st.integers(0, 60)
)


def shortest(value):
    """Return the shortest decimal that reads back as a float, in scientific notation."""
    if isinstance(value, np.float64):
        return repr(float(value))
    return np.format_float_scientific(value, unique=True)


def digits_of(text, places):
    """Return the leading digits of a decimal; as in the code, 0 for zero, -1 if not finite."""
    if text.lstrip("-") in ("inf", "nan"):
        return -1
    significand = text.partition("e")[0].replace(".", "").lstrip("-0")
    return int((significand + "0")[:places]) if significand else 0


def all_thresholds(kind, places):
    """Return the floats nearest to s·10^k, and four neighbours each, all over a type's range."""
    with np.errstate(over="ignore", under="ignore"):
        nearest = np.array(
            [
                float(f"{significand}e{exponent}")
                for exponent in range(-330, 310)
                for significand in range(10 ** (places - 1), 10**places)
            ]
        ).astype(kind)
        found = [nearest]
        for end in (0, np.inf):
            found.append(np.nextafter(nearest, kind(end)))
            found.append(np.nextafter(found[-1], kind(end)))
    return np.unique(np.concatenate(found))


def assert_like_repr(values, places):
    texts = [shortest(value) for value in values]
    expected = np.array([digits_of(text, places) for text in texts], int)
    np.testing.assert_array_equal(WAYS[places](values), expected)
    counts = count_digits(values, places=places)
    low = 10 ** (places - 1)
    held = np.bincount(expected[expected > 0], minlength=10 * low)[low:]
    assert counts.counts.tolist() == held.tolist()
    assert (counts.zero, counts.non_finite) == ((expected == 0).sum(), (expected == -1).sum())


@each_float
@each_way
def test_each_threshold_and_its_neighbours(kind, places):
    """All over the range of the type, subnormal numbers included, digits change where repr's do."""
    assert_like_repr(all_thresholds(kind, places), places)


@each_float
@each_way
def test_random_bits(kind, places):
    """Signs, NaN and infinities among them."""
    word = f"u{np.dtype(kind).itemsize}"
    bits = np.random.default_rng(0).integers(0, np.iinfo(word).max, RANDOM, word, endpoint=True)
    assert_like_repr(bits.view(kind), places)


@each_float
@each_way
def test_the_least_numbers(kind, places):
    """Where one float stands for several digits, its shortest decimal decides."""
    least = np.arange(1, 2000, dtype=f"u{np.dtype(kind).itemsize}").view(kind)
    assert_like_repr(np.concatenate([least, -least]), places)


def shortest_bfloat16(pattern):
    """Return the shortest decimal that reads back as a bfloat16, by trying."""
    below, value, above = (
        Fraction(float(np.uint32(each << 16).view(np.float32)))
        for each in (pattern - 1, pattern, pattern + 1)
    )
    low, high = (below + value) / 2, (value + above) / 2
    for length in range(1, 6):
        unit = Fraction(10) ** (int(f"{float(value):e}".partition("e")[2]) - length + 1)
        near = [(value // unit + more) * unit for more in (0, 1)]
        read_back = [
            each for each in near if low < each < high or (each in (low, high) and pattern % 2 == 0)
        ]
        if read_back:
            return min(read_back, key=lambda decimal: abs(decimal - value))
    raise AssertionError(f"no decimal of five digits reads back as {pattern:#x}")


@each_way
def test_bits_of_bfloat16(places):
    """All of them; their decimals are shorter than those of the float32 of the same value."""
    patterns = np.arange(1, 0x7F7F)
    counts = count_digits(patterns.astype(np.uint16), places=places, bfloat16=True)
    expected = [
        digits_of(f"{float(shortest_bfloat16(int(each))):.5e}", places) for each in patterns
    ]
    low = 10 ** (places - 1)
    assert counts.counts.tolist() == np.bincount(expected, minlength=10 * low)[low:].tolist()


def test_what_bfloat16_has_besides_digits():
    """Both zeros, both infinities and a NaN."""
    bits = np.array([0, 0x8000, 0x7F80, 0xFF80, 0x7FC0, 0x3F80], np.uint16)
    counts = count_digits(bits, bfloat16=True)
    assert (counts.counts.tolist(), counts.zero, counts.non_finite) == ([1] + 8 * [0], 2, 3)


@pytest.mark.parametrize("kind", [f"{sign}{size}" for sign in "iu" for size in (1, 2, 4, 8)])
@each_way
def test_integers_are_exact(kind, places):
    """At both ends of each type and at each power of ten, where a float64 would be off."""
    ends = np.iinfo(kind)
    around = [s * 10**k + off for k in range(20) for s in range(1, 100) for off in (-1, 0, 1)]
    inside = [each for sign in (1, -1) for each in (sign * n for n in around)]
    values = [each for each in (*inside, ends.min, ends.max) if ends.min <= each <= ends.max]
    expected = [digits_of(str(each), places) for each in values]
    assert WAYS[places](np.array(values, kind)).tolist() == expected


# Laws


@given(st.integers(1, 10**15 - 1), st.integers(-330, 320))
def test_powers_of_ten_change_nothing(significand, exponent):
    """Nor does the sign: what counts are the digits that were written, of up to 15."""
    value = float(f"{significand}e{exponent}")
    if 1e-300 < value < np.inf:  # with fewer bits not all written digits are kept
        assert leading_digits([value, -value]).tolist() == 2 * [int(str(significand)[0])]
        assert first_two_digits(value) == int(f"{significand}0"[:2])


@given(numbers, st.integers(0, 60), st.randoms(use_true_random=False))
def test_counts_add_up_in_any_order(values, cut, random):
    """Over concatenation, and of all numbers there are."""
    random.shuffle(order := list(range(len(values))))
    together = count_digits(values)
    apart = count_digits(values[order][:cut]) + count_digits(values[order][cut:])
    assert apart.to_dict() == together.to_dict()
    assert together.n + together.zero + together.non_finite == len(values)


@given(numbers)
def test_the_first_is_the_first_of_two(values):
    """Digits and counts."""
    one, two = leading_digits(values), first_two_digits(values)
    np.testing.assert_array_equal(one, np.where(two > 0, two // 10, two))
    tens = count_digits(values, places=2).counts.reshape(9, 10).sum(axis=1)
    assert tens.tolist() == count_digits(values).counts.tolist()


# Arrays of all sorts


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 1])
def test_blocks_join(size):
    """The numbers are counted in blocks; no one is lost or counted twice."""
    values = np.random.default_rng(size).normal(size=size)
    expected = [digits_of(repr(value), 1) for value in values.tolist()]
    assert leading_digits(values).tolist() == expected
    assert count_digits(values).counts.tolist() == np.bincount(expected, minlength=10)[1:].tolist()


@pytest.mark.parametrize("order", "CF")
def test_shape_strides_and_byte_order_do_not_matter(order):
    """The result has the shape of the values."""
    plain = np.random.default_rng(0).lognormal(size=(60, 7, 11))
    given = np.repeat(plain.astype(">f8", order=order), 2, axis=1)[:, ::2]
    digits = leading_digits(given)
    assert (digits.dtype, digits.shape) == (np.int8, plain.shape)
    np.testing.assert_array_equal(digits, leading_digits(plain.ravel()).reshape(plain.shape))
    assert count_digits(given).to_dict() == count_digits(plain).to_dict()
    assert leading_digits(3.5) == 3


@pytest.mark.parametrize("values", [[True], [1j], ["1"], [None], np.ones(1, np.longdouble)])
def test_what_is_no_number_is_refused(values):
    """With what it is."""
    with pytest.raises(TypeError, match=r"values are .*; expected integers or float16"):
        leading_digits(values)


def test_bits_of_bfloat16_are_integers_of_16_bits():
    """Numbers in their place are an error, and so are three places."""
    with pytest.raises(TypeError, match="bits of bfloat16 are float64; expected uint16"):
        count_digits([1.0], bfloat16=True)
    with pytest.raises(ValueError, match="places is 3; expected 1 or 2"):
        count_digits([1.0], places=3)
