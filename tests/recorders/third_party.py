"""Optimizers as other people write them, after their papers, with habits that mislead recorders.

Many use ``p.grad`` as scratch paper: what is in it after ``step`` is an update, not a
gradient.  Others call a step from a step, hold an optimizer instead of being one,
or evaluate a closure more than once.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator

import torch
from torch.optim import Optimizer

__all__ = [
    "LARS",
    "SAM",
    "SWATS",
    "Amplifier",
    "Backtracking",
    "Extragradient",
    "GrokFast",
    "GrokFastSGD",
    "Lookahead",
    "NovoGrad",
    "ScheduleFree",
    "Shampoo",
]

Closure = Callable[[], torch.Tensor] | None


def evaluated(closure: Closure) -> torch.Tensor | None:
    """Return a closure's loss, if there is a closure, with gradients on."""
    return None if closure is None else torch.enable_grad()(closure)()


def with_gradient(optimizer: Optimizer) -> Iterator[tuple[dict, torch.Tensor, dict]]:
    """Go through the parameters that have a gradient: group, parameter, state."""
    for group in optimizer.param_groups:
        for p in group["params"]:
            if p.grad is not None:
                yield group, p, optimizer.state[p]


class ScheduleFree(Optimizer):
    """Schedule-free Adam (Defazio and others, 2024); normalises and decays in ``p.grad``.

    The weights are y, between the base sequence z and its average x.
    """

    def __init__(self, params, lr=0.05, beta=0.9, decay=0.1):
        super().__init__(params, {"lr": lr, "beta": beta, "decay": decay})
        self.done = 0

    @torch.no_grad()
    def step(self, closure: Closure = None):
        loss = evaluated(closure)
        self.done += 1
        for group, y, state in with_gradient(self):
            if not state:
                state.update(z=y.clone(), square=torch.zeros_like(y))
            state["square"].lerp_(y.grad.square(), 0.01)
            root = (state["square"] / (1 - 0.99**self.done)).sqrt_().add_(1e-8)
            y.grad.div_(root).add_(y, alpha=group["decay"])
            y.lerp_(state["z"], 1 / self.done)
            y.sub_(y.grad, alpha=group["lr"] * (1 - group["beta"] * (1 - 1 / self.done)))
            state["z"].sub_(y.grad, alpha=group["lr"])
        return loss


class LARS(torch.optim.SGD):
    """Layer-wise rates (You and others, 2017): ``p.grad`` scaled, then ``super().step``."""

    def __init__(self, params, lr=0.1, trust=0.02, decay=0.1):
        super().__init__(params, lr, momentum=0.9)
        self.trust, self.decay = trust, decay

    @torch.no_grad()
    def step(self, closure: Closure = None):
        loss = evaluated(closure)
        for _, p, _ in with_gradient(self):
            rate = self.trust * p.norm() / (p.grad.norm() + self.decay * p.norm() + 1e-9)
            p.grad.add_(p, alpha=self.decay).mul_(rate)
        super().step()
        return loss


class NovoGrad(Optimizer):
    """NovoGrad (Ginsburg and others, 2019); divides ``p.grad`` by its layer's second moment."""

    def __init__(self, params, lr=0.05, betas=(0.9, 0.25), decay=0.1):
        super().__init__(params, {"lr": lr, "betas": betas, "decay": decay})

    def step(self, closure: Closure = None):
        loss = evaluated(closure)
        for group, p, state in with_gradient(self):
            first, second = group["betas"]
            square = p.grad.square().sum()
            state["v"] = second * state.get("v", square) + (1 - second) * square
            p.grad.div_(state["v"].sqrt() + 1e-8).add_(p.data, alpha=group["decay"])
            state["m"] = first * state.get("m", 0) + p.grad
            p.data.sub_(state["m"], alpha=group["lr"])
        return loss


