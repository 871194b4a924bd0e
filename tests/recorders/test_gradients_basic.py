"""What stands in the log is what a loop of one's own would have measured."""

import math
import time

import numpy as np
import pytest
import torch
from torch import nn

from epochord.recorders import GradientRecorder
from epochord.runlog import RecordingWarning, open_run
from epochord.runlog.run.run import GRAD_NORM

FORMATS = ["parquet", "tensorboard", "both"]


def parameter_model(*values: float) -> nn.ParameterList:
    return nn.ParameterList([nn.Parameter(torch.tensor([value])) for value in values])


def one_step(model, optimizer) -> None:
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()


@pytest.fixture
def stepped(tmp_path):
    """Give a recorder after its first step, in tmp_path/"mine"."""
    model = parameter_model(1.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    recorder = GradientRecorder(model, optimizer, tmp_path / "mine")
    one_step(model, optimizer)
    yield recorder
    recorder.close()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam])
def test_norms_equal_the_oracle(kind, every, format, tmp_path, net, loss_of, oracle):
    """Every parameter's norm is recorded at steps 0, every, 2·every, …, in every format."""
    model = net()
    optimizer = kind(model.parameters(), lr=0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine", every=every, format=format) as r:
        for step in range(11):
            optimizer.zero_grad()
            loss = loss_of(model, step)
            loss.backward()
            if step % every == 0:
                oracle.see(model, step)
            optimizer.step()
            r.log("loss", loss)
            assert r.step == step
    run = open_run(tmp_path / "mine")
    assert run.damage == ()
    oracle.assert_recorded(run)
    assert run["loss"].steps.tolist() == list(range(11))
    assert run.metadata.every == every
    assert run.metadata.status == "finished"


def test_logged_values_lie_at_every_step_though_norms_do_not(tmp_path, points):
    """`every` thins the norms; log() works at all steps."""
    model = parameter_model(1.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine", every=4) as recorder:
        for step in range(10):
            one_step(model, optimizer)
            if step != 4:
                recorder.log("x", step)
    assert points(tmp_path / "mine", "x") == [(s, float(s)) for s in range(10) if s != 4]
    assert points(tmp_path / "mine", GRAD_NORM + "0") == [(0, 1.0), (4, 1.0), (8, 1.0)]


def test_layers_stand_in_registration_order_with_their_shapes(tmp_path):
    """run.json tells modules and parameters as the model registered them, not by the alphabet."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.zeta = nn.Conv2d(1, 2, 3)
            self.scale = nn.Parameter(torch.ones(()))
            self.alpha = nn.Sequential(nn.Linear(4, 5, bias=False), nn.BatchNorm1d(5))
            self.alpha[0].weight.requires_grad_(False)

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine"):
        one_step(model, optimizer)
    run = open_run(tmp_path / "mine")
    parameters = [p for layer in run.metadata.layers for p in layer.parameters]
    expected = dict(model.named_parameters())
    assert [p.name for p in parameters] == list(expected)
    assert [p.shape for p in parameters] == [tuple(p.shape) for p in expected.values()]
    assert [p.size for p in parameters] == [p.numel() for p in expected.values()]
    assert [p.trainable for p in parameters] == [p.requires_grad for p in expected.values()]
    assert [(layer.name, layer.kind) for layer in run.metadata.layers] == [
        ("", "Net"), ("zeta", "Conv2d"), ("alpha.0", "Linear"), ("alpha.1", "BatchNorm1d"),
    ]  # fmt: skip
    assert run.parameters == list(expected)


def test_run_json_notes_what_the_run_is(tmp_path):
    """Name, seed, data set, versions and settings are there; one's own settings prevail."""
    model = parameter_model(1.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.25, momentum=0.5)
    about = {"lr": 7, "batch": 10}
    with GradientRecorder(
        model, optimizer, tmp_path / "mine", seed=3, hyperparameters=about, dataset={"name": "d"}
    ):
        running = open_run(tmp_path / "mine").metadata
    metadata = open_run(tmp_path / "mine").metadata
    assert running.status == "running"
    assert (metadata.name, metadata.seed, metadata.status) == ("mine", 3, "finished")
    assert metadata.hyperparameters["optimizer"] == "SGD"
    assert metadata.hyperparameters["momentum"] == 0.5
    assert metadata.hyperparameters["lr"] == 7
    assert metadata.hyperparameters["batch"] == 10
    assert metadata.dataset == {"name": "d"}
    assert metadata.versions["torch"] == torch.__version__
    assert metadata.started <= metadata.finished


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1, 0.1),
        (3, 3.0),
        (True, 1.0),
        (np.float64(0.1), 0.1),
        (np.float16(0.1), float(np.float16(0.1))),
        (np.int64(-7), -7.0),
        (np.bool_(False), 0.0),
        (np.array(0.5), 0.5),
        (torch.tensor(0.1), 0.1),
        (torch.tensor([0.25]), 0.25),
        (torch.tensor([[0.25]]), 0.25),
        (torch.tensor(0.1, dtype=torch.float64), 0.1),
        (torch.tensor(0.5, dtype=torch.float16), 0.5),
        (torch.tensor(0.5, dtype=torch.bfloat16), 0.5),
        (torch.tensor(5), 5.0),
        (torch.tensor(True), 1.0),
        (torch.tensor(2.0, requires_grad=True) * 3, 6.0),
        (nn.Parameter(torch.tensor([1.5])), 1.5),
        (math.nan, math.nan),
        (math.inf, math.inf),
        (-math.inf, -math.inf),
        (torch.tensor(math.nan), math.nan),
        (1e300, math.inf),
        (1e-300, 0.0),
    ],
    ids=repr,
)
@pytest.mark.parametrize("format", ["parquet", "tensorboard"])
def test_a_number_of_any_kind_is_logged_as_float32(value, expected, format, tmp_path, points):
    """Floats, NumPy scalars and tensors of one element are kept, NaN and infinities too."""
    model = parameter_model(1.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine", format=format) as recorder:
        one_step(model, optimizer)
        recorder.log("x", value)
    with np.errstate(over="ignore"):
        single = float(np.float32(expected))
    ((step, found),) = points(tmp_path / "mine", "x")
    assert step == 0
    np.testing.assert_equal(found, single)


def test_a_tensor_changed_after_logging_keeps_its_logged_value(tmp_path, points):
    """A running sum that is zeroed in place does not take its history along."""
    model = parameter_model(1.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    total = torch.zeros(())
    with GradientRecorder(model, optimizer, tmp_path / "mine") as recorder:
        for step in range(5):
            one_step(model, optimizer)
            total += step + 0.5
            recorder.log("total", total)
            total.zero_()
    assert points(tmp_path / "mine", "total") == [(s, s + 0.5) for s in range(5)]


@pytest.mark.parametrize("flushed", [False, True], ids=["", "flushed"])
@pytest.mark.parametrize("format", ["parquet", "tensorboard", "both"])
def test_of_several_values_in_a_step_the_last_counts_or_their_mean(
    format, flushed, tmp_path, points
):
    """Also where an earlier one has been flushed (an event file cannot take that one back)."""
    model = parameter_model(1.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine", format=format) as recorder:
        for step in range(3):
            one_step(model, optimizer)
            for value in (2.0, torch.tensor(4.0), 9.0):
                recorder.log("last", value + step)
                recorder.log("mean", value + step, reduce="mean")
            if flushed and format == "parquet":
                recorder.flush()
                recorder.log("mean", 17.0 + step, reduce="mean")
                recorder.log("last", 1.0 + step)
    last, mean = (1.0, 8.0) if flushed and format == "parquet" else (9.0, 5.0)
    assert points(tmp_path / "mine", "last") == [(step, last + step) for step in range(3)]
    assert points(tmp_path / "mine", "mean") == [(step, mean + step) for step in range(3)]


def test_how_to_reduce_is_checked(stepped):
    """A slip of the pen is no silent last value."""
    with pytest.raises(ValueError, match=r"reduce is 'sum'; expected 'last' or 'mean'"):
        stepped.log("x", 1.0, reduce="sum")


@pytest.mark.parametrize("steps", [1, 4])
def test_what_is_logged_before_the_steps_belongs_to_them(steps, tmp_path, points):
    """A loop that logs its loss and steps then: one value a step, none shifted, none lost."""
    model = parameter_model(1.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine", every=2) as recorder:
        assert recorder.step == -1
        for step in range(steps):
            recorder.log("loss", 10.0 - step)
            one_step(model, optimizer)
            recorder.log("accuracy", step)
    assert points(tmp_path / "mine", "loss") == [(step, 10.0 - step) for step in range(steps)]
    assert points(tmp_path / "mine", "accuracy") == [(step, step) for step in range(steps)]


def test_what_is_logged_for_a_step_that_never_comes_goes_to_the_last(tmp_path, points):
    """The end of a loop that was cut, and a run without any step, lose no number."""
    model = parameter_model(1.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine") as recorder:
        recorder.log("loss", 3.0)
        one_step(model, optimizer)
        recorder.log("loss", 2.0)
    assert points(tmp_path / "mine", "loss") == [(0, 2.0)]
    with GradientRecorder(model, optimizer, tmp_path / "empty") as recorder:
        recorder.log("loss", 3.0)
    assert points(tmp_path / "empty", "loss") == [(0, 3.0)]


@pytest.mark.parametrize("tag", ["step", "wall_time", "grad_norm/", "grad_norm/0", ""])
def test_reserved_tags_are_left_out(tag, stepped, tmp_path):
    """The recorder's own names cannot be taken; one warning says so, and nothing is raised."""
    with pytest.warns(RecordingWarning, match=r"log\(.*is not recorded") as warned:
        for _ in range(3):
            stepped.log(tag, 1.0)
    assert len(warned) == 1
    stepped.log("x", 1.0)
    stepped.close()
    assert set(open_run(tmp_path / "mine")) == {"x", "grad_norm/0"}


@pytest.mark.parametrize("value", [10**400, -(10**400), True, np.float64(1e300), 0.1 + 0.2])
def test_any_number_can_be_logged(value, stepped, tmp_path):
    """Beyond float32 it is infinite, as everywhere; it is never an exception."""
    stepped.log("x", value)
    stepped.close()
    wanted = np.inf * np.sign(value) if abs(value) > 1e39 else np.float32(value)
    assert open_run(tmp_path / "mine")["x"].values.tolist() == [wanted]


def test_a_name_that_only_resembles_a_reserved_one_is_free(stepped, tmp_path, points):
    """`steps`, `grad_norm` and names with odd characters are the user's."""
    tags = ["steps", "grad_norm", "a/b.c d", "größe µ", "mine/grad_norm/0"]
    for tag in tags:
        stepped.log(tag, 1.0)
    stepped.close()
    for tag in tags:
        assert points(tmp_path / "mine", tag) == [(0, 1.0)]


@pytest.mark.parametrize("value", [torch.ones(2), torch.ones(1, 3), torch.ones(0)], ids=repr)
def test_a_tensor_of_several_elements_is_refused(value, stepped):
    """The message shows the shape; the refused value leaves no trace."""
    with pytest.raises(ValueError, match=r"shape \(.*\).*one element"):
        stepped.log("x", value)
    stepped.log("x", 1.0)


@pytest.mark.parametrize("value", ["much", None, [1.0], 1j, torch.tensor(1j)], ids=repr)
def test_what_is_no_real_number_is_refused(value, stepped):
    """It is refused where it is logged, not later in another thread."""
    with pytest.raises((TypeError, ValueError), match="log\\('x'\\)"):
        stepped.log("x", value)
    stepped.log("x", 1.0)
    stepped.flush()


def test_after_closing_training_goes_on_unrecorded(stepped, tmp_path):
    """A closed recorder has left the optimizer; that log() does nothing is said once."""
    stepped.close()
    stepped.close()
    assert stepped.flush()
    with pytest.warns(RecordingWarning, match=r"log\(\) after close\(\) is not recorded") as warned:
        stepped.log("x", 1.0)
        stepped.log("x", 2.0)
    assert len(warned) == 1
    assert open_run(tmp_path / "mine").steps.tolist() == [0]


def test_steps_after_closing_are_not_recorded(tmp_path):
    """The hooks are removed, so that a second recorder can take over."""
    model = parameter_model(1.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for name, steps in (("first", 2), ("second", 3)):
        with GradientRecorder(model, optimizer, tmp_path / name):
            for _ in range(steps):
                one_step(model, optimizer)
        one_step(model, optimizer)
    assert open_run(tmp_path / "first").steps.tolist() == [0, 1]
    assert open_run(tmp_path / "second").steps.tolist() == [0, 1, 2]


def test_two_recorders_at_once_do_not_disturb_each_other(tmp_path, net, loss_of, oracle):
    """One run can be recorded twice, in two formats, with one and the same hash."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with (
        GradientRecorder(model, optimizer, tmp_path / "a") as a,
        GradientRecorder(model, optimizer, tmp_path / "b", format="tensorboard") as b,
    ):
        for step in range(6):
            optimizer.zero_grad()
            loss = loss_of(model, step)
            loss.backward()
            oracle.see(model, step)
            optimizer.step()
            for recorder in (a, b):
                recorder.log("loss", loss)
    first, second = open_run(tmp_path / "a"), open_run(tmp_path / "b")
    oracle.assert_recorded(first)
    assert first.log_hash() == second.log_hash()


@pytest.mark.parametrize("wrong", [{"every": 0}, {"every": -1}, {"format": "csv"}], ids=repr)
def test_wrong_arguments_are_refused_and_nothing_is_made(wrong, tmp_path):
    """A refused recorder leaves no directory and no hook behind."""
    model = parameter_model(1.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
        GradientRecorder(model, optimizer, tmp_path / "mine", **wrong)
    assert list(tmp_path.iterdir()) == []
    one_step(model, optimizer)


def test_an_optimizer_of_another_model_is_refused(tmp_path):
    """A recorder that could only write nulls says so at once."""
    other = torch.optim.SGD(parameter_model(1.0).parameters(), 0.1)
    with pytest.raises(ValueError, match="holds no parameter of this model"):
        GradientRecorder(parameter_model(1.0), other, tmp_path / "mine")
    with pytest.raises(ValueError, match="no optimizer"):
        GradientRecorder(parameter_model(1.0), [], tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


def test_more_rows_than_the_buffer_holds(tmp_path, points):
    """Rows beyond the 4096 of the buffer, captured ahead or not, are whole and in order."""
    model = parameter_model(1.0, 1.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    steps = 4096 + 50
    with GradientRecorder(model, optimizer, tmp_path / "mine", flush_seconds=3600) as recorder:
        for step in range(steps):
            model[0].grad = torch.tensor([float(step)])
            model[1].grad = torch.tensor([-2.0 * step])
            if step % 3 == 0 or 4090 < step < 4100:
                recorder.capture()
                model[1].grad.zero_()
            optimizer.step()
            if step % 2:
                recorder.log("odd", step)
    assert points(tmp_path / "mine", GRAD_NORM + "0") == [(s, float(s)) for s in range(steps)]
    assert points(tmp_path / "mine", GRAD_NORM + "1") == [(s, 2.0 * s) for s in range(steps)]
    assert points(tmp_path / "mine", "odd") == [(s, float(s)) for s in range(1, steps, 2)]


def test_rows_are_handed_over_as_time_goes_by(tmp_path):
    """With flush_seconds=0 each row is on its way at once."""
    model = parameter_model(1.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine", flush_seconds=0.0) as recorder:
        for step in range(20):
            one_step(model, optimizer)
            recorder.log("x", step)
        deadline = time.monotonic() + 30
        while len(open_run(tmp_path / "mine").steps) < 20 and time.monotonic() < deadline:
            time.sleep(0.02)
        # The last one, too: nobody knows when the next step comes.
        assert open_run(tmp_path / "mine")["x"].values.tolist() == list(range(20))
    assert open_run(tmp_path / "mine")["x"].values.tolist() == list(range(20))
