"""Models and optimizers that change while they are recorded, or go."""

import gc
import threading
from weakref import ref

import pytest
import torch
from torch import nn

from epochord.recorders import GradientRecorder
from epochord.runlog import open_run
from epochord.runlog.run.run import GRAD_NORM

SGD = torch.optim.SGD
RTOL = 1e-6


def shapes(directory) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the parameters that run.json knows, in its order."""
    layers = open_run(directory).metadata.layers
    return {p.name: p.shape for layer in layers for p in layer.parameters}


def true_shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}


@pytest.fixture
def train(loss_of, oracle):
    """Give a function that does steps and shows them to the oracle: of all, or of those held."""

    def go(model, optimizer, steps, *, held: bool = False) -> None:
        for step in steps:
            model.zero_grad()
            loss_of(model, step).backward()
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            oracle.see(model, step, only=parameters if held else None)
            optimizer.step()

    return go


def test_an_optimizer_that_takes_anothers_place(tmp_path, net, train, oracle):
    """The same parameters in a new optimizer: the steps go on, also when the old one has gone."""
    model = net()
    optimizer = SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "r"):
        train(model, optimizer, range(3))
        optimizer = torch.optim.AdamW(model.parameters(), 0.01)
        gc.collect()
        train(model, optimizer, range(3, 6))
        train(model, SGD(model.parameters(), 0.1), range(6, 8))
    oracle.assert_recorded(open_run(tmp_path / "r"), RTOL)


@pytest.mark.parametrize("keep", [False, True])
def test_first_the_head_and_then_all(keep, tmp_path, net, train, oracle):
    """What is trained from then on is recorded from then on; no row holds two steps of the head."""
    model = net()
    head = SGD(model[2].parameters(), 0.1)
    with GradientRecorder(model, head, tmp_path / "r"):
        train(model, head, range(3))
        if not keep:
            del head
            gc.collect()
        every = SGD(model.parameters(), 0.1)
        train(model, every, range(3, 7))
    oracle.assert_recorded(open_run(tmp_path / "r"), RTOL)


@pytest.mark.parametrize("known", [False, True])
def test_one_part_after_the_other(known, tmp_path, net, loss_of, oracle):
    """A step of each optimizer that was passed may share a row; one that comes later begins one."""
    model = net()
    first, second = SGD(model[0].parameters(), 0.1), SGD(model[2].parameters(), 0.1)
    then = (2, 3, 4) if known else (3, 4, 5)
    with GradientRecorder(model, [first, second] if known else first, tmp_path / "r"):
        for optimizer, part, rows in ((first, model[0], (0, 1, 2)), (second, model[2], then)):
            for row in rows:
                model.zero_grad()
                loss_of(model, row).backward()
                (model[2] if part is model[0] else model[0]).zero_grad()
                oracle.see(model, row, only=part.parameters())
                optimizer.step()
    oracle.assert_recorded(open_run(tmp_path / "r"), RTOL)


def test_layers_that_are_added_with_their_parameters(tmp_path, net, train, oracle):
    """To the model and the optimizer, or with an optimizer of their own; run.json follows."""
    model = net()
    optimizer = SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "r") as recorder:
        train(model, optimizer, range(2))
        model.append(nn.Linear(3, 3))
        optimizer.add_param_group({"params": model[3].parameters()})
        train(model, optimizer, range(2, 4))
        recorder.flush()
        assert shapes(tmp_path / "r") == true_shapes(model)
        model.append(nn.Linear(3, 3))
        own = SGD(model[4].parameters(), 0.1)
        for step in range(4, 6):
            train(model, optimizer, [step])
            own.step()  # beside the other's, on the gradients of one backward pass
    oracle.assert_recorded(open_run(tmp_path / "r"), RTOL)
    assert list(shapes(tmp_path / "r").items()) == list(true_shapes(model).items())


def test_a_parameter_that_is_unfrozen_later(tmp_path, net, train, oracle):
    """It was with the optimizer all the time, and is null until it has a gradient."""
    model = net()
    optimizer = SGD(model.parameters(), 0.1)
    model[0].requires_grad_(False)
    with GradientRecorder(model, optimizer, tmp_path / "r"):
        train(model, optimizer, range(3))
        model[0].requires_grad_(True)
        train(model, optimizer, range(3, 6))
    run = open_run(tmp_path / "r")
    oracle.assert_recorded(run, RTOL)
    assert run[GRAD_NORM + "0.weight"].steps.tolist() == [3, 4, 5]


def replace(model, optimizer, name: str, new: nn.Parameter) -> None:
    """Put another parameter into a model and into the very list of the optimizer."""
    module, _, leaf = name.rpartition(".")
    old = model.get_parameter(name)
    setattr(model.get_submodule(module), leaf, new)
    held = optimizer.param_groups[0]["params"]
    held[:] = [new if each is old else each for each in held]


@pytest.mark.parametrize("flush", [False, True])
def test_parameters_that_are_replaced_in_place(flush, tmp_path, net, train, oracle):
    """By others of the same shape, of another one, and of another precision."""
    model = net()
    optimizer = SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "r") as recorder:
        train(model, optimizer, range(2))
        replace(model, optimizer, "0.bias", nn.Parameter(torch.randn(5)))
        train(model, optimizer, range(2, 4))
        if flush:
            recorder.flush()
        replace(model, optimizer, "0.weight", nn.Parameter(torch.randn(70, 4)))
        replace(model, optimizer, "0.bias", nn.Parameter(torch.randn(70)))
        replace(model, optimizer, "2.weight", nn.Parameter(torch.randn(3, 70)))
        train(model, optimizer, range(4, 6))
    oracle.assert_recorded(open_run(tmp_path / "r"), RTOL)
    assert shapes(tmp_path / "r") == true_shapes(model)


def test_a_parameter_that_is_called_something_else_now(tmp_path, net, train, oracle):
    """Its norms go on under the new name only, as when a layer is wrapped to be fine-tuned."""
    model = net()
    optimizer = SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "r"):
        train(model, optimizer, range(2))
        model[0] = nn.Sequential(model[0], nn.Linear(5, 5))
        optimizer.add_param_group({"params": model[0][1].parameters()})
        train(model, optimizer, range(2, 4))
    oracle.assert_recorded(open_run(tmp_path / "r"), RTOL)
    assert shapes(tmp_path / "r") == true_shapes(model)


class Lazy(nn.Sequential):
    """Gets the shape of its first layer from its first input."""

    def __init__(self) -> None:
        super().__init__(nn.LazyLinear(5), nn.Tanh(), nn.Linear(5, 3))


@pytest.mark.filterwarnings("ignore:Lazy modules")
@pytest.mark.parametrize("materialized", [False, True])
def test_lazy_modules_get_their_shapes_and_can_be_resumed(materialized, tmp_path, train, oracle):
    """Whether the resumed model has seen its input or not: it is the same one."""
    for steps in (range(3), range(3, 6)):
        model = Lazy()
        optimizer = SGD(model.parameters(), 0.1)
        if materialized and steps.start:
            model(torch.zeros(1, 4))
        with GradientRecorder(model, optimizer, tmp_path / "r", resume=True) as recorder:
            assert recorder.step + 1 == steps.start
            train(model, optimizer, steps)
    oracle.assert_recorded(open_run(tmp_path / "r"), RTOL)
    assert shapes(tmp_path / "r") == true_shapes(model)


@pytest.mark.parametrize("renewed", [False, True])
def test_a_model_that_changes_its_precision(renewed, tmp_path, net, oracle):
    """In place, with its optimizer or a new one: norms are exact before and after."""
    model = net()
    optimizer = SGD(model.parameters(), 0.1)
    random = torch.Generator().manual_seed(0)
    with GradientRecorder(model, optimizer, tmp_path / "r"):
        for step, dtype in enumerate([torch.float32, torch.bfloat16, torch.float64] * 2):
            model.to(dtype)
            if renewed:
                optimizer = SGD(model.parameters(), 0.1)
            for parameter in model.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=random).to(dtype)
            oracle.see(model, step)
            optimizer.step()
    oracle.assert_recorded(open_run(tmp_path / "r"), RTOL)


def log_threads() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name == "epochord-log"}


@pytest.mark.parametrize("digits", [None, 1])
def test_nothing_lives_on_for_the_sake_of_being_recorded(digits, tmp_path, net, loss_of):
    """Model, parameters, gradients and optimizer go, though the recorder is still there."""
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    recorder = GradientRecorder(model, optimizer, tmp_path / "r", first_digits=digits)
    for step in range(3):
        loss = loss_of(model, step)
        loss.backward()
        recorder.capture()
        optimizer.step()
        recorder.log("loss", loss)
    traces = [ref(each) for each in (model, optimizer, *model.parameters())]
    traces += [ref(parameter.grad) for parameter in model.parameters()]
    del model, optimizer, loss
    gc.collect()
    assert [trace() for trace in traces] == [None] * len(traces)
    recorder.close()
    run = open_run(tmp_path / "r")
    assert run["loss"].steps.tolist() == [0, 1, 2]
    assert run.metadata.status == "finished"


def test_a_sweep_that_closes_nothing_leaves_finished_runs(tmp_path, net, loss_of):
    """Each recorder ends when the next one begins and its own model has gone; so do threads."""
    before = log_threads()
    for number in range(10):
        model = net(number)
        optimizer = SGD(model.parameters(), 0.1)
        recorder = GradientRecorder(model, optimizer, tmp_path / str(number))
        for step in range(2):
            model.zero_grad()
            loss_of(model, step).backward()
            optimizer.step()
        gc.collect()
        assert len(log_threads() - before) <= 2
    for number in range(8):
        metadata = open_run(tmp_path / str(number)).metadata
        assert (metadata.status, metadata.error, metadata.steps) == ("finished", None, 2)
    assert open_run(tmp_path / "9").metadata.status == "running"
    recorder.close()
