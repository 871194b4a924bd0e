"""Whose step a logged value is, in loops as people write them."""

import numpy as np
import pytest
import torch
from torch import nn

from epochord.recorders import GradientRecorder


class Loop:
    """A small net, its optimizer and its recorder, for a loop to use."""

    def __init__(self, directory) -> None:
        torch.manual_seed(0)
        self.model = nn.Linear(3, 1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.01)
        self.recorder = GradientRecorder(self.model, self.optimizer, directory)

    def backward(self, scale: float = 1.0, scaler=None) -> None:
        loss = self.model(torch.ones(2, 3)).square().mean() * scale
        (scaler.scale(loss) if scaler else loss).backward()

    def step(self, zero: str = "") -> None:
        """Do a step, setting gradients to None or to zero behind it, or leaving them."""
        self.optimizer.step()
        if zero:
            self.optimizer.zero_grad(set_to_none=zero == "none")


def after(loop, log):
    for i in range(4):
        loop.optimizer.zero_grad()
        loop.backward()
        loop.step()
        log(i)


def before(loop, log):
    for i in range(4):
        loop.optimizer.zero_grad()
        loop.backward()
        log(i)
        loop.step()


def before_backward(loop, log):
    for i in range(4):
        loop.optimizer.zero_grad()
        log(i)
        loop.backward()
        loop.step()


def zero_at_end(loop, log):
    for i in range(4):
        loop.backward()
        loop.step("none")
        log(i)


def zeroed_in_place_at_end(loop, log):
    for i in range(4):
        loop.backward()
        log(i)
        loop.step("zero")


def never_zeroed(loop, log):
    for i in range(4):
        loop.backward()
        log(i)
        loop.step()


