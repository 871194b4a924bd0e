"""Scores equal what other code, closed forms and loops say, and know a calibrated ensemble."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
import scoringrules
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from epochord.renderers.ensemble.scores import (
    PERCENTS,
    Deviations,
    Scores,
    coverage,
    crps,
    deviations,
    nll,
    out_of_bag,
    rank_histogram,
    score,
    spread_skill,
)
from epochord.renderers.ensemble.statistics import spread

# Multiples of a quarter: ties are frequent, and shifts by such numbers are exact.
quarters = st.integers(-12, 12).map(lambda number: number / 4)
anything = st.floats(allow_nan=True, allow_infinity=True)
single = st.floats(allow_nan=True, allow_infinity=True, width=32)
NAN = Scores(math.nan, math.nan, (math.nan,) * 3, math.nan, (math.nan,) * 10, 0)


@st.composite
def ensembles(draw, elements=quarters, targets=quarters):
    """Predictions, targets and which members count."""
    shape = draw(st.integers(1, 8)), draw(st.integers(0, 5))
    return (
        draw(arrays.arrays(np.float64, shape, elements=elements)),
        draw(arrays.arrays(np.float64, shape[1], elements=targets)),
        draw(arrays.arrays(np.bool_, shape)),
    )


def simulated(members=14, points=4000, seed=0, overconfidence=1.0):
    """Members and targets from one Gaussian a point, with half of the members counting."""
    rng = np.random.default_rng(seed)
    place, width = rng.normal(0, 5, points), rng.lognormal(0, 0.5, points)
    predictions = place + width / overconfidence * rng.normal(size=(members, points))
    targets = place + width * rng.normal(size=points)
    return predictions, targets, rng.random((members, points)) < 0.5


def gaussian(members=4001, points=30, seed=0):
    """Members at evenly spaced quantiles of one Gaussian a point, targets near it."""
    rng = np.random.default_rng(seed)
    place, width = rng.normal(0, 5, points), rng.lognormal(0, 0.5, points)
    shares = (np.arange(members) + 0.5) / members
    predictions = stats.norm.ppf(rng.permutation(shares)[:, None], place, width)
    return predictions, place + width * rng.normal(size=points), place, width


def by_point(predictions, targets, counts=None):
    """Each used point's members and target, with no more than plain loops."""
    counts = np.ones(predictions.shape, bool) if counts is None else counts
    for column, target, chosen in zip(predictions.T, targets, counts.T, strict=True):
        members = [x for x, counted in zip(column, chosen, strict=True) if counted]
        members = [x for x in members if math.isfinite(x)]
        if len(members) >= 2 and math.isfinite(target):
            yield np.array(members), float(target)


def mean(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers) if numbers else math.nan


def assert_equal_scores(first, second, **tolerances):
    assert first.points == second.points
    for name, value in first.to_dict().items():
        assert second.to_dict()[name] == pytest.approx(value, nan_ok=True, **tolerances), name


# What counts


@given(st.integers(1, 6), st.integers(1, 12), st.data())
def test_a_member_is_out_of_bag_where_it_drew_nothing(members, points, data):
    """However often it drew the others."""
    shape = members, data.draw(st.integers(0, 12))
    elements = st.integers(0, points - 1)
    indices = data.draw(arrays.arrays(np.int64, shape, elements=elements))
    loop = [[point not in row for point in range(points)] for row in indices.tolist()]
    np.testing.assert_array_equal(out_of_bag(indices, points), loop)


@pytest.mark.parametrize("index", [-1, 5])
def test_an_index_of_no_point_is_refused(index):
    """Counting from the end would be a silent mistake."""
    with pytest.raises(ValueError, match=r"indices reach from -?\d to \d; expected 0 to 4"):
        out_of_bag(np.array([[0, index]]), 5)


