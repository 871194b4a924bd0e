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


Norms = tuple[torch.Tensor, ...] | list[torch.Tensor]
Columns = dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]]
"""By parameter: values and whether they were measured."""

Present = bool | tuple[bool, ...] | None
"""Of a row: all were measured, which of them were, or none of them yet."""


class NormColumns:
    """The norm columns of parameters that share a device and a precision.

    Parameters
    ----------
    parameters : mapping of str to torch.nn.Parameter
        By name; all on one device.
    rows : int
        How many rows the buffer on that device holds.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], rows: int) -> None:
        self.names = list(parameters)
        self._parameters = list(parameters.values())
        first = self._parameters[0]
        self._dtype = torch.float32 if first.dtype in _NARROW else None
        # One row more, for norms whose row has not been opened yet.
        self._norms = torch.zeros(
            rows + 1, len(parameters), dtype=torch.float32, device=first.device
        )
        self._rows = self._norms.unbind(0)  # views made once: indexing a tensor costs microseconds
        self._zero = self._norms.new_zeros(())
        self._present: list[Present] = [None] * (rows + 1)

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
        norms = self._norms_of(whole)
        if len(whole) == len(gradients):
            self._present[row] = True
        else:
            self._present[row] = tuple(gradient is not None for gradient in gradients)
            found = iter(norms)
            norms = [self._zero if gradient is None else next(found) for gradient in gradients]
        try:
            torch.stack(norms, out=self._rows[row])
        except RuntimeError:  # gradients have a graph, or the model has moved since
            torch.stack([norm.detach().to(self._norms) for norm in norms], out=self._rows[row])
        if divisor is not None:
            self._rows[row].div_(divisor.to(self._norms.device, non_blocking=True))

    def capture_ahead(self) -> None:
        """Measure the gradients that are there now, for a row that comes later."""
        self.capture(-1)

    def adopt(self, row: int) -> None:
        """Make what was captured ahead the norms of a row."""
        self._rows[row].copy_(self._rows[-1])
        self._present[row] = self._present[-1]

    def measured(self, row: int) -> bool:
        """Tell whether a row holds any norm."""
        present = self._present[row]
        return any(present) if isinstance(present, tuple) else bool(present)

    def take(self, start: int, stop: int) -> Callable[[], Columns]:
        """Copy rows out; the function returned waits for the device and gives the columns.

        Returns
        -------
        callable
            Gives values and measured [shape=(stop - start,)] by parameter name.
        """
        measured = np.zeros((stop - start, len(self.names)), dtype=bool)
        for row, present in enumerate(self._present[start:stop]):
            if present is not None:
                measured[row] = present
        norms = to_host(self._norms[start:stop])

        def columns() -> Columns:
            values = norms()
            return {
                name: (values[:, place], measured[:, place])
                for place, name in enumerate(self.names)
            }

        return columns

    def restart(self, keep: int) -> None:
        """Begin the buffer anew with the row `keep`."""
        rows = len(self._present)
        self._rows[0].copy_(self._rows[keep])
        self._present = [self._present[keep], *[None] * (rows - 2), self._present[-1]]

    def _norms_of(self, gradients: list[torch.Tensor]) -> Norms:
        try:
            return torch._foreach_norm(gradients, 2, dtype=self._dtype) if gradients else []
        except RuntimeError:  # a gradient is sparse or of another precision
            return [_norm(gradient) for gradient in gradients]


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
    norm: torch.Tensor = torch.linalg.vector_norm(values.detach(), dtype=dtype)
    return norm.to(torch.float32)
