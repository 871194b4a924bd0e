"""Gradient norms of many parameters, measured on their device without waiting for it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

__all__ = ["NormColumns", "group_parameters", "to_host"]

# Squares of half-precision numbers overflow at once; these are summed in float32.
_NARROW = frozenset({torch.float16, torch.bfloat16, torch.float32})


class NormColumns:
    """The norm columns of parameters that share a device and a precision.

    Parameters
    ----------
    parameters : mapping of str to torch.nn.Parameter
        By name; all on one device.
    rows : int
        How many rows the device buffer holds.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], rows: int) -> None:
        self.names = list(parameters)
        self._parameters = list(parameters.values())
        first = self._parameters[0]
        self._dtype = torch.float32 if first.dtype in _NARROW else None
        self._norms = torch.zeros(rows, len(parameters), dtype=torch.float32, device=first.device)
        self._rows = self._norms.unbind(0)  # views made once: indexing a tensor costs microseconds
        self._measured = np.zeros((rows, len(parameters)), dtype=bool)

    @torch.no_grad()
    def capture(self, row: int, divisor: torch.Tensor | None = None) -> None:
        """Measure the gradients that are there now.

        Parameters
        ----------
        row : int
            Row of the buffer.
        divisor : torch.Tensor [shape=()], optional
            What the gradients are still multiplied with.
        """
        gradients = [parameter.grad for parameter in self._parameters]
        whole = [gradient for gradient in gradients if gradient is not None]
        if not whole:
            self._measured[row] = False
        elif len(whole) == len(gradients):
            torch.stack(self._norms_of(whole), out=self._rows[row])
            self._measured[row] = True
        else:
            measured = np.array([gradient is not None for gradient in gradients])
            places = torch.from_numpy(np.flatnonzero(measured)).to(self._norms.device)
            norms = torch.stack(self._norms_of(whole)).to(self._norms.dtype)
            self._rows[row].index_copy_(0, places, norms)
            self._measured[row] = measured
        if divisor is not None:
            self._rows[row].div_(divisor.to(self._norms.device, non_blocking=True))

    def take(self, start: int, stop: int) -> Callable[[], "Columns"]:
        """Copy rows out; the function returned waits for the device and gives the columns.

        Returns
        -------
        callable
            Gives values and measured [shape=(stop - start,)] by parameter name.
        """
        measured = self._measured[start:stop].copy()
        norms = to_host(self._norms[start:stop])

        def columns() -> Columns:
            values = norms()
            return {
                name: (values[:, place], measured[:, place])
                for place, name in enumerate(self.names)
            }

        return columns

    def restart(self, keep: int) -> None:
        """Begin the buffer anew with the two rows from `keep` on."""
        self._norms[:2] = self._norms[keep : keep + 2].clone()
        kept = self._measured[keep : keep + 2].copy()
        self._measured[:] = False
        self._measured[: len(kept)] = kept

    def _norms_of(self, gradients: list[torch.Tensor]) -> list[torch.Tensor]:
        try:
            return list(torch._foreach_norm(gradients, 2, dtype=self._dtype))
        except (RuntimeError, TypeError):  # a sparse gradient, or one of another precision
            return [_norm(gradient) for gradient in gradients]


Columns = dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]]


def group_parameters(
    parameters: Iterable[tuple[str, nn.Parameter]], rows: int
) -> list[NormColumns]:
    """Make the columns of some parameters, one object for each device and precision."""
    groups: dict[tuple[torch.device, bool], dict[str, nn.Parameter]] = {}
    for name, parameter in parameters:
        key = (parameter.device, parameter.dtype in _NARROW)
        groups.setdefault(key, {})[name] = parameter
    return [NormColumns(group, rows) for group in groups.values()]


def to_host(values: torch.Tensor) -> Callable[[], npt.NDArray[np.float32]]:
    """Start copying a float32 tensor to the host; the function returned waits for it."""
    if values.device.type == "cpu":
        copy = values.detach().clone()
        return copy.numpy
    if values.device.type != "cuda":
        return values.detach().cpu().numpy
    # Into pinned memory, so that the copy runs while training goes on.
    host = values.detach().to("cpu", non_blocking=True)
    arrived: Any = torch.cuda.Event()  # type: ignore[no-untyped-call]
    arrived.record(torch.cuda.current_stream(values.device))

    def wait() -> npt.NDArray[np.float32]:
        arrived.synchronize()
        return host.numpy()

    return wait


def _norm(gradient: torch.Tensor) -> torch.Tensor:
    values = gradient.coalesce().values() if gradient.is_sparse else gradient
    dtype = torch.float32 if values.dtype in _NARROW else None
    norm: torch.Tensor = torch.linalg.vector_norm(values, dtype=dtype)
    return norm.to(torch.float32)
