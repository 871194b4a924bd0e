"""Parameters and gradients of every kind: frozen, shared, missing, sparse, narrow, not finite."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from epochord.recorders import GradientRecorder
from epochord.runlog import open_run
from epochord.runlog.run.run import GRAD_NORM


def test_a_frozen_parameter_never_appears(tmp_path, net, loss_of, oracle):
    """No gradient means no series, though run.json knows the parameter."""
    model = net()
    model[0].weight.requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine"):
        for step in range(4):
            optimizer.zero_grad()
            loss_of(model, step).backward()
            oracle.see(model, step)
            optimizer.step()
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert GRAD_NORM + "0.weight" not in run.series
    assert "0.weight" in [p.name for layer in run.metadata.layers for p in layer.parameters]


@pytest.mark.parametrize("format", ["parquet", "tensorboard"])
def test_a_layer_unfrozen_midway_appears_from_then_on(format, tmp_path, net, loss_of, oracle):
    """With add_param_group, as fine-tuning does it; a flush in between does not matter."""
    model = net()
    model[0].requires_grad_(False)
    optimizer = torch.optim.Adam(model[2].parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine", format=format) as recorder:
        for step in range(9):
            if step == 4:
                recorder.flush()
            if step == 5:
                model[0].requires_grad_(True)
                optimizer.add_param_group({"params": model[0].parameters(), "lr": 0.01})
            optimizer.zero_grad()
            loss_of(model, step).backward()
            oracle.see(model, step)
            optimizer.step()
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert run[GRAD_NORM + "0.weight"].steps.tolist() == [5, 6, 7, 8]


def test_a_layer_frozen_midway_becomes_null(tmp_path, net, loss_of, oracle):
    """zero_grad(set_to_none) leaves None, and None is null, not the last value."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine"):
        for step in range(6):
            model[0].requires_grad_(step < 3)
            optimizer.zero_grad()
            loss_of(model, step).backward()
            oracle.see(model, step)
            optimizer.step()
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert run[GRAD_NORM + "0.bias"].steps.tolist() == [0, 1, 2]


def test_tied_weights_stand_once_under_their_first_name(tmp_path, oracle):
    """A shared parameter has one gradient, the sum over its uses."""
    torch.manual_seed(0)
    model = nn.ModuleDict({"embed": nn.Embedding(7, 4), "head": nn.Linear(4, 7, bias=False)})
    model["head"].weight = model["embed"].weight
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine"):
        for step in range(4):
            optimizer.zero_grad()
            tokens = torch.tensor([step, step + 1, step + 2])
            model["head"](model["embed"](tokens)).square().mean().backward()
            oracle.see(model, step)
            optimizer.step()
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert list(run.series) == [GRAD_NORM + "embed.weight"]
    assert [layer.name for layer in run.metadata.layers] == ["embed"]


@pytest.mark.parametrize("every", [1, 2])
def test_missing_gradients_are_null_at_their_steps_only(every, tmp_path, oracle):
    """Branches that take turns, together or not at all: each keeps its own steps."""
    torch.manual_seed(0)
    model = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    used = [{0}, {1}, {0, 1, 2}, set(), {2}, {0, 2}, {1}, {0, 1}]
    with GradientRecorder(model, optimizer, tmp_path / "mine", every=every) as recorder:
        for step, branches in enumerate(used):
            optimizer.zero_grad()
            for branch in branches:
                model[branch](torch.full((1, 2), step + 1.0)).square().sum().backward()
            if step % every == 0:
                oracle.see(model, step)
            optimizer.step()
            recorder.log("x", step)
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert run["x"].steps.tolist() == list(range(8))


@pytest.mark.parametrize("kind", [torch.optim.SparseAdam, torch.optim.SGD])
def test_sparse_gradients(kind, tmp_path, oracle):
    """Rows that occur twice in a batch are summed before they are squared."""
    torch.manual_seed(0)
    embed = nn.Embedding(10, 3, sparse=True)
    optimizer = kind(embed.parameters(), lr=0.1)
    with GradientRecorder(embed, optimizer, tmp_path / "mine"):
        for step in range(5):
            optimizer.zero_grad()
            tokens = torch.tensor([step, step, 9, 9, 9, 1])
            embed(tokens).square().sum().backward()
            assert embed.weight.grad.is_sparse
            oracle.see(embed, step)
            optimizer.step()
    oracle.assert_recorded(open_run(tmp_path / "mine"))


def test_sparse_beside_dense_gradients_under_two_optimizers_or_one(tmp_path, oracle):
    """One sparse parameter does not keep the others from being measured."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(10, 4, sparse=True), nn.Linear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine"):
        for step in range(5):
            optimizer.zero_grad()
            model(torch.tensor([1, 1, step])).square().sum().backward()
            if step == 3:
                model[1].bias.grad = None
            oracle.see(model, step)
            optimizer.step()
    oracle.assert_recorded(open_run(tmp_path / "mine"))


@pytest.mark.parametrize("capture", [False, True])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_precisions(dtype, capture, tmp_path, oracle):
    """A parameter's own precision does not limit its norm."""
    random = torch.Generator().manual_seed(0)
    parameter = nn.Parameter(torch.zeros(40, 7, dtype=dtype))
    model = nn.ParameterDict({"p": parameter})
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    with GradientRecorder(model, optimizer, tmp_path / "mine") as recorder:
        for step in range(4):
            noise = torch.randn(40, 7, generator=random, dtype=torch.float64)
            parameter.grad = (noise * 10.0 ** (step - 2)).to(dtype)
            oracle.see(model, step)
            if capture:
                recorder.capture()
            optimizer.step()
    oracle.assert_recorded(open_run(tmp_path / "mine"))


