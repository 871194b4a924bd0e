"""The steps of everyone's optimizers, seen by PyTorch's own hooks for all of them.

A hook of one optimizer would miss the one that replaces it, those inside a wrapper, and
wrappers that have no hooks; so each step in the process is looked at, and those count that train
the parameters in question.  A step within a step (``super().step()``, a wrapped optimizer)
is part of the outermost.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial, update_wrapper
from threading import RLock, get_ident
from types import CodeType
from typing import Any, Protocol, TypeGuard, TypeVar

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


class Listener(Protocol):
    """Whoever wants to know of steps."""

    def trained(self, optimizer: Optimizer) -> Any | None:
        """Return what an optimizer trains, if it is one of those in question."""

    def before(self, optimizer: Optimizer, trained: Any) -> None:
        """Be told that a step begins; its gradients are there."""

    def evaluated(self, trained: Any) -> None:
        """Be told of gradients that a step's closure has computed, or may leave as they are."""

    def after(self, optimizer: Optimizer, trained: Any, closure: bool, evaluated: bool) -> None:
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
        self._threads: dict[int, _Step] = {}  # each does its own steps
        with _changing:
            global _all
            _all = (*_all, self)
            _hook_in()

    def remove(self) -> None:
        """Look at no further step."""
        with _changing:
            global _all
            _all = tuple(each for each in _all if each is not self)
        for step in list(self._threads.values()):
            step.stand_back()

    def before(
        self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Arguments | None:
        """Look at a call that begins; return what else it is to be given, if anything."""
        trained = self._listener.trained(optimizer)
        if trained is None:
            return None
        thread = get_ident()
        step = self._threads.get(thread) or self._threads.setdefault(thread, _Step())
        if step.depth and not _within_step(self._listener.trained):
            step.depth = 0  # the last step raised an exception
        step.depth += 1
        if step.depth > 1:
            return None
        step.optimizer, step.trained = id(optimizer), trained
        step.stand_back()
        if optimizer._optimizer_step_pre_hooks:  # they may clip, so they go first
            last = partial(self._given, step, trained)
            step.last_in_line = optimizer.register_step_pre_hook(last)
            return None
        return self._given(step, trained, optimizer, args, kwargs)

    def _given(
        self, step: "_Step", trained: Any, optimizer: Optimizer, args: Any, kwargs: Any
    ) -> Arguments | None:
        """Measure what an outermost step is given, or its closure is going to give it."""
        found = _closure_of(args, kwargs) if kwargs or len(args) > 1 else None
        step.closure, step.ahead = found is not None, False
        if found is None:
            self._listener.before(optimizer, trained)
            return None
        closure, put_back = found

        def measure() -> None:
            step.ahead = True
            self._listener.evaluated(trained)

        def measured(*given: Any, **named: Any) -> Any:
            result = closure(*given, **named)
            step.evaluated = True
            measure()
            return result

        if not step.evaluated:  # nor may it be now: some optimizers leave closures alone
            measure()
        step.evaluated = False
        return put_back(update_wrapper(measured, closure))

    def after(self, optimizer: Optimizer) -> None:
        """Look at a call that is over."""
        step = self._threads.get(get_ident())
        if step is None or not step.depth:
            return
        if id(optimizer) == step.optimizer or self._listener.trained(optimizer) is not None:
            step.depth -= 1
        if step.depth == 0:
            step.stand_back()
            self._listener.after(optimizer, step.trained, step.closure, step.ahead)


# PyTorch's own list of hooks must never change while some thread is on its way through it: it
# would raise there, in the middle of a training.  So ours are entered once and stay.
_all: tuple[StepHooks, ...] = ()
_changing = RLock()  # a signal may come while it is held


@cache
def _hook_in() -> None:
    register_optimizer_step_pre_hook(_before_each)
    register_optimizer_step_post_hook(_after_each)


def _untraced(function: _Function) -> _Function:
    """Let torch.compile call a function, not look into it; its own decorator loads for a second."""
    function._torchdynamo_disable = True  # type: ignore[attr-defined]
    function._torchdynamo_disable_msg = "measures"  # type: ignore[attr-defined]
    return function


@_untraced
def _before_each(optimizer: Optimizer, args: Any, kwargs: Any) -> Arguments | None:
    changed = None
    for each in _all:
        new = each.before(optimizer, args, kwargs)
        if new is not None:
            args, kwargs = changed = new
    return changed


@_untraced
def _after_each(optimizer: Optimizer, *_: Any) -> None:
    for each in _all:
        each.after(optimizer)


@dataclass(slots=True)
class _Step:
    """What a thread is doing."""

    depth: int = 0  # of steps that have begun
    optimizer: int = 0  # identity of the outermost one
    trained: Any = None  # by it
    closure: bool = False  # whether the outermost has one
    ahead: bool = False  # whether what that gives has been measured
    evaluated: bool = False  # whether it was called at all, in the last step that had one
    last_in_line: RemovableHandle | None = None  # our own one of the optimizer's hooks

    def stand_back(self) -> None:
        """Leave an optimizer's hooks as they were."""
        if self.last_in_line:
            self.last_in_line.remove()
            self.last_in_line = None


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
    found: dict[int, Optimizer] = {}
    seen: set[int] = set()
    level = [given]
    for _ in range(DEEPEST + 1):
        fresh = [each for each in level if id(each) not in seen]
        seen.update(map(id, fresh))
        found |= {id(each): each for each in fresh if _is_stepped(each)}
        level = [value for each in fresh if id(each) not in found for value in _held(each)]
    return list(found.values())


def _is_stepped(given: object) -> TypeGuard[Optimizer]:
    """Tell whether PyTorch sees its step, or a ``super().step()`` in that."""
    return isinstance(given, Optimizer) and any(
        hasattr(vars(kind).get("step"), "hooked") for kind in type(given).__mro__
    )


def _held(given: object) -> list[Any]:
    """Return what an object holds and what may be, or hold, an optimizer."""
    if isinstance(given, torch.Tensor | nn.Module | type):
        return []
    if isinstance(given, dict):
        held: list[Any] = list(given.values())
    elif isinstance(given, list | tuple):
        held = list(given)
    else:
        slots = (getattr(kind, "__slots__", ()) for kind in type(given).__mro__)
        names = [name for each in slots for name in ([each] if isinstance(each, str) else each)]
        held = [getattr(given, name, None) for name in names]
        held += getattr(given, "__dict__", {}).values()
    return [value for value in held if not isinstance(value, str | int | float | bytes | None)]


def _closure_of(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Callable[..., Any], Callable[[Any], Arguments]] | None:
    """Find a step's closure, under whatever name; also return how to put another in its place."""
    for name, value in kwargs.items():
        if _is_closure(value):
            return value, lambda new, name=name: (args, {**kwargs, name: new})
    if len(args) > 1 and _is_closure(args[1]):
        return args[1], lambda new: ((args[0], new, *args[2:]), kwargs)
    return None


def _is_closure(value: object) -> bool:
    return callable(value) and not isinstance(value, nn.Module | type)


def _within_step(trained: Callable[[Optimizer], Any]) -> bool:
    """Tell whether a step is being done further up on the stack than the one that begins now."""
    frame = sys._getframe(1)
    seen = 0
    while frame is not None:
        if _is_wrapper(frame.f_code):
            arguments = frame.f_locals.get("args", ())
            if arguments and isinstance(arguments[0], Optimizer):
                seen += trained(arguments[0]) is not None
                if seen == 2:
                    return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _is_wrapper(code: CodeType) -> bool:
    return code.co_qualname == _WRAPPER
