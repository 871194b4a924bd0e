"""Exact 2-norms of many gradients at once.

A sum of squares in float32 is off by 1e-5 at a million elements, by 4e-3 at fifty
million, and by more where all elements are alike.  In host memory no float32 sum is
therefore longer than a block; what is longer is summed in float64.  On other devices
PyTorch's kernels add up in chunks by themselves.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch._C._nn import flatten_dense_tensors

__all__ = ["DeviceNorms", "HostNorms", "is_narrow"]

# Numbers that are summed in float32 at most: equal ones are then off by 3e-7 at worst.
BLOCK = 256
# So few are copied side by side and summed in float64: a call each would take longer.
FEW = 2048
# So many of them at a time, and as many of half precision are made float32 at a time.
AT_ONCE = 1 << 18
# Squares of what lies beyond may have left float32's range on the way.
SAFE = (1e-15, 1e18)

_NARROW = frozenset({torch.float16, torch.bfloat16, torch.float32})

Floats = npt.NDArray[np.float64]


def is_narrow(dtype: torch.dtype) -> bool:
    """Tell whether norms of this precision are summed in float32, where that is exact enough."""
    return dtype in _NARROW


class HostNorms:
    """Norms of gradients in host memory, of sizes that are known beforehand.

    Parameters
    ----------
    sizes : sequence of int
        How many elements each gradient has.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self._count = len(sizes)
        self._long = [place for place, size in enumerate(sizes) if size > FEW]
        few = [place for place, size in enumerate(sizes) if 0 < size <= FEW]
        # One pack for most models: several only keep the copies small.
        self._packs = [
            (pack, np.array(pack), np.cumsum([0, *(sizes[place] for place in pack)]))
            for pack in _packs(few, sizes)
        ]

    def __call__(self, gradients: Sequence[torch.Tensor]) -> Floats:
        """Measure gradients.

        Parameters
        ----------
        gradients : sequence of torch.Tensor
            In host memory, of the sizes given; sparse ones may be among them.

        Returns
        -------
        np.ndarray [shape=(gradients,), float64]
            Their 2-norms.
        """
        norms = np.zeros(self._count)
        try:
            for pack, places, ends in self._packs:
                whole = len(pack) == len(gradients)
                chosen = list(gradients) if whole else [gradients[place] for place in pack]
                flat = _as_array(flatten_dense_tensors(chosen))
                if flat.size != ends[-1]:
                    raise TypeError("a parameter has another size than it had")
                squares = np.multiply(flat, flat, dtype=np.float64)
                norms[places] = np.add.reduceat(squares, ends[:-1])
            np.sqrt(norms, out=norms)
            for place in self._long:
                norms[place] = _long_norm(gradients[place])
        except (RuntimeError, TypeError):  # a gradient is sparse, complex, or of another kind
            return np.array([_any_norm(gradient) for gradient in gradients])
        return norms


class DeviceNorms:
    """Norms of gradients on another device, left there.

    Parameters
    ----------
    narrow : bool
        Whether the gradients are of at most 32 bits.
    like : torch.Tensor
        Gives device and precision of the norms.
    """

    def __init__(self, narrow: bool, like: torch.Tensor) -> None:
        self._dtype = torch.float32 if narrow else None
        self._like = like

    def __call__(self, gradients: list[torch.Tensor], out: torch.Tensor) -> None:
        """Measure gradients into a row [shape=(gradients,)]; nothing waits for the device."""
        try:
            torch.stack(torch._foreach_norm(gradients, 2, dtype=self._dtype), out=out)
        except RuntimeError:  # sparse, of another precision, with a graph, or moved since
            norms = [_device_norm(gradient).to(self._like) for gradient in gradients]
            torch.stack(norms, out=out)


def _packs(places: Sequence[int], sizes: Sequence[int]) -> Iterator[list[int]]:
    pack: list[int] = []
    total = 0
    for place in places:
        if total + sizes[place] > AT_ONCE:
            yield pack
            pack, total = [], 0
        pack.append(place)
        total += sizes[place]
    if pack:
        yield pack


def _as_array(flat: torch.Tensor) -> npt.NDArray[np.floating]:
    # NumPy has no bfloat16, and its float16 is slow.
    array: npt.NDArray[np.floating] = (flat.float() if flat.itemsize < 4 else flat).detach().numpy()
    return array


def _long_norm(gradient: torch.Tensor) -> float:
    flat = _flat(gradient.detach())
    if flat.itemsize > 4 or not flat.is_floating_point():
        return _any_norm(gradient)
    pieces = (flat,) if flat.dtype == torch.float32 else torch.split(flat, AT_ONCE)
    norm = float(np.sqrt(sum(_sum_of_squares(piece.float()) for piece in pieces)))
    return norm if SAFE[0] < norm < SAFE[1] or norm != norm else _wide_norm(flat)


def _sum_of_squares(flat: torch.Tensor) -> float:
    whole = flat.numel() // BLOCK * BLOCK
    blocks = torch.linalg.vector_norm(flat[:whole].view(-1, BLOCK), dim=1).numpy()
    wide = blocks.astype(np.float64)
    rest = flat[whole:].numpy().astype(np.float64)
    return float(np.dot(wide, wide) + np.dot(rest, rest))


def _wide_norm(flat: torch.Tensor) -> float:
    """Sum in float64 throughout: slower, but nothing leaves the range."""
    pieces = torch.split(flat, AT_ONCE >> 3)  # what is converted stays in the processor's cache
    return float(np.linalg.norm([float(torch.linalg.vector_norm(p.double())) for p in pieces]))


def _flat(gradient: torch.Tensor) -> torch.Tensor:
    """View a gradient as one line, in whatever order it lies in memory."""
    if gradient.is_contiguous():
        return gradient.view(-1)
    dense = gradient.permute(sorted(range(gradient.dim()), key=gradient.stride, reverse=True))
    return dense.reshape(-1)


def _any_norm(gradient: torch.Tensor) -> float:
    values = gradient.detach()
    if values.layout != torch.strided:
        values = (values.coalesce() if values.layout == torch.sparse_coo else values).values()
    flat = values.reshape(-1)
    if flat.is_complex():
        flat = torch.view_as_real(flat.resolve_conj()).reshape(-1)
    return _wide_norm(flat) if flat.numel() else 0.0


def _device_norm(gradient: torch.Tensor) -> torch.Tensor:
    values = gradient.coalesce().values() if gradient.is_sparse else gradient
    dtype = torch.float32 if values.dtype in _NARROW else None
    norm: torch.Tensor = torch.linalg.vector_norm(values.detach(), dtype=dtype)
    return norm.real
