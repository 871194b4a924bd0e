"""Scores are those of loops over points, know a calibrated ensemble, and can be tags."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from epochord.renderers.ensemble.predictive import mixtures
from epochord.renderers.ensemble.scores import (
    LEVELS,
    PERCENTS,
    Scores,
    out_of_bag,
    pit_histogram,
    score,
    spread_skill,
)
from epochord.renderers.ensemble.statistics import spread
from tests.renderers.ensemble.predictions import (
    anything,
    ensembles,
    quarters,
    simulated,
    single,
)

NAN = Scores(
    nll=math.nan,
    crps=math.nan,
    fair_crps=math.nan,
    coverage=(math.nan,) * 3,
    calibration=(math.nan,) * 19,
    spread_skill=math.nan,
    pit=(math.nan,) * 10,
    epistemic=math.nan,
    aleatoric=math.nan,
    sharpness=math.nan,
    points=0,
)


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


# Shares, ratios, sizes


@given(ensembles())
def test_coverage_and_histogram_are_those_of_a_loop(case):
    """Of each point's transform, counted one by one."""
    transforms = [
        np.mean(stats.norm.cdf((target - members) / 0.5)) for members, target in by_point(*case)
    ]
    predictions, targets, counts = case
    found = score(predictions, targets, counts=counts, noise_sd=0.5)
    assert found.points == len(transforms)
    if not transforms:
        return
    covered = zip((*PERCENTS, *LEVELS), (*found.coverage, *found.calibration), strict=True)
    for percent, share in covered:
        low, high = (100 - percent) / 200, (100 + percent) / 200
        inside = [low - 1e-12 <= each <= high + 1e-12 for each in transforms]
        assert share == pytest.approx(mean(inside)), percent
    for place, share in enumerate(found.pit):
        within = [min(int(10 * each + 1e-12), 9) == place for each in transforms]
        assert share == pytest.approx(mean(within)), place


def test_the_ends_of_the_histogram_belong_to_it():
    """A probability of 1 is in the last tenth, of 0 in the first; together they are 1."""
    assert pit_histogram(np.array([0.0, 0.1, 1.0, 0.95])).tolist() == [
        0.25, 0.25, 0, 0, 0, 0, 0, 0, 0, 0.5,
    ]  # fmt: skip


@given(ensembles())
def test_spread_skill_is_that_of_a_loop(case):
    """With each point's own number of members."""
    variances, squares = [], []
    for members, target in by_point(*case):
        count = len(members)
        middle = sum(members) / count
        unbiased = sum((members - middle) ** 2) / (count - 1)
        variances.append((count + 1) / count * unbiased + 0.25)
        squares.append((middle - target) ** 2)
    predictions, targets, counts = case
    ratio = spread_skill(mixtures(predictions, targets, counts=counts, noise_sd=0.5))
    if mean(squares) > 1e-20:
        assert ratio == pytest.approx(math.sqrt(mean(variances) / mean(squares)), rel=1e-9)
    elif squares:
        assert ratio > 1e6


@given(ensembles())
def test_parts_of_the_uncertainty_add_up(case):
    """At a point, squares of what members and noise make do."""
    predictions, targets, counts = case
    for point in range(len(targets)):
        one = np.s_[point : point + 1]
        found = score(predictions[:, one], targets[one], counts=counts[:, one], noise_sd=0.5)
        if found.points:
            assert found.aleatoric == 0.5
            assert found.sharpness == pytest.approx(math.hypot(found.epistemic, 0.5))


@pytest.mark.parametrize("members", [10, 14, 40])
@pytest.mark.parametrize("part", [False, True])
def test_a_calibrated_ensemble_is_found_calibrated(members, part):
    """Nearly flat, nearly nominal; spread like skill, whatever number of members counts."""
    predictions, targets, counts = simulated(members, 4000, seed=members)
    these = mixtures(predictions, targets, counts=counts if part else None, noise_sd=0.5)
    assert spread_skill(these) == pytest.approx(1, abs=0.05)
    if members == 40 and not part:
        found = score(predictions, targets, noise_sd=0.5)
        assert found.coverage == pytest.approx([0.5, 0.68, 0.95], abs=0.03)
        assert np.abs(np.array(found.pit) - 0.1).max() < 0.03


def test_an_overconfident_ensemble_is_found_out():
    """Targets lie outside too often, in the outer tenths, and further away than predicted."""
    predictions, targets, _ = simulated(overconfidence=2, noise=0.1)
    scores = score(predictions, targets, noise_sd=0.1)
    assert (np.array(scores.coverage) < np.array(PERCENTS) / 100 - 0.1).all()
    assert min(scores.pit[0], scores.pit[-1]) > 0.15
    assert scores.spread_skill == pytest.approx(0.5, abs=0.03)


def test_the_true_noise_has_the_least_nll():
    """Where all members are right about the mean."""
    targets = np.random.default_rng(0).normal(0, 0.5, 2000)
    likely = {
        sd: score(np.zeros((5, 2000)), targets, noise_sd=sd).nll for sd in (0.3, 0.4, 0.5, 0.6, 0.8)
    }
    assert min(likely, key=likely.get) == 0.5


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
    """What has the unit scales, density is per unit, ratios and shares stay, PIT turns."""
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
        fair_crps=before.fair_crps * factor,
        epistemic=before.epistemic * factor,
        aleatoric=before.aleatoric * factor,
        sharpness=before.sharpness * factor,
        pit=after.pit if scale < 0 else before.pit,
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
    plain = (scores.nll, scores.crps, *scores.coverage, *scores.pit)
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
    tags = ["nll", "crps", "crps/fair", "coverage/50", "coverage/68", "coverage/95"]
    tags += ["spread_skill", "sd/epistemic", "sd/aleatoric", "sharpness"]
    tags += [f"pit/{place}" for place in range(10)]
    named = scores.to_dict()
    assert list(named) == [*tags, "points"]
    assert named["crps/fair"] == scores.fair_crps
    assert [named[f"pit/{place}"] for place in range(10)] == list(scores.pit)
    assert {type(value) for value in named.values()} == {float}
