"""The steps of everyone's optimizers, seen by PyTorch's own hooks for all of them.

A hook of one optimizer would miss the one that replaces it, those inside a wrapper, and
wrappers that have no hooks; so each step in the process is looked at, and those count that train
the parameters in question.  A step within a step (``super().step()``, a wrapped optimizer)
is part of the outermost.
"""

import sys
from collections.abc import Callable, Iterator
from functools import update_wrapper
from types import CodeType
from typing import Any, Protocol, TypeVar

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.utils.hooks import RemovableHandle

__all__ = ["Listener", "StepHooks", "inner_optimizers"]

DEEPEST = 4  # wrappers around an optimizer
_WRAPPER = "Optimizer.profile_hook_step.<locals>.wrapper"

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _untraced(function: _Function) -> _Function:
    """Let torch.compile call a function, not look into it; its own decorator loads for a second."""
    function._torchdynamo_disable = True  # type: ignore[attr-defined]
    function._torchdynamo_disable_msg = "measures"  # type: ignore[attr-defined]
    return function


class Listener(Protocol):
    """Whoever wants to know of steps."""

    def trains(self, optimizer: Optimizer) -> bool:
        """Tell whether an optimizer is one of those in question."""

    def before(self, optimizer: Optimizer) -> None:
        """Be told that a step begins; its gradients are there."""

    def evaluated(self, optimizer: Optimizer) -> None:
        """Be told of gradients that a step's closure has computed, or may leave as they are."""

    def after(self, optimizer: Optimizer, closure: bool, evaluated: bool) -> None:
        """Be told that a step is over: did it have a closure, was one told of that."""


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
        self._closure = False  # whether the outermost step has one
        self._ahead = False  # whether what that computed has been measured
        self._evaluated = False  # whether it was called at all, in the last step that had one
        self._last_in_line: RemovableHandle | None = None
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
        self._stand_back()
        for handle in self._handles:
            handle.remove()

    @_untraced
    def _before(self, optimizer: Optimizer, args: Any, kwargs: Any) -> Arguments | None:
        if not self._listener.trains(optimizer):
            return None
        if self._depth and not _within_step(self._listener.trains):
            self._depth = 0  # the last step raised an exception
        self._depth += 1
        if self._depth > 1:
            return None
        self._stand_back()
        if optimizer._optimizer_step_pre_hooks:  # they may clip, so they go first
            self._last_in_line = optimizer.register_step_pre_hook(self._given)
            return None
        return self._given(optimizer, args, kwargs)

    @_untraced
    def _given(self, optimizer: Optimizer, args: Any, kwargs: Any) -> Arguments | None:
        """Measure what an outermost step is given, or is going to be given by its closure."""
        closure, put_back = _closure_of(args, kwargs)
        self._closure = closure is not None
        if closure is None:
            self._listener.before(optimizer)
            return None
        self._ahead = False
        if not self._evaluated:  # nor may it be now: some optimizers leave it alone
            self._measure_ahead(optimizer)
        self._evaluated = False

        def measured(*given: Any, **named: Any) -> Any:
            result = closure(*given, **named)
            self._evaluated = True
            self._measure_ahead(optimizer)
            return result

        return put_back(update_wrapper(measured, closure))

    def _measure_ahead(self, optimizer: Optimizer) -> None:
        self._ahead = True
        self._listener.evaluated(optimizer)

    def _stand_back(self) -> None:
        """Leave an optimizer's own hooks as they were."""
        if self._last_in_line:
            self._last_in_line.remove()
            self._last_in_line = None

    @_untraced
    def _after(self, optimizer: Optimizer, *_: Any) -> None:
        if self._depth and self._listener.trains(optimizer):
            self._depth -= 1
            if self._depth == 0:
                self._stand_back()
                self._listener.after(optimizer, self._closure, self._ahead)


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
    if isinstance(given, Optimizer) and _is_hooked(type(given)):
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


def _is_hooked(kind: type[Optimizer]) -> bool:
    """Tell whether PyTorch sees a step, or a ``super().step()`` in it."""
    return any(hasattr(vars(each).get("step"), "hooked") for each in kind.__mro__)


def _closure_of(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Callable[..., Any] | None, Callable[[Any], Arguments]]:
    """Find a step's closure, under whatever name; also return how to put another in its place."""
    for name, value in kwargs.items():
        if _is_closure(value):
            return value, lambda new, name=name: (args, {**kwargs, name: new})
    if len(args) > 1 and _is_closure(args[1]):
        return args[1], lambda new: ((args[0], new, *args[2:]), kwargs)
    return None, lambda _: (args, kwargs)


def _is_closure(value: object) -> bool:
    return callable(value) and not isinstance(value, nn.Module | type)


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