class SWATS(Optimizer):
    """From Adam to SGD (Keskar and Socher, 2017); later ``p.grad`` is the momentum."""

    def __init__(self, params, lr=0.01, tolerance=1e-9, decay=0.1):
        super().__init__(params, {"lr": lr, "tolerance": tolerance, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Closure = None):
        loss = evaluated(closure)
        for group, p, state in with_gradient(self):
            p.grad.add_(p, alpha=group["decay"])
            if state.get("rate"):
                state["momentum"] = state.get("momentum", 0) * 0.9 + p.grad
                p.grad = state["momentum"]
                p.sub_(p.grad, alpha=0.1 * state["rate"])
            else:
                p.add_(self._adam(group, p.grad, state))
        return loss

    def _adam(self, group: dict, grad: torch.Tensor, state: dict) -> torch.Tensor:
        done = state["done"] = state.get("done", 0) + 1
        state["m"] = 0.9 * state.get("m", 0) + 0.1 * grad
        state["v"] = 0.999 * state.get("v", 0) + 0.001 * grad**2
        root = (state["v"] / (1 - 0.999**done)).sqrt() + 1e-8
        update = -group["lr"] * state["m"] / (1 - 0.9**done) / root
        rate = update.square().sum().item() / -(update * grad).sum().item()
        state["mean"] = 0.999 * state.get("mean", 0) + 0.001 * rate
        mean = state["mean"] / (1 - 0.999**done)
        if done > 1 and abs(mean - rate) < group["tolerance"]:
            state["rate"] = mean
        return update


class GrokFastSGD(torch.optim.SGD):
    """Slow gradients amplified (Lee and others, 2024) in ``p.grad``, then ``super().step``."""

    def __init__(self, params, lr=0.05, factor=2.0):
        super().__init__(params, lr)
        self.factor, self.slow = factor, {}

    @torch.no_grad()
    def step(self, closure: Closure = None):
        loss = evaluated(closure)
        amplify(self, self.slow, self.factor)
        super().step()
        return loss


class GrokFast(Optimizer):
    """The same around another optimizer, without ``super().__init__``, but with hooks."""

    def __init__(self, optimizer, factor=2.0):
        self.optimizer, self.factor, self.slow = optimizer, factor, {}
        self.param_groups, self.state = optimizer.param_groups, optimizer.state
        self.defaults = optimizer.defaults
        self._optimizer_step_pre_hooks = OrderedDict()
        self._optimizer_step_post_hooks = OrderedDict()
        self._patch_step_function()

    @torch.no_grad()
    def step(self, closure: Closure = None):
        loss = evaluated(closure)
        amplify(self, self.slow, self.factor)
        self.optimizer.step()
        return loss


class Amplifier:
    """The same again, as a class of its own: no `Optimizer`, so nothing of PyTorch's sees it."""

    def __init__(self, optimizer, factor=2.0):
        self.optimizer, self.factor, self.slow = optimizer, factor, {}
        self.param_groups, self.zero_grad = optimizer.param_groups, optimizer.zero_grad

    def step(self):
        with torch.no_grad():
            amplify(self.optimizer, self.slow, self.factor)
        self.optimizer.step()


def amplify(optimizer: Optimizer, slow: dict, factor: float) -> None:
    """Add to each gradient a multiple of its moving average."""
    for _, p, _ in with_gradient(optimizer):
        slow[p] = slow.get(p, p.grad).lerp(p.grad, 0.1)
        p.grad.add_(slow[p], alpha=factor)


class Lookahead(Optimizer):
    """k steps forward, 1 step back (Zhang and others, 2019), around another optimizer.

    It never calls ``super().__init__``; hooks can be registered with the dictionaries
    that it sets by hand, and are not called.
    """

    def __init__(self, optimizer, k=2, alpha=0.5):
        self.optimizer, self.k, self.alpha, self.done = optimizer, k, alpha, 0
        self._optimizer_step_pre_hooks = OrderedDict()
        self._optimizer_step_post_hooks = OrderedDict()
        self.param_groups, self.state = optimizer.param_groups, optimizer.state
        self.defaults = optimizer.defaults
        self.slow = [p.data.clone() for group in self.param_groups for p in group["params"]]

    def zero_grad(self, set_to_none=True):
        self.optimizer.zero_grad(set_to_none)

    def step(self, closure: Closure = None):
        loss = self.optimizer.step(closure)
        self.done += 1
        if self.done % self.k == 0:
            fast = (p for group in self.param_groups for p in group["params"])
            for slow, p in zip(self.slow, fast, strict=True):
                slow.lerp_(p.data, self.alpha)
                p.data.copy_(slow)
        return loss


class SAM(Optimizer):
    """Sharpness-aware minimization (Foret and others, 2020): two backward passes a step.

    The base optimizer is given the gradient at the perturbed weights.  Either the
    loop calls `first_step` and `second_step`, or it calls `step` with a closure.
    """

    def __init__(self, params, base=torch.optim.SGD, rho=0.05, **settings):
        super().__init__(params, {"rho": rho, **settings})
        self.base = base(self.param_groups, **settings)
        self.param_groups = self.base.param_groups

    @torch.no_grad()
    def first_step(self, zero_grad=False):
        moving = list(with_gradient(self))
        whole = torch.stack([p.grad.norm() for _, p, _ in moving]).norm()
        for group, p, state in moving:
            state["before"] = p.data.clone()
            p.grad.mul_(group["rho"] / (whole + 1e-12))
            p.add_(p.grad)
        if zero_grad:
            self.zero_grad()

    @torch.no_grad()
    def second_step(self, zero_grad=False):
        for _, p, state in with_gradient(self):
            p.data = state["before"]
        self.base.step()
        if zero_grad:
            self.zero_grad()

    @torch.no_grad()
    def step(self, closure: Closure = None):
        self.first_step(zero_grad=True)
        loss = evaluated(closure)
        self.second_step()
        return loss


class Shampoo(Optimizer):
    """Shampoo (Gupta and others, 2018); momentum and both preconditioners go into ``p.grad``."""

    def __init__(self, params, lr=0.05, momentum=0.5):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    def step(self, closure: Closure = None):
        loss = evaluated(closure)
        for group, p, state in with_gradient(self):
            p.grad.mul_(1 - group["momentum"])
            p.grad.add_(state.get("last", p.grad), alpha=group["momentum"])
            for axis in range(p.dim()):
                p.grad.copy_(self._preconditioned(p.grad, axis, state))
            state["last"] = p.grad.clone()
            p.data.add_(p.grad.data, alpha=-group["lr"])
        return loss

    @staticmethod
    def _preconditioned(grad: torch.Tensor, axis: int, state: dict) -> torch.Tensor:
        flat = grad.movedim(axis, 0).reshape(grad.shape[axis], -1)
        statistics = state.setdefault(axis, 1e-3 * torch.eye(len(flat)))
        statistics.add_(flat @ flat.T)
        values, vectors = torch.linalg.eigh(statistics)
        root = vectors * values.clamp(min=1e-6) ** (-1 / (2 * grad.dim())) @ vectors.T
        turned = (root @ flat).reshape(grad.movedim(axis, 0).shape)
        return turned.movedim(0, axis)


class Extragradient(Optimizer):
    """Extragradient (Korpelevich, 1976): the closure is evaluated here, and where that leads."""

    def __init__(self, params, lr=0.05):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Closure):
        loss = evaluated(closure)
        for group, p, state in with_gradient(self):
            state["before"] = p.clone()
            p.sub_(p.grad, alpha=group["lr"])
        evaluated(closure)
        for group, p, state in with_gradient(self):
            p.copy_(state["before"]).sub_(p.grad.mul_(group["lr"]))
        return loss


class Backtracking(Optimizer):
    """Steepest descent with Armijo's rule: more evaluations, without gradients, and none left."""

    def __init__(self, params, lr=1.0):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Closure):
        loss = evaluated(closure)
        moving = [(p, p.clone(), p.grad) for _, p, _ in with_gradient(self)]
        slope = sum(grad.square().sum() for *_, grad in moving)
        rate = self.param_groups[0]["lr"]
        for _ in range(10):
            for p, before, grad in moving:
                p.copy_(before - rate * grad)
            if closure() <= loss - 0.5 * rate * slope:
                break
            rate /= 2
        for p, *_ in moving:
            p.grad = None
        return loss
