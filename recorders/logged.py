"""What loops log: names that can stand in a log, and numbers in whatever form."""

from math import inf
from typing import Any

import numpy as np
import torch

__all__ = ["is_name", "logged_number"]


def is_name(tag: str) -> bool:
    """Tell whether a tag can be written anywhere."""
    try:
        return bool(tag.encode())
    except UnicodeEncodeError:  # half a character, of a file's name perhaps
        return False


def logged_number(tag: str, value: Any) -> float | torch.Tensor:
    """Return what was logged as a number, or as a copy of it where it lies on another device.

    Raises
    ------
    ValueError
        If a tensor has more than one element.
    TypeError
        If it is no real number.
    """
    if isinstance(value, torch.Tensor):
        if value.numel() != 1:
            raise ValueError(
                f"log({tag!r}): got a tensor of shape {tuple(value.shape)}; expected one element"
            )
        if not (value.is_cpu or value.is_complex()):
            return value.detach().reshape(()).to(torch.float32, copy=True)
        value = value.item()
    elif isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    try:
        return float(value)
    except OverflowError:  # an integer beyond what a float holds
        return inf if value > 0 else -inf
    except (TypeError, ValueError):
        raise TypeError(
            f"log({tag!r}): got {type(value).__name__} {value!r}; expected a real number or a "
            "tensor of one"
        ) from None
