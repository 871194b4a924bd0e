"""Exact 2-norms of many gradients at once.

A sum of squares in float32 is off by 1e-5 at a million elements, by 4e-3 at fifty
million, and by more where all elements are alike: then by 1e-9 for each of them.  In
host memory long gradients are therefore summed in blocks, the blocks' norms in blocks
again, and so on, so that no number is on its way through more than some 800 additions.
On other devices PyTorch's kernels add up in chunks by themselves.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import inf

import numpy as np
import numpy.typing as npt
import torch
from torch._C._nn import flatten_dense_tensors
from torch.linalg import vector_norm

__all__ = ["DeviceNorms", "HostNorms", "is_narrow"]

# Numbers that are summed in float32 at once: at most, and in each block of more.
AT_ONCE, BLOCK = 512, 256
# From so many short ones on, copying them side by side costs less than a kernel's call for each.
MANY, SHORT = 48, 1 << 12
# So many numbers are copied, or made float32, or float64, at a time.
COPIED = 1 << 18
# Squares of what lies beyond may have left float32's range on the way.
SAFE = (1e-15, 1e18)
LARGEST = float(np.finfo(np.float32).max)

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
    narrow : bool
        Whether they are of at most 32 bits (see `is_narrow`).
    """

    def __init__(self, sizes: Sequence[int], *, narrow: bool = True) -> None:
        self._narrow = narrow
        self._dtype = torch.float32 if narrow else torch.float64
        short = [place for place, size in enumerate(sizes) if 0 < size <= SHORT]
        self._packs = _packs(short, sizes) if len(short) >= MANY else []
        packed = set(short) if self._packs else set()
        self._alone = [place for place in range(len(sizes)) if place not in packed]

    def __call__(self, gradients: Sequence[torch.Tensor]) -> list[float]:
        """Measure gradients.

        Parameters
        ----------
        gradients : sequence of torch.Tensor
            In host memory, of the sizes given; sparse ones may be among them.

        Returns
        -------
        list of float
            Their 2-norms; what float32 cannot hold is infinite.
        """
        try:
            norms = self._packed(gradients) if self._packs else self._one_by_one(gradients)
        except (RuntimeError, TypeError):  # a gradient is sparse, complex, or of another kind
            return [_any_norm(gradient) for gradient in gradients]
        if not (SAFE[0] < min(norms, default=1.0) and max(norms, default=1.0) < SAFE[1]):
            return [_checked(*pair) for pair in zip(norms, gradients, strict=True)]
        return norms

    def _one_by_one(self, gradients: Sequence[torch.Tensor]) -> list[float]:
        """Measure those that are not packed, in as few calls as can be."""
        values = list(gradients)
        if self._narrow:
            values = [_shortened(each) if each.numel() > AT_ONCE else each for each in values]
        return [norm.item() for norm in torch._foreach_norm(values, 2, dtype=self._dtype)]

    def _packed(self, gradients: Sequence[torch.Tensor]) -> list[float]:
        """Measure the short ones together."""
        norms = np.zeros(len(gradients))
        for pack in self._packs:
            norms[pack.places] = pack(gradients)
        if self._alone:
            norms[self._alone] = self._one_by_one([gradients[place] for place in self._alone])
        found: list[float] = norms.tolist()
        return found


class _Pack:
    """Norms of short gradients, each of a block at most."""

    def __init__(self, pack: list[int], sizes: Sequence[int]) -> None:
        self.places = np.array(pack)
        self._pack = pack
        self._ends = np.cumsum([0, *(sizes[place] for place in pack)])

    def __call__(self, gradients: Sequence[torch.Tensor]) -> Floats:
        flat = self._joined([gradients[place] for place in self._pack])
        return _norms(flat.numpy(), self._ends)

    def _joined(self, pieces: list[torch.Tensor]) -> torch.Tensor:
        flat = flatten_dense_tensors(pieces)
        # NumPy has no bfloat16, and its float16 is slow.
        return (flat.float() if flat.itemsize < 4 else flat).detach()


