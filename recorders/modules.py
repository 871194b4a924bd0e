"""Asking torch modules without changing them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

__all__ = ["evaluating", "first_floating", "inputs_for"]


def first_floating(module: nn.Module) -> torch.Tensor | None:
    """Return the first parameter or buffer of floating point: it says precision and device."""
    for source in (module.parameters(), module.buffers()):
        for tensor in source:
            if tensor.is_floating_point():
                return tensor
    return None


def inputs_for(module: nn.Module, inputs: Any) -> torch.Tensor:
    """Return inputs in a module's own precision, on its own device."""
    own = first_floating(module)
    if own is not None:
        return torch.as_tensor(inputs).to(own)
    if isinstance(inputs, torch.Tensor):
        return inputs
    return torch.as_tensor(inputs, dtype=torch.get_default_dtype())


@contextmanager
def evaluating(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Put modules into eval mode, and each of their layers back into the mode it had."""
    before = [(module, [(each, each.training) for each in module.modules()]) for module in modules]
    try:
        for module, modes in before:
            if any(mode for _, mode in modes):
                module.eval()
        yield
    finally:
        for module, modes in before:
            if any(each.training != mode for each, mode in modes):
                module.train(modes[0][1])  # a module may do more than set its flag
                for each, mode in modes:
                    each.training = mode
