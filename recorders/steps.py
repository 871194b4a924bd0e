"""The steps of everyone's optimizers, seen by PyTorch's own hooks for all of them.

A hook of one optimizer would miss the one that replaces it, those inside a wrapper, and
wrappers that have no hooks; so each step in the process is looked at, and those count that train
the parameters in question.  A step within a step (``super().step()``, a wrapped optimizer)
is part of the outermost.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

__all__ = ["Listener", "StepHooks", "inner_optimizers"]

DEEPEST = 4  # wrappers around an optimizer
_WRAPPER = "Optimizer.profile_hook_step.<locals>.wrapper"

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


class Listener(Protocol):
    """Whoever wants to know of steps."""

    def trains(self, optimizer: Optimizer) -> bool:
        """Tell whether an optimizer is one of those in question."""

    def before(self, optimizer: Optimizer) -> None:
        """Be told that a step begins; its gradients are there."""

    def evaluated(self, optimizer: Optimizer) -> None:
        """Be told that a step's closure has computed gradients."""

    def after(self, optimizer: Optimizer, closure: bool, evaluated: bool) -> None:
        """Be told that a step is over, whether it had a closure, and whether that was called."""


class StepHooks:
    """Tells a listener of each outermost step that concerns it.

    Parameters
    ----------
    listener : Listener
        Whom to tell.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._depth = 0  # of steps that have begun
        self._closure = self._evaluated = False  # of the outermost step: has it one, was it called
        self._handles = [
            register_optimizer_step_pre_hook(self._before),
            register_optimizer_step_post_hook(self._after),
        ]

    @property
    def stepping(self) -> bool:
        """Whether a step has begun and is not over."""
        return self._depth > 0

    def remove(self) -> None:
        """Look at no further step."""
        for handle in self._handles:
            handle.remove()

    def _before(self, optimizer: Optimizer, args: Any, kwargs: Any) -> Arguments | None:
        if not self._listener.trains(optimizer):
            return None
        if self._depth and not _within_step(self._listener.trains):
            self._depth = 0  # the last step raised an exception
        self._depth += 1
        if self._depth > 1:
            return None
        closure, put_back = _closure_of(optimizer, args, kwargs)
        self._closure, self._evaluated = closure is not None, False
        if closure is None:
            self._listener.before(optimizer)
            return None

        def measured(*given: Any, **named: Any) -> Any:
            result = closure(*given, **named)
            self._evaluated = True
            self._listener.evaluated(optimizer)
            return result

        return put_back(measured)

    def _after(self, optimizer: Optimizer, *_: Any) -> None:
        if self._depth and self._listener.trains(optimizer):
            self._depth -= 1
            if self._depth == 0:
                self._listener.after(optimizer, self._closure, self._evaluated)


def inner_optimizers(given: object) -> list[Optimizer]:
    """Return the optimizers whose steps PyTorch's hooks see: one itself, or those that it wraps.

    Parameters
    ----------
    given : object
        A ``torch.optim.Optimizer``, or anything that holds some, directly or below.

    Returns
    -------
    list of torch.optim.Optimizer
        Empty if there are none.
    """
    return list({id(each): each for each in _inner(given, DEEPEST)}.values())


def _inner(given: object, depth: int) -> Iterator[Optimizer]:
    if isinstance(given, Optimizer) and hasattr(type(given).step, "hooked"):
        yield given
        return
    if depth == 0 or isinstance(given, torch.Tensor | nn.Module | type):
        return
    if isinstance(given, dict):
        held: list[Any] = list(given.values())
    elif isinstance(given, list | tuple):
        held = list(given)
    else:
        held = list(getattr(given, "__dict__", {}).values())
    for value in held:
        if not isinstance(value, str | int | float | bytes | None):
            yield from _inner(value, depth - 1)


def _closure_of(
    optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Callable[..., Any] | None, Callable[[Any], Arguments]]:
    """Find a step's closure; also return how to put another one in its place."""
    if callable(kwargs.get("closure")):
        return kwargs["closure"], lambda new: (args, {**kwargs, "closure": new})
    if len(args) > 1 and callable(args[1]) and _takes_closure(type(optimizer).step):
        return args[1], lambda new: ((args[0], new, *args[2:]), kwargs)
    return None, lambda _: (args, kwargs)


@cache
def _takes_closure(step: Callable[..., Any]) -> bool:
    try:
        return list(inspect.signature(step).parameters)[1:2] == ["closure"]
    except (TypeError, ValueError):
        return False


def _within_step(trains: Callable[[Optimizer], bool]) -> bool:
    """Tell whether a step is being done further up on the stack than the one that begins now."""
    frame = sys._getframe(1)
    seen = 0
    while frame is not None:
        if _is_wrapper(frame.f_code):
            arguments = frame.f_locals.get("args", ())
            if arguments and isinstance(arguments[0], Optimizer) and trains(arguments[0]):
                seen += 1
                if seen == 2:
                    return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _is_wrapper(code: CodeType) -> bool:
    return code.co_qualname == _WRAPPER
