"""Whatever an optimizer does with gradients, the log has those that it was given, a row a step."""

import tempfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim import Optimizer

from epochord.recorders import GradientRecorder
from epochord.runlog import open_run
from epochord.runlog.run.run import GRAD_NORM
from tests.recorders import third_party

STEPS = 6

# Each makes an optimizer of a net's parameters.
PLAIN: dict[str, Callable[[list[nn.Parameter]], Optimizer]] = {
    "ScheduleFree": third_party.ScheduleFree,
    "LARS": third_party.LARS,
    "NovoGrad": third_party.NovoGrad,
    "SWATS, all Adam": third_party.SWATS,
    "SWATS, soon SGD": lambda p: third_party.SWATS(p, tolerance=float("inf")),
    "GrokFast, one class": third_party.GrokFastSGD,
    "GrokFast, around Adam": lambda p: third_party.GrokFast(torch.optim.Adam(p, 0.01)),
    "Lookahead": lambda p: third_party.Lookahead(torch.optim.SGD(p, 0.1)),
    "Lookahead, around LARS": lambda p: third_party.Lookahead(third_party.LARS(p)),
    "GrokFast, around Lookahead": lambda p: third_party.GrokFast(
        third_party.Lookahead(third_party.NovoGrad(p))
    ),
    "Shampoo": third_party.Shampoo,
}
CLOSURES: dict[str, Callable[[list[nn.Parameter]], Optimizer]] = {
    **PLAIN,
    "SAM": lambda p: third_party.SAM(p, lr=0.1),
    "SAM of LARS": lambda p: third_party.SAM(p, third_party.LARS, lr=0.1),
    "Extragradient": third_party.Extragradient,
    "Backtracking": third_party.Backtracking,
    "Lookahead, around LBFGS": lambda p: third_party.Lookahead(torch.optim.LBFGS(p, max_iter=3)),
}


class Loop:
    """A net in training under an optimizer; `see` looks at its gradients after each backward."""

    def __init__(self, model: nn.Module, loss_of, make, see=lambda *_: None) -> None:
        self.model, self.loss_of, self.see = model, loss_of, see
        self.optimizer = make(list(model.parameters()))

    def backward(self, step: int) -> torch.Tensor:
        self.optimizer.zero_grad()
        loss = self.loss_of(self.model, step)
        loss.backward()
        self.see(self.model, step)
        return loss

    def plain(self, step: int) -> None:
        self.backward(step)
        self.optimizer.step()

    def closure(self, step: int) -> None:
        def evaluate() -> torch.Tensor:
            if not torch.is_grad_enabled():
                return self.loss_of(self.model, step)
            return self.backward(step)

        if isinstance(self.optimizer, third_party.SAM):
            evaluate()
        self.optimizer.step(evaluate)

    def two_passes(self, step: int) -> None:
        self.backward(step)
        self.optimizer.first_step(zero_grad=True)
        self.backward(step)
        self.optimizer.second_step(zero_grad=True)


@pytest.fixture
def assert_right(tmp_path, net, loss_of, oracle) -> Callable[[Callable, str], None]:
    """Assert that the log is right, step by step, and training as it is without it."""

    def check(make: Callable[[list[nn.Parameter]], Optimizer], one_step: str) -> None:
        loop, bare = Loop(net(), loss_of, make, oracle.see), Loop(net(), loss_of, make)
        with GradientRecorder(loop.model, loop.optimizer, tmp_path / "mine") as recorder:
            for step in range(STEPS):
                getattr(loop, one_step)(step)
                assert recorder.step == step
                recorder.log("number", step)
                getattr(bare, one_step)(step)
        run = open_run(tmp_path / "mine")
        oracle.assert_recorded(run, rtol=1e-6)
        assert run["number"].steps.tolist() == run["number"].values.tolist() == list(range(STEPS))
        for p, same in zip(loop.model.parameters(), bare.model.parameters(), strict=True):
            assert torch.equal(p, same)

    return check


@pytest.mark.parametrize("name", PLAIN)
def test_gradients_are_recorded_as_the_optimizer_is_given_them(name, assert_right):
    """In-place decay, normalised or amplified gradients, nested and inner steps: no trace."""
    assert_right(PLAIN[name], "plain")


@pytest.mark.parametrize("name", CLOSURES)
def test_with_a_closure_its_last_gradients_are_recorded(name, assert_right):
    """However often an optimizer evaluates a closure, and whatever it does in between and after."""
    assert_right(CLOSURES[name], "closure")


def test_a_wrapper_without_hooks_is_part_of_the_loop(tmp_path, net, loss_of, oracle):
    """What it does to gradients is seen, like clipping: the optimizer in it is given the result."""
    model = net()

    class Seen(torch.optim.SGD):
        def step(self, closure=None):
            oracle.see(model, step)
            return super().step(closure)

    loop = Loop(model, loss_of, lambda p: third_party.Amplifier(Seen(p, 0.1)))
    with GradientRecorder(model, loop.optimizer, tmp_path / "mine"):
        for step in range(STEPS):
            loop.plain(step)
    oracle.assert_recorded(open_run(tmp_path / "mine"), rtol=1e-6)


