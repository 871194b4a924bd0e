"""What happened in a run is found, at its step and with its size, and nothing else is."""

import json

import numpy as np
import pytest

from epochord.renderers.findings import What, find
from epochord.renderers.timeline.timeline import timeline
from epochord.runlog import find_runs

VOICES = (4, 8, 12)
AT = 150


@pytest.mark.parametrize("voices", VOICES)
def test_of_healthy_runs_nothing_is_said(healthy, line, voices):
    """Less than one in twenty has a finding."""
    assert sum(bool(find(line(healthy(seed, voices)))) for seed in range(40)) < 2


@pytest.mark.parametrize("voices", VOICES)
@pytest.mark.parametrize("steps", [300, 30_000])
def test_a_spike_of_one_layer_is_found(healthy, line, voices, steps):
    """At its very step, with its factor, also among many steps a frame."""
    for seed in range(10):
        norms = healthy(seed, voices, steps)
        at = steps // 2 + seed
        norms[seed % voices, at] *= 30
        (found,) = find(line(norms, every=10))
        assert (found.what, found.voices) == (What.SPIKE, (f"layer{seed % voices}",))
        assert found.step == found.peak == found.last == 10 * at
        assert found.factor == pytest.approx(30, rel=0.9)


def test_a_spike_of_all_layers_is_one_finding(healthy, line):
    """It is no four of them."""
    norms = healthy(3)
    norms[:, AT] *= 30
    (found,) = find(line(norms))
    assert (found.what, found.all_voices, found.step) == (What.SPIKE, True, AT)
    assert found.sentence.startswith("all voices: spike ×")


@pytest.mark.parametrize("voices", VOICES)
@pytest.mark.parametrize("left", [0.0, 1e-9, 3e-5])
def test_a_layer_that_dies_is_found(healthy, line, voices, left):
    """Exactly zero, or next to it beside what it was; it is not also said to fall."""
    for seed in range(10):
        norms = healthy(seed, voices)
        norms[0, AT:] *= left
        found = find(line(norms))
        (dead,) = [each for each in found if each.what is What.DEAD]
        assert (dead.voices, dead.step, dead.last) == (("layer0",), AT, None)
        assert dead.factor <= 1e-4
        assert not [each for each in found if each.what is What.FALL and "layer0" in each.voices]


def test_a_layer_that_comes_back_was_dead_for_that_long(healthy, line):
    """One step of zero is nothing, a hundred are."""
    norms = healthy(1)
    norms[2, 20] = 0
    assert find(line(norms)) == []
    norms[2, AT : AT + 100] = 0
    (dead,) = find(line(norms))
    assert (dead.what, dead.step, dead.last) == (What.DEAD, AT, AT + 99)


def test_a_layer_that_never_has_a_gradient_is_dead_from_its_first_step(healthy, line):
    """As one is that was frozen by mistake."""
    norms = healthy(1)
    norms[1] = 0
    (dead,) = find(line(norms))
    assert (dead.what, dead.voices, dead.step, dead.last) == (What.DEAD, ("layer1",), 0, None)


@pytest.mark.parametrize("quantity", ["loss", "rate", ""])
def test_only_gradients_die(healthy, line, quantity):
    """A loss may be zero, and a rate next to it."""
    loss = healthy(1, 1)
    loss[0, 20] = 0
    loss[0, AT:] = 0
    assert find(line(loss, quantity)) == []


@pytest.mark.parametrize("voices", VOICES)
def test_a_layer_that_drifts_away_from_the_others_is_found(healthy, line, voices):
    """Up or down, with nobody else called a drifter in most runs."""
    others = 0
    for seed in range(10):
        for factor, what in ((20.0, What.RISE), (1 / 20, What.FALL)):
            norms = healthy(seed, voices)
            norms[1] *= factor ** np.clip((np.linspace(0, 1, 300) - 0.3) / 0.7, 0, 1)
            found = find(line(norms))
            own = [each for each in found if each.voices == ("layer1",)]
            assert [(each.what, each.last) for each in own] == [(what, None)]
            assert abs(np.log(own[0].factor / factor)) < np.log(4)
            assert own[0].step > 90
            others += len(found) > 1
    assert others <= 5


def test_an_explosion_is_found_from_where_it_leaves_its_level(healthy, line):
    """Then NaN; one of many layers begins it."""
    norms = healthy(2)
    norms[:, 270:] *= np.exp(np.linspace(0, np.log(1e6), 30))
    norms[:, 295:] = np.nan
    found = find(line(norms))
    explosions = [each for each in found if each.what is What.EXPLOSION]
    assert {name for each in explosions for name in each.voices} == {f"layer{n}" for n in range(4)}
    assert all(275 < each.step < 295 and each.last is None for each in explosions)
    assert all(1e3 < each.factor < 1e7 for each in explosions)
    (nan,) = [each for each in found if each.what is What.NAN]
    assert (nan.step, nan.last, nan.all_voices) == (295, None, True)
    assert nan.sentence == "all voices: NaN from step 295 to the end"


def test_values_that_are_no_numbers_are_found_where_they_are(line):
    """Those next to each other together; at the very end also a single one of them."""
    values = np.ones(100)
    values[[40, 41, 44]] = np.inf
    values[90] = -np.inf
    values[99] = np.nan
    found = find(line(values, "loss"))
    assert [(each.what, each.step, each.last) for each in found] == [
        (What.POSITIVE_INFINITY, 40, 44),
        (What.NEGATIVE_INFINITY, 90, 90),
        (What.NAN, 99, 99),
    ]
    assert found[0].sentence == "layer0: +inf in steps 40…44"


def test_a_loss_of_500_among_2000_near_a_half_is_a_spike(line):
    """Whatever else the run does."""
    rng = np.random.default_rng(0)
    loss = 0.5 * np.exp(0.1 * rng.standard_normal(2000))
    loss[1234] = 500
    (found,) = find(line(loss, "loss"))
    assert (found.what, found.step) == (What.SPIKE, 1234)
    assert found.sentence == "layer0: spike ×980 at step 1234"


@pytest.mark.parametrize(
    "values",
    [[], [1.0], [0.0], [np.nan], [1.0, 0.0], [-1.0, 5.0], [0.0] * 50, [1e300] * 40, [5e-324] * 9],
)
def test_any_run_has_findings_or_none(line, values):
    """However short, and however extreme."""
    if values:
        assert all(each.sentence for each in find(line(values)))


def test_of_real_runs_little_is_said(real_data):
    """Of real logs of healthy trainings: less than one in ten findings a run."""
    sources = find_runs(real_data / "tensorboard" / "tf1-mnist-perlayer")
    assert sources
    for source in sources:
        assert find(timeline(source.open())) == []


def test_a_finding_is_plain_json(healthy, line):
    """It comes back from a file as it was: results that hold it are up to date."""
    norms = healthy(1)
    norms[:, AT:] = np.nan
    for finding in find(line(norms)):
        assert json.loads(json.dumps(finding.to_dict())) == finding.to_dict()