@pytest.mark.parametrize("others", [0, 3])
def test_half_gradients_whose_squares_overflow_have_a_finite_norm(others, tmp_path, oracle):
    """60000² is far beyond float16; the norm is not, also beside gradients that are None."""
    parameter = nn.Parameter(torch.zeros(8, dtype=torch.float16))
    model = nn.ParameterList([parameter, *(nn.Parameter(torch.zeros(2)) for _ in range(others))])
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    with GradientRecorder(model, optimizer, tmp_path / "mine"):
        parameter.grad = torch.full((8,), 60000.0, dtype=torch.float16)
        oracle.see(model, 0)
        optimizer.step()
        parameter.grad = torch.full((8,), 6e-8, dtype=torch.float16)  # its square underflows
        oracle.see(model, 1)
        optimizer.step()
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert np.isfinite(run[GRAD_NORM + "0"].values).all()


def test_several_precisions_in_one_model(tmp_path, oracle):
    """Each parameter is measured in its own precision; the order in run.json stays."""
    kinds = [torch.float64, torch.float32, torch.float16, torch.float64, torch.bfloat16]
    model = nn.ParameterList([nn.Parameter(torch.zeros(3, dtype=kind)) for kind in kinds])
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    with GradientRecorder(model, optimizer, tmp_path / "mine"):
        for step in range(4):
            for place, parameter in enumerate(model):
                parameter.grad = torch.full_like(parameter, 1.5**place * (step + 1))
            model[step].grad = None
            oracle.see(model, step)
            optimizer.step()
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert run.parameters == [str(place) for place in range(5)]


def test_complex_scalar_and_empty_parameters(tmp_path, oracle):
    """What else may be a parameter has a norm too; an empty one's is 0."""
    model = nn.ParameterDict(
        {
            "complex": nn.Parameter(torch.zeros(3, dtype=torch.complex64)),
            "scalar": nn.Parameter(torch.zeros(())),
            "empty": nn.Parameter(torch.zeros(0, 4)),
            "plain": nn.Parameter(torch.zeros(3)),
        }
    )
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    with GradientRecorder(model, optimizer, tmp_path / "mine"):
        for step in range(3):
            for parameter in model.parameters():
                parameter.grad = torch.full_like(parameter, step + 1.0)
            model["complex"].grad *= 1 + 2j
            oracle.see(model, step)
            optimizer.step()
    oracle.assert_recorded(open_run(tmp_path / "mine"))


@pytest.mark.parametrize("format", ["parquet", "tensorboard"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_gradients_that_are_not_finite_are_measurements(bad, format, tmp_path, oracle):
    """NaN and infinity reach the log, at their step and their parameter only."""
    model = nn.ParameterList([nn.Parameter(torch.zeros(3)) for _ in range(2)])
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine", format=format):
        for step in range(4):
            for parameter in model:
                parameter.grad = torch.full_like(parameter, step + 1.0)
            if step == 2:
                model[0].grad[1] = bad
            oracle.see(model, step)
            optimizer.step()
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert not np.isfinite(run[GRAD_NORM + "0"].values[2])
    assert np.isfinite(run[GRAD_NORM + "1"].values).all()


class Scaled(nn.Module):
    """A model with a parameter of its own beside its layers, one of which is called `module`."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.module = nn.Linear(2, 2)
        self.last = nn.Linear(2, 1)


WRAPPERS = {
    "compile": torch.compile,
    "data-parallel": nn.DataParallel,
    "compile-of-data-parallel": lambda model: torch.compile(nn.DataParallel(model)),
    "data-parallel-of-compile": lambda model: nn.DataParallel(torch.compile(model)),
}


def record_one_step(model, directory):
    """Record a step on gradients of ones; return the run."""
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, directory):
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
    return open_run(directory)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_names_do_not_show_a_wrapper(wrapper, tmp_path):
    """Parameters and layers are called as in the model that was wrapped."""
    plain = record_one_step(Scaled(), tmp_path / "plain")
    wrapped = record_one_step(WRAPPERS[wrapper](Scaled()), tmp_path / "wrapped")
    assert plain.parameters == [name for name, _ in Scaled().named_parameters()]
    assert wrapped.parameters == plain.parameters
    assert wrapped.metadata.layers == plain.metadata.layers
    assert wrapped.log_hash() == plain.log_hash()


def test_names_do_not_show_a_compiled_layer(tmp_path):
    """Compiling one layer, or all of them, changes no name either."""
    plain = record_one_step(Scaled(), tmp_path / "plain")
    model = Scaled()
    model.last = torch.compile(model.last)
    partly = record_one_step(model, tmp_path / "partly")
    assert partly.parameters == plain.parameters
    assert partly.metadata.layers == plain.metadata.layers


def test_the_log_is_float32_whatever_torchs_default_is(tmp_path):
    """A script in double precision writes the same kind of log."""
    torch.set_default_dtype(torch.float64)
    try:
        model = nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        with GradientRecorder(model, optimizer, tmp_path / "mine") as recorder:
            model(torch.ones(2)).backward()
            optimizer.step()
            recorder.log("loss", torch.tensor(1.0))
    finally:
        torch.set_default_dtype(torch.float32)
    run = open_run(tmp_path / "mine")
    assert {series.dtype for series in run.series.values()} == {np.dtype(np.float32)}
    assert run[GRAD_NORM + "weight"].values[0] == np.float32(2**0.5)
