"""Norms in host memory equal those in double precision, whatever the gradients look like."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from epochord.recorders.norms import HostNorms

RTOL = 1e-6
LARGEST = 5_000_000

# Where one way of adding up gives way to the next, and everything in between.
EDGES = [n + d for n in (1, 256, 2048, 1 << 15, 1 << 18) for d in (-1, 0, 1)]
SIZES = st.sampled_from(EDGES) | st.integers(0, 5000) | st.integers(0, LARGEST)
SCALES = {
    torch.float16: [6e-8, 1e-3, 1.0, 1e4],
    torch.bfloat16: [1e-30, 1e-3, 1.0, 1e30],
    torch.float32: [1e-30, 1e-20, 1e-3, 1.0, 1e17, 1e30],
    torch.float64: [1e-30, 1.0, 1e30],
    torch.complex64: [1e-30, 1.0, 1e30],
    torch.complex128: [1.0],
}
KINDS = st.sampled_from([(dtype, scale) for dtype, scales in SCALES.items() for scale in scales])
SHAPES = st.sampled_from(["normal", "constant", "one large", "mixed"])


def norm(gradient: torch.Tensor) -> float:
    """Return a 2-norm as NumPy computes it in float64, of numbers scaled to 1 at most."""
    dense = gradient.detach().to_dense().resolve_conj().resolve_neg()
    if dense.is_complex():
        dense = torch.view_as_real(dense.to(torch.complex128))
    values = np.array(dense.reshape(-1).double().numpy())
    largest = float(np.abs(values, out=np.array(values)).max(initial=0))
    if largest in (0.0, np.inf) or largest != largest:
        return largest
    values /= largest
    values *= values
    return largest * float(np.sqrt(values.sum()))


def assert_exact(*gradients: torch.Tensor, sizes: list[int] | None = None) -> None:
    """Assert that all norms are those of double precision, each in its place."""
    measured = HostNorms(sizes or [gradient.numel() for gradient in gradients])(gradients)
    np.testing.assert_allclose(measured, [norm(each) for each in gradients], rtol=RTOL, atol=0)


def some_gradient(size: int, dtype: torch.dtype, scale: float, shape: str) -> torch.Tensor:
    """Make a gradient of a size; equal arguments give equal numbers."""
    random = torch.Generator().manual_seed(size)
    wide = dtype if dtype.is_complex else torch.float64 if dtype == torch.float64 else torch.float32
    values = torch.randn(size, generator=random, dtype=wide)
    if shape == "constant":
        values.fill_(0.7)
    elif shape == "one large":
        values[: size // 2] *= 1e-7
        values[-1:] = 3
    elif shape == "mixed":
        values *= torch.logspace(-6, 0, size, dtype=torch.float64).to(values.real.dtype)
    return (values * scale).to(dtype)


@given(size=SIZES, kind=KINDS, shape=SHAPES)
@example(LARGEST, (torch.float32, 1.0), "constant")
@example(LARGEST, (torch.bfloat16, 1.0), "normal")
def test_every_size_precision_and_scale_is_exact_to_a_millionth(size, kind, shape):
    """No sum is so long, and no number so small or large, that float32's ends show."""
    assert_exact(some_gradient(size, *kind, shape))


@given(
    sizes=st.lists(st.sampled_from(EDGES) | st.integers(0, 5000), max_size=60),
    dtypes=st.lists(st.sampled_from([torch.float16, torch.bfloat16, torch.float32]), min_size=1),
)
@settings(max_examples=40)
def test_many_gradients_at_once_are_measured_each_in_its_place(sizes, dtypes):
    """Short and long ones, of several precisions, in any order."""
    gradients = [
        some_gradient(size, dtypes[place % len(dtypes)], 1.0, "normal") * (place + 1)
        for place, size in enumerate(sizes)
    ]
    assert_exact(*gradients)


def test_fifty_million_equal_numbers():
    """A sum of squares in float32 would be off by half here."""
    gradient = torch.full((50_000_000,), 0.1)
    measured = HostNorms([50_000_000])([gradient])[0]
    assert measured == pytest.approx(float(np.float32(0.1)) * 50_000_000**0.5, rel=RTOL)


def laid_out(size: int) -> dict[str, torch.Tensor]:
    """Return gradients that lie in memory in all kinds of ways."""
    random = torch.Generator().manual_seed(size)
    square = torch.randn(size, size, generator=random)
    images = torch.randn(3, 4, size, size, generator=random)
    complex_ = torch.complex(square, square.T)
    return {
        "transposed": square.T,
        "channels last": images.to(memory_format=torch.channels_last),
        "every second": square[::2, 1::3],
        "expanded": torch.tensor(0.3).expand(size, size),
        "expanded rows": square[:1].expand(size, size),
        "permuted": images.permute(2, 0, 3, 1),
        "with a graph": square.clone().requires_grad_() * 2,
        "conjugated": complex_.conj(),
        "negated": complex_.conj().imag,
        "a part of complex numbers": complex_.imag,
    }


@pytest.mark.parametrize("size", [5, 90])
@pytest.mark.parametrize("layout", laid_out(1))
def test_it_does_not_matter_how_a_gradient_lies_in_memory(layout, size):
    """Views are measured as what they show, beside others that are plain."""
    gradient = laid_out(size)[layout]
    assert_exact(torch.ones(7), gradient, torch.full((3000,), 2.0))


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr, torch.sparse_csc])
@pytest.mark.parametrize("size", [9, 80])
def test_sparse_gradients_are_measured_as_what_they_stand_for(layout, size):
    """Beside dense ones, which keep their places."""
    random = torch.Generator().manual_seed(0)
    dense = torch.randn(size, size, generator=random).relu()
    assert_exact(torch.ones(7), dense.to_sparse(layout=layout), torch.full((3000,), 2.0))


@pytest.mark.filterwarnings("ignore:Sparse")
def test_what_a_sparse_gradient_has_twice_is_added_up_first():
    """(1 + 2)² and not 1² + 2²."""
    twice = torch.sparse_coo_tensor([[4, 4, 1]], [1.0, 2.0, 4.0], (6,))
    assert_exact(twice)
    assert HostNorms([6])([twice])[0] == 5.0


@pytest.mark.parametrize("size", [3, 5000])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_stays_with_its_gradient(bad, dtype, size):
    """NaN gives NaN and infinity gives infinity, among neighbours that are finite."""
    broken = torch.ones(size, dtype=dtype)
    broken[size // 2] = bad
    norms = HostNorms([size] * 3)([torch.ones(size, dtype=dtype), broken, torch.ones(size)])
    assert [norms[0], norms[2]] == pytest.approx([size**0.5] * 2, rel=RTOL)
    assert np.isnan(norms[1]) if np.isnan(bad) else norms[1] == np.inf


@pytest.mark.parametrize(("before", "now"), [(3, 5), (3, 5000), (5000, 3), (5000, 0), (6000, 5000)])
def test_a_parameter_whose_size_has_changed_is_measured_as_it_is(before, now):
    """Sizes are known beforehand, but what is there counts."""
    others = torch.ones(4), torch.full((4000,), 0.5)
    gradients = (others[0], torch.full((now,), 2.0), others[1])
    assert_exact(*gradients, sizes=[4, before, 4000])


def test_no_gradients_have_no_norms():
    """A model whose gradients are all None."""
    assert HostNorms([])([]) == []
