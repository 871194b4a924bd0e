"""Leading digits of gradients and weights, counted on their device without waiting for it.

The digits are those of the shortest decimal that reads back as the number
(`epochord.runlog.digits.bits`).  Of a float32 the upper 19 bits, without the sign, are counted,
and the counts folded into digits; where a digit begins among numbers that share these bits they
count as if they lay evenly between the ends.  With 16 bits the shares of a million numbers would
be off by up to 8e-5, with 19 they are by less than 5e-5.  Small tensors are counted exactly,
float16 and bfloat16 always are; float64 and others count as what they are in float32.
"""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import nn

from epochord.recorders.devices import to_host
from epochord.recorders.rows import Taken
from epochord.runlog.digits.bits import FORMATS, digit_starts
from epochord.runlog.digits.tables import KINDS, digit_rows, digits_layers

__all__ = ["DigitRows", "count_first_digits"]

BITS = 18  # of a float32 that are counted, without its sign: float16 and bfloat16 fit in
WIDTH = 1 << (31 - BITS)  # from one pattern of these bits to the next
INFINITY = FORMATS["float32"].infinity
ZERO, NON_FINITE = 0, 10  # beside the digits
# So few numbers are looked up one by one on the CPU: clearing and adding up bins takes longer.
FEW = 1 << 13
ROW_BYTES = 200  # of a layer's digits while they wait, about

Named = Mapping[str, nn.Parameter]
Floats = npt.NDArray[np.float64]
Measured = Callable[[], dict[str, Floats]]
"""Waits for the device; by parameter: counts of 0 (zero) to 10 (non-finite), mean, and deviation.

The deviation is the square root of the sum of the squared differences from the mean.
"""


class _Starts(NamedTuple):
    """Where zero, digits and infinity begin, on a device."""

    patterns: torch.Tensor
    codes: torch.Tensor  # `ZERO`, a digit, or `NON_FINITE`; from each pattern on
    bins: torch.Tensor  # in which bin each pattern lies, but the first one
    fractions: torch.Tensor  # and how much of this bin's numbers lie below it
    by_code: torch.Tensor  # 1 where a start has a code


@lru_cache
def _starts(dtype: torch.dtype, device: torch.device) -> _Starts:
    name = str(dtype).removeprefix("torch.")
    starts = digit_starts(name if name in ("float16", "bfloat16") else "float32")
    patterns = starts.patterns.astype(np.int64)
    if dtype == torch.float16:
        patterns = patterns.astype(np.uint16).view(np.float16).astype(np.float32).view(np.uint32)
    elif dtype == torch.bfloat16:
        patterns <<= 16
    bounds = np.array([0, *patterns.tolist(), INFINITY], np.int64)
    codes = np.array([ZERO, *starts.digits.tolist(), NON_FINITE], np.int64)
    bins = bounds[1:] // WIDTH
    lower = np.maximum(bins * WIDTH, 1)  # zero is no part of the first bin
    fractions = (bounds[1:] - lower) / ((bins + 1) * WIDTH - lower)
    by_code = codes[:, np.newaxis] == np.arange(NON_FINITE + 1)
    arrays = (bounds.astype(np.int32), codes, bins, fractions, by_code.astype(np.float64))
    return _Starts(*(torch.from_numpy(array).to(device) for array in arrays))


def count_first_digits(values: torch.Tensor) -> torch.Tensor:
    """Count the leading digits of a tensor.

    Parameters
    ----------
    values : torch.Tensor
        Of any floating type and shape.

    Returns
    -------
    torch.Tensor of float64 [shape=(11,)]
        How many are zero, begin with 1, …, with 9, and are not finite; on the same device, but
        for devices without float64.
    """
    flat = values.detach().flatten()
    if flat.device.type == "mps":  # has no float64
        flat = flat.cpu()
    starts = _starts(flat.dtype, flat.device)
    narrow = flat.to(torch.float32)
    if narrow.is_cpu and narrow.numel() <= FEW:
        patterns = narrow.view(torch.int32) & 0x7FFFFFFF
        found = torch.bucketize(patterns, starts.patterns, right=True) - 1
        return torch.bincount(starts.codes[found], minlength=NON_FINITE + 1).to(torch.float64)
    patterns = (narrow.view(torch.int32) >> (31 - BITS)).bitwise_and_((1 << BITS) - 1)
    bins = _histogram(patterns)
    below = torch.cat([_zeros(narrow, bins[:1]), bins.cumsum(0)]).to(torch.float64)
    lower = below[starts.bins]
    reached = torch.lerp(lower, below[starts.bins + 1], starts.fractions)
    ends = torch.cat([below.new_zeros(1), reached, below[-1:]])
    return ends.diff() @ starts.by_code


def _histogram(patterns: torch.Tensor) -> torch.Tensor:
    if patterns.is_cpu:
        return torch.bincount(patterns, minlength=1 << BITS)
    # On other devices bincount waits, to learn the greatest number.
    bins = torch.zeros(1 << BITS, dtype=torch.int64, device=patterns.device)
    return bins.index_add_(0, patterns, bins.new_ones(1).expand(len(patterns)))


def _zeros(values: torch.Tensor, nearly: torch.Tensor) -> torch.Tensor:
    """Count zeros; `nearly` are those whose upper bits are zero."""
    if nearly.is_cpu and not nearly.item():
        return nearly
    zeros = len(values) - torch.count_nonzero(values)
    return torch.minimum(zeros.reshape(1), nearly)  # subnormals may count as zero, too


