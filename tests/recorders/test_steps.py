"""What counts as a step: the outermost call, with or without a closure, of whoever trains."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim import optimizer as torch_optimizer

from epochord.recorders import GradientRecorder
from epochord.recorders.steps import inner_optimizers
from epochord.runlog import RecordingWarning, open_run
from epochord.runlog.run.run import GRAD_NORM

SGD = torch.optim.SGD


class Once(SGD):
    """Calls super().step() as most do."""

    def step(self, closure=None):
        return super().step(closure)


class Twice(Once):
    """Hands on whatever it is given."""

    def step(self, *arguments, **named):
        return super().step(*arguments, **named)


class Thrice(Twice):
    """Leaves its gradients changed, as many optimizers do."""

    def step(self, closure=None):
        loss = super().step(closure)
        for parameter in self.param_groups[0]["params"]:
            parameter.grad.mul_(100)
        return loss


class Outer(torch.optim.Optimizer):
    """Wraps an optimizer and is one, of the same parameters."""

    def __init__(self, inner) -> None:
        super().__init__(inner.param_groups[0]["params"], {})
        self.inner = inner

    def step(self, closure=None):
        loss = closure() if closure else None
        for parameter in self.param_groups[0]["params"]:
            parameter.grad.mul_(7)
        self.inner.step()
        return loss


KINDS = {
    "plain": SGD,
    "one deep": Once,
    "two deep": Twice,
    "three deep": Thrice,
    "around one": lambda p, lr: Outer(SGD(p, lr)),
    "around three deep": lambda p, lr: Outer(Thrice(p, lr)),
    "around another": lambda p, lr: Outer(Outer(Once(p, lr))),
}


def parameters(*names: str) -> nn.ParameterDict:
    return nn.ParameterDict({name: nn.Parameter(torch.zeros(1)) for name in names})


def setting(model, value: float):
    """Return a closure that makes a value the gradient of every parameter."""

    def closure():
        for parameter in model.values():
            parameter.grad = torch.tensor([float(value)])
        return value

    return closure


@pytest.mark.parametrize("how", ["no closure", "position", "keyword"])
@pytest.mark.parametrize("kind", KINDS)
def test_steps_within_a_step_are_part_of_it(kind, how, tmp_path, points):
    """A row for each outermost call, of the gradients that it was given or had computed."""
    model = parameters("p")
    optimizer = KINDS[kind](list(model.values()), 0.0)
    with GradientRecorder(model, optimizer, tmp_path / "r"):
        for step in range(4):
            closure = setting(model, step + 1)
            if how == "no closure":
                closure()
                optimizer.step()
            elif how == "position":
                assert optimizer.step(closure) == step + 1
            else:
                assert optimizer.step(closure=closure) == step + 1
    assert points(tmp_path / "r", GRAD_NORM + "p") == [(step, step + 1.0) for step in range(4)]


class Boom(Exception):
    """What a step raises."""


class Failing(Once):
    """Raises within a step that has begun two calls deep, when it is told to."""

    fails = False

    def step(self, closure=None):
        loss = super().step(closure)
        if self.fails:
            raise Boom
        return loss


@settings(max_examples=25)
@given(failing=st.lists(st.booleans(), min_size=1, max_size=8), around=st.booleans())
def test_a_step_that_raises_and_is_tried_again_is_two_steps(failing, around, tmp_path_factory):
    """The one that comes after it is not taken for a part of it."""
    directory = tmp_path_factory.mktemp("r")
    model = parameters("p")
    inner = Failing(model.values(), 0.0)
    optimizer = Outer(inner) if around else inner
    with GradientRecorder(model, optimizer, directory) as recorder:
        for step, inner.fails in enumerate(failing):
            setting(model, step + 1)()
            try:
                optimizer.step()
            except Boom:
                assert inner.fails
            assert recorder.step == step
    values = open_run(directory)[GRAD_NORM + "p"].values.tolist()
    assert values == [step + 1.0 for step in range(len(failing))]


def test_a_step_whose_closure_raises_is_none(tmp_path, points):
    """Nothing has been computed that it could have been given; the next one counts."""
    model = parameters("p")
    optimizer = SGD(model.values(), 0.0)

    def closure():
        setting(model, 50)()
        raise Boom

    with GradientRecorder(model, optimizer, tmp_path / "r"):
        for step in range(3):
            with pytest.raises(Boom):
                optimizer.step(closure)
            optimizer.step(setting(model, step))
    assert points(tmp_path / "r", GRAD_NORM + "p") == [(0, 0.0), (1, 1.0), (2, 2.0)]


class Meeting(SGD):
    """A step that lasts until another thread is in the middle of its own."""

    barrier = threading.Barrier(2, timeout=60)

    def step(self, closure=None):
        self.barrier.wait()
        loss = super().step(closure)
        self.barrier.wait()
        return loss


@pytest.mark.parametrize("models", [1, 2])
@pytest.mark.parametrize("closures", [False, True])
def test_steps_of_several_threads_are_not_taken_for_each_others(closures, models, tmp_path):
    """Two optimizers that step at the same time, of one model or of two: no step is lost."""
    given = [parameters("a", "b")] * 2 if models == 1 else [parameters("a"), parameters("b")]
    each = {name: Meeting([model[name]], 0.0) for model, name in zip(given, "ab", strict=True)}
    recorders = [
        GradientRecorder(model, list(each.values()) if models == 1 else each[name], tmp_path / name)
        for model, name in list(zip(given, "ab", strict=True))[:models]
    ]

    def train(model, name: str) -> None:
        for step in range(5):
            closure = setting({name: model[name]}, step + 1)
            if closures:
                each[name].step(closure)
            else:
                closure()
                each[name].step()

    threads = [threading.Thread(target=train, args=pair) for pair in zip(given, "ab", strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for recorder in recorders:
        recorder.close()
    for name in "ab":
        run = open_run(tmp_path / ("a" if models == 1 else name))
        assert run[GRAD_NORM + name].values.tolist() == [1, 2, 3, 4, 5]


class Searching(torch.optim.Optimizer):
    """Evaluates its closure as often as it is told to, and spoils its gradients afterwards."""

    def __init__(self, parameters, times: int) -> None:
        super().__init__(parameters, {})
        self.times = times

    def step(self, closure):
        for _ in range(self.times):
            closure()
        for parameter in self.param_groups[0]["params"]:
            if parameter.grad is not None and self.times:
                parameter.grad.fill_(-1000)


@pytest.mark.parametrize("times", [1, 2, 5])
def test_the_last_evaluation_of_a_closure_counts(times, tmp_path, points):
    """It is measured as the closure left it, whatever the optimizer does with it then."""
    model = parameters("p")
    optimizer = Searching(model.values(), times)
    evaluations = iter(range(100))
    with GradientRecorder(model, optimizer, tmp_path / "r"):
        for _ in range(3):
            optimizer.step(lambda: setting(model, next(evaluations))())
    expected = [(step, (step + 1.0) * times - 1) for step in range(3)]
    assert points(tmp_path / "r", GRAD_NORM + "p") == expected


def test_a_closure_that_is_never_called_leaves_the_gradients_that_are_there(tmp_path, points):
    """What was computed before the step is what it had."""
    model = parameters("p")
    optimizer = Searching(model.values(), 0)
    with GradientRecorder(model, optimizer, tmp_path / "r"):
        for step in range(3):
            setting(model, step)()
            optimizer.step(lambda: pytest.fail("this one does not evaluate"))
    assert points(tmp_path / "r", GRAD_NORM + "p") == [(0, 0.0), (1, 1.0), (2, 2.0)]


class WithModel(torch.optim.Optimizer):
    """Its step is given a module."""

    def __init__(self, parameters) -> None:
        super().__init__(parameters, {})
        self.given: list[object] = []

    def step(self, *given):
        self.given += given


class WithFunction(WithModel):
    """Its step is given a function that is no closure, by what it is called."""

    def step(self, schedule, *rest):
        super().step(schedule, *rest)


@pytest.mark.parametrize(
    ("kind", "argument"), [(WithModel, nn.Identity()), (WithFunction, float)], ids=["module", "f"]
)
def test_what_is_no_closure_is_handed_on_as_it_is(kind, argument, tmp_path, points):
    """A module and a schedule can be called, too, but compute no gradients."""
    model = parameters("p")
    optimizer = kind(model.values())
    with GradientRecorder(model, optimizer, tmp_path / "r"):
        for step in range(3):
            setting(model, step)()
            optimizer.step(argument)
    assert points(tmp_path / "r", GRAD_NORM + "p") == [(0, 0.0), (1, 1.0), (2, 2.0)]
    assert optimizer.given == [argument] * 3


def test_other_models_optimizers_are_left_alone(tmp_path, points):
    """Their steps make no rows, whether they come between ours, within, or around them."""
    model, other = parameters("p"), parameters("q")

    class Together(SGD):
        def step(self, closure=None):
            mine.step()
            return super().step(closure)

    class Before(SGD):
        def step(self, closure=None):
            theirs.step(setting(other, 77))
            return super().step(closure)

    theirs, together = SGD(other.values(), 0.0), Together(other.values(), 0.0)
    mine = Before(model.values(), 0.0)
    with GradientRecorder(model, mine, tmp_path / "r") as recorder:
        for step in range(3):
            theirs.step(setting(other, 77))
            setting(model, step)()
            together.step()
            assert recorder.step == step
    assert points(tmp_path / "r", GRAD_NORM + "p") == [(0, 0.0), (1, 1.0), (2, 2.0)]
    assert set(open_run(tmp_path / "r").series) == {GRAD_NORM + "p"}


class NoHooks(torch.optim.Optimizer):
    """Wraps an optimizer as accelerate does: an Optimizer by name, without hooks of its own."""

    def __init__(self, optimizer) -> None:
        self.optimizer = optimizer

    def step(self, closure=None):
        return self.optimizer.step(closure)


class Slotted:
    """Holds an optimizer in a slot, as its heirs do."""

    __slots__ = ("inner",)

    def __init__(self, inner) -> None:
        self.inner = inner


class Heir(Slotted):
    """Has a slot more."""

    __slots__ = "name"


class Pair(NamedTuple):
    """Of an optimizer and something else."""

    schedule: object
    optimizer: object


@dataclass(slots=True)
class Frozen:
    """A dataclass with slots."""

    optimizer: object


WRAPPERS = {
    "itself": lambda o: o,
    "no hooks": NoHooks,
    "no hooks twice": lambda o: NoHooks(NoHooks(o)),
    "list": lambda o: [o],
    "tuple": lambda o: ("a name", 1, o),
    "dict": lambda o: {"name": "a", "mine": o},
    "ordered": lambda o: OrderedDict(mine=o),
    "named tuple": lambda o: Pair(None, o),
    "object": lambda o: SimpleNamespace(optimizer=o),
    "four deep": lambda o: SimpleNamespace(a={"b": [SimpleNamespace(c=o)]}),
    "slots": Slotted,
    "inherited slots": Heir,
    "dataclass": Frozen,
    "keras-like": lambda o: SimpleNamespace(_trainable=[nn.Linear(1, 1)], _optimizer=o),
    "scheduler": lambda o: torch.optim.lr_scheduler.LambdaLR(o, float),
}


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler")
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_the_optimizer_within_is_found(wrapper):
    """Whatever holds it, by whatever name."""
    optimizer = SGD(parameters("p").values(), 0.1)
    assert inner_optimizers(WRAPPERS[wrapper](optimizer)) == [optimizer]


def test_objects_that_hold_each_other_are_looked_at_once():
    """A web of ten thousand paths leads to its optimizers, each of which is found once."""
    optimizers = [SGD(parameters("p").values(), 0.1) for _ in range(3)]
    web = [SimpleNamespace() for _ in range(60)]
    for each in web:
        for number, other in enumerate(web):
            setattr(each, f"other{number}", other)
    web[7].optimizers = optimizers
    web[9].again = optimizers[::-1]
    found = inner_optimizers(web[0])
    assert sorted(map(id, found)) == sorted(map(id, optimizers))


@pytest.mark.parametrize(
    "given",
    [
        None,
        "Adam",
        torch.zeros(3),
        nn.Linear(1, 1),
        SGD,
        SimpleNamespace(optimizer=None),
        [],
        {"a": {"b": 1}},
        SimpleNamespace(optimizer=SGD),
    ],
    ids=repr,
)
def test_where_there_is_no_optimizer_nothing_is_made(given, tmp_path):
    """The refusal says what was given; there is no directory, no hook and no thread."""
    hooks = (
        torch_optimizer._global_optimizer_pre_hooks,
        torch_optimizer._global_optimizer_post_hooks,
    )
    before = [dict(each) for each in hooks]
    threads = threading.active_count()
    assert inner_optimizers(given) == []
    with pytest.raises((TypeError, ValueError), match=r"optimizer") as caught:
        GradientRecorder(parameters("p"), given, tmp_path / "r")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert [dict(each) for each in hooks] == before
    assert threading.active_count() == threads


def test_recorders_come_and_go_in_the_middle_of_a_step(tmp_path, points):
    """As they do in threads beside it: the step goes on, and none of ours is lost."""
    model = parameters("p")
    optimizer = SGD(model.values(), 0.0)
    others: list[GradientRecorder] = []

    def another(*_) -> None:
        for each in others:
            each.close()
        others.append(GradientRecorder(model, optimizer, tmp_path / f"other{len(others)}"))

    with GradientRecorder(model, optimizer, tmp_path / "r"):
        hook = torch_optimizer.register_optimizer_step_pre_hook(another)
        for step in range(4):
            setting(model, step)()
            optimizer.step()
        hook.remove()
    others[-1].close()
    assert points(tmp_path / "r", GRAD_NORM + "p") == [(step, float(step)) for step in range(4)]


class Unlike(torch.optim.Optimizer):
    """Has no groups of parameters that others would understand."""

    def __init__(self, parameters) -> None:
        super().__init__(parameters, {})
        self.param_groups = [{"weights": 1}]

    def step(self):
        return "stepped"


def test_an_optimizer_that_cannot_be_understood_steps_all_the_same(tmp_path, points):
    """It may be anybody's; that it could not be looked at is said once."""
    model = parameters("p")
    optimizer, other = SGD(model.values(), 0.0), Unlike(parameters("q").values())
    with (
        pytest.warns(RecordingWarning, match="could not be looked at") as warned,
        GradientRecorder(model, optimizer, tmp_path / "r"),
    ):
        for step in range(3):
            assert other.step() == "stepped"
            setting(model, step)()
            optimizer.step()
    assert len(warned) == 1
    assert points(tmp_path / "r", GRAD_NORM + "p") == [(step, float(step)) for step in range(3)]