def test_about_a_third_of_the_members_is_out_of_bag():
    """(1 - 1/n)^n of them."""
    indices = np.random.default_rng(0).integers(0, 100, (1000, 100))
    assert out_of_bag(indices, 100).mean() == pytest.approx(0.99**100, abs=0.01)


@given(ensembles(elements=quarters | st.sampled_from([np.nan, np.inf, -np.inf])))
def test_points_with_fewer_than_two_members_are_left_out(case):
    """And what is left is each point's counting errors in order."""
    these = deviations(*case)
    expected = [np.sort(members - target).tolist() for members, target in by_point(*case)]
    kept = zip(these.errors, these.members, strict=True)
    assert [row[:count].tolist() for row, count in kept] == expected
    assert score(*case[:2], counts=case[2], noise_sd=1).points == len(expected)


@pytest.mark.parametrize(
    ("predictions", "targets", "counts", "message"),
    [
        ((3,), (3,), None, r"predictions have shape \(3,\) and targets \(3,\); expected"),
        ((3, 4), (3,), None, r"predictions have shape \(3, 4\) and targets \(3,\)"),
        ((3, 4), (4,), np.ones((4, 3), bool), r"bool of shape \(4, 3\); expected bool of .*3, 4"),
        ((3, 4), (4,), np.ones((3, 4), int), r"counts are int64 of shape \(3, 4\); expected bool"),
    ],
)
def test_what_does_not_fit_is_refused(predictions, targets, counts, message):
    """With what it is and what it should be; numbers of draws are no `counts`."""
    with pytest.raises(ValueError, match=message):
        score(np.zeros(predictions), np.zeros(targets), counts=counts, noise_sd=1)


# Negative log-likelihood


@given(ensembles(), st.floats(0.5, 10))
def test_nll_is_that_of_the_mixture(case, noise_sd):
    """Density by density."""
    densities = [
        mean(stats.norm.pdf(target, member, noise_sd) for member in members)
        for members, target in by_point(*case)
    ]
    expected = -mean(np.log(densities))
    assert nll(deviations(*case), noise_sd) == pytest.approx(expected, nan_ok=True)


def test_nll_of_one_member_is_its_gaussian_density():
    """And of several that agree; far away too, where the density itself is zero."""
    errors = np.array([0.0, 0.3, -2.0, 1e3])
    expected = -stats.norm.logpdf(errors, 0, 0.7).mean()
    one = Deviations(errors[:, None], np.ones(4, np.intp))
    assert nll(one, 0.7) == pytest.approx(expected)
    assert nll(deviations(np.tile(errors, (9, 1)), np.zeros(4)), 0.7) == pytest.approx(expected)


def test_nll_of_many_gaussian_members_is_that_of_the_wider_gaussian():
    """Their variance and the noise's add up."""
    predictions, targets, place, width = gaussian()
    expected = -stats.norm.logpdf(targets, place, np.hypot(width, 0.5)).mean()
    assert nll(deviations(predictions, targets), 0.5) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("noise_sd", [0.0, -1.0, np.nan, np.inf])
def test_noise_without_a_width_is_refused(noise_sd):
    """As there is no density then."""
    with pytest.raises(ValueError, match=r"noise_sd is .*; expected a positive number"):
        score(np.zeros((2, 1)), np.zeros(1), noise_sd=noise_sd)


# CRPS


@given(ensembles(), st.sampled_from([(False, "nrg"), (True, "fair")]))
def test_crps_is_that_of_scoringrules(case, estimator):
    """The energy form with and without pairs of a member with itself."""
    fair, name = estimator
    expected = mean(
        scoringrules.crps_ensemble(target, members, estimator=name, backend="numpy")
        for members, target in by_point(*case)
    )
    assert crps(deviations(*case), fair=fair) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_crps_of_many_gaussian_members_is_the_closed_form():
    """Fair or not makes next to no difference then."""
    predictions, targets, place, width = gaussian()
    expected = scoringrules.crps_normal(targets, place, width, backend="numpy").mean()
    these = deviations(predictions, targets)
    assert crps(these) == pytest.approx(expected, rel=1e-3)
    assert crps(these, fair=True) == pytest.approx(expected, rel=1e-3)


