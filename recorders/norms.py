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
        self._complete = bytearray(rows)  # 1 where all were measured, which costs no NumPy call
        self._partial: dict[int, npt.NDArray[np.bool_]] = {}

    def capture(self, row: int, divisor: torch.Tensor | None = None) -> None:
        """Measure the gradients that are there now.

        Parameters
        ----------
        row : int
            Row of the buffer.
        divisor : torch.Tensor [shape=()], optional
            What the gradients are still multiplied with.
        """
        gradients: list[Any] = [parameter.grad for parameter in self._parameters]
        try:
            norms = torch._foreach_norm(gradients, 2, dtype=self._dtype)
            torch.stack(norms, out=self._rows[row])
            self._complete[row] = True
        except (RuntimeError, TypeError):
            # A gradient is None, sparse, of another precision, or has a graph.
            self._capture_present(row, gradients)
        if divisor is not None:
            self._rows[row].div_(divisor.to(self._norms.device, non_blocking=True))

    def measured(self, row: int) -> bool:
        """Tell whether a row holds any norm."""
        return bool(self._complete[row]) or row in self._partial

    def take(self, start: int, stop: int) -> Callable[[], "Columns"]:
        """Copy rows out; the function returned waits for the device and gives the columns.

        Returns
        -------
        callable
            Gives values and measured [shape=(stop - start,)] by parameter name.
        """
        complete = np.frombuffer(self._complete, dtype=bool)[start:stop]
        measured = np.repeat(complete[:, None], len(self.names), axis=1)
        for row, present in self._partial.items():
            if start <= row < stop:
                measured[row - start] = present
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
        self._complete = self._complete[keep : keep + 2].ljust(len(self._rows), b"\0")
        self._partial = {row - keep: m for row, m in self._partial.items() if row >= keep}

    @torch.no_grad()
    def _capture_present(self, row: int, gradients: list[torch.Tensor | None]) -> None:
        present = [gradient for gradient in gradients if gradient is not None]
        self._complete[row] = len(present) == len(gradients)
        self._partial.pop(row, None)
        if present and not self._complete[row]:
            self._partial[row] = np.array([gradient is not None for gradient in gradients])
        if present:
            places = [i for i, gradient in enumerate(gradients) if gradient is not None]
            index = torch.tensor(places).to(self._norms.device, non_blocking=True)
            norms = torch.stack(self._norms_of(present)).to(self._norms.dtype)
            self._rows[row].index_copy_(0, index, norms)

    def _norms_of(self, gradients: list[torch.Tensor]) -> list[torch.Tensor]:
        try:
            return list(torch._foreach_norm(gradients, 2, dtype=self._dtype))
        except (RuntimeError, TypeError):
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
