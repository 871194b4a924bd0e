"""From a device to the host without holding anybody up, in the stream that made the values."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["Stream", "capturing", "current_stream", "to_host"]

Stream = Any
"""A CUDA stream; None for devices that have none."""

LOOK_AGAIN = 0.001  # s


def current_stream(device: torch.device) -> Stream:
    """Return the stream that work on a device goes to now; None where there are no streams."""
    return torch.cuda.current_stream(device) if device.type == "cuda" else None


def capturing() -> bool:
    """Tell whether the work of this thread is being captured into a CUDA graph, not done."""
    return torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()  # type: ignore[no-untyped-call]


def to_host(values: torch.Tensor, stream: Stream = None) -> Callable[[], npt.NDArray[np.float32]]:
    """Start copying a tensor to the host; the function returned waits for it.

    Parameters
    ----------
    values : torch.Tensor
        On any device.
    stream : torch.cuda.Stream, optional
        The one in which the values are made; by default the current one.
    """
    if values.device.type == "cpu":
        copy = values.detach().clone()
        return copy.numpy
    if values.device.type != "cuda":
        return values.detach().cpu().numpy
    with torch.cuda.stream(stream) if stream else nullcontext():
        # Into pinned memory, so that the copies run while training goes on.
        host = values.detach().to("cpu", non_blocking=True)
        arrived = torch.zeros(1, dtype=torch.uint8, pin_memory=True)
        arrived.copy_(torch.ones(1, dtype=torch.uint8, device=values.device), non_blocking=True)
    flag = arrived.numpy()

    def wait() -> npt.NDArray[np.float32]:
        # To look at the memory needs no call of CUDA's: one from another thread would break a
        # graph that is being captured meanwhile.
        while not flag[0]:
            time.sleep(LOOK_AGAIN)
        return host.numpy()

    return wait
