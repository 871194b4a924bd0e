"""Folding keeps every number, is exact where numbers lie evenly, and nearly so where they do not.

What it is compared to, `count_digits`, is compared to decimals in its own tests.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.benford.leading_digits import count_digits
from epochord.runlog.digits.bits import FORMATS, DigitCounts, digit_starts, fold_patterns

MILLION = 1_000_000
SHAPES = {
    "Gaussian": lambda rng: rng.normal(0, 3e-4, MILLION),
    "Laplace": lambda rng: rng.laplace(0, 0.02, MILLION),
    "heavy tails": lambda rng: rng.standard_t(2, MILLION) * 1e-5,
    "log-normal": lambda rng: rng.lognormal(-9, 3, MILLION),
    "uniform": lambda rng: rng.uniform(-3, 3, MILLION),
}


def counted(values, upper=16):
    """Count the upper bits of floats."""
    bits = values.view(f"u{values.itemsize}") >> (8 * values.itemsize - upper)
    return np.bincount(bits.astype(np.intp), minlength=1 << upper)


@pytest.mark.parametrize("shape", SHAPES)
def test_shares_are_close(shape):
    """Of a million float32: within 5e-5 from 19 bits, and 1e-4 from 16."""
    values = SHAPES[shape](np.random.default_rng(0)).astype(np.float32)
    expected = count_digits(values)
    for upper, error in ((16, 1e-4), (19, 5e-5)):
        folded = fold_patterns(counted(values, upper))
        assert folded.n == expected.n
        np.testing.assert_allclose(folded.shares, expected.shares, rtol=0, atol=error)


@pytest.mark.parametrize("upper", [16, 17, 20])
@pytest.mark.parametrize("first", [0, 0x2D00, 0x3F40, 0x7F40])
def test_even_numbers_are_counted_exactly(first, upper):
    """Over two octaves of all float32, over the subnormal ones, and up to the greatest."""
    bits = np.arange(first << 16, (first + 64) << 16, dtype=np.uint32)
    values = np.concatenate([bits.view(np.float32), -bits.view(np.float32)])
    folded = fold_patterns(counted(values, upper), zeros=2 * (first == 0))
    expected = count_digits(values)
    assert (folded.zero, folded.non_finite) == (expected.zero, expected.non_finite)
    np.testing.assert_allclose(folded.counts, expected.counts, rtol=1e-9)


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_all_bits_are_counted_exactly(name):
    """There are no lower ones to guess."""
    histogram = np.random.default_rng(0).integers(0, 9, 1 << 16)
    bits = np.repeat(np.arange(1 << 16, dtype=np.uint16), histogram)
    values = bits.view(np.float16) if name == "float16" else bits
    expected = count_digits(values, bfloat16=name == "bfloat16")
    assert fold_patterns(histogram, name).to_dict() == expected.to_dict()


@given(st.sampled_from(list(FORMATS)), st.integers(0, 2**32), st.booleans())
def test_no_number_is_lost(name, seed, told):
    """Each has a digit, is zero or is not finite."""
    rng = np.random.default_rng(seed)
    histogram = np.where(rng.random(1 << 16) < 0.01, rng.integers(0, 1 << 31, 1 << 16), 0)
    nearly = int(histogram[0] + histogram[0x8000])
    zeros = nearly // 2 if told and name in ("float32", "float64") else None
    folded = fold_patterns(histogram, name, zeros=zeros)
    assert folded.zero == (nearly if zeros is None else zeros)
    assert folded.n + folded.zero + folded.non_finite == histogram.sum()
    assert folded.counts.sum() == pytest.approx(folded.n, abs=1e-3)


def test_numbers_next_to_zero_are_zeros_unless_told():
    """With their upper bits alone they cannot be told from it."""
    values = np.array([0, -0.0, 1e-41, 1, np.nan, -np.inf], np.float32)
    plain, told = (fold_patterns(counted(values), zeros=zeros) for zeros in (None, 2))
    assert (plain.n, plain.zero, plain.non_finite) == (1, 3, 2)
    assert (told.n, told.zero, told.non_finite) == (2, 2, 2)


@pytest.mark.parametrize(
    ("histogram", "name", "zeros", "message"),
    [
        (np.zeros(1 << 15), "float32", None, r"has shape \(32768,\); expected \(2\^16,\)"),
        (np.zeros(70_000), "float32", None, r"has shape \(70000,\)"),
        (np.zeros(1 << 17), "float16", None, "up to 16 bits"),
        (np.zeros((2, 1 << 16)), "float32", None, r"has shape \(2, 65536\)"),
        (np.ones(1 << 16), "float32", 3, "zeros are 3; the histogram has 2 in their place"),
        (np.ones(1 << 16), "bfloat16", 1, "zeros are 1; the histogram has 2 in their place"),
    ],
)
def test_histograms_that_cannot_be_are_refused(histogram, name, zeros, message):
    """With what is wrong."""
    with pytest.raises(ValueError, match=message):
        fold_patterns(histogram, name, zeros=zeros)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("places", [1, 2])
def test_starts_ascend_from_the_least_number_and_change_something(name, places):
    """What lies between two starts has the digits of the first of them."""
    patterns, digits = digit_starts(name, places)
    assert patterns[0] == 1
    assert patterns[-1] < FORMATS[name].infinity
    assert (np.diff(patterns.astype(np.int64)) > 0).all()
    assert (np.diff(digits) != 0).all()
    assert set(digits.tolist()) == set(range(10 ** (places - 1), 10**places))


def test_counts_are_added_and_told():
    """Together they are counts again."""
    one = DigitCounts(np.arange(9), zero=3, non_finite=1)
    both = one + DigitCounts(np.arange(9) / 2)
    assert both.to_dict() == {
        "counts": [0, 1.5, 3, 4.5, 6, 7.5, 9, 10.5, 12],
        "zero": 3,
        "non_finite": 1,
        "n": 54,
    }
    assert both.shares.sum() == pytest.approx(1)
    assert np.isnan(DigitCounts(np.zeros(9)).shares).all()


@pytest.mark.parametrize(
    "counts", [np.ones(11), np.ones((1, 9)), [-1, *8 * [1]], [np.nan, *8 * [1]], [np.inf, *8 * [1]]]
)
def test_what_is_no_count_is_refused(counts):
    """Another number of digits, or counts that cannot be."""
    with pytest.raises(ValueError, match="expected"):
        DigitCounts(counts)
