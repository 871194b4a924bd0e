"""Columns of gradient norms: a row a step, a slot a parameter, on the gradients' device."""

from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from epochord.recorders.devices import current_stream, to_host
from epochord.recorders.norms import DeviceNorms, HostNorms, is_narrow

__all__ = ["Block", "Chosen", "NormColumns"]

Gradients = list[torch.Tensor]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Block = tuple[Sequence[str], Floats, Flags]
"""Names, and values and whether they were measured [shape=(rows, names)]."""


class NormColumns:
    """The norms of parameters that share a device and a precision.

    Parameters
    ----------
    parameters : sequence of (str, torch.nn.Parameter)
        By name; all of one kind.
    rows : int
        How many rows the buffer holds, beside one for norms whose row has not been opened.

    Attributes
    ----------
    kind : tuple of (torch.device, bool)
        Where they are, and whether they are of at most 32 bits.
    parameters : list of weakref.ref
        They do not live on for our sake.
    """

    AHEAD = -1  # the row of norms that are measured ahead

    def __init__(self, parameters: Sequence[tuple[str, nn.Parameter]], rows: int) -> None:
        self.names = [name for name, _ in parameters]
        self.parameters = [ref(parameter) for _, parameter in parameters]
        _, first = parameters[0]
        self.kind = (first.device, is_narrow(first.dtype))
        self.measured = np.zeros((rows + 1, len(parameters)), bool)
        on_host = first.device.type == "cpu"
        shape = self.measured.shape
        self.store: _Host | _Device = (
            _Host(shape, self.kind[1]) if on_host else _Device(shape, first)
        )

    @property
    def on_host(self) -> bool:
        """Whether the norms lie in host memory."""
        return isinstance(self.store, _Host)

    def take(self, start: int, stop: int) -> Callable[[], Block]:
        """Copy rows out; the function returned waits for the device."""
        measured = self.measured[start:stop].copy()
        values = self.store.take(start, stop)
        names = self.names
        return lambda: (names, values(), measured)

    def restart(self, keep: int) -> None:
        """Begin the buffer anew with the row `keep`."""
        self.store.copy(keep, 0)
        self.measured[0] = self.measured[keep]
        self.measured[1 : self.AHEAD] = False


class Chosen:
    """Those parameters of some columns that one optimizer trains.

    Parameters
    ----------
    columns : NormColumns
        All that there are.
    slots : sequence of int
        Which of them, ascending.
    parameters : sequence of torch.nn.Parameter
        What stands there.
    """

    def __init__(
        self, columns: NormColumns, slots: Sequence[int], parameters: Sequence[nn.Parameter]
    ) -> None:
        self._columns = columns
        self.parameters = list(parameters)
        first, last = slots[0], slots[-1]
        together = last - first + 1 == len(slots)
        self._slots: slice | list[int] = slice(first, last + 1) if together else list(slots)
        self._found: tuple[bool, ...] | None = None  # which gradients were there last
        self._whole = False  # whether all were
        self.names = [columns.names[slot] for slot in slots]

    def capture(self, row: int, divisor: torch.Tensor | None = None) -> None:
        """Measure the gradients that are there now.

        Parameters
        ----------
        row : int
            Row of the buffer.
        divisor : torch.Tensor [shape=()], optional
            What the gradients are still multiplied with.
        """
        gradients: list[Any] = [parameter.grad for parameter in self.parameters]
        columns = self._columns
        if self._whole:
            try:
                columns.store.put(row, self._slots, gradients, self._norms, divisor)
                columns.measured[row, self._slots] = True
                return
            except (AttributeError, TypeError):
                pass  # one is None now
        self._capture_some(row, gradients, divisor)

    def _capture_some(self, row: int, gradients: list[Any], divisor: torch.Tensor | None) -> None:
        """Measure those that are there."""
        found = tuple(gradient is not None for gradient in gradients)
        store = self._columns.store
        if found != self._found:
            self._found, self._mask, self._whole = found, np.array(found), all(found)
            sizes = [p.numel() for p, there in zip(self.parameters, found, strict=True) if there]
            self._norms = store.norms_of(sizes)
        self._columns.measured[row, self._slots] = self._mask
        there = [gradient for gradient in gradients if gradient is not None]
        if there:
            slots = self._slots if self._whole else self._present()
            store.put(row, slots, there, self._norms, divisor)

    def adopt(self, row: int) -> None:
        """Make what was captured ahead the norms of a row."""
        self._columns.store.copy(NormColumns.AHEAD, row, self._slots)
        measured = self._columns.measured
        measured[row, self._slots] = measured[NormColumns.AHEAD, self._slots]

    def _present(self) -> list[int]:
        slots = np.arange(len(self._columns.names))[self._slots]
        return [int(slot) for slot in slots[self._mask]]


class _Host:
    """Norms in host memory."""

    def __init__(self, shape: tuple[int, ...], narrow: bool) -> None:
        self._values = np.zeros(shape, np.float32)
        self._narrow = narrow

    def norms_of(self, sizes: Sequence[int]) -> HostNorms:
        return HostNorms(sizes, narrow=self._narrow)

    def put(
        self,
        row: int,
        slots: slice | list[int],
        gradients: Gradients,
        norms: Any,
        divisor: torch.Tensor | None,
    ) -> None:
        values = norms(gradients)
        if divisor is None:
            self._values[row, slots] = values
        else:
            with np.errstate(over="ignore"):  # beyond float32 is infinite in the log
                self._values[row, slots] = np.divide(values, float(divisor))

    def copy(self, row: int, to: int, slots: slice | list[int] = slice(None)) -> None:
        self._values[to, slots] = self._values[row, slots]

    def take(self, start: int, stop: int) -> Callable[[], Floats]:
        values = self._values[start:stop].copy()
        return lambda: values


class _Device:
    """Norms on another device, in the stream of whoever trains."""

    def __init__(self, shape: tuple[int, ...], first: torch.Tensor) -> None:
        self._narrow = is_narrow(first.dtype)
        self._values = torch.zeros(shape, dtype=torch.float32, device=first.device)
        self._rows = self._values.unbind(0)  # made once: indexing a tensor costs microseconds
        self._stream = current_stream(first.device)

    def norms_of(self, sizes: Sequence[int]) -> DeviceNorms:
        del sizes  # one kernel takes all of them
        return DeviceNorms(self._narrow, self._values)

    def put(
        self,
        row: int,
        slots: slice | list[int],
        gradients: Gradients,
        norms: Any,
        divisor: torch.Tensor | None,
    ) -> None:
        self._follow()
        whole = self._rows[row]
        if isinstance(slots, slice):
            out = whole[slots]
            norms(gradients, out)
        else:
            out = whole.new_empty(len(slots))
            norms(gradients, out)
        if divisor is not None:
            out.div_(divisor.to(out.device, non_blocking=True))
        if not isinstance(slots, slice):
            whole.index_copy_(0, torch.tensor(slots, device=out.device), out)

    def copy(self, row: int, to: int, slots: slice | list[int] = slice(None)) -> None:
        self._follow()
        if isinstance(slots, slice):
            self._rows[to][slots].copy_(self._rows[row][slots])
        else:
            places = torch.tensor(slots, device=self._values.device)
            self._rows[to].index_copy_(0, places, self._rows[row][places])

    def take(self, start: int, stop: int) -> Callable[[], Floats]:
        return to_host(self._values[start:stop], self._stream)

    def _follow(self) -> None:
        """Go over to the stream that the training uses now, behind what was begun in another."""
        now = current_stream(self._values.device)
        if now != self._stream:
            now.wait_stream(self._stream)
            self._stream = now
