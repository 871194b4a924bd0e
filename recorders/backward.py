"""Whether a backward pass has run since the last step, told by a gradient or two."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from weakref import ref

from torch.optim import Optimizer

__all__ = ["GradientsSeen"]


class GradientsSeen:
    """How the last step has left gradients: one of each optimizer that is looked at."""

    def __init__(self) -> None:
        self._seen: list[_Seen] = []

    def __bool__(self) -> bool:
        return bool(self._seen)

    def look(self, optimizers: Iterable[Optimizer]) -> None:
        """Look at the gradients as they are now."""
        self._seen = [_gradient_of(optimizer) for optimizer in optimizers]

    @property
    def changed(self) -> bool:
        """Whether a backward pass has computed any of them since."""
        return any(map(_has_changed, self._seen))


@dataclass(slots=True)
class _Seen:
    """References to a parameter and its gradient, and how often that had been changed."""

    parameter: Callable[[], Any]
    gradient: Callable[[], Any]
    version: int


def _gradient_of(optimizer: Optimizer) -> _Seen:
    """Look at one gradient: the first one that is there, else that of the first parameter."""
    first = None
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is not None:
                return _Seen(ref(parameter), ref(gradient), gradient._version)
            if first is None and parameter.requires_grad:
                first = parameter
    return _Seen(_nothing if first is None else ref(first), _nothing, 0)


def _has_changed(seen: _Seen) -> bool:
    gradient = getattr(seen.parameter(), "grad", None)
    if gradient is None:  # set to None since, and no backward pass has made another
        return False
    if gradient is not seen.gradient():
        return True
    # Elsewhere than in host memory, to look whether it has only been zeroed would mean waiting.
    if gradient._version != seen.version and gradient.is_cpu:
        if gradient.any():
            seen.gradient = _nothing  # so that nobody has to look again
        else:
            seen.version = gradient._version
    return seen.gradient is _nothing or gradient._version != seen.version


def _nothing() -> None:
    """Stand for a reference to what is not there."""
