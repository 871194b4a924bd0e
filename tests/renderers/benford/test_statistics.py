"""Statistics equal benford_py's and scipy's, and say no more than the number of values allows."""

import json
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from epochord.renderers.benford.digit import digit
from epochord.renderers.benford.distributions import benford, chance_mad, gaussian
from epochord.renderers.benford.leading_digits import count_digits
from epochord.renderers.benford.outcomes import DIFFERS, NEARER, NO_NEARER, NOT_TOLD, TOO_FEW
from epochord.renderers.benford.sentences import p_value, points
from epochord.renderers.benford.statistics import (
    chi_square,
    mad_interval,
    of_counts,
    of_probabilities,
)
from epochord.runlog.digits.bits import DigitCounts

UNIFORM = np.full(9, 1 / 9)


def daily_returns():
    """Return 4,000 returns of 1 % a day, Gaussian: its demo has those of the S&P 500."""
    day = NormalDist(0, 0.01)
    return np.array([day.inv_cdf((place + 0.5) / 4000) for place in range(4000)])


def powers_of_two():
    """Return 2^0 to 2^52, the classic that follows the law."""
    return 2.0 ** np.arange(53)


def fibonacci():
    """Return 80 Fibonacci numbers, another one."""
    found = [1, 2]
    while len(found) < 80:
        found.append(found[-1] + found[-2])
    return np.array(found)


def squares():
    """Return the squares of 1 to 2,000, which do not."""
    return np.arange(1, 2001) ** 2


# What benford_py 0.5.0 says: MAD, chi_square and kullback_leibler_divergence of F1D and F2D of
# Benford(data, decimals=…), with 8 decimals for the returns as in its demo, 2 for the powers, 0
# for integers.  It is wrong, and not compared:
# - on first two digits of numbers of one digit, which it drops (so those of integers here);
# - with too few decimals, where it drops numbers without a word: of the returns divided by 10^5,
#   with 8 decimals, 318 of 4,000;
# - on numbers such as 0.0003, which it multiplies by 10^4 and cuts to 2;
# - just below powers of ten, where its log10 rounds up: of 9, 99, …, 10^18 - 1 it loses four.
BENFORD_PY = [
    (daily_returns, 1, 0.022804723271036092, 193.6104937614745, 0.024910983345748396),
    (daily_returns, 2, 0.00235882765378808, 228.4530568924338, 0.02907659140036182),
    (powers_of_two, 1, 0.02566236155041122, 6.808289394023266, 0.08819389463749916),
    (powers_of_two, 2, 0.010958029033612697, 64.86766690059662, 0.7148615963605844),
    (fibonacci, 1, 0.012474719075780608, 1.7917644690500707, 0.010755314625718961),
    (squares, 1, 0.028653335260452804, 203.4186970499394, 0.05051869479566812),
]


@pytest.mark.parametrize(("data", "places", "mad", "statistic", "divergence"), BENFORD_PY)
def test_what_benford_py_says(data, places, mad, statistic, divergence):
    """On data as in its documentation, where it is right."""
    found = of_counts(count_digits(data(), places=places))
    assert found.distances.mad == pytest.approx(mad, rel=1e-12)
    assert found.chi_square.statistic == pytest.approx(statistic, rel=1e-12)
    assert found.distances.kl_divergence == pytest.approx(divergence, rel=1e-12)


@given(st.lists(st.integers(0, 5000), min_size=9, max_size=9).filter(any))
def test_chi_square_is_scipys(counts):
    """Statistic and p, which is simulated where a digit is expected fewer than five times."""
    n = sum(counts)
    found = chi_square(DigitCounts(counts))
    expected = stats.chisquare(counts, benford() * n)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9)
    if n >= 110:
        assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-300)
    assert 0 <= found.p_value <= 1


