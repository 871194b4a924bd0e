"""The steps of everyone's optimizers, seen by PyTorch's own hooks for all of them.

A hook of one optimizer would miss the one that replaces it, those inside a wrapper, and
wrappers that have no hooks; so each step in the process is looked at, and those count that train
the parameters in question.  A step within a step (``super().step()``, a wrapped optimizer)
is part of the outermost.
"""

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Lock, get_ident
from types import CodeType
from typing import Any, Protocol, TypeGuard

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
        self._threads: dict[int, _Step] = {}  # each does its own steps
        with _changing:
            global _all
            _all = (*_all, self)
            _hook_in()

    @property
    def stepping(self) -> bool:
        """Whether a step has begun and is not over."""
        return any(step.depth for step in list(self._threads.values()))

    def remove(self) -> None:
        """Look at no further step."""
        with _changing:
            global _all
            _all = tuple(each for each in _all if each is not self)

    def before(
        self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Arguments | None:
        """Look at a call that begins; return what else it is to be given, if anything."""
        if not self._listener.trains(optimizer):
            return None
        step = self._threads.setdefault(get_ident(), _Step())
        if step.depth and not _within_step(self._listener.trains):
            step.depth = 0  # the last step raised an exception
        step.depth += 1
        if step.depth > 1:
            return None
        closure, put_back = _closure_of(optimizer, args, kwargs)
        step.closure, step.evaluated = closure is not None, False
        if closure is None:
            self._listener.before(optimizer)
            return None

        def measured(*given: Any, **named: Any) -> Any:
            result = closure(*given, **named)
            step.evaluated = True
            self._listener.evaluated(optimizer)
            return result

        return put_back(measured)

    def after(self, optimizer: Optimizer) -> None:
        """Look at a call that is over."""
        step = self._threads.get(get_ident())
        if step and step.depth and self._listener.trains(optimizer):
            step.depth -= 1
            if step.depth == 0:
                self._listener.after(optimizer, step.closure, step.evaluated)


# PyTorch's own list of hooks must never change while some thread is on its way through it: it
# would raise there, in the middle of a training.  So ours are entered once and stay.
_all: tuple[StepHooks, ...] = ()
_changing = Lock()


@cache
def _hook_in() -> None:
    register_optimizer_step_pre_hook(_before_each)
    register_optimizer_step_post_hook(_after_each)


def _before_each(optimizer: Optimizer, args: Any, kwargs: Any) -> Arguments | None:
    changed = None
    for each in _all:
        new = each.before(optimizer, args, kwargs)
        if new is not None:
            args, kwargs = changed = new
    return changed


def _after_each(optimizer: Optimizer, *_: Any) -> None:
    for each in _all:
        each.after(optimizer)


@dataclass(slots=True)
class _Step:
    """What a thread is doing."""

    depth: int = 0  # of steps that have begun
    closure: bool = False  # whether the outermost has one
    evaluated: bool = False  # whether that was called


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
    return isinstance(given, Optimizer) and hasattr(type(given).step, "hooked")


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
    optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Callable[..., Any] | None, Callable[[Any], Arguments]]:
    """Find a step's closure; also return how to put another one in its place."""
    if callable(kwargs.get("closure")):
        return kwargs["closure"], lambda new: (args, {**kwargs, "closure": new})
    given = len(args) > 1 and callable(args[1]) and not isinstance(args[1], nn.Module)
    if given and _takes_closure(type(optimizer).step):
        return args[1], lambda new: ((args[0], new, *args[2:]), kwargs)
    return None, lambda _: (args, kwargs)


@cache
def _takes_closure(step: Callable[..., Any]) -> bool:
    try:
        _, *first = list(inspect.signature(step).parameters.values())[:2]
    except (TypeError, ValueError):
        return False
    return any(each.name == "closure" or each.kind is each.VAR_POSITIONAL for each in first)


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