@pytest.mark.parametrize("early", [False, True])
def test_an_optimizers_own_hooks_go_first(early, tmp_path, net, loss_of, oracle):
    """What a step pre hook clips is clipped in the log, whenever it was registered."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)

    def clip(*_) -> None:
        nn.utils.clip_grad_norm_(model.parameters(), 0.01)
        oracle.see(model, step)

    if early:
        optimizer.register_step_pre_hook(clip)
    with GradientRecorder(model, optimizer, tmp_path / "mine"):
        if not early:
            optimizer.register_step_pre_hook(clip)
        for step in range(STEPS):
            loss_of(model, step).backward()
            optimizer.step()
    assert list(optimizer._optimizer_step_pre_hooks.values()) == [clip]
    oracle.assert_recorded(open_run(tmp_path / "mine"), rtol=1e-6)


def test_a_closure_may_have_any_name_and_attributes(tmp_path, net, loss_of, oracle):
    """Optimizers that ask for a function of another name, and look at it, find what they need."""
    model = net()

    class Own(torch.optim.SGD):
        def step(self, evaluate) -> torch.Tensor:
            loss = torch.enable_grad()(evaluate)()
            assert evaluate.batch == step
            super().step()
            return loss

    def evaluate() -> torch.Tensor:
        optimizer.zero_grad()
        loss = loss_of(model, step)
        loss.backward()
        oracle.see(model, step)
        return loss

    optimizer = Own(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine"):
        for step in range(STEPS):
            evaluate.batch = step
            optimizer.step(evaluate)
    oracle.assert_recorded(open_run(tmp_path / "mine"), rtol=1e-6)


@pytest.mark.parametrize("elements", [1, 3])
def test_a_parameter_put_in_anothers_place_is_recorded(elements, tmp_path, oracle):
    """Gaussian splatting grows its parameters so, within the optimizer's own lists."""
    model = nn.ParameterDict({"p": nn.Parameter(torch.ones(elements))})
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    with GradientRecorder(model, optimizer, tmp_path / "mine"):
        for step in range(STEPS):
            if step % 2:
                grown = torch.ones(elements if elements == 1 else elements + step)
                model["p"] = optimizer.param_groups[0]["params"][0] = nn.Parameter(grown)
            optimizer.zero_grad()
            ((step + 1) * model["p"].sum()).backward()
            oracle.see(model, step)
            optimizer.step()
    oracle.assert_recorded(open_run(tmp_path / "mine"), rtol=1e-6)


@pytest.mark.parametrize("base", [torch.optim.SGD, third_party.LARS])
def test_of_two_backward_passes_the_second_is_recorded(base, assert_right):
    """SAM's base optimizer is given the gradients of the second pass, in one step."""
    assert_right(lambda p: third_party.SAM(p, base, lr=0.1), "two_passes")


# ---- a law: any habits, in any layers, with any gradients

# Halves are exact in float32, and so are the norms of vectors with one of them.
VALUE = st.none() | st.integers(-99, 99).map(lambda n: n / 2)
GIVEN = st.tuples(VALUE, VALUE)

SCRATCH: dict[str, Callable[[nn.Parameter], object]] = {
    "decays": lambda p: p.grad.add_(p.data, alpha=0.1),
    "normalises": lambda p: p.grad.div_(p.grad.norm() + 1e-9),
    "doubles": lambda p: p.grad.mul_(2),
    "replaces": lambda p: setattr(p, "grad", torch.full_like(p.grad, 7.0)),
    "writes data": lambda p: p.data.fill_(3.0),
    "frees": lambda p: setattr(p, "grad", None),
}
HABITS = st.lists(st.sampled_from(sorted(SCRATCH)), max_size=3)


def scribble(optimizer: Optimizer, habits: list[str]) -> None:
    for habit in habits:
        for _, p, _ in third_party.with_gradient(optimizer):
            SCRATCH[habit](p)


class Base(Optimizer):
    """Evaluates a closure so often, or never, then spoils the gradients; may fail at that."""

    def __init__(self, params, habits: list[str], evaluations: int) -> None:
        super().__init__(params, {})
        self.habits, self.evaluations, self.fails = habits, evaluations, False

    def step(self, closure=None) -> None:
        for _ in range(self.evaluations if closure else 0):
            closure()
        scribble(self, self.habits)
        if self.fails:
            raise MemoryError


def nested(parent: type[Base], habits: list[str], closure_first: bool) -> type[Base]:
    """Derive a class whose step is the parent's, with something before."""

    class Nested(parent):
        def step(self, *args, **kwargs) -> None:
            closure = next(iter((*args, *kwargs.values())), None)
            if closure_first and closure:
                closure()
                closure = None
            if closure is None:
                scribble(self, habits)
            super().step(closure)

    return Nested