class DigitRows:
    """Rows of a log's table of leading digits, on their way to the writer.

    Parameters
    ----------
    names : sequence of str
        All parameters of the model, in registration order.
    every : int
        Count at steps 0, `every`, 2·`every`, …

    Raises
    ------
    ValueError
        If `every` is less than 1.
    """

    def __init__(self, names: Sequence[str], every: int) -> None:
        if every < 1:
            raise ValueError(f"first_digits is {every}; expected an integer of at least 1, or None")
        self.know(names)
        self._every = every
        self._open: tuple[int, float] | None = None  # step and time
        self._measured: dict[tuple[str, Hashable], Measured] = {}  # by kind and optimizer
        self._ahead: dict[Hashable, Measured] = {}
        self._done: list[tuple[int, Callable[[], pa.Table]]] = []

    def know(self, names: Sequence[str]) -> None:
        """Take the parameters that the model has by now."""
        self._layers = digits_layers(list(names))

    def due(self, step: int) -> bool:
        """Tell whether digits are counted at a step."""
        return step % self._every == 0

    def open(self, step: int) -> None:
        """Begin the rows of a step."""
        self.finish()
        self._open = (step, time.time())

    def capture_ahead(self, who: Hashable, parameters: Named) -> None:
        """Count the gradients that are there now, for rows that come later."""
        self._ahead[who] = _count(parameters, True, None)

    def capture_gradients(
        self, who: Hashable, parameters: Named, divisor: torch.Tensor | None = None
    ) -> None:
        """Count gradients into the open rows, but where that was done ahead.

        Parameters
        ----------
        who : hashable
            Identifies the optimizer whose parameters these are.
        parameters : mapping of str to torch.nn.Parameter
            By name.
        divisor : torch.Tensor [shape=()], optional
            What the gradients are still multiplied with.
        """
        ahead = self._ahead.pop(who, None)
        if self._open is not None:  # else the rows have been given out
            self._measured["gradient", who] = ahead or _count(parameters, True, divisor)

    def capture_weights(self, who: Hashable, parameters: Named) -> None:
        """Count weights into the open rows."""
        if self._open is not None:
            self._measured["weight", who] = _count(parameters, False, None)

    def take(self) -> Taken | None:
        """Take all rows that are finished."""
        done, self._done = self._done, []
        if not done:
            return None
        size = ROW_BYTES * len(self._layers) * len(done)
        return Taken(
            lambda: pa.concat_tables([rows() for _, rows in done]), (done[0][0], done[-1][0]), size
        )

    def finish(self) -> None:
        """End the open rows."""
        if self._open is None:
            return
        (step, when), measured = self._open, self._measured
        self._open, self._measured = None, {}

        def rows() -> pa.Table:
            found: dict[str, dict[str, Floats]] = {kind: {} for kind in KINDS}
            for (kind, _), counted in measured.items():
                found[kind] |= counted()
            by_layer = {
                kind: {
                    layer: _joined([found[kind][name] for name in names if name in found[kind]])
                    for layer, names in self._layers.items()
                }
                for kind in KINDS
            }
            return digit_rows(step, when, by_layer)

        self._done.append((step, rows))


def _count(parameters: Named, gradients: bool, divisor: torch.Tensor | None) -> Measured:
    """Measure what is dense and of real numbers."""
    found: dict[torch.device, dict[str, torch.Tensor]] = {}
    for name, parameter in parameters.items():
        values = parameter.grad if gradients else parameter
        if values is None or values.layout != torch.strided or not values.is_floating_point():
            continue
        row = _measure(values.detach(), divisor)
        found.setdefault(row.device, {})[name] = row
    arrived = [(list(rows), to_host(torch.stack(list(rows.values())))) for rows in found.values()]
    return lambda: {
        name: row.astype(np.float64)
        for names, rows in arrived
        for name, row in zip(names, rows(), strict=True)
    }


def _measure(values: torch.Tensor, divisor: torch.Tensor | None) -> torch.Tensor:
    """Return counts, mean and deviation of numbers, on their device."""
    if divisor is not None:
        values = values / divisor.to(values.device, non_blocking=True)
    counts = count_first_digits(values)
    wide = values.to(counts.device, values.dtype if values.itemsize > 4 else torch.float32)
    mean = wide.sum() / max(1, wide.numel())
    deviation = torch.linalg.vector_norm(wide - mean, dtype=torch.float64)
    return torch.cat([counts, torch.stack([mean.to(torch.float64), deviation])])


def _joined(parts: list[Floats]) -> Floats | None:
    """Return a layer's counts by digit, zero, non-finite, n and sigma from its parameters'."""
    if not parts:
        return None
    rows = np.array(parts)
    counts, means, deviations = rows[:, : NON_FINITE + 1], rows[:, -2], rows[:, -1]
    sizes = counts.sum(axis=1)
    whole, size = counts.sum(axis=0), max(1.0, sizes.sum())
    if whole[NON_FINITE]:
        sigma = np.nan
    else:
        between = sizes * (means - (sizes * means).sum() / size) ** 2
        sigma = np.sqrt((between + deviations**2).sum() / size)
    digits = whole[1:NON_FINITE]
    return np.array([*digits, whole[ZERO], whole[NON_FINITE], digits.sum(), sigma])