@pytest.mark.parametrize("n", [30, 50, 109])
def test_p_values_of_few_are_those_of_other_simulations(n):
    """With another seed and four times as many samples."""
    counts = np.random.default_rng(n).multinomial(n, 0.7 * benford() + 0.3 * UNIFORM)
    expected = stats.chisquare(counts, benford() * n).statistic
    drawn = np.random.default_rng(5).multinomial(n, benford(), 40_000)
    often = (((drawn - n * benford()) ** 2 / (n * benford())).sum(axis=1) >= expected).mean()
    assert chi_square(DigitCounts(counts)).p_value == pytest.approx(often, abs=0.02)


def test_chi_square_of_two_digits_has_89_degrees_of_freedom():
    """And is simulated below 1,146 values: there the tail is heavier."""
    counts = np.random.default_rng(0).multinomial(1146, benford(2))
    expected = stats.chisquare(counts, benford(2) * 1146)
    found = chi_square(DigitCounts(counts))
    assert found == pytest.approx((expected.statistic, expected.pvalue))
    assert chi_square(DigitCounts(np.eye(90, dtype=int)[0] * 1145)).p_value == 1e-4


# Probabilities have no N


def test_probabilities_have_no_p_value():
    """There is nothing in what is said of them that needs an N, and no way to ask for it."""
    found = of_probabilities(gaussian(1.0))
    needing = {"n", "p_value", "chi_square", "mad_interval", "chance_mad", "mad_limit", "power"}
    assert not needing & found.to_dict().keys()
    for function in (chi_square, of_counts, mad_interval):
        with pytest.raises(TypeError, match="expected DigitCounts"):
            function(gaussian(1.0))


def test_probabilities_taken_for_counts_are_too_few():
    """Their sum is one value."""
    found = of_counts(DigitCounts(benford()))
    assert (found.counts.n, found.verdict) == (1, TOO_FEW)


def test_counts_are_no_probabilities():
    """They do not add up to 1."""
    with pytest.raises(ValueError, match="sum 53"):
        of_probabilities(count_digits(powers_of_two()).counts)


@pytest.mark.parametrize(
    ("moved", "grade"),
    [
        (0.0, "close"),
        (0.0059, "close"),
        (0.0061, "acceptable"),
        (0.0121, "marginal"),
        (0.0151, "nonconformity"),
    ],
)
def test_nigrinis_cut_offs(moved, grade):
    """A MAD of 0.006, 0.012 and 0.015 divides the grades."""
    shares = benford() + moved * 4.5 * (np.eye(9)[8] - np.eye(9)[0])
    found = of_probabilities(shares)
    assert found.distances.mad == pytest.approx(moved, abs=1e-15)
    assert found.grade == grade


def test_probabilities_are_nearer_only_if_nearer_than_all():
    """Of several of one kind the nearest counts; equal digits are always a baseline."""
    tilted = 0.5 * benford() + 0.5 * UNIFORM
    close = 0.8 * benford() + 0.2 * UNIFORM
    assert of_probabilities(benford()).verdict == NEARER
    assert of_probabilities(UNIFORM).verdict == NO_NEARER
    assert of_probabilities(close, baselines={"a": [tilted, UNIFORM]}).verdict == NEARER
    found = of_probabilities(tilted, baselines={"a": [close, UNIFORM]})
    assert found.verdict == NO_NEARER
    assert found.baselines["a"].mads[0] == pytest.approx(
        0.2 * found.baselines["equal digits"].mads[0]
    )


def test_two_digits_have_cut_offs_of_their_own():
    """Theirs are 0.0012, 0.0018 and 0.0022."""
    for moved, grade in (
        (0.0011, "close"),
        (0.0017, "acceptable"),
        (0.0021, "marginal"),
        (0.0023, "nonconformity"),
    ):
        shares = benford(2) + moved * 45 * (np.eye(90)[80] - np.eye(90)[:9].mean(axis=0))
        assert of_probabilities(shares).grade == grade


# How many values


@pytest.mark.parametrize("n", [1, 12, 49])
def test_fewer_than_fifty_values_are_too_few(n):
    """Whatever they look like."""
    found = of_counts(DigitCounts(n * np.eye(9, dtype=int)[8], zero=3, non_finite=1))
    assert (found.verdict, found.grade) == (TOO_FEW, None)
    assert found.sentence == (
        f"Too few values to say: {n} with this digit; 4 are zero or not finite; 50 are needed."
    )


