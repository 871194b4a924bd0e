"""A trouble is named where a run has it, with what was measured, and nowhere else."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from epochord.renderers.findings import Trouble, diagnose
from epochord.runlog import Layer, Parameter, Run, RunMetadata, Series

STEPS = 300
AT = 150


def falling(rng: np.random.Generator, noise: float = 0.05) -> np.ndarray:
    """Return a loss that falls quickly at first, and then ever more slowly."""
    course = 0.2 + 2.1 * np.exp(-np.arange(STEPS) / 40)
    return course * np.exp(noise * rng.standard_normal(STEPS))


@pytest.fixture
def run_of(healthy) -> Callable[..., Run]:
    """Make a run of layers, a loss and what else is given, in the place of healthy ones."""

    def make(seed: int = 0, norms=None, **series) -> Run:
        norms = healthy(seed) if norms is None else np.asarray(norms)
        series.setdefault("loss", falling(np.random.default_rng(seed)))
        names = [f"l{place}.weight" for place in range(len(norms))]
        columns = dict(zip([f"grad_norm/{name}" for name in names], norms, strict=True)) | series
        layers = [Layer(name[:-7], "", (Parameter(name, (1,)),)) for name in names]
        made = {
            tag: Series(tag, np.arange(len(values)), np.asarray(values, np.float32))
            for tag, values in columns.items()
        }
        return Run("mine", RunMetadata("mine", layers=layers), made)

    return make


def named(run: Run) -> list[Trouble]:
    return [each.trouble for each in diagnose(run)]


@pytest.mark.parametrize("voices", [4, 8, 12])
def test_of_healthy_runs_no_trouble_is_named(run_of, healthy, voices):
    """Not one of twenty."""
    assert [named(run_of(seed, healthy(seed, voices))) for seed in range(20)] == [[]] * 20


def test_nan_out_of_ordinary_values_is_an_undefined_operation(run_of, healthy):
    """After an explosion it is not: then the explosion is named."""
    norms, loss = healthy(1), falling(np.random.default_rng(1))
    norms[:, AT:], loss[AT:] = np.nan, np.nan
    (found,) = diagnose(run_of(1, norms, loss=loss))
    assert found.trouble is Trouble.UNDEFINED
    assert f"NaN from step {AT} to the end" in found.because
    norms[:, AT - 8 : AT] *= np.geomspace(10, 1e9, 8)
    loss[AT - 3 : AT] *= np.geomspace(10, 1e9, 3)
    assert named(run_of(1, norms, loss=loss)) == [Trouble.EXPLODING]


def test_gradients_that_burst_under_a_calm_loss_explode(run_of, healthy):
    """Together with the loss they do not: that is a batch, or a rate."""
    norms = healthy(2)
    norms[:, AT] *= 60
    (found,) = diagnose(run_of(2, norms))
    assert found.trouble is Trouble.EXPLODING
    assert f"at step {AT}" in found.because
    loss = falling(np.random.default_rng(2))
    loss[AT] *= 30
    (found,) = diagnose(run_of(2, norms, loss=loss))
    assert found.trouble is Trouble.BROKEN_BATCH
    assert f"at step {AT} the loss is ×" in found.because
    loss[AT - 6 : AT] *= 10  # it built up
    assert named(run_of(2, norms, loss=loss)) == []


def test_infinite_gradients_that_recur_under_a_finite_loss_are_an_overflow(run_of, healthy):
    """One alone may be the first probe of a loss scale."""
    norms = healthy(3)
    norms[2, 40] = np.inf
    assert named(run_of(3, norms)) == []
    norms[2, [80, 81, 200]] = np.inf
    (found,) = diagnose(run_of(3, norms))
    assert found.trouble is Trouble.OVERFLOW
    assert "3 times between steps 40 and 200" in found.because


def test_a_layer_without_gradient_is_frozen_where_gradients_pass_it(run_of, healthy):
    """Where none is alive before it, it is dead from the start; later, it has died."""
    norms = healthy(4)
    norms[2] = 0
    (found,) = diagnose(run_of(4, norms))
    assert found.trouble is Trouble.FROZEN
    assert "l2" in found.because
    norms = healthy(4)
    norms[:3] = 0
    assert named(run_of(4, norms)) == [Trouble.DEAD_FROM_START]
    norms = healthy(4)
    norms[:2, AT:] = 0
    (found,) = diagnose(run_of(4, norms))
    assert found.trouble is Trouble.DYING
    assert f"from step {AT} to the end" in found.because


def test_a_registered_layer_that_was_never_measured_is_frozen(run_of):
    """Unless most are: then somebody tunes a little of a large model."""
    run = run_of(5)
    assert named(run) == []
    del run.series["grad_norm/l1.weight"]
    (found,) = diagnose(run)
    assert (found.trouble, found.because[:2]) == (Trouble.FROZEN, "l1")
    del run.series["grad_norm/l2.weight"], run.series["grad_norm/l3.weight"]
    assert named(run) == []


def test_a_norm_that_is_held_at_a_limit_is_clipped(run_of, healthy):
    """As `clip_grad_norm_` does it."""
    norms = healthy(6)
    total = np.sqrt(np.square(norms).sum(axis=0))
    limit = float(np.quantile(total, 0.4))
    (found,) = diagnose(run_of(6, norms * np.minimum(1, limit / total)))
    assert found.trouble is Trouble.CLIPPED
    assert f"is at {limit:.4g} in 6" in found.because  # in six of ten steps


def test_gradients_that_shrink_from_layer_to_layer_vanish(run_of, healthy):
    """The layers' order is that of their registration."""
    norms = healthy(7, 8)
    norms *= (np.geomspace(1e-4, 1, 8) / np.median(norms, axis=1))[:, None]
    (found,) = diagnose(run_of(7, norms))
    assert found.trouble is Trouble.VANISHING
    assert "l0 has 1/" in found.because
    assert named(run_of(7, norms[::-1])) == []


