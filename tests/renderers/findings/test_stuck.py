"""A gradient that keeps one value to the last digit is stuck; departures say when they doubled."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.findings import What, find
from epochord.renderers.findings.stuck import stuck


def found(line, quantities=None):
    return list(stuck(line, quantities or line.quantities))


def oracle(values, long):
    """Walk over one voice: (begin, end) of each row of equal values that is long enough."""
    rows, begin = [], 0
    for at in range(1, len(values) + 1):
        if at == len(values) or values[at] != values[begin]:
            repeats, lasting = at - begin - 1, at == len(values)
            moved = begin > 0 and values[begin] != max(values[:begin])
            enough = 10 if lasting else max(10, long)
            if values[begin] != 0 and repeats >= enough and moved:
                rows.append((begin, None if lasting else at - 1))
            begin = at
    return rows


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0, 2.0, 3.5]), st.integers(1, 25)),
        min_size=1,
        max_size=12,
    )
)
def test_what_stays_is_found_and_nothing_else(line, parts):
    """Ten repetitions at the end, or for a tenth of the run, but of a ceiling that comes back."""
    values = np.concatenate([np.full(length, value) for value, length in parts])
    stays = found(line(values, every=3))
    expected = oracle(values.tolist(), 0.1 * len(values))
    assert [(each.step, each.last) for each in stays] == [
        (3 * begin, None if end is None else 3 * end) for begin, end in expected
    ]
    assert all(each.what is What.STUCK and each.voices == ("layer0",) for each in stays)


@pytest.mark.parametrize("quantity", ["loss", "rate", "ratio", "total", ""])
def test_only_gradients_are_stuck(line, quantity):
    """A rate is as it is told, and a loss may be rounded."""
    values = np.r_[1.0, 5.0, np.full(50, 3.0)]
    assert found(line(values, quantity)) == []
    assert len(found(line(values))) == 1


def test_values_that_are_held_between_points_are_not_stuck(line):
    """Only what was logged anew counts: of one value in ten steps there are few."""
    values = np.repeat(np.arange(30.0, 0.0, -1), 10)
    made = line(values)
    fresh = np.zeros((1, 300), bool)
    fresh[0, ::10] = True
    assert found(replace(made, logged=fresh)) == []
    held = replace(line(np.repeat([4.0, 3, 2, 1], [10, 10, 10, 270])), logged=fresh)
    (one,) = found(held)
    assert (one.step, one.last) == (30, None)


def test_what_never_moved_is_not_stuck(line):
    """A constant from the first step on, or behind values that are no numbers, says nothing."""
    assert found(line(np.full(100, 2.0))) == []
    assert found(line(np.r_[np.full(5, np.nan), np.full(100, 2.0)])) == []


def test_it_is_told_in_a_sentence(line, healthy):
    """With its step, among all findings, as plain JSON."""
    norms = healthy(2)
    norms[1, 200:] = norms[1, 200]
    (one,) = [each for each in find(line(norms)) if each.what is What.STUCK]
    assert one.sentence == "layer1: stuck at one value from step 200 to the end"
    assert json.loads(json.dumps(one.to_dict())) == one.to_dict()
    norms[1, 240:] = healthy(2)[1, 240:]
    (one,) = [each for each in find(line(norms)) if each.what is What.STUCK]
    assert one.sentence == "layer1: stuck at one value in steps 200…239"


@pytest.mark.parametrize("voices", [4, 8, 12])
def test_no_healthy_run_is_stuck(healthy, line, voices):
    """Also not in the 32 bits of a log."""
    for seed in range(30):
        norms = healthy(seed, voices).astype(np.float32)
        assert found(line(norms)) == []


@pytest.mark.parametrize(
    ("what", "sign", "factor", "doublings"),
    [(What.RISE, 1, 40, 3), (What.FALL, -1, 40, 3), (What.RISE, 1, 6, 2), (What.FALL, -1, 6, 2)],
)
def test_a_departure_says_when_it_doubled(line, what, sign, factor, doublings):
    """Near the steps at which the layer passed twice, four times and eight times, in order."""
    rng = np.random.default_rng(0)
    norms = np.exp(rng.normal(0, 0.05, (6, 400)))
    course = factor ** (sign * np.clip((np.arange(400) - 100) / 200, 0, 1))
    norms[3] *= course
    (one,) = [each for each in find(line(norms, every=10)) if each.what is what]
    exact = [100 + 200 * np.log(times) / np.log(factor) for times in (2, 4, 8)[:doublings]]
    np.testing.assert_allclose(np.array(one.passes) / 10, exact, atol=25)
    assert list(one.passes) == sorted(one.passes)
    assert one.passes[0] == one.step


def test_a_sudden_departure_doubles_at_once(line):
    """All at the step where it leaves; and what does not depart passes nothing."""
    norms = np.exp(np.random.default_rng(0).normal(0, 0.05, (6, 400)))
    norms[3, 200:] *= 30
    norms[1, 300] *= 30
    rise, spike = find(line(norms))
    assert rise.what is What.RISE
    np.testing.assert_allclose(rise.passes, [200] * 3, atol=4)
    assert (spike.what, spike.passes) == (What.SPIKE, ())


def test_a_departure_beside_a_frozen_layer_is_found(line):
    """One that never had a gradient does not hide it."""
    norms = np.exp(np.random.default_rng(0).normal(0, 0.05, (6, 400)))
    norms[3, 200:] *= 30
    norms[0] = 0
    dead, rise = find(line(norms))
    assert (dead.what, dead.voices) == (What.DEAD, ("layer0",))
    assert (rise.what, rise.voices) == (What.RISE, ("layer3",))