class Around(Optimizer):
    """Steps an inner optimizer; only with hooks does it do more: they are what makes it one step.

    `how` it gets them: from ``super().__init__``, by itself, or not at all; then its
    hook dictionaries, if it has any, are never looked at.
    """

    def __init__(self, inner: Optimizer, how: str, habits: list[str], times: int) -> None:
        hooked = how in ("super", "patched")
        self.inner = inner
        self.habits, self.times = (habits, times) if hooked else ([], 1)
        if how == "super":
            super().__init__(inner.param_groups, {})
        elif how != "bare":
            self._optimizer_step_pre_hooks = OrderedDict()
            self._optimizer_step_post_hooks = OrderedDict()
        if how == "patched":
            self._patch_step_function()
        self.param_groups, self.state, self.defaults = inner.param_groups, inner.state, {}

    def step(self, closure=None) -> None:
        if closure is None:
            scribble(self, self.habits)
        self.inner.step(closure)
        for _ in range(self.times - 1):
            scribble(self, self.habits)
            self.inner.step()


NESTED = st.tuples(HABITS, st.booleans())
AROUND = st.tuples(
    st.sampled_from(["super", "patched", "by hand", "bare"]), HABITS, st.integers(1, 2)
)


class Layers(NamedTuple):
    """How to make an optimizer: the innermost's habits, classes derived, and what is around it."""

    habits: list[str]
    evaluations: int
    derived: list[tuple]
    around: list[tuple]

    def made(self, params: list[nn.Parameter]) -> tuple[Base, Optimizer]:
        """Return the innermost optimizer, and the one that the loop steps."""
        # A class of its own each time: PyTorch hooks a class's step once and for all.
        kind = type("Own", (Base,), {"step": Base.__dict__["step"]})
        for each in self.derived:
            kind = nested(kind, *each)
        innermost = outermost = kind(params, self.habits, self.evaluations)
        for each in self.around:
            own = type("Own", (Around,), {"step": Around.__dict__["step"]})
            outermost = own(outermost, *each)
        return innermost, outermost


LAYERS = st.builds(
    Layers,
    HABITS,
    st.integers(0, 3),
    st.lists(NESTED, max_size=2),
    st.lists(AROUND, max_size=2),
)
STEP = st.tuples(st.just("step"), GIVEN)
CLOSED = st.tuples(st.just("closed"), st.lists(GIVEN, min_size=1, max_size=3), st.booleans())
OPERATION = STEP | CLOSED | st.tuples(st.sampled_from(["flush", "fail", "stranger"]), GIVEN)


class Replay:
    """Steps of a drawn optimizer, beside what the log should hold."""

    def __init__(self, layers: Layers, directory: Path) -> None:
        self.model = nn.ParameterDict({n: nn.Parameter(torch.zeros(2)) for n in "pq"})
        self.innermost, self.outermost = layers.made(list(self.model.values()))
        self.elsewhere = torch.optim.SGD([nn.Parameter(torch.zeros(2))], 0.1)
        self.recorder = GradientRecorder(self.model, self.outermost, directory)
        self.rows: list[tuple] = []
        self.numbers: list[tuple[int, float]] = []

    def give(self, values) -> None:
        for p, value in zip(self.model.values(), values, strict=True):
            p.grad = None if value is None else torch.tensor([0.0, value])

    def step(self, values) -> None:
        self.give(values)
        self.outermost.step()
        self.done(values)

    def closed(self, in_turn, by_name: bool) -> None:
        self.give(last := in_turn[-1])  # for those that do not evaluate closures

        def closure() -> None:
            nonlocal last
            self.give(last := in_turn[len(seen) % len(in_turn)])
            seen.append(last)

        seen: list[tuple] = []
        self.outermost.step(closure=closure) if by_name else self.outermost.step(closure)
        self.done(last)

    def fail(self, values) -> None:
        self.give(values)
        self.innermost.fails = True
        with pytest.raises(MemoryError):
            self.outermost.step()
        self.innermost.fails = False
        self.rows.append(values)

    def stranger(self, _) -> None:
        self.elsewhere.step()

    def flush(self, _) -> None:
        self.recorder.flush()

    def done(self, values) -> None:
        self.rows.append(values)
        self.numbers.append((len(self.rows) - 1, len(self.rows) / 2))
        self.recorder.log("number", len(self.rows) / 2)

    def expected(self) -> dict[str, list[tuple[int, float]]]:
        steps = list(enumerate(self.rows))
        norms = {
            GRAD_NORM + name: [(s, abs(v[place])) for s, v in steps if v[place] is not None]
            for place, name in enumerate("pq")
        }
        return {tag: points for tag, points in {**norms, "number": self.numbers}.items() if points}


@given(layers=LAYERS, operations=st.lists(OPERATION, min_size=1, max_size=10))
@settings(max_examples=100)
def test_nothing_shifts_whatever_an_optimizer_does(layers, operations):
    """Scratch, nested and inner steps, closures, failed steps and other optimizers: a row a step.

    A step that fails was given its gradients, too.
    """
    with tempfile.TemporaryDirectory() as folder:
        replay = Replay(layers, Path(folder, "mine"))
        for name, *arguments in operations:
            getattr(replay, name)(*arguments)
        replay.recorder.close()
        run = open_run(folder + "/mine")
    found = {
        tag: list(zip(series.steps.tolist(), series.values.tolist(), strict=True))
        for tag, series in run.series.items()
    }
    assert found == replay.expected()