def test_the_fair_crps_does_not_depend_on_the_number_of_members():
    """In the mean; the plain one is greater with few members, by half their mean difference / M."""
    rng = np.random.default_rng(3)
    targets = rng.normal(size=20_000)
    closed = 1 / math.sqrt(math.pi)  # of a standard Gaussian whose targets are drawn from it
    for members in (2, 5, 30):
        these = deviations(rng.normal(size=(members, 20_000)), targets)
        assert crps(these, fair=True) == pytest.approx(closed, abs=0.015)
        assert crps(these) == pytest.approx(closed * (1 + 1 / members), abs=0.015)


# Coverage


@given(ensembles(), st.sampled_from([*PERCENTS, 0, 10, 99.5, 100]))
def test_coverage_is_that_between_numpys_quantiles(case, percent):
    """Of each point's members; where the target is a rounding error from an end, either will do."""
    least, most = [], []
    for members, target in by_point(*case):
        shares = [(100 - percent) / 200, (100 + percent) / 200]
        low, high = np.quantile(members, shares, method="weibull")
        least.append(low + 1e-9 < target < high - 1e-9)
        most.append(low - 1e-9 <= target <= high + 1e-9)
    covered = coverage(deviations(*case), percent)
    assert math.isnan(covered) if not least else mean(least) <= covered <= mean(most)


def test_the_ends_of_an_interval_belong_to_it():
    """With 39 members the interval of 95 % reaches from the least to the greatest, to the bit."""
    members = np.random.default_rng(0).normal(size=39)
    targets = np.array([members.min(), members.max()])
    targets = np.append(targets, np.nextafter(targets, [-np.inf, np.inf]))
    for percent in (95, 100):
        covered = [coverage(deviations(members[:, None], targets[[i]]), percent) for i in range(4)]
        assert covered == [1, 1, 0, 0]


def test_coverage_by_many_gaussian_members_is_that_of_the_gaussian():
    """Targets just within and just outside of its quantiles."""
    predictions, _, place, width = gaussian()
    for percent in PERCENTS:
        end = stats.norm.ppf(0.5 + percent / 200)
        for distance, covered in ((end - 0.01, 1), (end + 0.01, 0)):
            for side in (-1, 1):
                these = deviations(predictions, place + side * distance * width)
                assert coverage(these, percent) == covered


@pytest.mark.parametrize("percent", [-1, 100.5, np.nan])
def test_an_interval_of_no_percentage_is_refused(percent):
    """A share is none either, but cannot be told from a narrow interval."""
    with pytest.raises(ValueError, match=r"percent is .*; expected 0 to 100"):
        coverage(deviations(np.zeros((2, 1)), np.zeros(1)), percent)


# Ranks


@given(ensembles(), st.integers(1, 12))
def test_ranks_are_those_of_a_loop(case, bins):
    """Each of the M + 1 ranks a slice of the axis, ties on all slices they could have."""
    weights, points = np.zeros(bins), 0
    for members, target in by_point(*case):
        ranks = range(int(sum(members < target)), int(sum(members <= target)) + 1)
        for rank in ranks:
            low, high = rank / (len(members) + 1), (rank + 1) / (len(members) + 1)
            for place in range(bins):
                common = min(high, (place + 1) / bins) - max(low, place / bins)
                weights[place] += max(common, 0) / (high - low) / len(ranks)
        points += 1
    expected = weights / points if points else np.full(bins, np.nan)
    np.testing.assert_allclose(rank_histogram(deviations(*case), bins), expected, atol=1e-12)


