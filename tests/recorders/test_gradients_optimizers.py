"""What a step is: closures, accumulation, clipping, several optimizers on one axis."""

import pytest
import torch
from torch import nn

from epochord.recorders import GradientRecorder
from epochord.runlog import open_run
from epochord.runlog.run.run import GRAD_NORM


def norm_of(model: nn.Module) -> float:
    """Return the 2-norm of all gradients together."""
    gradients = [p.grad.double() for p in model.parameters()]
    return torch.linalg.vector_norm(torch.stack([g.norm() for g in gradients])).item()


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_counts_steps_not_closures(search, tmp_path, net, loss_of, oracle):
    """A step has many closure calls and one row: the gradients it ends with."""
    model = net()
    optimizer = torch.optim.LBFGS(model.parameters(), 0.5, max_iter=5, line_search_fn=search)
    calls = 0
    with GradientRecorder(model, optimizer, tmp_path / "mine") as recorder:
        for step in range(4):

            def closure(step=step):
                nonlocal calls
                calls += 1
                optimizer.zero_grad()
                loss = loss_of(model, step)
                loss.backward()
                return loss

            loss = optimizer.step(closure)
            oracle.see(model, step)
            recorder.log("loss", loss)
    assert calls > 8
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert run["loss"].steps.tolist() == [0, 1, 2, 3]


def test_accumulated_gradients_make_one_row_an_optimizer_step(tmp_path, net, loss_of, oracle):
    """Four backward passes and one step are one row, of the sum."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine"):
        for step in range(5):
            optimizer.zero_grad()
            for part in range(4):
                (loss_of(model, 10 * step + part) / 4).backward()
            oracle.see(model, step)
            optimizer.step()
    oracle.assert_recorded(open_run(tmp_path / "mine"))


def test_a_scheduler_and_a_wrapped_step_do_not_disturb(tmp_path, net, loss_of, oracle):
    """Learning-rate schedulers wrap step(); it still counts once."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    with GradientRecorder(model, optimizer, tmp_path / "mine") as recorder:
        for step in range(6):
            optimizer.zero_grad()
            loss_of(model, step).backward()
            oracle.see(model, step)
            optimizer.step()
            recorder.log("lr", scheduler.get_last_lr()[0])
            scheduler.step()
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert run["lr"].values.tolist() == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("flush", [False, True])
@pytest.mark.parametrize("capture", [False, True])
@pytest.mark.parametrize("format", ["parquet", "tensorboard"])
def test_capture_records_what_clipping_takes_away(
    format, capture, flush, every, tmp_path, net, loss_of, oracle
):
    """With capture() the raw norms are recorded, without it the clipped ones."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    limit = 0.01
    with GradientRecorder(model, optimizer, tmp_path / "mine", every=every, format=format) as r:
        for step in range(8):
            optimizer.zero_grad()
            loss_of(model, step).backward()
            raw = norm_of(model)
            if capture:
                if step % every == 0:
                    oracle.see(model, step)
                r.capture()
            if flush:
                r.flush()
            nn.utils.clip_grad_norm_(model.parameters(), limit)
            assert norm_of(model) < limit * 1.001 < raw
            if not capture and step % every == 0:
                oracle.see(model, step)
            optimizer.step()
            r.log("total", raw)
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert run["total"].steps.tolist() == list(range(8))


def test_capturing_at_some_steps_only(tmp_path, net, loss_of, oracle):
    """Each step decides for itself whether it is measured ahead."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine") as recorder:
        for step in range(8):
            optimizer.zero_grad()
            loss_of(model, step).backward()
            if step % 3 == 1:
                recorder.capture()
                oracle.see(model, step)
            nn.utils.clip_grad_norm_(model.parameters(), 0.01)
            if step % 3 != 1:
                oracle.see(model, step)
            optimizer.step()
    oracle.assert_recorded(open_run(tmp_path / "mine"))


