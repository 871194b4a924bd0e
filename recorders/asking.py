"""Asking the members of an ensemble at fixed inputs: modules or functions to one array of answers.

Whatever the members are, asking them changes nothing: modules are evaluated in eval
mode and put back, no graph is built, and torch's random numbers go on as if
nobody had asked.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from epochord.runlog.errors import described

__all__ = ["Answers", "Asked", "Members", "as_array", "is_real"]

Answers = torch.Tensor | npt.NDArray[Any]
"""Where the members answered: on their device, or in NumPy."""

Function = Callable[[Any], Any]
Members = Function | Sequence[Function]
"""One function for all members (a module is one), or one each."""


class Asked:
    """The members of an ensemble, and where they are asked.

    Parameters
    ----------
    members : callable, or sequence of callables
        A callable gives the answers of all members [shape=(members, points) or
        (members, points, 1)]; those of a sequence one member's each
        [shape=(points,) or (points, 1)].  In tensors or arrays.
    inputs : torch.Tensor or np.ndarray [shape=(points, inputs)]
        Modules get them in their own precision, on their own device; other
        callables get just these.
    name : str
        What the members are called in messages.

    Raises
    ------
    ValueError
        If there are none.
    TypeError
        If something cannot be called.
    """

    def __init__(self, members: Members, inputs: Answers, *, name: str = "members") -> None:
        together = callable(members) and not isinstance(members, nn.ModuleList)
        parts = [members] if together else _several(members, name)
        for place, part in enumerate(parts):
            if not callable(part):
                raise TypeError(
                    f"{name}[{place}] is {type(part).__name__}; expected modules, or functions of "
                    "the inputs"
                )
        self._together = together
        self._parts: list[Any] = parts
        self._modules = [part for part in parts if isinstance(part, nn.Module)]
        self._inputs = inputs
        self._name = name

    def __call__(self) -> Answers:
        """Ask all members.

        Returns
        -------
        torch.Tensor or np.ndarray [shape=(members, points)]
            As they answered, in their own precision.

        Raises
        ------
        ValueError
            If answers have another shape.
        TypeError
            If answers are no real numbers.
        """
        with _undisturbed(self._modules, self._device()):
            answers = [part(self._inputs_of(part)) for part in self._parts]
        return self._joined(answers)

    def checked(self) -> Answers:
        """Ask all members for the first time; whatever they raise is told in one line.

        Raises
        ------
        ValueError
            If the members cannot be asked at these inputs, or answer in another shape.
        TypeError
            If answers are no real numbers.
        """
        with _undisturbed(self._modules, self._device()):
            answers = [self._first(place, part) for place, part in enumerate(self._parts)]
        joined = self._joined(answers)
        if not len(joined):
            raise ValueError(f"{self._name}: there are none; expected at least one")
        return joined

    def _first(self, place: int, part: Function) -> Any:
        inputs = self._inputs_of(part)
        try:
            return part(inputs)
        except Exception as error:
            kind = "a tensor" if isinstance(inputs, torch.Tensor) else "an array"
            raise ValueError(
                f"{self._who(place)} cannot be asked with {kind} of shape {tuple(inputs.shape)} "
                f"({described(error)}); a function gets what the grid is, a tensor or an array "
                "[shape=(points, inputs)]"
            ) from error

    def _joined(self, answers: list[Any]) -> Answers:
        points = len(self._inputs)
        if self._together:
            return _answers(answers[0], points, self._name, members=True)
        plain = [_answers(answer, points, self._who(place)) for place, answer in enumerate(answers)]
        tensors = [each for each in plain if isinstance(each, torch.Tensor)]
        if len(tensors) == len(plain):
            return torch.stack(tensors)
        return np.stack([as_array(each) for each in plain])

    def _who(self, place: int) -> str:
        if self._together:
            return self._name
        return f"member {place}" if self._name == "members" else f"{self._name} {place}"

    def _inputs_of(self, part: Function) -> Answers:
        if not isinstance(part, nn.Module):
            return self._inputs
        own = _first_floating(part)
        if own is not None:
            return torch.as_tensor(self._inputs).to(own)
        if isinstance(self._inputs, torch.Tensor):
            return self._inputs
        return torch.as_tensor(self._inputs, dtype=torch.get_default_dtype())

    def _device(self) -> torch.device:
        for module in self._modules[:1]:
            own = _first_floating(module)
            if own is not None:
                return own.device
        return self._inputs.device if isinstance(self._inputs, torch.Tensor) else _CPU


def as_array(values: Any) -> npt.NDArray[Any]:
    """Return a tensor of any device, an array or a list as an array."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def is_real(values: Answers) -> bool:
    """Tell whether a tensor or an array holds real numbers."""
    if isinstance(values, torch.Tensor):
        return not values.is_complex()
    return values.dtype.kind in "fiub"


_CPU = torch.device("cpu")


def _several(members: Any, name: str) -> list[Any]:
    if isinstance(members, str) or not isinstance(members, Iterable):
        raise TypeError(
            f"{name} is {type(members).__name__}; expected a list of modules, or a function giving "
            "(members, points)"
        )
    parts = list(members)
    if not parts:
        raise ValueError(f"{name}: there are none; expected at least one")
    return parts


def _answers(answer: Any, points: int, who: str, *, members: bool = False) -> Answers:
    """Check one function's answer; return it without its last axis of one."""
    values: Answers = answer if isinstance(answer, torch.Tensor) else np.asarray(answer)
    shape, rank = tuple(values.shape), 2 if members else 1
    if len(shape) == rank + 1 and shape[-1] == 1:
        values = values[..., 0]
    if values.ndim != rank or values.shape[-1] != points:
        wanted = f"(members, {points}) or (members, {points}, 1)"
        if not members:
            wanted = f"({points},) or ({points}, 1)"
        raise ValueError(f"{who} gives {shape} at {points} points; expected {wanted}")
    if not is_real(values):
        raise TypeError(f"{who} gives {values.dtype}; expected real numbers")
    return values


def _first_floating(module: nn.Module) -> torch.Tensor | None:
    for source in (module.parameters(), module.buffers()):
        for tensor in source:
            if tensor.is_floating_point():
                return tensor
    return None


@contextmanager
def _undisturbed(modules: Sequence[nn.Module], device: torch.device) -> Iterator[None]:
    """Evaluate without a graph, in eval mode, without using up random numbers."""
    devices = [device] if device.type == "cuda" else []
    training = [
        (module, [(each, each.training) for each in module.modules()])
        for module in modules
        if any(each.training for each in module.modules())
    ]
    with torch.random.fork_rng(devices=devices), torch.no_grad():
        try:
            for module, _ in training:
                module.eval()
            yield
        finally:
            for module, modes in training:
                module.train(modes[0][1])  # a module may do more than set its flag
                for each, mode in modes:
                    each.training = mode