@given(ensembles())
def test_ranks_conserve_the_weight_and_turn_with_the_signs(case):
    """Together they are 1, and below becomes above."""
    predictions, targets, counts = case
    ranks = rank_histogram(deviations(predictions, targets, counts))
    turned = rank_histogram(deviations(-predictions, -targets, counts))
    np.testing.assert_allclose(turned[::-1], ranks, atol=1e-12)
    assert np.isnan(ranks).all() or (ranks.min() >= 0 and ranks.sum() == pytest.approx(1))


def test_ranks_among_many_gaussian_members_are_the_probability_integral_transform():
    """A histogram of the Gaussian's distribution function at the targets."""
    predictions, targets, place, width = gaussian(points=200)
    expected = np.histogram(stats.norm.cdf(targets, place, width), 10, (0, 1))[0] / 200
    np.testing.assert_allclose(
        rank_histogram(deviations(predictions, targets)), expected, atol=0.0051
    )


# Calibration


@pytest.mark.parametrize("members", [10, 14, 40])
@pytest.mark.parametrize("part", [False, True])
def test_a_calibrated_ensemble_is_found_calibrated(members, part):
    """Flat ranks, nominal coverage, spread like skill, whatever number of members counts."""
    points = 4000
    predictions, targets, counts = simulated(members, points, seed=members)
    these = deviations(predictions, targets, counts if part else None)
    used = len(these.members)
    assert np.abs(rank_histogram(these) - 0.1).max() < 4 * math.sqrt(0.09 / used)
    for percent in PERCENTS:
        # Fewer members do not reach that far out (see `coverage`).
        nominal = np.minimum(percent / 100, (these.members - 1) / (these.members + 1)).mean()
        bound = 4 * math.sqrt(nominal * (1 - nominal) / used)
        # Between members, a quantile of the Gaussian is not where the straight line has it.
        assert abs(coverage(these, percent) - nominal) < bound + 0.01
    assert spread_skill(these) == pytest.approx(1, abs=0.05)


def test_an_overconfident_ensemble_is_found_out():
    """Targets lie outside too often, in the outer ranks, and further away than the members."""
    predictions, targets, _ = simulated(overconfidence=2)
    scores = score(predictions, targets, noise_sd=0.1)
    assert (np.array(scores.coverage) < np.array(PERCENTS) / 100 - 0.1).all()
    assert min(scores.ranks[0], scores.ranks[-1]) > 0.15
    # Half the spread; the mean's own error, a (2M)th of the targets' variance, is small beside it.
    assert scores.spread_skill == pytest.approx(0.5, abs=0.03)


def test_the_true_noise_has_the_least_nll():
    """Where all members are right about the mean."""
    targets = np.random.default_rng(0).normal(0, 0.5, 2000)
    these = deviations(np.zeros((5, 2000)), targets)
    assert min((nll(these, noise), noise) for noise in (0.3, 0.4, 0.5, 0.6, 0.8))[1] == 0.5


# Spread


@given(ensembles())
def test_spread_skill_is_that_of_a_loop(case):
    """With each point's own number of members."""
    variances, squares = [], []
    for members, target in by_point(*case):
        count = len(members)
        middle = sum(members) / count
        variances.append((count + 1) / count * sum((members - middle) ** 2) / (count - 1))
        squares.append((middle - target) ** 2)
    ratio = spread_skill(deviations(*case))
    if mean(squares) > 1e-20:
        assert ratio == pytest.approx(math.sqrt(mean(variances) / mean(squares)), rel=1e-9)
    elif squares:
        assert ratio > 1e6 or not any(variances)


# All scores