@pytest.mark.parametrize("period", [8, 14, 25])
def test_an_oscillation_is_named_with_its_period(run_of, healthy, period):
    """To within a step or two."""
    norms = healthy(8)
    norms[1] *= np.exp(0.8 * np.sin(2 * np.pi * np.arange(STEPS) / period))
    (found,) = diagnose(run_of(8, norms))
    assert found.trouble is Trouble.OSCILLATION
    assert any(f"about {near} steps" in found.because for near in range(period - 1, period + 2))


def test_a_loss_that_rises_for_good_is_of_a_rate_that_is_too_high(run_of):
    """One that jumps at first, and then falls at that rate, lacks a warm-up."""
    loss = falling(np.random.default_rng(9))
    jump = loss.copy()
    jump[2:6] *= 4
    assert named(run_of(9, loss=jump)) == [Trouble.NO_WARM_UP]
    rate = np.where(np.arange(STEPS) < 20, 0.1, 0.01)
    assert named(run_of(9, loss=jump, lr=rate)) == []  # it was lowered
    loss[12:] *= 40 / loss[12:] * np.exp(0.1 * np.sin(np.arange(STEPS - 12)))
    assert named(run_of(9, loss=loss)) == [Trouble.RATE_TOO_HIGH]


def test_a_loss_on_held_out_data_that_rises_again_is_overfitting(run_of):
    """Where it stays far below that of the training, labels are wrong."""
    loss = falling(np.random.default_rng(10))
    held = np.concatenate([np.linspace(2.3, 0.6, 100), np.linspace(0.6, 1.1, 200)])
    (found,) = diagnose(run_of(10, loss=loss, val_loss=held))
    assert found.trouble is Trouble.OVERFITTING
    assert "from 0.6 at step" in found.because
    assert named(run_of(10, loss=loss, val_loss=loss + 0.05)) == []
    high = 1.5 + 0.3 * loss
    assert named(run_of(10, loss=high, **{"eval/loss": high / 2})) == [Trouble.WRONG_LABELS]


def test_a_loss_that_stays_and_then_falls_was_on_a_plateau(run_of, healthy):
    """Gradients grow as it leaves; where they hardly do, the rate is low."""
    rng = np.random.default_rng(11)
    fall = np.concatenate([np.full(AT, 2.3), np.linspace(2.3, 1.2, STEPS - AT)])
    loss = fall * np.exp(0.002 * rng.standard_normal(STEPS))
    grown = healthy(11) * np.concatenate([np.full(AT, 1.0), np.geomspace(1, 50, STEPS - AT)])
    assert named(run_of(11, grown, loss=loss)) == [Trouble.PLATEAU]
    slow = 2.3 - 0.6 * np.linspace(0, 1, STEPS) ** 2.5
    slow -= 0.02 * np.linspace(0, 1, STEPS)
    assert named(run_of(11, loss=slow)) == [Trouble.RATE_TOO_LOW]


def test_a_loss_that_leaps_while_it_is_high_is_of_small_batches(run_of):
    """A loss near its end leaps as well, on a ratio scale, and is none."""
    rng = np.random.default_rng(12)
    high = np.linspace(2.3, 1.2, STEPS) * rng.exponential(1, STEPS).clip(0.05)
    assert named(run_of(12, loss=high)) == [Trouble.NOISY]
    low = np.where(np.arange(STEPS) < 30, 2.3, 0.1 * rng.exponential(1, STEPS).clip(0.05))
    assert Trouble.NOISY not in named(run_of(12, loss=low))


def test_a_diagnosis_is_plain_json_and_a_sentence(run_of, healthy):
    """What it looks like, and why."""
    norms = healthy(1)
    norms[:, AT:] = 0
    (found,) = diagnose(run_of(1, norms))
    plain = found.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["trouble"] == "dying"
    assert found.sentence == f"looks like dying units: {found.because}"


@given(
    arrays.arrays(
        np.float64, st.tuples(st.integers(2, 4), st.integers(1, 90)),
        elements=st.sampled_from([0.0, 1e-30, 0.5, 1.0, 3.0, 1e30, np.nan, np.inf, -1.0]),
    )
)  # fmt: skip
def test_any_run_has_troubles_or_none(rows):
    """However short, and however broken."""
    tags = ("loss", "val_loss", "grad_norm/a.weight", "grad_norm/b.weight")
    series = {
        tag: Series(tag, np.arange(len(values)), values.astype(np.float32))
        for tag, values in zip(tags, rows, strict=False)
    }
    assert all(each.sentence for each in diagnose(Run("any", RunMetadata("any"), series)))


def test_of_real_healthy_runs_no_trouble_is_named(real_data):
    """Logs of other people's trainings."""
    from epochord.runlog import find_runs

    for source in find_runs(real_data / "tensorboard" / "tf1-mnist-perlayer"):
        assert diagnose(source.open()) == ()