def test_no_value_at_all():
    """Nothing is a number but the counts."""
    found = of_counts(count_digits([0.0, 0.0, np.nan]), baselines={"uniform": UNIFORM})
    assert found.verdict == TOO_FEW
    assert "0 with this digit; 3 are zero" in found.sentence
    assert (found.distances, found.mad_interval, found.total_variation_interval) == (None,) * 3
    assert chi_square(found.counts) is None
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["shares"] is None


@pytest.mark.parametrize("n", [50, 100, 245, 1000, 100_000])
def test_what_follows_the_law_differs_in_one_of_twenty_cases(n):
    """Whatever the number of values."""
    drawn = np.random.default_rng(0).multinomial(n, benford(), 2000)
    p_values = np.array([chi_square(DigitCounts(counts)).p_value for counts in drawn])
    assert 0.035 < (p_values < 0.05).mean() < 0.065
    found = of_counts(DigitCounts(drawn[0]))
    assert found.verdict == (DIFFERS if p_values[0] < 0.05 else NOT_TOLD)


@pytest.mark.parametrize("n", [100, 1000, 100_000])
def test_uniform_digits_do_not_follow_the_law(n):
    """A hundred values tell these two apart."""
    drawn = np.random.default_rng(0).multinomial(n, UNIFORM, 60)
    verdicts = [of_counts(DigitCounts(counts)).verdict for counts in drawn]
    assert verdicts.count(DIFFERS) >= 59


def test_a_million_values_that_hardly_differ_are_said_to_differ_and_by_how_little():
    """The law is one thing, the size of the deviation another."""
    counts = np.random.default_rng(0).multinomial(10**7, 0.99 * benford() + 0.01 * UNIFORM)
    found = of_counts(DigitCounts(counts))
    assert (found.verdict, found.grade) == (DIFFERS, "close")
    assert found.distances.mad == pytest.approx(6.0e-4, rel=0.1)
    assert f"by {100 * found.distances.mad:.2g} percentage points" in found.sentence


def test_sentences_of_counts():
    """Never that values conform; p, what they would show, what they would tell, and dependence."""
    counts = [32, 17, 12, 11, 7, 7, 4, 4, 6]
    found = of_counts(DigitCounts(counts))
    assert found.sentence == (
        f"Cannot be told from Benford's law (p = {found.chi_square.p_value:.2f}; 100 values would "
        f"show a deviation of {100 * found.least_deviation:.1f} points or more). As many would "
        f"tell equal digits in {100 * found.power['equal digits']:.0f} % of cases, half-normal "
        f"values in {100 * found.power['half-normal values']:.0f} %, exponential values in "
        f"{100 * found.power['exponential values']:.0f} % and log-normal values in "
        f"{100 * found.power['log-normal values']:.0f} %."
    )
    assert 0.9 < found.chi_square.p_value <= 1
    assert of_counts(DigitCounts(np.full(9, 1000))).sentence == (
        "Differs from Benford's law (p < 0.001): by 6.0 percentage points on average, where "
        "chance makes 0.25 of 9,000 values."
    )
    assert of_counts(DigitCounts(counts), dependence="twins").sentence.endswith(
        "%. The values depend on each other (twins), so that p may be too small."
    )


def test_sentences_of_probabilities():
    """What they rest on comes first if it is little; then how far, and what is farther."""
    baselines = {"equal tokens": benford(), "untrained networks": [UNIFORM, gaussian(1.0)]}
    shares = 0.75 * benford() + 0.25 * UNIFORM
    said = (
        "1.5 percentage points from Benford's law on average, nearer than equal digits (6.0) and "
        "untrained networks (2.3 to 6.0), but no nearer than equal tokens (0.0)."
    )
    assert of_probabilities(shares, baselines=baselines, mass=0.05).sentence == said
    assert of_probabilities(shares, baselines=baselines, mass=0.012).sentence == (
        f"Rests on 1.2 % of the mass: {said}"
    )