def test_the_last_capture_before_a_step_counts(tmp_path, net, loss_of, oracle):
    """Capturing again, with some gradients gone by then, replaces the first measurement."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine") as recorder:
        for step in range(3):
            optimizer.zero_grad()
            loss_of(model, step).backward()
            recorder.capture()
            model[0].weight.grad = None
            model[2].bias.grad.mul_(3)
            oracle.see(model, step)
            recorder.capture()
            nn.utils.clip_grad_norm_(model.parameters(), 0.01)
            optimizer.step()
    oracle.assert_recorded(open_run(tmp_path / "mine"))


@pytest.fixture
def gan():
    """Two nets in one model, and an optimizer for each."""
    torch.manual_seed(0)
    model = nn.ModuleDict({"d": nn.Linear(3, 1), "g": nn.Linear(2, 3)})
    return model, {
        "d": torch.optim.Adam(model["d"].parameters(), 0.01),
        "g": torch.optim.Adam(model["g"].parameters(), 0.01),
    }


def gan_step(model, optimizers, which: str, oracle, row: int | None) -> None:
    """Do one optimizer's step; its gradients are expected in a row."""
    optimizers[which].zero_grad()
    fake = model["g"](torch.randn(5, 2))
    if which == "d":
        (model["d"](fake.detach()) - model["d"](torch.randn(5, 3))).square().mean().backward()
    else:
        model["d"](fake).square().mean().backward()
    if row is not None:
        oracle.see(model, row, only=model[which].parameters())
    optimizers[which].step()


@pytest.mark.parametrize("format", ["parquet", "tensorboard"])
@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize(("first", "second"), [("g", "d"), ("d", "g")])
def test_a_second_optimizer_after_the_first(first, second, every, format, gan, tmp_path, oracle):
    """The first counts the steps; the second's norms go into the same row."""
    model, optimizers = gan
    both = [optimizers[first], optimizers[second]]
    with GradientRecorder(model, both, tmp_path / "mine", every=every, format=format) as recorder:
        for step in range(7):
            row = step if step % every == 0 else None
            gan_step(model, optimizers, first, oracle, row)
            gan_step(model, optimizers, second, oracle, row)
            recorder.log("x", step)
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert run["x"].steps.tolist() == list(range(7))


@pytest.mark.parametrize("every", [1, 2])
def test_the_order_in_which_they_are_passed_does_not_matter(every, gan, tmp_path, oracle):
    """The one that steps first begins the row, whichever was named first."""
    model, optimizers = gan
    with GradientRecorder(
        model, [optimizers["g"], optimizers["d"]], tmp_path / "mine", every=every
    ) as recorder:
        for step in range(7):
            row = step if step % every == 0 else None
            gan_step(model, optimizers, "d", oracle, row)
            gan_step(model, optimizers, "g", oracle, row)
            assert recorder.step == step
    oracle.assert_recorded(open_run(tmp_path / "mine"))


@pytest.mark.parametrize("flushed_after", [0, 1, 2, None])
@pytest.mark.parametrize("format", ["parquet", "tensorboard"])
@pytest.mark.parametrize("often_first", [False, True])
def test_at_different_rates_each_step_has_its_norms(
    often_first, format, flushed_after, gan, tmp_path, oracle
):
    """Three critic steps an iteration are three rows; the generator's stand beside one of them."""
    model, optimizers = gan
    both = [optimizers["g"], optimizers["d"]]
    with GradientRecorder(model, both, tmp_path / "mine", format=format) as recorder:
        for iteration in range(5):
            row = 3 * iteration
            if not often_first:
                gan_step(model, optimizers, "g", oracle, row)
            for time in range(3):
                gan_step(model, optimizers, "d", oracle, row + time)
                if time == flushed_after:
                    recorder.flush()
            if often_first:
                gan_step(model, optimizers, "g", oracle, row + 2)
    oracle.assert_recorded(open_run(tmp_path / "mine"))


def test_capture_measures_for_each_optimizer(gan, tmp_path, oracle):
    """Two optimizers that step on one backward pass, clipped: the raw norms of both."""
    model, optimizers = gan
    both = list(optimizers.values())
    with GradientRecorder(model, both, tmp_path / "mine") as recorder:
        for step in range(4):
            model.zero_grad()
            model["d"](model["g"](torch.randn(5, 2))).square().mean().backward()
            for optimizer in both:
                recorder.capture(optimizer)
            oracle.see(model, step)
            nn.utils.clip_grad_norm_(model.parameters(), 1e-3)
            for optimizer in both:
                optimizer.step()
    oracle.assert_recorded(open_run(tmp_path / "mine"))


def test_a_parameter_that_no_optimizer_holds_is_measured_with_the_first(gan, tmp_path, oracle):
    """Its gradient is recorded all the same: every parameter means every one."""
    model, optimizers = gan
    with GradientRecorder(model, optimizers["g"], tmp_path / "mine"):
        for step in range(3):
            model.zero_grad()
            model["d"](model["g"](torch.randn(5, 2))).square().mean().backward()
            oracle.see(model, step)
            optimizers["g"].step()
    run = open_run(tmp_path / "mine")
    oracle.assert_recorded(run)
    assert GRAD_NORM + "d.weight" in run.series
