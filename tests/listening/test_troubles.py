"""The runs that the gate is tried on: healthy but for one trouble, as strong as said."""

import numpy as np
import pytest

from tests.listening.troubles import HEALTHY, TROUBLES, norms


@pytest.mark.parametrize("kind", TROUBLES)
def test_a_trouble_leaves_everything_else_as_it_was(kind):
    """Layers that are not concerned, and what was before, are those of the healthy run."""
    well, ill = norms(HEALTHY, 3, 5).values, norms(kind, 3, 5)
    assert len(ill.concerned) == TROUBLES[kind].layers
    others = np.setdiff1d(np.arange(5), ill.concerned) if ill.concerned else []
    np.testing.assert_allclose(ill.values[others], well[others])
    assert not np.allclose(ill.values, well)
    np.testing.assert_allclose(ill.values[:, 0], well[:, 0])


@pytest.mark.parametrize(
    ("kind", "ratio"),
    [("vanish100", 1 / 3), ("fall3", 1 / 3), ("explode1000", 1000), ("rate_drop", 1 / 3)],
)
def test_how_strong_is_said_by_the_last_layer(kind, ratio):
    """Median over many runs, as their jitter shrinks or not."""
    found = [
        norms(kind, n, 4).values[3, -1] / norms(HEALTHY, n, 4).values[3, -1] for n in range(99)
    ]
    assert np.median(found) == pytest.approx(ratio, rel=0.1)


@pytest.mark.parametrize(("kind", "ratio"), [("drift10_one", 10), ("late_drift", 6)])
def test_one_layer_ends_so_many_times_higher(kind, ratio):
    """Or by as much as is asked for."""
    for strength in (None, 50.0):
        ill, well = norms(kind, 1, 4, strength=strength), norms(HEALTHY, 1, 4)
        (layer,) = ill.concerned
        found = ill.values[layer, -1] / well.values[layer, -1]
        assert found == pytest.approx(strength or ratio)


def test_a_run_has_these_norms():
    """In the order of layers, as float32."""
    made = norms("die", 0, 12)
    run = made.run()
    np.testing.assert_array_equal(np.stack([run[tag] for tag in run]), made.values.astype("f4"))
    assert (made.values[made.concerned[0], -100:] == 0).all()