def test_p_values_and_points_are_said_with_two_digits():
    """And a p that rounds to 0 as less than a thousandth."""
    assert [p_value(p) for p in (0.3, 0.019, 0.00104, 0.00099, 0)] == [
        "p = 0.30", "p = 0.019", "p = 0.0010", "p < 0.001", "p < 0.001",
    ]  # fmt: skip
    assert [points(share) for share in (0.018, 0.0604, 0.1, 0.00021)] == [
        "1.8",
        "6.0",
        "10",
        "0.021",
    ]


@pytest.mark.parametrize("name", ["second", "3", "last"])
def test_other_digits_are_tested_against_their_own_law(name):
    """Nine degrees of freedom, by scipy; counts without a digit, or of another, are refused."""
    which = digit(name)
    counts = np.random.default_rng(1).multinomial(2000, which.law)
    found = of_counts(DigitCounts(counts), digit=which)
    expected = stats.chisquare(counts, 2000 * np.asarray(which.law))
    assert found.chi_square == pytest.approx((expected.statistic, expected.pvalue))
    assert found.sentence.startswith(f"Cannot be told from {which.expected} (p = ")
    with pytest.raises(ValueError, match="there are 10 counts, and no digit is given"):
        of_counts(DigitCounts(counts))
    with pytest.raises(ValueError, match="there are 10 counts, and the first digit is given"):
        of_counts(DigitCounts(counts), digit=digit("first"))


# Intervals


@pytest.mark.parametrize("n", [200, 5000])
@pytest.mark.parametrize(
    "truth", [benford(), gaussian(1.0), UNIFORM], ids=["law", "normal", "even"]
)
def test_intervals_hold_the_truth(n, truth):
    """In 90 to 100 of 100 cases, also if there is no distance at all."""
    distance = abs(truth - benford()).mean()
    drawn = np.random.default_rng(0).multinomial(n, truth, 200)
    intervals = [mad_interval(DigitCounts(counts), resamples=300) for counts in drawn]
    assert sum(low <= distance <= high for low, high in intervals) >= 180


def test_intervals_are_equal_for_equal_seeds():
    """And nearly so for others."""
    counts = count_digits(daily_returns())
    one, same, other = (of_counts(counts, seed=seed).mad_interval for seed in (1, 1, 2))
    assert one == same != other
    assert one == pytest.approx(other, abs=3e-4)
    found = of_counts(counts)
    low, high = found.mad_interval
    assert found.total_variation_interval == pytest.approx((4.5 * low, 4.5 * high))
    assert low < found.distances.mad < high


# Laws


@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=200),
    st.integers(-9, 9),
    st.sampled_from([1, 2]),
    st.randoms(use_true_random=False),
)
def test_neither_units_nor_signs_nor_order_matter(numbers, exponent, places, random):
    """Digits are of the decimals that were written."""
    plain = count_digits([float(number) for number in numbers], places=places)
    scaled = [random.choice("+-") + f"{number}e{exponent}" for number in numbers]
    random.shuffle(scaled)
    other = count_digits([float(number) for number in scaled], places=places)
    assert of_counts(other).to_dict() == of_counts(plain).to_dict()


def test_all_that_is_said_fits_json():
    """Of counts and of probabilities, infinite divergences and all."""
    baselines = {"sure": np.eye(9)[0], "normal": gaussian(0.02)}
    counted = of_counts(count_digits(squares()), baselines=baselines)
    told = json.loads(json.dumps(counted.to_dict(), allow_nan=False))
    assert told["baselines"]["sure"]["kl_divergence"] is None
    assert told["chance_mad"] == pytest.approx(chance_mad(2000, benford()))
    itself = abs(gaussian(0.02) - benford()).mean()
    assert told["baselines"]["normal"]["mads_to_law"] == pytest.approx([itself, itself])
    probable = of_probabilities(counted.counts.shares, baselines=baselines).to_dict()
    assert json.loads(json.dumps(probable, allow_nan=False))["mad"] == told["mad"]
