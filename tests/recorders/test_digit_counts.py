"""Leading digits of gradients and weights are counted right, and training does not notice."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from epochord.recorders import GradientRecorder
from epochord.recorders.digit_counts import FEW, count_first_digits
from epochord.runlog import open_run
from epochord.runlog.digits.bits import fold_patterns
from epochord.runlog.digits.tables import open_layer_digits
from epochord.runlog.errors import LogError

EDGES = [0.0, -0.0, math.inf, -math.inf, math.nan, 0.3, -0.3, 1.0, 9.9999, 1e-45, 3e-42, 7e37]


def written(values) -> list[int]:
    """Count zeros, digits and what is not finite as their shortest decimals are written."""
    counts = [0] * 11
    for value in values.ravel():
        text = np.format_float_scientific(value, unique=True).lstrip("-")
        counts[int(text[0]) if text[0].isdigit() else 10] += 1
    return counts


def sample(numbers: int = 5000) -> np.ndarray:
    random = np.random.default_rng(1)
    spread = random.normal(size=numbers) * 10.0 ** random.uniform(-6, 4, numbers)
    starts = [d * 10.0**k for d in range(1, 10) for k in range(-6, 4)]
    return np.concatenate([EDGES, starts, spread]).astype(np.float32)


def exact(values: np.ndarray) -> list[float]:
    return count_first_digits(torch.from_numpy(values)).tolist()


def train(path=None, optimizer_of=None, steps: int = 12, **settings):
    """Train a little; return the parameters, the random state and the recorded gradients."""
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(4, 40), nn.Dropout(0.2), nn.Linear(40, 3))
    optimizer = (optimizer_of or (lambda p: torch.optim.SGD(p, 0.1)))(model.parameters())
    recorder = GradientRecorder(model, optimizer, path, **settings) if path else None
    seen = {}
    for step in range(steps):
        optimizer.zero_grad()
        (model(torch.randn(8, 4)) ** 2).mean().backward()
        gradients = [p.grad.clone() for p in model[2].parameters()]
        optimizer.step()
        seen[step] = gradients, [p.detach().clone() for p in model[2].parameters()]
    if recorder:
        recorder.close()
    return [p.detach().clone() for p in model.parameters()], torch.get_rng_state(), seen


def test_few_numbers_are_counted_as_they_are_written():
    """Thresholds, zeros, subnormal and non-finite numbers count as their shortest decimal."""
    values = sample()
    assert exact(values) == written(values)
    assert exact(values.reshape(2, -1).T) == written(values)  # not contiguous
    assert exact(np.empty(0, np.float32)) == [0] * 11


@pytest.mark.parametrize("copies", [1, 10])
def test_half_precision_is_exact_however_many_there_are(copies):
    """All float16 patterns count by float16's own decimals, looked up or folded."""
    values = np.tile(np.arange(1 << 16, dtype=np.uint16).view(np.float16)[:: 10 // copies], copies)
    assert (len(values) > FEW) == (copies == 10)
    one = np.array(written(values[: len(values) // copies])) * copies
    assert exact(values) == one.tolist()


@pytest.mark.parametrize("copies", [1, 10])
def test_bfloat16_is_exact_however_many_there_are(copies):
    """All bfloat16 patterns count as `fold_patterns` counts them, which is exact there."""
    patterns = torch.arange(0, 1 << 16, 10 // copies, dtype=torch.int32).to(torch.int16)
    histogram = np.bincount(patterns.numpy().view(np.uint16), minlength=1 << 16)
    whole = fold_patterns(histogram, "bfloat16")
    found = count_first_digits(patterns.view(torch.bfloat16)).tolist()
    assert found == [whole.zero, *whole.counts.tolist(), whole.non_finite]


@pytest.mark.parametrize("seed", range(3))
def test_the_fold_of_a_million_normal_values_is_close(seed):
    """Shares are off by 5e-5 at most; zeros, non-finite numbers and the total are exact."""
    values = np.random.default_rng(seed).normal(0, 1e-3, 1_000_000).astype(np.float32)
    values[:4] = 0, -0.0, np.nan, np.inf
    found = exact(values)
    parts = [exact(part) for part in np.array_split(values, 200)]  # one by one
    assert max(len(part) for part in np.array_split(values, 200)) <= FEW
    expected = np.sum(parts, axis=0)
    assert (found[0], found[10]) == (2, 2)
    assert sum(found) == pytest.approx(1_000_000)
    assert np.abs(found - expected).max() / (1_000_000 - 4) <= 5e-5


def test_the_fold_is_that_of_the_table():
    """Folding on the device gives what `fold_patterns` gives for the same histogram."""
    values = np.random.default_rng(0).standard_t(2, 100_000).astype(np.float32)
    values[:300] = np.float32(1e-42)  # beside the zeros
    values[300:310] = 0
    bins = np.bincount(values.view(np.uint32) >> 13, minlength=1 << 19)
    whole = fold_patterns(bins, zeros=10)
    np.testing.assert_allclose(exact(values), [10, *whole.counts, 0], rtol=1e-9)


def test_wider_numbers_count_as_float32():
    """float64 is rounded first; beyond float32 it is not finite."""
    values = np.array([0.1, 2e300, 1e-300, -0.7])
    assert exact(values) == [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1]


@pytest.mark.parametrize("format", ["parquet", "tensorboard", "both"])
def test_the_table_is_read_back_from_every_format(format, tmp_path):
    """Counts and sigma of each layer equal what the loop itself saw, at each third step."""
    *_, seen = train(tmp_path / "mine", format=format, first_digits=3)
    found = open_layer_digits(open_run(tmp_path / "mine"))
    assert {kind: list(layers) for kind, layers in found.items()} == {
        "gradient": ["0", "2"],
        "weight": ["0", "2"],
    }
    for place, kind in enumerate(("gradient", "weight")):
        series = found[kind]["2"]
        assert series.steps.tolist() == [0, 3, 6, 9]
        for step, row in zip(series.steps.tolist(), series.values, strict=True):
            values = torch.cat([v.flatten() for v in seen[step][place]]).numpy()
            zero, *digits, other = written(values)
            assert row[:-1].tolist() == [*digits, zero, other, sum(digits)]
            assert row[-1] == pytest.approx(values.astype(float).std(), rel=1e-5)


def test_both_formats_hold_the_same(tmp_path):
    """Parquet and event files are read as equal arrays, bit for bit."""
    found = []
    for format in ("parquet", "tensorboard"):
        train(tmp_path / format, format=format, first_digits=2)
        found.append(open_layer_digits(open_run(tmp_path / format)))
    for kind, layers in found[0].items():
        for layer, series in layers.items():
            assert np.array_equal(series.steps, found[1][kind][layer].steps)
            assert np.array_equal(series.values, found[1][kind][layer].values)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "NAdam"])
def test_training_is_left_as_it_is(kind, tmp_path):
    """Parameters and random numbers are equal, bit for bit, with and without."""

    def optimizer_of(parameters):
        return getattr(torch.optim, kind)(parameters, 0.01)

    bare = train(optimizer_of=optimizer_of)
    recorded = train(tmp_path / "mine", optimizer_of, first_digits=1)
    assert all(map(torch.equal, bare[0], recorded[0]))
    assert torch.equal(bare[1], recorded[1])


@pytest.mark.parametrize(("every", "first_digits", "steps"), [(2, 3, [0, 6]), (5, 1, [0, 5, 10])])
def test_only_recorded_steps_have_digits(every, first_digits, steps, tmp_path):
    """Digits are counted at multiples of `first_digits` that `every` measures."""
    train(tmp_path / "mine", every=every, first_digits=first_digits)
    found = open_layer_digits(open_run(tmp_path / "mine"))
    assert found["gradient"]["0"].steps.tolist() == steps


@pytest.mark.parametrize("wrong", [0, -2])
def test_a_senseless_interval_is_refused(wrong, tmp_path):
    """One line says what is expected, and nothing is created."""
    with pytest.raises(ValueError, match=rf"^first_digits is {wrong}; expected [^\n]*$"):
        train(tmp_path / "mine", first_digits=wrong)
    assert not (tmp_path / "mine").exists()


def test_a_run_without_digits_says_so(tmp_path):
    """Without `first_digits` there is no table, and asking for it is one clear line."""
    train(tmp_path / "mine")
    assert not list(tmp_path.glob("mine/layer_digits*"))
    with pytest.raises(LogError, match="has no table layer_digits"):
        open_layer_digits(open_run(tmp_path / "mine"))


@pytest.mark.parametrize("format", ["parquet", "tensorboard"])
def test_missing_and_sparse_gradients_are_null(format, tmp_path):
    """A frozen layer and a sparse one have weights in the table but no gradients."""
    model = nn.ModuleDict(
        {"in": nn.Embedding(9, 4, sparse=True), "out": nn.Linear(4, 2), "idle": nn.Linear(2, 2)}
    )
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(
        model, optimizer, tmp_path / "mine", format=format, first_digits=1
    ) as recorder:
        for _ in range(3):
            model["out"](model["in"](torch.tensor([1, 2]))).sum().backward()
            optimizer.step()
            recorder.flush()
    found = open_layer_digits(open_run(tmp_path / "mine"))
    assert list(found["gradient"]) == ["out"]
    assert list(found["weight"]) == ["in", "out", "idle"]
    assert found["gradient"]["out"].steps.tolist() == [0, 1, 2]


def test_gradients_captured_before_clipping_count(tmp_path):
    """What `capture` sees is counted, not what clipping leaves."""
    model = nn.ParameterDict({"p": nn.Parameter(torch.zeros(5))})
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    with GradientRecorder(model, optimizer, tmp_path / "mine", first_digits=1) as recorder:
        model["p"].grad = torch.full((5,), 7.5)
        recorder.capture()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    found = open_layer_digits(open_run(tmp_path / "mine"))
    assert found["gradient"]["p"].values[0].tolist() == [0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 5, 0]
    assert found["weight"]["p"].values[0, 9] == 5


def test_two_optimizers_share_a_row(tmp_path):
    """A layer whose parameters two optimizers train has one row a step, with both."""
    model = nn.Linear(3, 2)
    optimizers = [torch.optim.SGD([model.weight], 0.1), torch.optim.SGD([model.bias], 0.1)]
    with GradientRecorder(model, optimizers, tmp_path / "mine", first_digits=1):
        for _ in range(3):
            model(torch.randn(4, 3)).square().sum().backward()
            for optimizer in optimizers:
                optimizer.step()
    weights = open_layer_digits(open_run(tmp_path / "mine"))["weight"]
    names = list(weights)
    assert sum(weights[name].values[:, 9:12].sum() for name in names) == 3 * 8


def test_non_finite_gradients_leave_sigma_open(tmp_path):
    """NaN and infinities are counted apart, and sigma is NaN."""
    model = nn.ParameterDict({"p": nn.Parameter(torch.ones(4))})
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    with GradientRecorder(model, optimizer, tmp_path / "mine", first_digits=1):
        model["p"].grad = torch.tensor([math.nan, math.inf, 0.0, -20.0])
        optimizer.step()
    row = open_layer_digits(open_run(tmp_path / "mine"))["gradient"]["p"].values[0]
    assert row[:12].tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1]
    assert math.isnan(row[12])


def test_a_resumed_run_goes_on_with_its_digits(tmp_path):
    """Steps after resuming follow those before."""
    train(tmp_path / "mine", first_digits=2, steps=4)
    train(tmp_path / "mine", first_digits=2, steps=4, resume=True)
    found = open_layer_digits(open_run(tmp_path / "mine"))
    assert found["weight"]["0"].steps.tolist() == [0, 2, 4, 6]
