"""Scores of classifiers equal scikit-learn's, and the parts of uncertainty add up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score

from epochord.renderers.ensemble.classes.scores import (
    BINS,
    auroc,
    mean_probabilities,
    reliability,
    score_classes,
    uncertainty,
)

CLOSE = {"rel": 1e-10, "abs": 1e-10}


@st.composite
def cases(draw):
    """Draw members' probabilities, some of them 0 or 1, and classes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    members, points, classes = (draw(st.integers(*ends)) for ends in ((1, 5), (2, 40), (2, 6)))
    raw = rng.gamma(draw(st.sampled_from([0.1, 1.0, 5.0])), size=(members, points, classes))
    raw[..., 0] += 1e-9
    if draw(st.booleans()):
        raw[:, :: draw(st.integers(1, 3)), 1:] = 0  # all sure of class 0
    return raw / raw.sum(axis=-1, keepdims=True), rng.integers(0, classes, points).astype(float)


@given(case=cases())
def test_scores_are_those_of_scikit_learn(case):
    """NLL, Brier, accuracy and calibration, of the members' mean."""
    probabilities, targets = case
    found = score_classes(probabilities, targets)
    mean, classes = probabilities.mean(axis=0), range(probabilities.shape[2])
    assert found.nll == pytest.approx(log_loss(targets, mean, labels=classes), **CLOSE)
    wide = {"labels": list(classes), "scale_by_half": False}
    if len(classes) > 2:
        assert found.brier == pytest.approx(brier_score_loss(targets, mean, **wide), **CLOSE)
    else:
        binary = brier_score_loss(targets, mean[:, 1], pos_label=1)
        assert found.brier == pytest.approx(2 * binary, **CLOSE)
    assert found.accuracy == accuracy_score(targets, mean.argmax(axis=1))
    right, confidence = mean.argmax(axis=1) == targets, mean.max(axis=1).clip(0, 1)
    accuracy, sure = calibration_curve(right, confidence, n_bins=BINS)
    table = reliability(mean, targets)
    filled = table.counts > 0
    assert table.accuracy[filled] == pytest.approx(accuracy, **CLOSE)
    assert table.confidence[filled] == pytest.approx(sure, abs=1e-10)
    assert table.counts.sum() == len(targets)
    gaps = table.counts[filled] * np.abs(accuracy - sure)
    assert found.ece == pytest.approx(gaps.sum() / len(targets), **CLOSE)


@given(case=cases())
def test_entropy_is_its_two_parts_and_both_are_bounded(case):
    """Jensen: what members disagree on is not negative, and zero if there is one member."""
    probabilities, _ = case
    found = uncertainty(probabilities)
    assert found.total == pytest.approx(entropy(probabilities.mean(axis=0), axis=1), **CLOSE)
    own = np.mean([entropy(member, axis=1) for member in probabilities], axis=0)
    assert found.aleatoric == pytest.approx(own, **CLOSE)
    assert found.mutual_information == pytest.approx(found.total - own, abs=1e-10)
    members, _, classes = probabilities.shape
    assert (found.total <= np.log(classes) + 1e-9).all()
    assert (found.mutual_information <= np.log(min(members, classes)) + 1e-9).all()


@given(
    inside=st.lists(st.integers(0, 5), min_size=1, max_size=30),
    outside=st.lists(st.integers(0, 5), min_size=1, max_size=30),
)
def test_the_area_under_the_curve_is_that_of_scikit_learn(inside, outside):
    """Ties among them."""
    labels = [0] * len(inside) + [1] * len(outside)
    found = auroc(np.array(inside, float), np.array([*outside, np.nan], float))
    assert found == pytest.approx(roc_auc_score(labels, inside + outside), **CLOSE)
    assert np.isnan(auroc(np.array([np.nan]), np.array([1.0])))


def test_who_is_absent_does_not_count():
    """A row of NaN changes nothing; who has seen a point does not count there."""
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(3), (4, 6))
    targets = np.array([0, 1, 2, 0, 1, 2.0])
    absent = np.concatenate([probabilities, np.full((2, 6, 3), np.nan)])
    assert score_classes(absent, targets) == score_classes(probabilities, targets)
    counts = np.ones((4, 6), bool)
    counts[1:, 0] = False
    counts[:, 5] = False
    mean = mean_probabilities(probabilities, counts)
    assert np.array_equal(mean[0], probabilities[0, 0])
    assert np.isnan(mean[5]).all()
    kept = score_classes(probabilities, targets, counts)
    alone = probabilities[:, :5].copy()
    alone[1:, 0] = probabilities[0, 0]
    assert kept.brier == pytest.approx(score_classes(alone, targets[:5]).brier)
    nothing = score_classes(np.full((1, 2, 3), np.nan), np.zeros(2))
    assert np.isnan([nothing.nll, nothing.accuracy, nothing.ece, nothing.entropy]).all()
