"""The norm of all gradients is that of the vector which the layers' parts make up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from epochord.renderers.timeline.timeline import Timeline
from epochord.renderers.timeline.total import TOTAL, with_total

norms = st.floats(0, 2.0**100, width=32)


def line(values, measured=None, quantities=None, dtype=np.float32, names=None):
    rows = np.asarray(values, dtype)
    known = np.ones(rows.shape, bool) if measured is None else np.asarray(measured)
    names = names or tuple(f"layer{row}" for row in range(len(rows)))
    quantities = quantities or ("gradient",) * len(rows)
    return Timeline(np.arange(rows.shape[1]), names, rows, known, quantities=quantities)


def parts(most=12):
    shapes = st.tuples(st.integers(2, most), st.integers(1, 20))
    return shapes.flatmap(lambda shape: arrays.arrays(np.float32, shape, elements=norms))


@given(parts())
def test_it_is_the_root_of_the_sum_of_squares(values):
    """As numpy has it in 64 bits, to the last digits of 32; layers stay as they were."""
    made = with_total(line(values))
    expected = np.linalg.norm(values.astype(np.float64), axis=0)
    np.testing.assert_allclose(made.values[0], np.minimum(expected, 3.4028235e38), rtol=1e-6)
    np.testing.assert_array_equal(made.values[1:], values)
    assert made.names[0] == TOTAL
    assert made.quantities == ("total", *["gradient"] * len(values))
    assert made.measured.all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", ["tiny", "small", "large", "max"])
def test_nothing_overflows_or_vanishes(dtype, size):
    """Where squares would: four equal layers are twice as much as each, as far as numbers go."""
    limits = np.finfo(dtype)
    value = {
        "tiny": limits.smallest_subnormal, "small": limits.tiny, "large": limits.max / 4,
        "max": limits.max,
    }[size]  # fmt: skip
    made = with_total(line(np.full((4, 3), value), dtype=dtype))
    expected = limits.max if size == "max" else dtype(2) * value
    np.testing.assert_allclose(made.values[0], expected, rtol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_in_a_layer_is_left_out(value):
    """And where no layer is finite, there is no total."""
    values = np.array([[3.0, 3.0, value], [4.0, value, value]])
    made = with_total(line(values))
    np.testing.assert_array_equal(made.values[0], [5, 3, np.nan])
    np.testing.assert_array_equal(made.measured[0], [True, True, False])


def test_layers_that_are_not_measured_are_left_out():
    """Whatever lies in their place."""
    known = np.array([[True, False, False], [True, True, False]])
    made = with_total(line([[3.0, 1e9, 1e9], [4.0, 4.0, 1e9]], known))
    np.testing.assert_array_equal(made.values[0, :2], [5, 4])
    np.testing.assert_array_equal(made.measured[0], [True, True, False])


def test_zeros_make_zero():
    """It is measured, and zero."""
    made = with_total(line(np.zeros((3, 2))))
    np.testing.assert_array_equal(made.values[0], 0)
    assert made.measured[0].all()


@pytest.mark.parametrize(
    "quantities", [("loss", "loss"), ("gradient", "loss"), ("total", "gradient"), ("rate", "ratio")]
)
def test_only_several_gradients_have_a_total(quantities):
    """And no total is added to one."""
    made = line(np.ones((2, 3)), quantities=quantities)
    assert with_total(made) is made


def test_other_quantities_beside_gradients_do_not_count():
    """A loss is no part of the vector."""
    made = with_total(line([[3.0], [100.0], [4.0]], quantities=("gradient", "loss", "gradient")))
    assert made.values[:, 0].tolist() == [5, 3, 100, 4]
    assert made.quantities == ("total", "gradient", "loss", "gradient")


def test_its_name_is_nobodys():
    """Also where a layer is called like it."""
    made = with_total(line(np.ones((2, 1)), names=(TOTAL, "b")))
    assert len(set(made.names)) == 3
