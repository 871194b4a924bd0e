"""Training computes with the recorder what it computes without, bit for bit."""

import pytest
import torch
from torch import nn

from epochord.recorders import GradientRecorder


def dropout_net() -> nn.Sequential:
    torch.manual_seed(7)
    return nn.Sequential(
        nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3)
    )


def train(optimizer_of, record=None, clip: bool = False):
    """Train 25 steps; return each loss and the final state, exactly."""
    model = dropout_net()
    optimizer = optimizer_of(model.parameters())
    recorder = record(model, optimizer) if record else None
    losses = []
    for step in range(25):
        optimizer.zero_grad()
        loss = ((model(torch.randn(8, 4)) - torch.randn(8, 3)) ** 2).mean()
        loss.backward()
        if recorder and clip:
            recorder.capture()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        if recorder:
            recorder.log("loss", loss)
            if step % 6 == 0:
                recorder.flush()
        losses.append(loss.item().hex())
    if recorder:
        recorder.close()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    return losses, state, torch.get_rng_state()


def assert_same(bare, recorded) -> None:
    assert bare[0] == recorded[0]
    assert len(set(bare[0])) > 20  # it does train
    for name, value in bare[1].items():
        assert torch.equal(value, recorded[1][name]), name
    assert torch.equal(bare[2], recorded[2])


OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, 0.05, momentum=0.5),
    "adam": lambda parameters: torch.optim.Adam(parameters, 0.01),
    "fused": lambda parameters: torch.optim.AdamW(parameters, 0.01, fused=True),
}


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("format", ["parquet", "both"])
def test_losses_weights_and_random_numbers_are_equal(kind, format, tmp_path):
    """Equal seeds give equal losses, weights and random state, dropout included."""

    def record(model, optimizer):
        return GradientRecorder(model, optimizer, tmp_path / "mine", format=format)

    assert_same(train(OPTIMIZERS[kind]), train(OPTIMIZERS[kind], record))


@pytest.mark.parametrize("every", [1, 4])
def test_capture_before_clipping_changes_nothing_either(every, tmp_path):
    """Measuring ahead leaves the gradients to the clipping as they are."""

    def record(model, optimizer):
        return GradientRecorder(model, optimizer, tmp_path / "mine", every=every)

    kind = OPTIMIZERS["sgd"]
    assert_same(train(kind, clip=True), train(kind, record, clip=True))


def test_gradients_and_graphs_are_left_as_they_are(tmp_path, net, loss_of):
    """The recorder neither changes nor replaces gradients, nor keeps a logged loss's graph."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine") as recorder:
        loss = loss_of(model, 0)
        loss.backward()
        before = {id(p): (p.grad, p.grad.clone()) for p in model.parameters()}
        recorder.capture()
        optimizer.step()
        recorder.log("loss", loss)
        for parameter in model.parameters():
            same, copy = before[id(parameter)]
            assert parameter.grad is same
            assert torch.equal(parameter.grad, copy)
            assert parameter.grad.grad_fn is None
        assert loss.requires_grad
