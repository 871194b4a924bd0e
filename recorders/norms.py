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
# What has no more elements is short, and summed in float64 or copied side by side.
SHORT = 1 << 12
# From so many short ones on, copying them costs less than a kernel's call for each.
MANY = 48
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
        long = [place for place, size in enumerate(sizes) if size > SHORT]
        short = [place for place, size in enumerate(sizes) if 0 < size <= SHORT]
        one_block = [place for place in short if sizes[place] <= BLOCK]
        blocks = [place for place in short if sizes[place] > BLOCK]
        self._packs: list[_Pack] = []
        if len(short) >= MANY:
            self._packs += [_Pack(pack, sizes) for pack in _packs(one_block, sizes)]
            self._packs += [_BlockPack(pack, sizes) for pack in _packs(blocks, sizes)]
        self._long = [(place, _block(sizes[place])) for place in long]
        # What is summed in float32 at first.
        self._narrow = [*blocks, *long] if self._packs else long

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
        try:
            norms = self._packed(gradients) if self._packs else self._alone(gradients)
        except (RuntimeError, TypeError):  # a gradient is sparse, complex, or of another kind
            return np.array([_any_norm(gradient) for gradient in gradients])
        for place in self._narrow:
            norm = norms.item(place)
            if not (SAFE[0] < norm < SAFE[1] or norm != norm):
                norms[place] = _any_norm(gradients[place])
        return norms

    def _alone(self, gradients: Sequence[torch.Tensor]) -> Floats:
        """Measure each by itself, in as few calls as can be."""
        alone = list(gradients)
        for place, length in self._long:
            alone[place] = _blocks(alone[place], length)
        return _wide_norms(alone)

    def _packed(self, gradients: Sequence[torch.Tensor]) -> Floats:
        """Measure the short ones together."""
        norms = np.zeros(len(gradients))
        for pack in self._packs:
            norms[pack.places] = pack(gradients)
        if self._long:
            places = [place for place, _ in self._long]
            norms[places] = _wide_norms([_blocks(gradients[p], b) for p, b in self._long])
        return norms


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
        blocks = torch.linalg.vector_norm(self._joined(filled).view(-1, BLOCK), dim=1)
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


def _wide_norms(values: list[torch.Tensor]) -> Floats:
    """Return norms that are summed in float64."""
    norms = torch._foreach_norm(values, 2, dtype=torch.float64)
    if len(norms) < MANY:
        return np.array([norm.item() for norm in norms])
    stacked: Floats = torch.stack(norms).detach().numpy()
    return stacked


def _norms(values: npt.NDArray[np.floating], ends: npt.NDArray[np.int64]) -> Floats:
    """Return the norm of each stretch of values, summed in float64."""
    if len(values) != ends[-1]:
        raise TypeError("a parameter has another size than it had")
    squares = np.multiply(values, values, dtype=np.float64)
    norms: Floats = np.sqrt(np.add.reduceat(squares, ends[:-1]))
    return norms


def _block(size: int) -> int:
    """Return how long blocks can be so that none is left over; 0 if they would be too short."""
    whole = next((length for length in range(BLOCK, 0, -1) if size % length == 0), 1)
    return whole if whole >= BLOCK // 8 else 0


def _blocks(gradient: torch.Tensor, length: int) -> torch.Tensor:
    """Return the norms of blocks of a long gradient, summed in float32."""
    if gradient.dtype != torch.float32:
        return _blocks_of_others(gradient)
    flat = _flat(gradient)
    if length:
        blocks: torch.Tensor = torch.linalg.vector_norm(flat.view(-1, length), dim=1)
        return blocks
    rest = flat.numel() % BLOCK
    blocks = torch.linalg.vector_norm(flat[: flat.numel() - rest].view(-1, BLOCK), dim=1)
    return torch.cat([blocks, torch.linalg.vector_norm(flat[flat.numel() - rest :]).view(1)])


def _blocks_of_others(gradient: torch.Tensor) -> torch.Tensor:
    if gradient.itemsize > 2 or not gradient.is_floating_point():
        return torch.tensor([_any_norm(gradient)], dtype=torch.float64)
    pieces = torch.split(_flat(gradient), AT_ONCE)
    return torch.cat([_blocks(piece.float(), 0) for piece in pieces])


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