class _BlockPack(_Pack):
    """The same of longer ones, filled up to whole blocks, which are summed first."""

    def __init__(self, pack: list[int], sizes: Sequence[int]) -> None:
        super().__init__(pack, sizes)
        self._fill = [torch.zeros(-sizes[place] % BLOCK) for place in pack]
        self._ends = np.cumsum([0, *(-(-sizes[place] // BLOCK) for place in pack)])

    def __call__(self, gradients: Sequence[torch.Tensor]) -> Floats:
        pieces = [gradients[place] for place in self._pack]
        filled = [piece for pair in zip(pieces, self._fill, strict=True) for piece in pair]
        blocks = vector_norm(self._joined(filled).view(-1, BLOCK), dim=1)
        return _norms(blocks.numpy(), self._ends)


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


def _packs(short: Sequence[int], sizes: Sequence[int]) -> list[_Pack]:
    """Put short gradients into packs, those of a block at most apart from the others."""
    one_block = [place for place in short if sizes[place] <= BLOCK]
    blocks = [place for place in short if sizes[place] > BLOCK]
    return [_Pack(pack, sizes) for pack in _cut(one_block, sizes)] + [
        _BlockPack(pack, sizes) for pack in _cut(blocks, sizes)
    ]


def _cut(places: Sequence[int], sizes: Sequence[int]) -> Iterator[list[int]]:
    pack: list[int] = []
    total = 0
    for place in places:
        if total + sizes[place] > COPIED:
            yield pack
            pack, total = [], 0
        pack.append(place)
        total += sizes[place]
    if pack:
        yield pack


def _norms(values: npt.NDArray[np.floating], ends: npt.NDArray[np.int64]) -> Floats:
    """Return the norm of each stretch of values, summed in float64."""
    if len(values) != ends[-1]:
        raise TypeError("a parameter has another size than it had")
    squares = np.multiply(values, values, dtype=np.float64)
    norms: Floats = np.sqrt(np.add.reduceat(squares, ends[:-1]))
    return norms


def _shortened(gradient: torch.Tensor) -> torch.Tensor:
    """Return few numbers whose norm is a long gradient's."""
    length = _block(gradient.numel())
    if length and gradient.dtype == torch.float32 and gradient.is_contiguous():
        values: torch.Tensor = vector_norm(gradient.view(-1, length), dim=1)  # nearly always
    else:
        values = _in_blocks(gradient)
    while len(values) > BLOCK:
        values = _blocks(values)
    return values


def _in_blocks(gradient: torch.Tensor) -> torch.Tensor:
    if gradient.dtype == torch.float32:
        return _blocks(_flat(gradient))
    if gradient.dtype not in _NARROW:
        raise TypeError(f"{gradient.dtype} is not summed in float32")
    pieces = torch.split(_flat(gradient), COPIED)
    return torch.cat([_blocks(piece.float()) for piece in pieces])


def _blocks(flat: torch.Tensor) -> torch.Tensor:
    """Return the norms of blocks of numbers, summed in float32."""
    length = _block(len(flat))
    if length:
        whole: torch.Tensor = vector_norm(flat.view(-1, length), dim=1)
        return whole
    rest = len(flat) % BLOCK
    blocks = vector_norm(flat[: len(flat) - rest].view(-1, BLOCK), dim=1)
    return torch.cat([blocks, vector_norm(flat[len(flat) - rest :]).view(1)])


@lru_cache(maxsize=1 << 12)
def _block(size: int) -> int:
    """Return how long blocks can be so that none is left over; 0 if they would be too short."""
    whole = next((length for length in range(BLOCK, 0, -1) if size % length == 0), 1)
    return whole if whole >= BLOCK // 8 else 0


def _checked(norm: float, gradient: torch.Tensor) -> float:
    """Measure once more where float32 may not have been wide enough."""
    return norm if SAFE[0] < norm < SAFE[1] or norm != norm else _any_norm(gradient)


def _wide_norm(flat: torch.Tensor) -> float:
    """Sum in float64 throughout: slower, but nothing leaves the range."""
    pieces = torch.split(flat, COPIED >> 3)  # what is converted stays in the processor's cache
    return float(np.linalg.norm([float(vector_norm(p.double())) for p in pieces]))


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
    norm = _wide_norm(flat) if flat.numel() else 0.0
    return inf if norm > LARGEST else norm


def _device_norm(gradient: torch.Tensor) -> torch.Tensor:
    values = gradient.coalesce().values() if gradient.is_sparse else gradient
    dtype = torch.float32 if values.dtype in _NARROW else None
    norm: torch.Tensor = vector_norm(values.detach(), dtype=dtype)
    return norm.real