@given(ensembles(), st.randoms(use_true_random=False), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_neither_order_nor_members_that_do_not_count_matter(case, random, broken):
    """To the bit."""
    predictions, targets, counts = case
    expected = score(predictions, targets, counts=counts, noise_sd=0.5)
    order = random.sample(range(len(predictions)), len(predictions))
    shuffled = score(predictions[order], targets, counts=counts[order], noise_sd=0.5)
    more = np.append(predictions, np.full((9, len(targets)), broken), axis=0)
    told = np.append(counts, np.ones((9, len(targets)), bool), axis=0)
    extended = score(more, targets, counts=told, noise_sd=0.5)
    assert repr(asdict(shuffled)) == repr(asdict(extended)) == repr(asdict(expected))


@given(ensembles(), st.data())
def test_counting_some_members_everywhere_is_passing_only_those(case, data):
    """`counts` is nothing but a choice."""
    predictions, targets, _ = case
    chosen = data.draw(arrays.arrays(np.bool_, len(predictions)))
    counts = np.broadcast_to(chosen[:, None], predictions.shape)
    assert repr(score(predictions, targets, counts=counts, noise_sd=0.5)) == repr(
        score(predictions[chosen], targets, noise_sd=0.5)
    )


@given(ensembles(), quarters, st.sampled_from([-2.0, -1.0, 0.25, 4.0]))
def test_units_and_origin_change_only_what_has_a_unit(case, shift, scale):
    """CRPS scales, density is per unit, ratios and shares stay, ranks turn with the sign."""
    predictions, targets, counts = case
    before = score(predictions, targets, counts=counts, noise_sd=0.5)
    factor = abs(scale)
    after = score(
        scale * predictions + shift, scale * targets + shift, counts=counts, noise_sd=0.5 * factor
    )
    expected = replace(
        before,
        nll=before.nll + math.log(factor),
        crps=before.crps * factor,
        ranks=before.ranks if scale > 0 else before.ranks[::-1],
    )
    assert_equal_scores(after, expected, rel=1e-9, abs=1e-12)


def test_float32_is_scored_like_the_same_numbers_as_float64():
    """The log has the one, the formulas need the other."""
    predictions, targets, _ = (case.astype(np.float32) for case in simulated(points=100))
    wide = score(predictions.astype(np.float64), targets.astype(np.float64), noise_sd=0.5)
    assert score(predictions, targets, noise_sd=0.5) == wide
    np.testing.assert_array_equal(spread(predictions), spread(predictions.astype(np.float64)))


@given(ensembles(elements=anything, targets=anything), ensembles(elements=single, targets=single))
def test_no_numbers_whatever_make_a_warning(widest, narrower):
    """Warnings are errors here; and where the log has float32, no score of theirs overflows."""
    score(*widest[:2], counts=widest[2], noise_sd=1e-3)
    scores = score(*narrower[:2], counts=narrower[2], noise_sd=1.0)
    plain = (scores.nll, scores.crps, *scores.coverage, *scores.ranks)
    assert np.isfinite(plain).all() == (scores.points > 0)


@pytest.mark.parametrize(
    ("predictions", "targets"),
    [
        (np.empty((0, 3)), np.zeros(3)),
        (np.empty((4, 0)), np.empty(0)),
        (np.full((4, 3), np.nan), np.zeros(3)),
        (np.zeros((1, 3)), np.zeros(3)),
        (np.zeros((4, 3)), np.full(3, np.nan)),
    ],
)
def test_scores_of_nothing_are_nan(predictions, targets):
    """No members, no points, nothing finite, one member only, nothing observed."""
    assert repr(score(predictions, targets, noise_sd=1)) == repr(NAN)


def test_names_can_be_tags():
    """Each a number, in a fixed order."""
    predictions, targets, counts = simulated(points=50)
    scores = score(predictions, targets, counts=counts, noise_sd=0.5)
    tags = ["nll", "crps", "coverage/50", "coverage/68", "coverage/95", "spread_skill"]
    tags += [f"rank/{place}" for place in range(10)]
    named = scores.to_dict()
    assert list(named) == [*tags, "points"]
    assert list(named.values()) == [
        scores.nll,
        scores.crps,
        *scores.coverage,
        scores.spread_skill,
        *scores.ranks,
        scores.points,
    ]
    assert {type(value) for value in named.values()} == {float}