def micro(loop, log):
    for i in range(8):
        loop.backward()
        if i % 2:
            loop.step("none")
        log(i // 2)


def micro3(loop, log):
    for i in range(9):
        loop.backward()
        if i % 3 == 2:
            loop.step("none")
        log(i // 3)


def micro_log_first(loop, log):
    for i in range(6):
        log(i // 2)
        loop.backward()
        if i % 2:
            loop.step("none")


def scaler(loop, log):
    amp = torch.amp.GradScaler("cpu")
    for i in range(5):
        loop.optimizer.zero_grad()
        loop.backward(float("inf") if i == 0 else 1.0, amp)
        amp.step(loop.optimizer)
        amp.update()
        log(max(i - 1, 0))


def scaler_zero_at_end(loop, log):
    amp = torch.amp.GradScaler("cpu")
    for i in range(5):
        loop.backward(1.0, amp)
        amp.step(loop.optimizer)
        amp.update()
        loop.optimizer.zero_grad()
        log(i)


def lr_first(loop, log):
    for i in range(4):
        log(i)
        loop.optimizer.zero_grad()
        loop.backward()
        loop.step()


def epoch_after_initial(loop, log):
    log(0)  # before training: of the first step
    for epoch in range(3):
        for _ in range(2):
            loop.optimizer.zero_grad()
            loop.backward()
            loop.step()
        log(2 * epoch + 2)  # and so each time of the step that comes
    loop.optimizer.zero_grad()
    loop.backward()
    loop.step()


def epoch_at_end(loop, log):
    for epoch in range(3):
        for _ in range(2):
            loop.optimizer.zero_grad()
            loop.backward()
            loop.step()
        log(2 * epoch + 1)


def closures(loop, log):
    for i in range(4):

        def closure(i=i):
            loop.optimizer.zero_grad()
            loop.backward()
            log(i)
            return 0.0

        loop.optimizer.step(closure)


LOOPS = [
    after,
    before,
    before_backward,
    zero_at_end,
    never_zeroed,
    zeroed_in_place_at_end,
    micro,
    micro3,
    micro_log_first,
    scaler,
    scaler_zero_at_end,
    lr_first,
    epoch_after_initial,
    epoch_at_end,
    closures,
]


@pytest.mark.parametrize("flush", [False, True])
@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_a_value_is_of_the_step_that_its_loop_means(loop, flush, tmp_path, points):
    """The last value counts and the mean is of all of a step, whenever the log is written."""
    meant: dict[int, list[float]] = {}
    setup = Loop(tmp_path / "r")

    def log(step: int) -> None:
        values = meant.setdefault(step, [])
        values.append(step + len(values) / 4)
        setup.recorder.log("last", values[-1])
        setup.recorder.log("mean", torch.tensor(values[-1]), reduce="mean")
        if flush:
            setup.recorder.flush()

    loop(setup, log)
    setup.recorder.close()
    assert points(tmp_path / "r", "last") == [(step, v[-1]) for step, v in meant.items()]
    assert points(tmp_path / "r", "mean") == [(s, sum(v) / len(v)) for s, v in meant.items()]


def gan(directory, where: str, *, critics: int = 1, leader: str = "d", touch: bool = True):
    """Train two nets in turns, logging at one place of the loop; return what the log should hold.

    Both step in a row; `touch` says whether the second one's backward pass reaches the first.
    """
    torch.manual_seed(0)
    nets = nn.ModuleDict({name: nn.Linear(2, 2) for name in "dg"})
    optimizers = {name: torch.optim.SGD(net.parameters(), 0.01) for name, net in nets.items()}
    meant: list[tuple[int, float]] = []
    order = "dg" if leader == "d" else "gd"
    row = -1
    with GradientRecorder(nets, [optimizers[name] for name in order], directory) as recorder:

        def at(place: str, coming: bool) -> None:
            if place == where:
                value = float(len(meant))
                recorder.log("x", value)
                meant.append((row + coming, value))

        for _ in range(4):
            for name in order[0] * critics + order[1]:
                begins = name == order[0]
                optimizers[name].zero_grad()
                hidden = nets[name](torch.ones(1, 2))
                reaches = touch and not begins
                (nets[order[0]](hidden) if reaches else hidden).square().sum().backward()
                at(f"{'first' if begins else 'second'} backward", begins)
                optimizers[name].step()
                row += begins
                at(f"{'first' if begins else 'second'} step", False)
            at("end", False)
    return meant


@pytest.mark.parametrize("touch", [False, True])
@pytest.mark.parametrize("critics", [1, 3])
@pytest.mark.parametrize("leader", ["d", "g"])
@pytest.mark.parametrize(
    "where", ["first backward", "first step", "second backward", "second step", "end"]
)
def test_a_value_in_a_loop_of_two_optimizers(where, leader, critics, touch, tmp_path, points):
    """Between a backward pass and its step it is of the row of that step, whoever else has one."""
    meant = gan(tmp_path / "r", where, critics=critics, leader=leader, touch=touch)
    assert points(tmp_path / "r", "x") == meant


ARRAYS = [
    np.array([2.0]),
    np.array(2),
    np.array([[2]], np.float16),
    np.float32(2),
    torch.ones(1) * 2,
]


@pytest.mark.parametrize("value", ARRAYS, ids=repr)
def test_an_array_of_one_number_is_that_number(value, tmp_path, points):
    """As metrics of other libraries return it."""
    loop = Loop(tmp_path / "r")
    loop.backward()
    loop.step()
    loop.recorder.log("x", value)
    loop.recorder.close()
    assert points(tmp_path / "r", "x") == [(0, 2.0)]


@pytest.mark.parametrize("value", [np.array([]), np.array([1.0, 2.0])], ids=repr)
def test_an_array_of_several_numbers_is_refused(value, tmp_path):
    """In a line that names the tag."""
    loop = Loop(tmp_path / "r")
    with loop.recorder, pytest.raises(TypeError, match=r"log\('x'\).*real number"):
        loop.recorder.log("x", value)
