"""With a GradScaler, the norms are those of the unscaled gradients."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from epochord.recorders import GradientRecorder
from epochord.runlog import open_run
from epochord.runlog.run.run import GRAD_NORM

SCALE = 1024.0
OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, 0.1),
    "adam": lambda parameters: torch.optim.Adam(parameters, 0.01),
    "fused-sgd": lambda parameters: torch.optim.SGD(parameters, 0.1, fused=True),
    "fused-adam": lambda parameters: torch.optim.Adam(parameters, 0.01, fused=True),
}
STEPS = 6
BAD = 3  # the iteration in which an infinity is injected


def unscaled(model: nn.Module, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    """Differentiate the loss itself, which no scaler has seen."""
    names, parameters = zip(*model.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss, parameters, retain_graph=True)
    return dict(zip(names, gradients, strict=True))


def backward(model, optimizer, scaler, loss) -> dict[str, torch.Tensor]:
    """Do a scaled backward pass; return the gradients as no scaler has seen them."""
    optimizer.zero_grad()
    gradients = unscaled(model, loss)
    scaler.scale(loss).backward()
    return gradients


def see(oracle, gradients, step: int, factor: float = 1.0) -> None:
    for name, gradient in gradients.items():
        oracle.note(name, step, gradient * factor)


@pytest.fixture(params=OPTIMIZERS)
def training(request, net):
    """Give a net, its optimizer and a scaler on the CPU."""
    model = net()
    optimizer = OPTIMIZERS[request.param](model.parameters())
    return model, optimizer, torch.amp.GradScaler("cpu", init_scale=SCALE, growth_interval=2)


@pytest.mark.parametrize("format", ["parquet", "tensorboard"])
def test_norms_are_unscaled(training, format, tmp_path, loss_of, oracle):
    """The scale, which changes on the way, does not show in the log."""
    model, optimizer, scaler = training
    scales = set()
    with GradientRecorder(model, optimizer, tmp_path / "mine", format=format):
        for step in range(STEPS):
            scales.add(scaler.get_scale())
            see(oracle, backward(model, optimizer, scaler, loss_of(model, step)), step)
            scaler.step(optimizer)
            scaler.update()
    assert len(scales) > 2
    oracle.assert_recorded(open_run(tmp_path / "mine"))


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_a_step_that_is_skipped_leaves_no_row(kind, tmp_path, net, loss_of, oracle):
    """An unfused optimizer is not called when there is an infinity: that was no step."""
    model = net()
    optimizer = OPTIMIZERS[kind](model.parameters())
    scaler = torch.amp.GradScaler("cpu", init_scale=SCALE)
    with GradientRecorder(model, optimizer, tmp_path / "mine") as recorder:
        for iteration in range(STEPS):
            gradients = backward(model, optimizer, scaler, loss_of(model, iteration))
            if iteration == BAD:
                model[0].weight.grad[0, 0] = math.inf
            scaler.step(optimizer)
            scaler.update()
            if iteration != BAD:
                see(oracle, gradients, recorder.step)
                recorder.log("iteration", iteration)
    assert scaler.get_scale() == SCALE / 2
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert run.steps.tolist() == list(range(STEPS - 1))
    assert run["iteration"].values.tolist() == [0, 1, 2, 4, 5]


@pytest.mark.parametrize("kind", ["fused-sgd", "fused-adam"])
@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_a_skipped_fused_step_leaves_a_row_of_unscaled_norms(
    bad, kind, tmp_path, net, loss_of, oracle
):
    """A fused optimizer is called and returns early; what is finite is unscaled all the same."""
    model = net()
    optimizer = OPTIMIZERS[kind](model.parameters())
    scaler = torch.amp.GradScaler("cpu", init_scale=SCALE)
    with GradientRecorder(model, optimizer, tmp_path / "mine"):
        for step in range(STEPS):
            gradients = backward(model, optimizer, scaler, loss_of(model, step))
            if step == BAD:
                model[0].weight.grad[0, 0] = bad
                gradients["0.weight"][0, 0] = bad
                before = [p.detach().clone() for p in model.parameters()]
            see(oracle, gradients, step)
            scaler.step(optimizer)
            scaler.update()
            if step == BAD:  # it was skipped indeed
                assert all(map(torch.equal, before, model.parameters()))
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert not np.isfinite(run[GRAD_NORM + "0.weight"].values[BAD])
    assert np.isfinite(run[GRAD_NORM + "0.bias"].values).all()


@pytest.mark.parametrize("capture", [False, True])
def test_unscaling_and_clipping(training, capture, tmp_path, loss_of, oracle):
    """After unscale_, capture() sees the raw gradients; without it the clipped ones count."""
    model, optimizer, scaler = training
    limit = 0.05
    with GradientRecorder(model, optimizer, tmp_path / "mine") as recorder:
        for step in range(STEPS):
            gradients = backward(model, optimizer, scaler, loss_of(model, step))
            scaler.unscale_(optimizer)
            if capture:
                recorder.capture()
            total = torch.linalg.vector_norm(torch.cat([g.flatten() for g in gradients.values()]))
            assert total > limit
            nn.utils.clip_grad_norm_(model.parameters(), limit)
            see(oracle, gradients, step, 1.0 if capture else limit / (total.item() + 1e-6))
            scaler.step(optimizer)
            scaler.update()
    oracle.assert_recorded(open_run(tmp_path / "mine"))


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_capture_before_a_skipped_step_does_not_reach_the_next_row(
    kind, tmp_path, net, loss_of, oracle
):
    """What was captured for a step that never came is replaced by the next capture."""
    model = net()
    optimizer = OPTIMIZERS[kind](model.parameters())
    scaler = torch.amp.GradScaler("cpu", init_scale=SCALE)
    with GradientRecorder(model, optimizer, tmp_path / "mine") as recorder:
        for iteration in range(STEPS):
            gradients = backward(model, optimizer, scaler, loss_of(model, iteration))
            if iteration == BAD:
                model[0].weight.grad[0, 0] = math.inf
            scaler.unscale_(optimizer)
            recorder.capture()
            nn.utils.clip_grad_norm_(model.parameters(), 0.05)
            scaler.step(optimizer)
            scaler.update()
            if iteration != BAD:
                see(oracle, gradients, recorder.step)
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert np.isfinite(run[GRAD_NORM + "0.weight"].values).all()


def test_bfloat16_autocast(tmp_path, net, loss_of, oracle):
    """Under autocast the float32 parameters have float32 gradients; those are measured."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine") as recorder:
        for step in range(STEPS):
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = loss_of(model, step)
            loss.backward()
            oracle.see(model, step)
            optimizer.step()
            recorder.log("loss", loss)
    oracle.assert_recorded(open_run(tmp_path / "mine"))
